// What a running container writes from now on, as its log has it: line by line.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "base/executor.h"
#include "cluster/session.h"
#include "node/log/log_file.h"

namespace tiphys::node {

/// Its input goes nowhere, as that of a container without one.
class AttachSession final : public cluster::Session {
 public:
  explicit AttachSession(Executor& executor) : executor_(executor) {}

  /// `ended` as for LogReader.
  void begin(LogReader& logs, const std::string& log_path, std::function<bool()> ended);

  void read(Output from, cluster::Done<std::string> done) override;
  void write(std::string bytes, cluster::Done<void> done) override;
  void close_input() override {}
  void resize(unsigned short, unsigned short) override {}
  /// 0 at the container's end: how it ended is in the pod's status.
  void wait(cluster::Done<int> done) override;

 private:
  struct Stream {
    std::string pending;
    cluster::Done<std::string> read;
  };
  void serve();
  void post(std::move_only_function<void()> task);

  Executor& executor_;
  std::array<Stream, 2> streams_;  ///< stdout, stderr
  cluster::Done<int> wait_;
  bool ended_ = false;
  bool paused_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<cluster::Watch> log_;
};

}  // namespace tiphys::node
