// Images on an engine: pulled when the policy says so, once for all who ask at the same time.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "node/container/container_runtime_async.h"
#include "node/container/container_runtime_engine.h"

namespace tiphys::node {

/// All calls on the io_context's thread.
class EngineImages {
 public:
  explicit EngineImages(boost::asio::io_context& context) : context_(context) {}

  /// Pulls the image, or shares a pull that is under way or has succeeded in the last minute: a fan-out of a thousand
  /// steps asks the registry once. The error's message begins with "ErrImagePull: ".
  Async<Status> pull(std::shared_ptr<Engine> engine, std::string image);

 private:
  struct Pull {
    explicit Pull(boost::asio::io_context& context) : done(context) {}
    AsyncEvent done;
    Status outcome;
    std::chrono::steady_clock::time_point ended;
  };
  Async<Status> pull_now(std::shared_ptr<Engine> engine, std::string image);

  boost::asio::io_context& context_;
  std::map<std::string, std::shared_ptr<Pull>> pulls_;
};

}  // namespace tiphys::node
