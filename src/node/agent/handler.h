// What a kubelet does to see how a container is, or to tell it something: a command in it, a request to it, a
// connection, a pause. The handlers of probes and of lifecycle hooks.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "doc/value.h"
#include "web/http_client.h"

namespace tiphys::node {

struct Handler {
  enum class Kind { kExec, kHttp, kTcp, kGrpc, kSleep };
  Kind kind = Kind::kExec;
  std::vector<std::string> command;
  web::HttpRequest request;  ///< of kHttp and kGrpc; certificates are not verified
  bool any_answer = false;   ///< of kHttp: good, whatever its status is
  std::string host;          ///< of kTcp
  std::uint16_t port = 0;
  Duration sleep{0};
};

/// Reads the handler that `written` has: a probe, or a hook. A port may be a name of the container's ports; `address`
/// is the pod's. `name` says in messages what it is: "readinessProbe".
Result<Handler> parse_handler(const doc::Value& written, const doc::Value& container, const std::string& address,
                              std::string_view name);
/// The same of a hook, whose request has done its work once it is answered: `name` is a field of lifecycle.
Result<Handler> parse_hook(const doc::Value& container, const std::string& address, std::string_view name);

enum class Finding {
  kGood,     ///< exit code 0; an answer of 200 to 399 or SERVING; a connection
  kBad,      ///< anything else, and no end in time
  kUnknown,  ///< it could not be asked
};

struct HandlerWorld {
  /// Runs a command in the container; an error of kDeadlineExceeded when it takes longer.
  using Exec =
      std::function<void(const std::vector<std::string>& command, Duration timeout, std::function<void(Result<int>)>)>;
  boost::asio::io_context& context;
  web::HttpClient& http;
  Exec exec;
};

/// One handler under way. Destroying it ends it, but for a command, and `done` is not called any more.
class HandlerRun {
 public:
  /// `done` is called once, later, with what was found and the reason of what is not good.
  using Done = std::function<void(Finding finding, std::string reason)>;
  HandlerRun(HandlerWorld world, const Handler& handler, Duration timeout, Done done);
  ~HandlerRun();
  HandlerRun(const HandlerRun&) = delete;
  HandlerRun& operator=(const HandlerRun&) = delete;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace tiphys::node
