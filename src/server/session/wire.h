// The two sides of an upgraded connection: bytes of a socket, and the protocol that is spoken with them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tiphys::server {

/// What is sent goes out in order. None of its calls destroys the speaker.
class Wire {
 public:
  virtual ~Wire() = default;
  virtual void send(std::string bytes) = 0;
  /// Bytes that have been sent and are not taken yet.
  virtual std::size_t unsent() const = 0;
  /// While paused nothing more is read.
  virtual void pause(bool paused) = 0;
  /// Sends what is left and ends the connection. Unless the peer has said that it is done too, what it still sends is
  /// taken for a while, so that it gets to read the end.
  virtual void close(bool peer_is_done) = 0;
};

/// Belongs to its wire, and is destroyed when the connection ends.
class Speaker {
 public:
  virtual ~Speaker() = default;
  /// Once, before anything else.
  virtual void begin(Wire& wire) = 0;
  virtual void receive(std::string_view bytes) = 0;
  /// All that was sent is taken.
  virtual void sent_all() = 0;
};

}  // namespace tiphys::server
