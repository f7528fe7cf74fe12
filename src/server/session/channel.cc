#include "server/session/channel.h"

#include <utility>

namespace tiphys::server {
namespace {

constexpr std::size_t kMostMergedBytes = std::size_t{32} * 1024;

}  // namespace

Channel::~Channel() {
  discard();
  std::erase_if(carrier_.waiting_, [this](const auto& waiting) { return waiting.first == this; });
}

void Channel::read(std::move_only_function<void(std::string)> done) {
  read_ = std::move(done);
  serve();
}

void Channel::discard() {
  discards_ = true;
  read_ = nullptr;
  std::ptrdiff_t dropped = 0;
  for (const std::string& piece : pieces_) dropped += static_cast<std::ptrdiff_t>(piece.size());
  pieces_.clear();
  if (dropped > 0) carrier_.count_unread(-dropped);
}

void Channel::write(std::string_view bytes, Taken taken) {
  if (closed_) return taken();
  carrier_.write(*this, bytes, std::move(taken));
}

void Channel::close() {
  if (!std::exchange(closed_, true)) carrier_.frame_end(*this);
}

void Channel::receive(std::string bytes) {
  if (discards_ || ended_ || bytes.empty()) return;
  carrier_.count_unread(static_cast<std::ptrdiff_t>(bytes.size()));
  // Few pieces, however small they come.
  if (!pieces_.empty() && pieces_.back().size() + bytes.size() <= kMostMergedBytes) {
    pieces_.back() += bytes;
  } else {
    pieces_.push_back(std::move(bytes));
  }
  serve();
}

void Channel::receive_end() {
  ended_ = true;
  serve();
}

void Channel::receive_reset() {
  reset_ = closed_ = true;
  receive_end();
}

void Channel::serve() {
  if (!read_ || (pieces_.empty() && !ended_)) return;
  std::string piece;
  if (!pieces_.empty()) {
    piece = std::move(pieces_.front());
    pieces_.pop_front();
    carrier_.count_unread(-static_cast<std::ptrdiff_t>(piece.size()));
  }
  std::exchange(read_, nullptr)(std::move(piece));
}

void Carrier::send(std::string bytes) {
  wire_->send(std::move(bytes));
  pace();
}

void Carrier::write(Channel& channel, std::string_view bytes, Channel::Taken taken) {
  frame(channel, bytes);
  if (wire_->unsent() <= kMostUnsent) return taken();
  waiting_.emplace_back(&channel, std::move(taken));
  pace();
}

void Carrier::go_on() {
  // One at a time: whom it is told may end channels that wait.
  std::size_t most = waiting_.size();
  while (most-- > 0 && !waiting_.empty()) {
    Channel::Taken taken = std::move(waiting_.front().second);
    waiting_.erase(waiting_.begin());
    taken();
  }
  pace();
}

void Carrier::count_unread(std::ptrdiff_t change) {
  unread_ += static_cast<std::size_t>(change);
  pace();
}

void Carrier::pace() {
  const bool pause = unread_ > kMostUnread || wire_->unsent() > kMostUnsent;
  if (std::exchange(paused_, pause) != pause) wire_->pause(pause);
}

}  // namespace tiphys::server
