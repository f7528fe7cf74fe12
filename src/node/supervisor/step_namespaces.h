// The mount namespaces in which a supervisor prepares what every step sees, so that a step's own namespace costs a copy
// of a dozen mounts and some moves.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "node/supervisor/step_root.h"

namespace tiphys::node {

class StepNamespaces {
 public:
  /// Moves this process into a user namespace when it needs one for that, and into a mount namespace that shows nothing
  /// but the prepared folders and the data directory. Its working directory is the prepared mount from then on. For a
  /// process with one thread.
  Status make(const std::string& data_dir, const HostView& view);

  /// Paths below tree/ of the prepared mount; ends with nullptr.
  const char* const* host_folders() const { return folder_pointers_.data(); }
  /// Switches to a namespace that has all of the host's mounts beside the prepared one, and back.
  Status enter_host();
  Status leave_host();
  /// True when this process is not root: a step's user is then a mapping of our own.
  bool rootless() const { return rootless_; }
  /// A user namespace in which we are `uid` and `gid`; the descriptor stays ours. Rootless only.
  Result<int> user_namespace(uid_t uid, gid_t gid);

 private:
  Status unshare_mounts();
  Status prepare_tree(const HostView& view);
  Status prepare_devices();
  Status narrow(const std::string& data_dir);
  void show(const std::string& folder);

  bool rootless_ = false;
  std::string place_;
  UniqueFd host_;
  UniqueFd narrow_;
  std::vector<std::string> folders_;
  std::vector<const char*> folder_pointers_;
  std::map<std::pair<uid_t, gid_t>, UniqueFd> users_;
};

}  // namespace tiphys::node
