// A node agent whose containers do what mocks say, and servers that answer as their URL says.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/executor.h"
#include "cluster/cluster.h"
#include "play/mock.h"
#include "simulation/fake_artifacts.h"
#include "web/http_client.h"

namespace tiphys::simulation {

/// What outlives a crash of the plane: containers, servers and artifacts.
struct ScriptedHost {
  struct Container {
    const play::Outcome* outcome = nullptr;  ///< null: it ends well after a second
    Time started_at{};
  };
  std::vector<const play::Mock*> mocks;
  std::map<const play::Mock*, std::size_t> begun;
  std::map<std::string, Container> containers;  ///< by pod uid
  std::map<std::string, Time> requests;         ///< by URL: when it was first sent
  FakeArtifacts artifacts;
};

class ScriptedAgent {
 public:
  ScriptedAgent(Executor& executor, cluster::Cluster& cluster, ScriptedHost& host);
  ~ScriptedAgent();

 private:
  class State;
  std::shared_ptr<State> state_;
};

/// "http://sim/STATUS/SECONDS/BODY" answers so, after so long.
class ScriptedWeb final : public web::HttpClient {
 public:
  ScriptedWeb(Executor& executor, ScriptedHost& host) : executor_(executor), host_(host) {}
  std::unique_ptr<web::HttpCall> send(web::HttpRequest request, Done done) override;

 private:
  Executor& executor_;
  ScriptedHost& host_;
};

}  // namespace tiphys::simulation
