#include "server/session/port_relay.h"

#include <fmt/format.h>

namespace tiphys::server {

void PortRelay::begin(const PortOpener& open, std::string pod, std::uint16_t port) {
  error_.discard();
  open(port, [this, alive = std::weak_ptr<bool>(alive_), pod = std::move(pod),
              port](Result<std::unique_ptr<cluster::Session>> session) {
    if (alive.expired()) return;
    if (!session) {
      return refuse(fmt::format("error forwarding port {} to pod {}: {}", port, pod, session.error().message));
    }
    session_ = std::move(*session);
    pass_out();
    pass_in();
  });
}

void PortRelay::pass_out() {
  session_->read(cluster::Session::Output::kOut, [this](Result<std::string> piece) {
    if (piece && !piece->empty()) return data_.write(*piece, [this] { pass_out(); });
    // As in Kubernetes the whole ends when the port's side does.
    data_.close();
    error_.close();
    data_.discard();
    open_directions_ = 1;
    end_direction();
  });
}

void PortRelay::pass_in() {
  data_.read([this](std::string bytes) {
    if (bytes.empty()) {
      session_->close_input();
      if (data_.was_reset()) open_directions_ = 1;
      return end_direction();
    }
    session_->write(std::move(bytes), [this](const Status& written) {
      if (written) return pass_in();
      data_.discard();
      end_direction();
    });
  });
}

void PortRelay::end_direction() {
  if (--open_directions_ == 0 && on_end_) std::exchange(on_end_, nullptr)();
}

void PortRelay::refuse(const std::string& message) {
  error_.write(message, [this] {
    data_.close();
    error_.close();
    open_directions_ = 1;
    end_direction();
  });
}

}  // namespace tiphys::server
