#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "artifact/file_tree.h"
#include "artifact/repository.h"
#include "artifact/utf8_locale.h"
#include "base/log.h"
#include "base/strings.h"

namespace tiphys::artifact {
namespace {

constexpr std::uint64_t kEntryBytes = 512;
/// Folders and links are kept in memory until the end.
constexpr std::size_t kMostRemembered = 1'000'000;
constexpr std::size_t kReadBytes = 1u << 18;

struct FreeReader {
  void operator()(archive* value) const { ::archive_read_free(value); }
};
using Reader = std::unique_ptr<archive, FreeReader>;

/// Only filters inside the library: "all" would also start programs of this host.
void support_filters(archive* reader) {
  ::archive_read_support_filter_gzip(reader);
  ::archive_read_support_filter_bzip2(reader);
  ::archive_read_support_filter_xz(reader);
  ::archive_read_support_filter_zstd(reader);
  ::archive_read_support_filter_lz4(reader);
}

using Parts = std::vector<std::string>;

Result<Parts> entry_parts(const std::string& name) {
  Parts parts;
  for (const std::string_view part : split(name, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") return fail(Code::kInvalidArgument, fmt::format("illegal file path: {}", name));
    parts.emplace_back(part);
  }
  if (parts.size() > static_cast<std::size_t>(kMostDepth)) {
    return fail(Code::kInvalidArgument, fmt::format("{}: folders are nested more than {} deep", name, kMostDepth));
  }
  return parts;
}

/// One archive on its way into a folder that nobody else knows yet.
///
/// Symbolic links are made after everything else, so that no entry can lead through one.
class Extraction {
 public:
  Extraction(archive* reader, int folder, std::uint64_t most_bytes, Links links)
      : reader_(reader), folder_(folder), most_bytes_(most_bytes), allowed_(links) {}

  Status run() {
    archive_entry* entry = nullptr;
    for (;;) {
      const int outcome = ::archive_read_next_header(reader_, &entry);
      if (outcome == ARCHIVE_EOF) break;
      // A warning is about a name's character set; the name is there.
      if (outcome != ARCHIVE_OK && outcome != ARCHIVE_WARN) return failed();
      TIPHYS_CHECK_OK(take(entry));
    }
    TIPHYS_CHECK_OK(make_links());
    return seal_folders();
  }

  /// The single top entry's name, or "" when there are none or several.
  std::string single_top() const { return tops_.size() == 1 ? tops_.front() : ""; }

 private:
  Status take(archive_entry* entry) {
    const char* raw = ::archive_entry_pathname(entry);
    if (raw == nullptr) return fail(Code::kInvalidArgument, "an entry's name cannot be read");
    const std::string name = raw;
    TIPHYS_TRY(const Parts parts, entry_parts(name));
    TIPHYS_CHECK_OK(count(kEntryBytes));
    if (parts.empty()) return {};
    for (std::size_t i = 1; i < parts.size(); ++i) {
      if (links_.contains(Parts(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(i)))) {
        return fail(Code::kInvalidArgument, fmt::format("illegal file path: {} leads through a symbolic link", name));
      }
    }
    const char* hard_link = ::archive_entry_hardlink(entry);
    if (hard_link != nullptr) return this->hard_link(parts, hard_link, name);
    switch (::archive_entry_filetype(entry)) {
      case AE_IFDIR:
        return folder(parts, ::archive_entry_perm(entry), name);
      case AE_IFREG:
        return file(parts, entry, name);
      case AE_IFLNK:
        return link(parts, entry, name);
      case AE_IFIFO:
        log::warn("{} is a pipe and was left out", name);
        return {};
      default:
        return fail(Code::kInvalidArgument, fmt::format("{} is a device or of an unknown kind", name));
    }
  }

  void note_top(const Parts& parts) {
    if (tops_.size() < 2 && std::find(tops_.begin(), tops_.end(), parts.front()) == tops_.end()) {
      tops_.push_back(parts.front());
    }
  }

  Result<UniqueFd> parent_of(const Parts& parts, const std::string& name) {
    UniqueFd at(::openat(folder_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (std::size_t i = 0; at && i + 1 < parts.size(); ++i) {
      if (::mkdirat(at.get(), parts[i].c_str(), 0755) != 0 && errno != EEXIST) return fail_errno(name, errno);
      at.reset(::openat(at.get(), parts[i].c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    }
    if (!at) return fail_errno(name, errno);
    return at;
  }

  Status folder(const Parts& parts, mode_t mode, const std::string& name) {
    if (links_.contains(parts)) {
      return fail(Code::kInvalidArgument, fmt::format("illegal file path: {} is a symbolic link already", name));
    }
    TIPHYS_TRY(const UniqueFd parent, parent_of(parts, name));
    if (::mkdirat(parent.get(), parts.back().c_str(), 0700) != 0 && errno != EEXIST) return fail_errno(name, errno);
    note_top(parts);
    TIPHYS_CHECK_OK(count_remembered());
    folder_modes_[parts] = (mode & 0777) | 0700;
    return {};
  }

  /// Makes room for an entry that replaces an earlier one of its name, as later entries of a tar do.
  Status clear(int parent, const Parts& parts, const std::string& name) {
    note_top(parts);
    links_.erase(parts);
    if (::unlinkat(parent, parts.back().c_str(), 0) == 0 || errno == ENOENT) return {};
    return fail_errno(name, errno);
  }

  Status file(const Parts& parts, archive_entry* entry, const std::string& name) {
    TIPHYS_TRY(const UniqueFd parent, parent_of(parts, name));
    TIPHYS_CHECK_OK(clear(parent.get(), parts, name));
    const UniqueFd fd(
        ::openat(parent.get(), parts.back().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) return fail_errno(name, errno);
    TIPHYS_TRY(const std::int64_t written, content(fd.get(), name));
    if (::archive_entry_size_is_set(entry) != 0 && ::archive_entry_size(entry) > written) {
      // A sparse file that ends in a hole.
      TIPHYS_CHECK_OK(count(static_cast<std::uint64_t>(::archive_entry_size(entry) - written)));
      if (::ftruncate(fd.get(), ::archive_entry_size(entry)) != 0) return fail_errno(name, errno);
    }
    if (::fchmod(fd.get(), (::archive_entry_perm(entry) & 0777) | 0400) != 0) return fail_errno(name, errno);
    if (::archive_entry_mtime_is_set(entry) != 0) {
      const timespec modified{::archive_entry_mtime(entry), ::archive_entry_mtime_nsec(entry)};
      const timespec times[2] = {{0, UTIME_OMIT}, modified};
      if (::futimens(fd.get(), times) != 0) return fail_errno(name, errno);
    }
    return {};
  }

  /// The length of what was written, holes before its end included.
  Result<std::int64_t> content(int fd, const std::string& name) {
    std::int64_t end = 0;
    const void* block = nullptr;
    std::size_t size = 0;
    std::int64_t offset = 0;
    for (;;) {
      const int outcome = ::archive_read_data_block(reader_, &block, &size, &offset);
      if (outcome == ARCHIVE_EOF) return end;
      if (outcome != ARCHIVE_OK) return failed();
      const std::int64_t block_end = offset + static_cast<std::int64_t>(size);
      if (block_end > end) {
        TIPHYS_CHECK_OK(count(static_cast<std::uint64_t>(block_end - end)));
        end = block_end;
      }
      const char* bytes = static_cast<const char*>(block);
      while (size > 0) {
        const ssize_t put = ::pwrite(fd, bytes, size, offset);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return fail_errno(name, errno);
        bytes += put;
        offset += put;
        size -= static_cast<std::size_t>(put);
      }
    }
  }

  Status hard_link(const Parts& parts, const std::string& to, const std::string& name) {
    TIPHYS_TRY(const Parts target, entry_parts(to));
    if (target.empty() || target == parts)
      return fail(Code::kInvalidArgument, fmt::format("illegal hard link: {}", name));
    TIPHYS_TRY(const UniqueFd from, parent_of(target, to));
    struct stat found{};
    if (::fstatat(from.get(), target.back().c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(found.st_mode)) {
      return fail(Code::kInvalidArgument,
                  fmt::format("illegal hard link: {} -> {}, which is no earlier file", name, to));
    }
    TIPHYS_TRY(const UniqueFd parent, parent_of(parts, name));
    TIPHYS_CHECK_OK(clear(parent.get(), parts, name));
    if (::linkat(from.get(), target.back().c_str(), parent.get(), parts.back().c_str(), 0) != 0) {
      return fail_errno(name, errno);
    }
    return {};
  }

  Status link(const Parts& parts, archive_entry* entry, const std::string& name) {
    const char* raw = ::archive_entry_symlink(entry);
    std::string target = raw == nullptr ? "" : raw;
    if (target.empty()) return fail(Code::kInvalidArgument, fmt::format("illegal symlink target: {} -> \"\"", name));
    TIPHYS_CHECK_OK(count(target.size()));
    TIPHYS_CHECK_OK(count_remembered());
    TIPHYS_TRY(const UniqueFd parent, parent_of(parts, name));
    TIPHYS_CHECK_OK(clear(parent.get(), parts, name));
    links_[parts] = std::move(target);
    return {};
  }

  /// A link may climb only at its start and not above the target. The folders above it are no links, so each step up is
  /// what it seems, and what follows can only be links that were held to the same rule: none leaves.
  Status check_link(const Parts& parts, const std::string& target) const {
    // The single top entry becomes the target, one level less to climb.
    const std::size_t tops = single_top().empty() ? 1 : 2;
    std::size_t up = 0;
    // A link in the place of the target itself would lead to what lies beside it.
    bool descended = false, inside = !target.starts_with('/') && parts.size() >= tops;
    for (const std::string_view step : split(target, '/')) {
      if (step.empty() || step == ".") continue;
      if (step == "..") {
        inside = inside && !descended && ++up + tops <= parts.size();
      } else {
        descended = true;
      }
    }
    if (inside) return {};
    return fail(Code::kInvalidArgument, fmt::format("illegal symlink target: {} -> {}", join(parts, "/"), target));
  }

  Status make_links() {
    for (const auto& [parts, target] : links_) {
      if (allowed_ == Links::kInside) TIPHYS_CHECK_OK(check_link(parts, target));
      TIPHYS_TRY(const UniqueFd parent, parent_of(parts, parts.back()));
      if (::symlinkat(target.c_str(), parent.get(), parts.back().c_str()) != 0) {
        return fail_errno(join(parts, "/"), errno);
      }
    }
    return {};
  }

  /// Modes come last and the deepest first, since one may forbid writing.
  Status seal_folders() {
    for (auto it = folder_modes_.rbegin(); it != folder_modes_.rend(); ++it) {
      TIPHYS_TRY(const UniqueFd parent, parent_of(it->first, it->first.back()));
      const UniqueFd fd(
          ::openat(parent.get(), it->first.back().c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!fd || ::fchmod(fd.get(), it->second) != 0) return fail_errno(join(it->first, "/"), errno);
    }
    return {};
  }

  Status count(std::uint64_t bytes) {
    if (bytes > most_bytes_ - bytes_) {
      return fail(Code::kResourceExhausted, fmt::format("it unpacks to more than {} bytes", most_bytes_));
    }
    bytes_ += bytes;
    return {};
  }

  Status count_remembered() const {
    if (links_.size() + folder_modes_.size() <= kMostRemembered) return {};
    return fail(Code::kResourceExhausted, fmt::format("it holds more than {} folders and links", kMostRemembered));
  }

  std::unexpected<Error> failed() const {
    const char* why = ::archive_error_string(reader_);
    return fail(Code::kInvalidArgument, fmt::format("it cannot be read: {}", why ? why : "libarchive failed"));
  }

  archive* reader_;
  int folder_;
  const std::uint64_t most_bytes_;
  const Links allowed_;
  std::uint64_t bytes_ = 0;
  Parts tops_;  ///< at most two: more need not be known
  std::map<Parts, std::string> links_;
  std::map<Parts, mode_t> folder_modes_;
};

Result<Reader> open_archive(const std::string& path) {
  Reader reader(::archive_read_new());
  support_filters(reader.get());
  ::archive_read_support_format_tar(reader.get());
  ::archive_read_support_format_zip(reader.get());
  if (::access(path.c_str(), R_OK) != 0) return fail_errno(path, errno);
  if (::archive_read_open_filename(reader.get(), path.c_str(), kReadBytes) != ARCHIVE_OK) {
    const char* why = ::archive_error_string(reader.get());
    return fail(Code::kInvalidArgument, fmt::format("it is no tar or zip archive: {}", why ? why : "unknown format"));
  }
  return reader;
}

Status unpack_beside(const std::string& archive_path, const std::string& target, std::uint64_t most_bytes, Links links,
                     std::string& staging) {
  TIPHYS_TRY(const Reader reader, open_archive(archive_path));
  staging = target + ".XXXXXX";
  if (::mkdtemp(staging.data()) == nullptr) {
    const int number = errno;
    staging.clear();
    return fail_errno(target, number);
  }
  const UniqueFd folder(::open(staging.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) return fail_errno(staging, errno);
  Extraction extraction(reader.get(), folder.get(), most_bytes, links);
  TIPHYS_CHECK_OK(extraction.run());
  std::string from = staging;
  if (const std::string top = extraction.single_top(); !top.empty()) {
    from += "/" + top;
  } else if (::fchmod(folder.get(), 0755) != 0) {
    return fail_errno(staging, errno);
  }
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) != 0) {
    return fail_errno(target, errno);
  }
  return {};
}

}  // namespace

Status unpack(const std::string& archive_path, const std::string& target, std::uint64_t most_bytes, Links links) {
  const Utf8Locale utf8;
  std::string staging;
  Status unpacked = unpack_beside(archive_path, target, most_bytes, links, staging);
  Status swept = staging.empty() ? Status{} : remove_tree(staging);
  if (!unpacked) return std::unexpected(unpacked.error().in("unpacking " + archive_path));
  return swept;
}

bool is_archive(const std::string& path) {
  std::array<unsigned char, 512> head{};
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return false;
  const ssize_t got = ::pread(fd.get(), head.data(), head.size(), 0);
  const auto begins = [&](std::size_t at, std::string_view bytes) {
    return got >= static_cast<ssize_t>(at + bytes.size()) &&
           std::memcmp(head.data() + at, bytes.data(), bytes.size()) == 0;
  };
  constexpr std::size_t kTarMagicAt = 257;
  return begins(0, "\x1f\x8b") || begins(0, "PK\x03\x04") || begins(0, "PK\x05\x06") || begins(kTarMagicAt, "ustar");
}

bool is_tarball(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  unsigned char magic[2] = {};
  if (!fd || ::pread(fd.get(), magic, 2, 0) != 2 || magic[0] != 0x1f || magic[1] != 0x8b) return false;
  const Reader reader(::archive_read_new());
  ::archive_read_support_filter_gzip(reader.get());
  ::archive_read_support_format_tar(reader.get());
  if (::archive_read_open_fd(reader.get(), fd.get(), kReadBytes) != ARCHIVE_OK) return false;
  archive_entry* entry = nullptr;
  const int outcome = ::archive_read_next_header(reader.get(), &entry);
  return outcome == ARCHIVE_OK || outcome == ARCHIVE_WARN;
}

}  // namespace tiphys::artifact
