#include "server/file_stream.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/log.h"

namespace tiphys::server {
namespace {

constexpr std::size_t kPiece = 256 * 1024;

class FileStream final : public std::enable_shared_from_this<FileStream> {
 public:
  FileStream(Executor& executor, UniqueFd file, std::weak_ptr<Responder> peer)
      : executor_(executor), file_(std::move(file)), peer_(std::move(peer)) {}

  /// One piece a turn: the plane has other work in between.
  void go_on() {
    if (paused_ || std::exchange(waiting_, true)) return;
    executor_.post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->send();
    });
  }

  void pause(bool paused) {
    paused_ = paused;
    go_on();
  }

 private:
  void send() {
    waiting_ = false;
    const auto to = peer_.lock();
    if (!to || paused_) return;
    std::string piece(kPiece, '\0');
    ssize_t got = 0;
    while ((got = ::read(file_.get(), piece.data(), piece.size())) < 0 && errno == EINTR) {
    }
    if (got < 0) {
      log::error("a file on its way to a client cannot be read: {}", std::strerror(errno));
      return to->break_off();
    }
    if (got == 0) return to->end_stream();
    piece.resize(static_cast<std::size_t>(got));
    to->write(std::move(piece));
    go_on();
  }

  Executor& executor_;
  const UniqueFd file_;
  const std::weak_ptr<Responder> peer_;
  bool paused_ = false;
  bool waiting_ = false;  ///< a piece is to be sent in a later turn
};

/// What the responder keeps.
class Handle final : public cluster::Watch {
 public:
  explicit Handle(std::shared_ptr<FileStream> stream) : stream_(std::move(stream)) {}
  void pause(bool paused) override { stream_->pause(paused); }

 private:
  const std::shared_ptr<FileStream> stream_;
};

}  // namespace

void stream_file(Executor& executor, UniqueFd file, AnswerHead head, const std::shared_ptr<Responder>& responder) {
  const auto stream = std::make_shared<FileStream>(executor, std::move(file), responder);
  responder->begin_stream(std::move(head));
  responder->hold(std::make_unique<Handle>(stream));
  stream->go_on();
}

}  // namespace tiphys::server
