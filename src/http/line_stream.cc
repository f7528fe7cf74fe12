#include "http/line_stream.h"

namespace tiphys::http {
namespace {

/// One line of a stream at most; a longer one breaks it off.
constexpr std::size_t kMostLineBytes = 64 * 1024 * 1024;

}  // namespace

void LineStream::start(Client client, Request request, Sink sink) {
  sink_ = std::move(sink);
  head_ = {};
  rest_.clear();
  request.endless = true;
  http::Sink sent;
  sent.on_head = [this](const Head& head) { head_ = head; };
  sent.on_body = [this](std::string_view part) { take(part); };
  sent.on_end = [this](Status status) { end(std::move(status)); };
  call_ = client.call(std::move(request), std::move(sent));
}

void LineStream::take(std::string_view part) {
  if (head_.code != 200) {
    rest_ += part;
    return;
  }
  const std::weak_ptr<bool> alive = alive_;  // a line's reader may destroy this
  for (auto newline = part.find('\n'); newline != std::string_view::npos; newline = part.find('\n')) {
    if (!sink_.on_end) return;
    if (rest_.empty()) {
      sink_.on_line(part.substr(0, newline));
    } else {
      rest_ += part.substr(0, newline);
      const std::string line = std::exchange(rest_, {});
      sink_.on_line(line);
    }
    if (alive.expired()) return;
    part.remove_prefix(newline + 1);
  }
  rest_ += part;
  if (rest_.size() > kMostLineBytes) end(fail(Code::kResourceExhausted, "a line of the server's stream has no end"));
}

void LineStream::end(Status status) {
  auto on_end = std::exchange(sink_.on_end, nullptr);
  if (!on_end) return;
  if (status && head_.code != 200) status = std::unexpected(error_of_(head_.code, rest_));
  const std::weak_ptr<bool> alive = alive_;
  if (status && !rest_.empty()) sink_.on_line(std::exchange(rest_, {}));  // the last one has no newline
  if (!alive.expired()) on_end(std::move(status));
}

}  // namespace tiphys::http
