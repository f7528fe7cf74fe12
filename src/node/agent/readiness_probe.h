// A container's readiness probe, as a kubelet carries it out: every few seconds a request to its port, or a command in
// it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "doc/value.h"

namespace tiphys::node {

struct ProbeSpec {
  std::string host;
  std::string port;
  std::vector<std::string> command;  ///< run in the container, it must exit with 0; empty: a request
  bool http = false;                 ///< GET `path`, which must answer 200 to 399; else a connection is enough
  std::string path;
  std::vector<std::pair<std::string, std::string>> headers;
  Duration initial_delay{0}, period = std::chrono::seconds(10), timeout = std::chrono::seconds(1);
  int successes = 1, failures = 3;  ///< in a row, that change the verdict
};

/// Reads `container`.readinessProbe: its port may be a name of its ports. `address` is the pod's.
Result<ProbeSpec> parse_probe(const doc::Value& container, const std::string& address);

/// Probes until it is destroyed. `on_change` tells each change of the verdict, which is false at first.
class ReadinessProbe {
 public:
  /// Runs a command in the container; `done` gets whether it has exited with 0 within `timeout`.
  using Exec =
      std::function<void(const std::vector<std::string>& command, Duration timeout, std::function<void(bool)> done)>;
  ReadinessProbe(boost::asio::io_context& context, ProbeSpec spec, Exec exec,
                 std::function<void(bool ready)> on_change);
  ~ReadinessProbe();
  ReadinessProbe(const ReadinessProbe&) = delete;
  ReadinessProbe& operator=(const ReadinessProbe&) = delete;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace tiphys::node
