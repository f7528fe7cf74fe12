// Where artifacts are kept. Blocking calls: run them on a worker thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tiphys::artifact {

class Repository {
 public:
  virtual ~Repository() = default;
  /// Stores a file or folder tree of this host under `key`, whole or not at all, durably. An existing object is
  /// replaced.
  virtual Status save(std::string_view key, const std::string& host_path) = 0;
  /// Puts the object under `key` at `host_path`, which must not exist. kNotFound when there is none.
  virtual Status load(std::string_view key, const std::string& host_path) = 0;
  virtual Status remove(std::string_view key) = 0;
  /// A path of this host where the object can be read, if the repository has one; for people to open.
  virtual std::string local_path(std::string_view key) const = 0;
};

/// Files below `root` (the embedded plane's own repository); keys are relative paths without "..".
std::unique_ptr<Repository> make_folder_repository(std::string root);

/// Packs a file or folder as Argo does: gzipped tar whose single top entry is named after the path's last part. `level`
/// 0 to 9, -1 default.
Status pack_tar_gz(const std::string& host_path, const std::string& archive_path, int level);
Status pack_zip(const std::string& host_path, const std::string& archive_path);
/// Unpacks tar (any compression) or zip to `target`, which must not exist: one top entry becomes `target` itself.
/// Entries that would leave the target, devices and absolute links are refused (CVE-2025-66626 and its kin); at most
/// `most_bytes` in all.
Status unpack(const std::string& archive_path, const std::string& target, std::uint64_t most_bytes = 1ULL << 40);
/// True when the file is gzip, tar or zip by its first bytes.
bool is_archive(const std::string& path);

}  // namespace tiphys::artifact
