// Where artifacts are kept. Blocking calls: run them on a worker thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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
  /// The keys of all files below the key, sorted; "" is all there are. kNotFound when there is neither a file nor a
  /// folder.
  virtual Result<std::vector<std::string>> list(std::string_view key) = 0;
  /// An object that is not there counts as removed.
  virtual Status remove(std::string_view key) = 0;
  /// A path of this host where the object can be read, for people to open; "" if the repository or the key has none.
  virtual std::string local_path(std::string_view key) const = 0;
};

/// Files below `root` (the embedded plane's own repository), made at the first save; keys are relative paths without
/// "..". A key that is a folder of other keys' objects loads as that folder, as a prefix does in an object store. Any
/// thread may call it, several at once. Trees keep their symbolic links, which may point anywhere: whoever reads below
/// local_path() must not follow them.
std::unique_ptr<Repository> make_folder_repository(std::string root);

/// Packs a file or folder as Argo does: gzipped tar whose single top entry is named after the path's last part. `level`
/// 0 to 9, -1 default. Symbolic links below the top are kept as links. Not durable: Repository::save is. Nothing is
/// left at `archive_path` after an error.
Status pack_tar_gz(const std::string& host_path, const std::string& archive_path, int level);
/// The same as zip, in which links are kept too.
Status pack_zip(const std::string& host_path, const std::string& archive_path);
/// A plain tar for a container engine of (name in the archive, file or folder of this host) pairs, owned by root.
Status pack_tar(std::span<const std::pair<std::string, std::string>> entries, const std::string& archive_path);
/// Which symbolic links an archive may hold: those that stay inside the target, or any, kept as they are for somebody
/// who does not follow them.
enum class Links { kInside, kAny };
/// Unpacks tar (plain or by gzip, bzip2, xz, zstd, lz4) or zip to `target`, which must not exist: one top entry becomes
/// `target` itself. All or nothing. Names that hold "..", devices, links but for those that `links` allows and entries
/// that lead through a link are refused (CVE-2025-66626 and its kin); a leading "/" is dropped. At most `most_bytes` in
/// all, 512 of which each entry takes beside its content. Pipes are left out.
Status unpack(const std::string& archive_path, const std::string& target, std::uint64_t most_bytes = 1ULL << 40,
              Links links = Links::kInside);
/// True when the file is gzip, tar or zip by its first bytes.
bool is_archive(const std::string& path);
/// True for a gzipped tar with at least one entry: what Argo unpacks when an input artifact names no archive format.
bool is_tarball(const std::string& path);

}  // namespace tiphys::artifact
