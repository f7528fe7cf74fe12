// A podman service of our own, for hosts where podman is installed and no engine listens.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/error.h"

namespace tiphys::node {

class OwnPodman {
 public:
  /// `state_dir` is a folder of one process at a time; the service's log goes there.
  explicit OwnPodman(std::string state_dir) : state_dir_(std::move(state_dir)) {}
  /// Ends the service that start() began, and waits for its end. Its containers go on.
  ~OwnPodman();
  OwnPodman(const OwnPodman&) = delete;
  OwnPodman& operator=(const OwnPodman&) = delete;

  /// Where it listens, or would.
  Result<std::string> socket() const;
  /// Begins the service. A connection to socket() made from now on waits until podman answers, and breaks if it ends.
  Status start(const std::string& program);
  /// The last line of the service's log, which tells why it ended; "" when it said nothing.
  std::string last_words() const;

 private:
  void end(int signal);
  std::string log_path() const { return state_dir_ + "/podman.log"; }

  const std::string state_dir_;
  pid_t process_ = 0;
};

}  // namespace tiphys::node
