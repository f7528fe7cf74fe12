// A connection after its upgrade, as the wire of a speaker. Only for connection.cc.
#pragma once

#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <memory>

#include "server/session/wire.h"

namespace tiphys::server {

template <typename Stream>
class UpgradedWire final : public Wire, public std::enable_shared_from_this<UpgradedWire<Stream>> {
 public:
  UpgradedWire(Stream stream, std::unique_ptr<Speaker> speaker, std::move_only_function<void()> on_closed)
      : stream_(std::move(stream)),
        linger_(stream_.get_executor()),
        on_closed_(std::move(on_closed)),
        speaker_(std::move(speaker)) {}

  /// `received` has come after the request.
  void start(std::string head, const std::string& received) {
    tcp().expires_never();
    if (!head.empty()) send(std::move(head));
    speaker_->begin(*this);
    if (!received.empty() && speaker_) speaker_->receive(received);
    read();
  }

  /// Cuts it, and ends what it speaks before this returns.
  void drop() {
    cut();
    speaker_.reset();
  }

  void send(std::string bytes) override {
    if (ended_ || closing_) return;
    pending_ += bytes;
    if (writing_.empty()) write();
  }

  std::size_t unsent() const override { return pending_.size() + writing_.size() - written_; }

  void pause(bool paused) override {
    paused_ = paused;
    // Not from within: somebody may be in the midst of what came.
    if (!paused_) boost::asio::post(stream_.get_executor(), [self = this->shared_from_this()] { self->read(); });
  }

  void close(bool peer_is_done) override {
    if (ended_ || std::exchange(closing_, true)) return;
    peer_is_done_ = peer_is_done;
    boost::asio::post(stream_.get_executor(), [self = this->shared_from_this()] { self->close_when_sent(); });
  }

 private:
  using ErrorCode = boost::system::error_code;
  static constexpr std::chrono::seconds kLinger{5};
  auto& tcp() { return boost::beast::get_lowest_layer(stream_); }

  void write() {
    writing_.swap(pending_);
    written_ = 0;
    write_some();
  }

  void write_some() {
    stream_.async_write_some(boost::asio::buffer(writing_.data() + written_, writing_.size() - written_),
                             [self = this->shared_from_this()](ErrorCode error, std::size_t count) {
                               if (self->ended_) return;
                               if (error) return self->cut();
                               self->written(count);
                             });
  }

  void written(std::size_t count) {
    written_ += count;
    if (written_ < writing_.size()) return write_some();
    writing_.clear();
    written_ = 0;
    if (!pending_.empty()) return write();
    if (closing_) return close_when_sent();
    if (speaker_) speaker_->sent_all();
  }

  void read() {
    if (ended_ || paused_ || std::exchange(reading_, true)) return;
    stream_.async_read_some(boost::asio::buffer(incoming_),
                            [self = this->shared_from_this()](ErrorCode error, std::size_t count) {
                              self->reading_ = false;
                              if (self->ended_) return;
                              if (error) return self->cut();
                              if (!self->closing_) self->speaker_->receive({self->incoming_.data(), count});
                              self->read();
                            });
  }

  void close_when_sent() {
    if (ended_ || unsent() > 0) return;
    if (peer_is_done_) return cut();
    // What the peer still sends is taken: else it might not get to read the end.
    linger_.expires_after(kLinger);
    linger_.async_wait([self = this->shared_from_this()](ErrorCode cancelled) {
      if (!cancelled) self->cut();
    });
    paused_ = false;
    read();
  }

  void cut() {
    if (std::exchange(ended_, true)) return;
    ErrorCode ignored;  // the peer may have closed it before
    tcp().socket().shutdown(boost::asio::socket_base::shutdown_both, ignored);
    tcp().close();
    linger_.cancel();
    // Not from within: the speaker may be the one that led here.
    boost::asio::post(stream_.get_executor(), [self = this->shared_from_this()] {
      self->speaker_.reset();
      if (auto on_closed = std::exchange(self->on_closed_, nullptr)) on_closed();
    });
  }

  Stream stream_;
  boost::asio::steady_timer linger_;
  std::move_only_function<void()> on_closed_;
  std::string pending_, writing_;
  std::size_t written_ = 0;
  std::array<char, 32 * 1024> incoming_;
  bool reading_ = false;
  bool paused_ = false;
  bool closing_ = false;
  bool peer_is_done_ = false;
  bool ended_ = false;
  std::unique_ptr<Speaker> speaker_;  ///< first to go: it calls the rest
};

}  // namespace tiphys::server
