// The streams of one client, whatever the protocol carries them in.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "server/session/wire.h"

namespace tiphys::server {

class Carrier;

/// One stream, as bytes in both directions. What comes waits here until it is read; then the client is read on.
class Channel {
 public:
  using Taken = std::move_only_function<void()>;

  Channel(Carrier& carrier, std::uint32_t id) : carrier_(carrier), id_(id) {}
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel();

  std::uint32_t id() const { return id_; }
  /// `done` gets what comes next, perhaps at once; "" when nothing more does. One at a time.
  void read(std::move_only_function<void(std::string)> done);
  /// What comes is read, and dropped.
  void discard();
  /// `taken` is called, perhaps at once, when there is room for more.
  void write(std::string_view bytes, Taken taken);
  /// Nothing more is written.
  void close();

  // For its carrier.
  void receive(std::string bytes);
  void receive_end();
  /// The client wants to hear no more of it either.
  void receive_reset();
  bool was_reset() const { return reset_; }

 private:
  void serve();

  Carrier& carrier_;
  const std::uint32_t id_;
  std::deque<std::string> pieces_;
  std::move_only_function<void(std::string)> read_;
  bool discards_ = false;
  bool ended_ = false;
  bool closed_ = false;
  bool reset_ = false;
};

/// Puts channels into frames on a wire. Slow readers are waited for on both sides: with too much unread or unsent the
/// client is not read, and with too much unsent those who write are not told to go on.
class Carrier {
 public:
  static constexpr std::size_t kMostUnread = std::size_t{256} * 1024;
  static constexpr std::size_t kMostUnsent = std::size_t{256} * 1024;

  virtual ~Carrier() = default;
  Wire& wire() { return *wire_; }

 protected:
  void begin_on(Wire& wire) { wire_ = &wire; }
  /// Answers of the carrier's own.
  void send(std::string bytes);
  /// All is sent: writers go on.
  void go_on();
  /// Whether the client is read on; after something was sent past the channels.
  void pace();

  virtual void frame(Channel& channel, std::string_view bytes) = 0;
  virtual void frame_end(Channel& channel) = 0;

 private:
  friend class Channel;
  void write(Channel& channel, std::string_view bytes, Channel::Taken taken);
  void count_unread(std::ptrdiff_t change);

  Wire* wire_ = nullptr;
  std::size_t unread_ = 0;
  bool paused_ = false;
  std::vector<std::pair<Channel*, Channel::Taken>> waiting_;
};

}  // namespace tiphys::server
