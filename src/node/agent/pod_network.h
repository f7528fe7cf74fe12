// The network of a pod in an engine whose containers come and go: a container that does nothing has it, from before the
// first of them until the pod's end is on disk, for an engine takes the way out of a network whose first container has
// ended. No status tells of it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "node/runtime.h"

namespace tiphys::node {

class PodNetwork : public std::enable_shared_from_this<PodNetwork> {
 public:
  /// For the containers of a pod, one of which is `any`. `runtime` outlives it.
  PodNetwork(Runtime& runtime, const ContainerSpec& any);

  /// Calls `then` once it is there, now if it is, or with why it cannot be had. An agent that takes over finds the
  /// holder that there is; one that has ended is followed by another.
  void when_there(std::move_only_function<void(const Status&)> then);
  /// The id of the container that holds it (ContainerSpec::network_of of the others).
  const std::string& holder() const { return holder_.id; }
  /// Frees it, when nothing runs in it any more.
  void remove();

 private:
  enum class State { kMissing, kComes, kThere };

  void start();
  void started(const Status& status);

  Runtime& runtime_;
  ContainerSpec holder_;
  State state_ = State::kMissing;
  std::vector<std::string> ended_;  ///< holders before this one
  std::vector<std::move_only_function<void(const Status&)>> waiting_;
};

}  // namespace tiphys::node
