// Between a client's streams and a port of a pod.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cluster/session.h"
#include "server/session/channel.h"

namespace tiphys::server {

/// Opens a connection to a port. Of those that ask for it the answer may come after they have gone.
using PortOpener = std::function<void(std::uint16_t port, cluster::Done<std::unique_ptr<cluster::Session>> done)>;

class PortRelay {
 public:
  /// The channels outlive it. `on_end` is called once, when both directions have ended or the port cannot be reached;
  /// it may destroy this.
  PortRelay(Channel& data, Channel& error, std::function<void()> on_end)
      : data_(data), error_(error), on_end_(std::move(on_end)) {}

  /// `pod` is for messages.
  void begin(const PortOpener& open, std::string pod, std::uint16_t port);

 private:
  void pass_out();
  void pass_in();
  void end_direction();
  void refuse(const std::string& message);

  Channel& data_;
  Channel& error_;
  std::function<void()> on_end_;
  int open_directions_ = 2;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<cluster::Session> session_;  ///< first to go: it calls the rest
};

}  // namespace tiphys::server
