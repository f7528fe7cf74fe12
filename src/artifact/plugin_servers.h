// The servers of artifact plugins (Argo's artifactDrivers), as the driver of their places sees them.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tiphys::artifact {

/// One that listens.
struct PluginServer {
  std::string socket;       ///< on this host
  std::string files;        ///< a folder of this host that the plugin sees too: files for it, and from it
  std::string files_there;  ///< where the plugin sees that folder
  std::chrono::seconds connection_timeout{5};  ///< that of the call that found it
};

class PluginServers {
 public:
  virtual ~PluginServers() = default;
  /// Whether the configuration knows a plugin of that name. Any thread.
  virtual Status knows(std::string_view name) const = 0;
  /// Starts the plugin when it does not run, and waits until it listens. Blocking, on any thread but the executor's; a
  /// stop ends it in an error within a second. One that runs may take `connection_timeout` to listen; 0: as configured.
  virtual Result<PluginServer> find(const std::string& name, std::chrono::seconds connection_timeout,
                                    const std::stop_token& stop) = 0;
};

}  // namespace tiphys::artifact
