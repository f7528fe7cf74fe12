#include "node/agent/env_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>

#include "base/file.h"
#include "base/unique_fd.h"
#include "doc/truth.h"
#include "node/agent/write_file.h"

namespace tiphys::node {
namespace {

constexpr std::string_view kBlank = " \t";
constexpr std::size_t kLongestKey = 128, kLongestValue = 32 * 1024;  // a kubelet's
constexpr std::size_t kLongestFile = 1024 * 1024;

std::string_view without_blank(std::string_view text) {
  const auto first = text.find_first_not_of(kBlank);
  return first == text.npos ? std::string_view() : text.substr(first);
}

/// The lines of a file one by one, with their numbers.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  std::size_t number() const { return number_; }
  bool next(std::string_view& line) {
    if (rest_.empty()) return false;
    ++number_;
    const auto end = rest_.find('\n');
    line = rest_.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    rest_ = end == rest_.npos ? std::string_view() : rest_.substr(end + 1);
    return true;
  }

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
};

std::unexpected<Error> malformed(std::size_t line, std::string_view why) {
  return fail(Code::kInvalidArgument, fmt::format("invalid environment variable format at line {}: {}", line, why));
}

/// What stands between the quotes, of which the first has been read; it may go on in the lines that follow.
Result<std::string> quoted(std::string_view rest, Lines& lines) {
  const std::size_t first = lines.number();
  std::string value;
  while (true) {
    const auto end = rest.find('\'');
    value += rest.substr(0, end);
    if (end != rest.npos) {
      const auto after = without_blank(rest.substr(end + 1));
      if (after.empty() || after.starts_with('#')) return value;
      return malformed(lines.number(), "unexpected content after closing quote");
    }
    value += '\n';
    if (!lines.next(rest)) return malformed(first, "unclosed single quote");
  }
}

/// The volume is the root of all that links lead to, also for whoever swaps a folder for a link meanwhile.
Result<UniqueFd> open_inside(const std::string& volume, const std::string& path) {
  const UniqueFd root(::open(volume.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return fail_errno("open the volume", errno);
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;  // a named pipe would keep the agent waiting
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  UniqueFd file(static_cast<int>(::syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof(how))));
  if (!file) return fail_errno("open", errno);
  return file;
}

Result<std::string> read_inside(const std::string& volume, const std::string& path) {
  TIPHYS_TRY(const UniqueFd file, open_inside(volume, path));
  struct stat about{};
  if (::fstat(file.get(), &about) != 0) return fail_errno("look at it", errno);
  if (!S_ISREG(about.st_mode)) return fail(Code::kInvalidArgument, "not a regular file");
  if (static_cast<std::size_t>(about.st_size) > kLongestFile) {
    return fail(Code::kInvalidArgument, fmt::format("{} bytes; {} at most", about.st_size, kLongestFile));
  }
  std::string text(static_cast<std::size_t>(about.st_size), '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("read", errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

}  // namespace

Result<std::string> env_file_value(std::string_view text, std::string_view key) {
  Lines lines(text);
  for (std::string_view line; lines.next(line);) {
    line = without_blank(line);
    if (line.empty() || line.starts_with('#')) continue;
    const auto equals = line.find('=');
    if (equals == line.npos) return malformed(lines.number(), "missing '='");
    const std::string_view name = line.substr(0, equals), value = line.substr(equals + 1);
    if (name.find_first_not_of(kBlank) == name.npos) return malformed(lines.number(), "empty variable name");
    if (kBlank.find(name.back()) != kBlank.npos) {
      return malformed(lines.number(), "whitespace before '=' is not allowed");
    }
    std::string found;
    // To a shell a blank ends the assignment.
    if (value.empty() || kBlank.find(value.front()) == kBlank.npos) {
      if (!value.starts_with('\'')) return malformed(lines.number(), "value must be enclosed in single quotes");
      TIPHYS_TRY(found, quoted(value.substr(1), lines));
    }
    if (name == key) return found;
  }
  return std::string();
}

namespace {

/// kNotFound when the file is there and has no such key, or an empty one.
Result<std::string> read_file_key(const doc::Value& reference, const HostVolumes& volumes) {
  const std::string name(doc::find_string(reference, "volumeName")), path(doc::find_string(reference, "path")),
      key(doc::find_string(reference, "key"));
  const auto volume = volumes.find(name);
  if (volume == volumes.end()) {
    return fail(Code::kInvalidArgument, fmt::format("cannot find the volume \"{}\" referenced by FileKeyRef", name));
  }
  if (key.size() > kLongestKey) {
    return fail(Code::kInvalidArgument, fmt::format("environment variable key \"{}\" exceeds maximum length of {} "
                                                    "characters",
                                                    key, kLongestKey));
  }
  const auto in_file = [&](Error error) {
    error.code = Code::kInvalidArgument;
    return std::unexpected(error.in(fmt::format("couldn't parse env file \"{}\" of volume \"{}\"", path, name)));
  };
  const auto text = read_inside(volume->second.path, path);
  if (!text) return in_file(text.error());
  auto value = env_file_value(*text, key);
  if (!value) return in_file(value.error());
  if (value->size() > kLongestValue) {
    return fail(Code::kInvalidArgument,
                fmt::format("environment variable value for key \"{}\" exceeds maximum size of 32KB", key));
  }
  if (!value->empty()) return value;
  return fail(Code::kNotFound, fmt::format("environment variable key \"{}\" not found in file \"{}\" of volume \"{}\"",
                                           key, path, name));
}

std::string to_text(const FileValues& values) {
  doc::Array list;
  for (const auto& value : values) list.push_back(value ? doc::Value(*value) : doc::Value());
  return doc::to_json(doc::Value(std::move(list)));
}

Result<FileValues> from_text(const std::string& text) {
  TIPHYS_TRY(const doc::Value list, doc::parse_json(text));
  FileValues values;
  for (const doc::Value& value : list.is_array() ? list.get_array() : doc::Array()) {
    values.push_back(value.is_string() ? std::optional<std::string>(value.get_string()) : std::nullopt);
  }
  return values;
}

template <typename Visit>
void each_variable(const doc::Value& container, Visit visit) {
  const doc::Value* env = doc::find(container, "env");
  if (!env || !env->is_array()) return;
  for (const doc::Value& variable : env->get_array()) {
    if (is_from_file(variable)) visit(variable);
  }
}

}  // namespace

bool is_from_file(const doc::Value& variable) {
  const doc::Value* reference = doc::find(variable, "valueFrom", "fileKeyRef");
  return reference && reference->is_object();
}

bool has_file_keys(const doc::Value& container) {
  bool any = false;
  each_variable(container, [&](const doc::Value&) { any = true; });
  return any;
}

Result<FileValues> read_file_keys(const doc::Value& container, const HostVolumes& volumes) {
  FileValues values;
  std::optional<Error> error;
  each_variable(container, [&](const doc::Value& variable) {
    const doc::Value& reference = *doc::find(variable, "valueFrom", "fileKeyRef");
    auto value = read_file_key(reference, volumes);
    if (value) {
      values.emplace_back(std::move(*value));
    } else if (value.error().code == Code::kNotFound && doc::is_true(reference, "optional")) {
      values.emplace_back();
    } else if (!error) {
      error = value.error().in(fmt::format("environment variable \"{}\"", doc::find_string(variable, "name")));
    }
  });
  if (error) return std::unexpected(std::move(*error));
  return values;
}

Result<FileValues> keep_file_keys(const doc::Value& container, const HostVolumes& volumes, const std::string& path) {
  if (const auto kept = read_whole_file(path); kept) return from_text(*kept);
  TIPHYS_TRY(FileValues values, read_file_keys(container, volumes));
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  if (error) return fail_errno(fmt::format("make the folder of {}", path), error.value());
  TIPHYS_CHECK_OK(replace_file(path, to_text(values), 0600));
  return values;
}

}  // namespace tiphys::node
