// The node agent: runs the pods of a plane on this host, as a kubelet does on a node.
//
// It watches pods, admits them in order while the machine has room, prepares their files, volumes and environment,
// starts their containers through a Runtime, and reports: Running once they run, and their end together with their
// outputs in one write. Pods that an earlier agent began are begun again with the same container ids, which adopts what
// runs and hears again of what has ended.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "artifact/stores.h"
#include "base/executor.h"
#include "cluster/cluster.h"
#include "cluster/session.h"
#include "node/agent/api_access.h"
#include "node/runtime.h"
#include "node/services/service_relay.h"
#include "web/http_client.h"

namespace boost::asio {
class io_context;
}

namespace tiphys::node {

struct AgentOptions {
  std::string pods_dir;    ///< a folder of each pod is made below it, named by its uid
  std::string claims_dir;  ///< and of each claim of storage
  std::string node_name;
  /// By name; the first is the default for pods without a runtime annotation. They outlive the agent.
  std::vector<Runtime*> runtimes;
  /// Pods at once, as of a kubelet; requests of cpu and memory are admitted up to what the machine has.
  std::size_t most_pods = 110;
  double cpus = 1;
  double memory_bytes = 1 << 30;
  web::HttpClient* http = nullptr;  ///< of probes and hooks; it outlives the agent
  ServiceRelay* relay = nullptr;    ///< of Services; it outlives the agent
  const ApiAccess* api = nullptr;   ///< null while the plane's API cannot be reached by pods; it outlives the agent
};

class Agent {
 public:
  Agent(boost::asio::io_context& context, Executor& executor, cluster::Cluster& cluster, const artifact::Stores& stores,
        AgentOptions options);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  /// Begins to watch.
  void start();

  /// Lines of a pod's container, for Store::set_log_reader.
  std::unique_ptr<cluster::Watch> read_log(const cluster::Object& pod, cluster::LogOptions options,
                                           cluster::LogSink sink);
  /// Streams into a pod, for ServerOptions::sessions.
  void open_session(const cluster::Object& pod, cluster::SessionOptions options,
                    cluster::Done<std::unique_ptr<cluster::Session>> done);

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace tiphys::node
