// The connection to a supervisor, on the executor's io_context.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"
#include "node/supervisor/supervisor_protocol.h"

namespace boost::asio {
class io_context;
}

namespace tiphys::node {

class SupervisorClient {
 public:
  struct Events {
    std::move_only_function<void(const Frame&)> on_frame;
    /// Once, when the supervisor is gone or talks nonsense; nothing arrives afterwards. The client may be destroyed in
    /// it.
    std::move_only_function<void(Error)> on_end;
  };

  virtual ~SupervisorClient() = default;
  /// Whole frames. Written at once as far as the socket takes them; what is sent after the end is dropped.
  virtual void send(std::string_view frames) = 0;

  /// `fd` is a greeted connection (ensure_supervisor). Events come from `context`, never from inside a call.
  static std::unique_ptr<SupervisorClient> make(boost::asio::io_context& context, UniqueFd fd, Events events);
};

}  // namespace tiphys::node
