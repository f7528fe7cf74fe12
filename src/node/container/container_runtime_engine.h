// The container engine that a runtime talks to: found, described, and found again when it went away.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "node/container/container_runtime.h"
#include "node/container/container_runtime_async.h"
#include "node/container/container_runtime_podman.h"
#include "node/container/docker_client.h"
#include "node/container/docker_discovery.h"
#include "node/container/docker_spec.h"

namespace tiphys::node {

struct Engine {
  explicit Engine(std::string socket) : client(std::move(socket)) {}
  DockerClient client;
  EngineTraits traits;
  /// Our containers that were there when it was found, by engine_name(): each may be adopted.
  std::set<std::string> left_over;
};

/// All calls on the io_context's thread.
class EngineLink {
 public:
  EngineLink(boost::asio::io_context& context, std::string flag, std::string state_dir);

  /// The engine, looked for if none is known. Those who ask while one is looked for share the outcome.
  Async<Result<std::shared_ptr<Engine>>> engine();
  /// The engine does not answer: look again at the next call.
  void lost(const std::shared_ptr<Engine>& engine);
  /// Drops what belongs to the io_context, which is about to go.
  void abandon() { search_.reset(); }

 private:
  Async<Result<std::shared_ptr<Engine>>> find();
  Async<Result<std::shared_ptr<Engine>>> start_podman(std::string program);

  boost::asio::io_context& context_;
  const std::string flag_;
  OwnPodman podman_;
  std::shared_ptr<Engine> engine_;
  struct Search;
  std::shared_ptr<Search> search_;  ///< while one is under way
};

}  // namespace tiphys::node
