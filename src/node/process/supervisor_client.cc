#include "node/process/supervisor_client.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>

namespace tiphys::node {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;

class AsioSupervisorClient final : public SupervisorClient, public std::enable_shared_from_this<AsioSupervisorClient> {
 public:
  AsioSupervisorClient(boost::asio::io_context& context, UniqueFd fd, Events events)
      : socket_(context, fd.release()), events_(std::move(events)) {
    socket_.non_blocking(true);
  }

  void send(std::string_view frames) override {
    if (ended_) return;
    out_ += frames;
    if (!writing_) write();
  }

  void read() {
    if (in_.size() < used_ + kReadBytes) in_.resize(used_ + kReadBytes);
    socket_.async_read_some(boost::asio::buffer(in_.data() + used_, in_.size() - used_),
                            [self = shared_from_this()](boost::system::error_code error, std::size_t count) {
                              if (self->ended_) return;
                              if (error) return self->end({Code::kUnavailable, "the supervisor is gone"});
                              self->used_ += count;
                              self->deliver();
                            });
  }

  void close() {
    ended_ = true;
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

 private:
  void deliver() {
    const auto self = shared_from_this();
    std::string_view rest(in_.data(), used_);
    for (;;) {
      auto frame = take_frame(rest);
      if (!frame) return end(frame.error());
      if (!*frame) break;
      events_.on_frame(**frame);
      if (ended_) return;
    }
    const std::size_t left = rest.size();
    in_.erase(0, used_ - left);
    used_ = left;
    read();
  }

  void write() {
    while (!out_.empty()) {
      const ssize_t count = ::send(socket_.native_handle(), out_.data(), out_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count >= 0) {
        out_.erase(0, static_cast<std::size_t>(count));
      } else if (errno == EAGAIN) {
        writing_ = true;
        socket_.async_wait(boost::asio::posix::stream_descriptor::wait_write,
                           [self = shared_from_this()](boost::system::error_code error) {
                             self->writing_ = false;
                             if (!error && !self->ended_) self->write();
                           });
        return;
      } else if (errno != EINTR) {
        out_.clear();  // the reading side tells of the end
        return;
      }
    }
  }

  void end(Error error) {
    close();
    auto on_end = std::move(events_.on_end);
    on_end(std::move(error));
  }

  boost::asio::posix::stream_descriptor socket_;
  Events events_;
  std::string in_;
  std::size_t used_ = 0;
  std::string out_;
  bool writing_ = false;
  bool ended_ = false;
};

/// Ends the connection when its owner goes, although pending reads still hold it.
class Owner final : public SupervisorClient {
 public:
  explicit Owner(std::shared_ptr<AsioSupervisorClient> client) : client_(std::move(client)) { client_->read(); }
  ~Owner() override { client_->close(); }
  void send(std::string_view frames) override { client_->send(frames); }

 private:
  std::shared_ptr<AsioSupervisorClient> client_;
};

}  // namespace

std::unique_ptr<SupervisorClient> SupervisorClient::make(boost::asio::io_context& context, UniqueFd fd, Events events) {
  return std::make_unique<Owner>(std::make_shared<AsioSupervisorClient>(context, std::move(fd), std::move(events)));
}

}  // namespace tiphys::node
