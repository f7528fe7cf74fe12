// Brings a container's output from its engine to the log file of its folder, live and then whole.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "node/container/container_runtime_async.h"
#include "node/container/container_runtime_engine.h"
#include "node/container/docker_log.h"

namespace tiphys::node {

/// All calls on the io_context's thread. Must stay until finish() has returned.
///
/// The engines' own ways to follow end with the container and may leave out its last words: dockerd a line without an
/// end, podman, which looks at its file four times a second, whatever a fast writer wrote last. So the rest is asked
/// for at the end. Where podman's file is on this host it is read instead: it has the format of ours.
class ContainerLog {
 public:
  ContainerLog(boost::asio::io_context& io, std::string name, const std::string& dir);

  /// Follows the running container's output; again after the engine was away.
  void follow(const std::shared_ptr<Engine>& engine);
  /// Nothing follows: follow() has not been called, or what it began has broken off.
  bool idle() const { return !following_ || (following_->over.is_set()); }
  /// The container has ended: completes the file. The error, if any, is of this host's disk or of an engine that cannot
  /// be asked.
  Async<Status> finish(std::shared_ptr<Engine> engine);

  std::string last_error_line() const { return log_ ? log_->last_error_line() : ""; }

 private:
  /// One reading from the log's start.
  struct Following {
    explicit Following(boost::asio::io_context& io) : over(io) {}
    std::shared_ptr<EngineCall> call = std::make_shared<EngineCall>();
    std::function<void()> stop_file;
    bool stopped = false;
    AsyncEvent over;
    UniqueFd file;
    off_t at = 0;
  };

  Async<void> run(std::shared_ptr<Engine> engine, std::shared_ptr<Following> following);
  Async<std::string> readable_file(std::shared_ptr<Engine> engine);
  Async<Status> follow_file(std::string path, std::shared_ptr<Following> following);
  Async<Status> read_file(std::shared_ptr<Following> following);
  Async<Status> follow_stream(std::shared_ptr<Engine> engine, std::shared_ptr<Following> following);
  Async<Status> read_rest(std::shared_ptr<Engine> engine);

  boost::asio::io_context& io_;
  const std::string name_;  ///< on the engine
  std::optional<EngineLog> log_;
  Status status_;  ///< an error of our own disk, which does not go away by reading again
  std::shared_ptr<Following> following_;
};

}  // namespace tiphys::node
