// Lets containers with a network namespace of their own reach the addresses of Services: nothing of theirs can collide
// with it, as no port of theirs is taken but a free one of localhost.
#pragma once

#include <sys/types.h>

#include <map>
#include <mutex>
#include <string>

#include "base/error.h"
#include "node/services/service_relay.h"

namespace tiphys::node {

class ServiceNetwork {
 public:
  /// `relay` outlives it.
  explicit ServiceNetwork(ServiceRelay& relay) : relay_(relay) {}

  /// From here on all that the container sends to such addresses is relayed. `engine_id` is the container's at its
  /// engine, `process` its first one as the engine numbers it; `name` is ours. Blocks for some milliseconds; any
  /// thread. An error says why it cannot be, and what would help.
  Status open(const std::string& name, const std::string& engine_id, pid_t process);
  /// From here on this process reaches the container at its address, which is one of a network that this host does not
  /// reach: that of a rootless engine. Any thread; errors as of open().
  Status open_door(const std::string& name, const std::string& address, const std::string& engine_id, pid_t process);
  /// The end of both. Any thread.
  void close(const std::string& name);

 private:
  ServiceRelay& relay_;
  std::mutex mutex_;                   ///< of `doors_`
  std::map<std::string, Ipv4> doors_;  ///< addresses by container
};

/// The number here of a container's process: the engine may have another view of them. kNotFound when there is none,
/// as with an engine of another machine.
Result<pid_t> find_container_process(const std::string& engine_id, pid_t process);

}  // namespace tiphys::node
