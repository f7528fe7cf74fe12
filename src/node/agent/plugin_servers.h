// The servers of artifact plugins of a plane: one a plugin, started by the first who wants it, in a runtime of the
// plane. It ends with the plane; when it ends by itself the next who wants it starts another.
//
// A plugin is started as Argo starts it: its one argument is the path of the socket that it is to listen on,
// /tmp/artifact-plugins/NAME/socket. It sees one folder of this host more, in which each call has a folder of its own.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "artifact/plugin_servers.h"
#include "base/executor.h"
#include "base/random.h"
#include "node/runtime.h"

namespace tiphys::node {

struct PluginDriver {
  std::string name;
  std::string image;                 ///< what runs in a container engine
  std::vector<std::string> command;  ///< what runs in the process runtime, and in place of the image's entrypoint
  std::chrono::seconds connection_timeout{5};
};

struct PluginServersOptions {
  std::string dir;  ///< a folder of each server is made below it; what an earlier plane has left there goes
  std::vector<Runtime*> runtimes;  ///< the first that can run a plugin does; they outlive this
  std::vector<PluginDriver> drivers;
};

class PluginServers final : public artifact::PluginServers {
 public:
  PluginServers(Executor& executor, PluginServersOptions options);

  Status knows(std::string_view name) const override;
  Result<artifact::PluginServer> find(const std::string& name, std::chrono::seconds connection_timeout,
                                      const std::stop_token& stop) override;

 private:
  struct Server {
    std::string id;
    std::string dir;
    bool started = false;
    bool has_listened = false;
    std::optional<Error> ended;
  };
  struct Shared {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::map<std::string, std::shared_ptr<Server>, std::less<>> servers;  ///< by name
  };

  const PluginDriver* driver(std::string_view name) const;
  Result<Runtime*> runtime_for(const PluginDriver& driver) const;
  Result<std::shared_ptr<Server>> server_of(const PluginDriver& driver);
  Status wait_for(const PluginDriver& driver, Server& server, std::chrono::seconds timeout,
                  const std::stop_token& stop);
  Status wait_for_start(const PluginDriver& driver, Server& server, const std::stop_token& stop);
  Status wait_for_socket(const PluginDriver& driver, Server& server, const std::stop_token& stop);
  Status connect(const std::string& socket, Server& server, std::chrono::seconds timeout, const std::stop_token& stop);
  std::optional<Error> end_of(const Server& server) const;
  bool has_worked(const Server& server) const;

  Executor& executor_;
  const PluginServersOptions options_;
  SystemRandom random_;
  /// Tasks on the executor may outlive this.
  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace tiphys::node
