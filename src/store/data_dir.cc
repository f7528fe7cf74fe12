#include "store/data_dir.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>

#include "base/check.h"
#include "base/strings.h"

namespace tiphys::store {
namespace {

constexpr std::string_view kAdvice = "choose another directory with --data-dir or TIPHYS_DATA_DIR";
constexpr std::size_t kMostLocks = 16;

/// Locked descriptors of this process. A forked child shares the lock until it closes them, which it does at once:
/// otherwise a child that outlives this process would keep the directory taken.
std::array<int, kMostLocks>& locked_descriptors() {
  static std::array<int, kMostLocks> descriptors = [] {
    std::array<int, kMostLocks> none;
    none.fill(-1);
    ::pthread_atfork(nullptr, nullptr, [] {
      for (int& fd : locked_descriptors()) {
        if (fd >= 0) ::close(fd);
        fd = -1;
      }
    });
    return none;
  }();
  return descriptors;
}

void replace_locked(int from, int to) {
  auto& descriptors = locked_descriptors();
  const auto slot = std::ranges::find(descriptors, from);
  TIPHYS_CHECK(slot != descriptors.end(), "one process opens few data directories");
  *slot = to;
}

std::unexpected<Error> fail_on(const std::string& path, std::string_view what, int error_number) {
  const Error error = fail_errno(fmt::format("data directory {} {}", path, what), error_number).error();
  return fail(error.code, fmt::format("{}; {}", error.message, kAdvice));
}

Status make_directories(const std::string& path) {
  std::string made;
  for (const std::string_view step : split(path, '/')) {
    if (step.empty()) continue;
    made += made.empty() && !path.starts_with('/') ? std::string(step) : "/" + std::string(step);
    if (::mkdir(made.c_str(), 0700) != 0 && errno != EEXIST) {
      const int error_number = errno;
      struct stat present{};
      // A parent on a read-only file system fails with EROFS although it exists.
      if (::stat(made.c_str(), &present) != 0) return fail_on(path, "cannot be made", error_number);
    }
  }
  return {};
}

Status check_directory(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return fail_on(path, "cannot be read", errno);
  if (!S_ISDIR(info.st_mode)) {
    return fail(Code::kFailedPrecondition, fmt::format("data directory {} is no directory; {}", path, kAdvice));
  }
  // Secrets and logs lie below; nobody else may look.
  if ((info.st_mode & 077) != 0 && ::chmod(path.c_str(), 0700) != 0) {
    return fail_on(path, "is open to other users and cannot be closed to them", errno);
  }
  return {};
}

bool is_ours(std::string_view name) {
  // The package for Python makes its folder before there is a plane.
  constexpr std::array<std::string_view, 8> kNames{"version", "version.new", "lock",     "supervisor",
                                                   "pods",    "artifacts",   "api.sock", "python"};
  return name.starts_with("tiphys.db") || std::ranges::find(kNames, name) != kNames.end();
}

Result<std::string> read_small_file(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_errno(path, errno);
  std::array<char, 512> buffer{};
  const ssize_t size = ::read(fd.get(), buffer.data(), buffer.size());
  if (size < 0) return fail_errno(path, errno);
  return std::string(buffer.data(), static_cast<std::size_t>(size));
}

Status write_whole(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno("write", errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Status write_version(const std::string& path, int version) {
  const std::string target = path + "/version";
  const std::string fresh = target + ".new";
  const UniqueFd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd) return fail_on(path, "cannot be written", errno);
  if (!write_whole(fd.get(), fmt::format("{}\n", version)) || ::fsync(fd.get()) != 0 ||
      ::rename(fresh.c_str(), target.c_str()) != 0) {
    return fail_on(path, "cannot be written", errno);
  }
  return {};
}

/// The layout version of the directory; none when it is new.
Result<std::optional<int>> read_version(const std::string& path) {
  const auto text = read_small_file(path + "/version");
  if (!text) {
    if (text.error().code != Code::kNotFound) return std::unexpected(text.error().in("data directory"));
    std::error_code ec;
    for (std::filesystem::directory_iterator it(path, ec), end; !ec && it != end; it.increment(ec)) {
      if (is_ours(it->path().filename().native())) continue;
      return fail(Code::kFailedPrecondition,
                  fmt::format("{} is no data directory of tiphys: it holds {} but no version file; {}", path,
                              it->path().filename().native(), kAdvice));
    }
    if (ec) return fail_on(path, "cannot be read", ec.value());
    return std::nullopt;
  }
  int version = 0;
  const std::string_view number = trim(*text);
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), version);
  if (error != std::errc() || end != number.data() + number.size() || version < 1) {
    return fail(Code::kDataLoss, fmt::format("{}/version holds no version number; {}", path, kAdvice));
  }
  return version;
}

Status migrate(const DataDirOptions& options) {
  TIPHYS_TRY(const auto found, read_version(options.path));
  if (!found) return write_version(options.path, options.layout_version);
  if (*found > options.layout_version) {
    return fail(Code::kFailedPrecondition,
                fmt::format("data directory {} was written by a newer tiphys (layout {}, this one knows {}); use that "
                            "version, or {}",
                            options.path, *found, options.layout_version, kAdvice));
  }
  for (int version = *found; version < options.layout_version; ++version) {
    const auto step = std::ranges::find(options.migrations, version, &LayoutMigration::from);
    TIPHYS_CHECK(step != options.migrations.end(), "every older layout has a step to the next one");
    if (const Status done = step->apply(options.path); !done) {
      return std::unexpected(
          done.error().in(fmt::format("migrating data directory {} from layout {}", options.path, version)));
    }
    TIPHYS_CHECK_OK(write_version(options.path, version + 1));
  }
  return {};
}

std::unexpected<Error> fail_taken(const std::string& path) {
  std::string owner = "another process";
  if (const auto text = read_small_file(path + "/lock")) {
    const auto lines = split(trim(*text), '\n');
    if (lines.size() == 2) owner = fmt::format("pid {} ({})", lines[0], lines[1]);
  }
  return fail(Code::kFailedPrecondition, fmt::format("data directory {} is in use by {}", path, owner));
}

Result<UniqueFd> take_lock(const std::string& path, std::string_view command) {
  UniqueFd lock(::open((path + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) return fail_on(path, "cannot be written", errno);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return fail_taken(path);
    return fail_on(path, "cannot be locked", errno);
  }
  if (::ftruncate(lock.get(), 0) != 0 || !write_whole(lock.get(), fmt::format("{}\n{}\n", ::getpid(), command))) {
    return fail_on(path, "cannot be written", errno);
  }
  return lock;
}

}  // namespace

Result<std::string> DataDir::locate(std::string_view flag, const std::function<std::string(const char*)>& environment) {
  if (!flag.empty()) return std::string(flag);
  if (auto path = environment("TIPHYS_DATA_DIR"); !path.empty()) return path;
  // The XDG base directory specification has relative paths ignored.
  if (auto base = environment("XDG_DATA_HOME"); base.starts_with('/')) return base + "/tiphys";
  std::string home = environment("HOME");
  if (home.empty()) {
    if (const passwd* user = ::getpwuid(::getuid())) home = user->pw_dir;
  }
  if (home.empty()) {
    return fail(Code::kFailedPrecondition,
                "there is no home directory to keep data in; name a directory with --data-dir or TIPHYS_DATA_DIR");
  }
  return home + "/.local/share/tiphys";
}

Result<std::string> DataDir::locate(std::string_view flag) {
  return locate(flag, [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value ? value : "");
  });
}

Result<DataDir> DataDir::open(DataDirOptions options) {
  std::error_code ec;
  options.path = std::filesystem::absolute(options.path, ec).lexically_normal().native();
  if (ec) return fail_on(options.path, "cannot be found", ec.value());
  while (options.path.size() > 1 && options.path.ends_with('/')) options.path.pop_back();

  TIPHYS_CHECK_OK(make_directories(options.path));
  TIPHYS_CHECK_OK(check_directory(options.path));
  TIPHYS_TRY(UniqueFd lock, take_lock(options.path, options.command));
  TIPHYS_CHECK_OK(migrate(options));
  replace_locked(-1, lock.get());
  return DataDir(std::move(options.path), std::move(lock));
}

DataDir& DataDir::operator=(DataDir&& other) noexcept {
  if (this != &other) {
    release();
    path_ = std::move(other.path_);
    lock_ = std::move(other.lock_);
  }
  return *this;
}

DataDir::~DataDir() {
  release();
}

void DataDir::release() {
  if (!lock_) return;
  replace_locked(lock_.get(), -1);
  // Closing alone would leave it taken for as long as a child that is just being forked has the descriptor.
  ::flock(lock_.get(), LOCK_UN);
  lock_.reset();
}

}  // namespace tiphys::store
