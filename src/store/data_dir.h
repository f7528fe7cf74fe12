// The directory that holds everything a plane keeps on this host, and the lock that gives it to one process.
//
//   version       the layout's number
//   lock          locked by the process that has the directory; its text names that process
//   tiphys.db     the store
//   secrets.key   what its Secrets are sealed with
//   supervisor/   the supervisor's own files
//   pods/<uid>/   logs, exit statuses and volumes of one pod
//   claims/<uid>/ the folder that a PersistentVolumeClaim is bound to
//   artifacts/    the default artifact repository
//   transfers/    artifacts on their way to and from clients, of no use to the next process
//   api.sock      where the process that has the directory answers other processes of the same user
//   tls/, token   the certificate of `tiphys up` and what clients prove themselves with
//   kubeconfig    the same for clients of Kubernetes
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"

namespace tiphys::store {

/// Brings a directory from one layout version to the next, in place. It may be called again after a crash half-way.
struct LayoutMigration {
  int from = 0;
  std::function<Status(const std::string& path)> apply;
};

struct DataDirOptions {
  std::string path;
  std::string command;  ///< how to call this process to a person: "tiphys up"
  /// Tests only: the layout that this program writes, and the steps to it.
  int layout_version = 1;
  std::span<const LayoutMigration> migrations = {};
};

class DataDir {
 public:
  /// The path to use: `flag` (--data-dir) when given, else TIPHYS_DATA_DIR, else $XDG_DATA_HOME/tiphys, else
  /// ~/.local/share/tiphys. `environment` gives a variable's value or "".
  static Result<std::string> locate(std::string_view flag, const std::function<std::string(const char*)>& environment);
  /// The same with the process's environment.
  static Result<std::string> locate(std::string_view flag);

  /// Makes the directory when it is missing (mode 0700), takes it for this process and brings it to the present layout.
  /// kFailedPrecondition: another process has it (the message names it), it was written by a newer version, or it is
  /// no data directory. kPermissionDenied, kResourceExhausted, ...: it cannot be read or written; the message says what
  /// to do.
  static Result<DataDir> open(DataDirOptions options);

  DataDir(DataDir&& other) noexcept = default;
  DataDir& operator=(DataDir&& other) noexcept;
  /// Gives the directory free. Child processes never keep it taken, be they forked or spawned.
  ~DataDir();

  const std::string& path() const { return path_; }
  std::string database() const { return path_ + "/tiphys.db"; }
  std::string secrets_key() const { return path_ + "/secrets.key"; }
  std::string supervisor() const { return path_ + "/supervisor"; }
  std::string pods() const { return path_ + "/pods"; }
  std::string pod(std::string_view uid) const { return pods() + "/" + std::string(uid); }
  std::string claims() const { return path_ + "/claims"; }
  std::string plugins() const { return path_ + "/plugins"; }
  std::string artifacts() const { return path_ + "/artifacts"; }
  std::string transfers() const { return path_ + "/transfers"; }
  std::string tls() const { return path_ + "/tls"; }
  std::string token() const { return path_ + "/token"; }
  std::string signing_key() const { return tls() + "/tokens.key"; }
  std::string kubeconfig() const { return path_ + "/kubeconfig"; }
  std::string api_socket() const { return path_ + "/api.sock"; }

 private:
  DataDir(std::string path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  void release();

  std::string path_;
  UniqueFd lock_;
};

}  // namespace tiphys::store
