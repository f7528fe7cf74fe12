// One container of an engine, from its making to its end.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "node/container/container_runtime_async.h"
#include "node/container/container_runtime_attempts.h"
#include "node/container/container_runtime_engine.h"
#include "node/container/container_runtime_images.h"
#include "node/container/container_runtime_log.h"
#include "node/container/docker_spec.h"

namespace tiphys::node {

/// All calls on the io_context's thread. start() and wait() are called once each, in this order; the object must stay
/// until they have returned.
class EngineContainer {
 public:
  struct Surroundings {
    boost::asio::io_context& io;
    boost::asio::thread_pool& workers;
    EngineLink& link;
    EngineImages& images;
    bool offline;
    EnginePlace place;
    ServiceNetwork* services = nullptr;  ///< null: none
    std::function<void(const std::string& id, const Error&)> on_services_unreachable{};
  };
  EngineContainer(Surroundings around, ContainerSpec spec);

  /// Makes and starts it, or finds the one that an earlier process of ours made. After an error nothing is left on the
  /// engine, unless it was the engine that went away (kUnavailable).
  Async<Status> start();
  /// Follows its log and returns its outcome once it has ended, for the last time if it may run again, and the log is
  /// complete.
  Async<ContainerExit> wait();

  /// A stop is asked for: what has not started will not, and the end is not the kernel's doing.
  void stop_asked();
  bool ended() const { return ended_; }

 private:
  Async<Status> make(std::shared_ptr<Engine> engine);
  Async<Status> create(std::shared_ptr<Engine> engine);
  Async<Status> pull(std::shared_ptr<Engine> engine);
  /// Pairs of a name in the archive and a path of this host.
  using TarEntries = std::vector<std::pair<std::string, std::string>>;
  Async<Status> put_inputs(std::shared_ptr<Engine> engine);
  Async<Status> put_tar(std::shared_ptr<Engine> engine, std::string folder, TarEntries entries);
  Async<Status> start_made(std::shared_ptr<Engine> engine);
  /// Has Services answer in it, which runs or is about to. Without them it runs on.
  Async<void> open_services(std::shared_ptr<Engine> engine);
  bool reaches_services() const { return around_.services && spec_.reaches_services && spec_.network_of.empty(); }
  Async<Result<EngineState>> inspect(std::shared_ptr<Engine> engine);

  Async<ContainerExit> wait_once();
  /// False when it is not to run again, or cannot.
  Async<bool> run_again(const ContainerExit& exit);
  Async<EngineState> await_end();
  Async<Status> engine_wait(std::shared_ptr<Engine> engine);
  void explain_start_error(ContainerExit& exit) const;

  Surroundings around_;
  const ContainerSpec spec_;
  const std::string name_;  ///< on the engine
  bool was_killed_;
  bool stop_asked_ = false;
  bool ended_ = false;
  std::shared_ptr<Engine> engine_;
  std::optional<EngineState> found_ended_;  ///< it had ended before we found it
  FailedAttempts failed_;
  AsyncEvent stop_event_;

  std::optional<ContainerLog> log_;  ///< of one that has a folder
};

/// SIGTERM, and SIGKILL after `grace`. One that is not there or has ended is no error.
Async<Status> stop_container(Engine& engine, std::string id, Duration grace);
/// The exit code of a command that is run in it. After `timeout` it is waited for no longer: kDeadlineExceeded.
Async<Result<int>> exec_in_container(Engine& engine, std::string id, std::vector<std::string> command,
                                     Duration timeout);
Async<Result<EngineState>> inspect_container(Engine& engine, std::string id);
/// The ids of all containers of a plane.
Async<Status> list_containers(Engine& engine, std::string plane, std::vector<std::string>& ids);
/// Kills it if need be. One that is not there is no error.
Async<Status> remove_container(Engine& engine, std::string id);

}  // namespace tiphys::node
