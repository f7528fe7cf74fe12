// The empty roots of a data directory that wait for a step.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "node/supervisor/step_root.h"

namespace tiphys::node {

/// Works below kDataFd. A step that needs nothing of its own in its root uses it where it lies; the root moves to the
/// step's folder when somebody may want the files in it.
class RootPool {
 public:
  explicit RootPool(HostView view) : view_(std::move(view)) {}

  /// Finds the roots that an earlier supervisor left. Nobody knows whether they are empty.
  Status open();
  /// The name of an empty root, made if there is none.
  Result<std::string> take();
  /// An empty one.
  void give(std::string name);
  /// One that a client has cleared; it may still have kAccountFolder.
  void give_cleared(std::string name);
  /// One that may hold anything; it is cleared before its next use.
  void give_unclean(std::string name) { unclean_.push_back(std::move(name)); }
  /// Makes it `<dir>/root`, instead of what is there.
  Status move_out(const std::string& name, const std::string& dir);
  /// What tells one root from another, wherever it lies in the data directory; 0 when there is none at `path`.
  static ino_t inode(const std::string& path);
  /// Relative to the data directory.
  static std::string path(const std::string& name);

 private:
  Result<std::string> take_unclean();
  Result<std::string> make();

  HostView view_;
  std::vector<std::string> empty_;
  std::vector<std::string> unclean_;
  UniqueFd links_;  ///< kRootLinks
  std::uint64_t last_name_ = 0;
};

}  // namespace tiphys::node
