#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <vector>

#include "artifact/file_tree.h"
#include "artifact/repository.h"
#include "artifact/utf8_locale.h"
#include "base/log.h"

namespace tiphys::artifact {
namespace {

struct FreeArchive {
  void operator()(archive* value) const { ::archive_write_free(value); }
};
struct FreeEntry {
  void operator()(archive_entry* value) const { ::archive_entry_free(value); }
};

enum class Format { kTar, kTarGz, kZip };

/// One archive on its way to the disk.
class ArchiveFile {
 public:
  explicit ArchiveFile(std::string path) : path_(std::move(path)), writer_(::archive_write_new()) {}

  Status open(Format format, int level) {
    archive* writer = writer_.get();
    if (format == Format::kZip) {
      TIPHYS_CHECK_OK(done(::archive_write_set_format_zip(writer)));
      TIPHYS_CHECK_OK(done(::archive_write_set_format_option(writer, "zip", "hdrcharset", "UTF-8")));
    } else {
      TIPHYS_CHECK_OK(done(::archive_write_set_format_pax_restricted(writer)));
      if (format == Format::kTarGz) TIPHYS_CHECK_OK(compress(level));
    }
    TIPHYS_CHECK_OK(done(::archive_write_set_bytes_in_last_block(writer, 1)));
    fd_.reset(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    if (!fd_) return fail_errno(path_, errno);
    return done(::archive_write_open_fd(writer, fd_.get()));
  }

  /// Adds an entry under `name`, with its content if it is a file.
  Status add(const TreeEntry& entry, const std::string& name, bool keep_owner) {
    if (!S_ISREG(entry.stat.st_mode) && !S_ISDIR(entry.stat.st_mode) && !S_ISLNK(entry.stat.st_mode)) {
      log::warn("{} is a pipe or a device and was left out of {}", name, path_);
      return {};
    }
    const std::unique_ptr<archive_entry, FreeEntry> header(::archive_entry_new());
    ::archive_entry_set_pathname(header.get(), name.c_str());
    ::archive_entry_set_mode(header.get(), entry.stat.st_mode);
    ::archive_entry_set_mtime(header.get(), entry.stat.st_mtim.tv_sec, 0);
    if (keep_owner) {
      ::archive_entry_set_uid(header.get(), entry.stat.st_uid);
      ::archive_entry_set_gid(header.get(), entry.stat.st_gid);
    }
    if (S_ISREG(entry.stat.st_mode)) ::archive_entry_set_size(header.get(), entry.stat.st_size);
    if (S_ISLNK(entry.stat.st_mode)) ::archive_entry_set_symlink(header.get(), entry.link_target.c_str());
    TIPHYS_CHECK_OK(done(::archive_write_header(writer_.get(), header.get())));
    return S_ISREG(entry.stat.st_mode) ? content(entry) : Status{};
  }

  Status close() { return done(::archive_write_close(writer_.get())); }

  /// Forgets the archive after an error.
  void drop() {
    writer_.reset();
    if (fd_) ::unlink(path_.c_str());
  }

 private:
  Status compress(int level) {
    TIPHYS_CHECK_OK(done(::archive_write_add_filter_gzip(writer_.get())));
    // Without the time of writing, equal content gives equal archives.
    TIPHYS_CHECK_OK(done(::archive_write_set_filter_option(writer_.get(), "gzip", "timestamp", nullptr)));
    if (level < 0) return {};
    const std::string text = std::to_string(level);
    return done(::archive_write_set_filter_option(writer_.get(), "gzip", "compression-level", text.c_str()));
  }

  Status content(const TreeEntry& entry) {
    std::vector<char> buffer(1u << 18);
    auto left = static_cast<std::uint64_t>(entry.stat.st_size);
    while (left > 0) {
      const ssize_t got = ::read(entry.fd, buffer.data(), std::min<std::uint64_t>(buffer.size(), left));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail_errno(entry.path, errno);
      if (got == 0) return fail(Code::kAborted, entry.path + " became shorter while it was packed");
      const auto size = static_cast<std::size_t>(got);
      if (::archive_write_data(writer_.get(), buffer.data(), size) != got) return failed();
      left -= size;
    }
    return {};
  }

  Status done(int outcome) {
    // A warning is about a name that is no UTF-8: it is kept as bytes.
    return outcome == ARCHIVE_OK || outcome == ARCHIVE_WARN ? Status{} : failed();
  }
  std::unexpected<Error> failed() {
    const int number = ::archive_errno(writer_.get());
    if (number > 0) return fail_errno(path_, number);
    const char* why = ::archive_error_string(writer_.get());
    return fail(Code::kInternal, fmt::format("{}: {}", path_, why ? why : "libarchive failed"));
  }

  const std::string path_;
  UniqueFd fd_;
  std::unique_ptr<archive, FreeArchive> writer_;
};

std::string last_part(const std::string& path) {
  std::error_code error;
  std::filesystem::path full = std::filesystem::absolute(path, error).lexically_normal();
  if (!full.has_filename()) full = full.parent_path();
  return full.has_filename() ? full.filename().string() : "root";
}

Status add_tree(ArchiveFile& archive, const std::string& host_path, const std::string& name, bool keep_owner) {
  TIPHYS_TRY(UniqueFd top, open_tree(host_path));
  return walk_tree(std::move(top), host_path, [&](const TreeEntry& entry) {
    return archive.add(entry, entry.path.empty() ? name : name + "/" + entry.path, keep_owner);
  });
}

Status write_archive(const std::string& archive_path, Format format, int level,
                     const std::function<Status(ArchiveFile&)>& fill) {
  const Utf8Locale utf8;
  ArchiveFile archive(archive_path);
  Status packed = archive.open(format, level);
  if (packed) packed = fill(archive);
  if (packed) packed = archive.close();
  if (!packed) archive.drop();
  return packed;
}

}  // namespace

Status pack_tar_gz(const std::string& host_path, const std::string& archive_path, int level) {
  if (level < -1 || level > 9) {
    return fail(Code::kInvalidArgument, fmt::format("the compression level is {}; it can be -1 to 9", level));
  }
  return write_archive(archive_path, Format::kTarGz, level,
                       [&](ArchiveFile& archive) { return add_tree(archive, host_path, last_part(host_path), true); });
}

Status pack_zip(const std::string& host_path, const std::string& archive_path) {
  return write_archive(archive_path, Format::kZip, -1,
                       [&](ArchiveFile& archive) { return add_tree(archive, host_path, last_part(host_path), true); });
}

Status pack_tar(std::span<const std::pair<std::string, std::string>> entries, const std::string& archive_path) {
  return write_archive(archive_path, Format::kTar, -1, [&](ArchiveFile& archive) -> Status {
    for (const auto& [name, host_path] : entries) {
      TIPHYS_CHECK_OK(add_tree(archive, host_path, name, false));
    }
    return {};
  });
}

}  // namespace tiphys::artifact
