#include "server/session/websocket_watch.h"

#include <algorithm>
#include <utility>

#include "server/entrance.h"
#include "server/session/upgrade.h"
#include "server/session/websocket.h"
#include "server/session/websocket_channels.h"

namespace tiphys::server {
namespace {

using Kind = WebSocketMessage::Kind;
constexpr std::uint16_t kDone = 1000, kTooSlow = 1008;

/// A stream whose lines are messages. Once it has begun it belongs to the speaker of its connection.
class MessageResponder final : public Responder, public std::enable_shared_from_this<MessageResponder> {
 public:
  MessageResponder(std::shared_ptr<Responder> inner, std::string head)
      : inner_(std::move(inner)), head_(std::move(head)) {}

  using Responder::begin_stream;
  using Responder::end_stream;
  using Responder::reply;
  void reply(AnswerHead head, std::string body) override { inner_->reply(std::move(head), std::move(body)); }
  void begin_stream(AnswerHead head) override;
  void write(std::string chunk) override {
    if (!wire_ || closing_) return;
    if (lag_bounded_ && wire_->unsent() > kMostLagBytes) return close(kTooSlow, "the reader lags behind");
    std::string_view lines = chunk;
    while (wire_ && !lines.empty()) {
      const std::size_t end = std::min(lines.find('\n'), lines.size());
      wire_->send(websocket_frame(Kind::kText, lines.substr(0, end)));
      lines.remove_prefix(std::min(end + 1, lines.size()));
    }
    if (source_ && wire_->unsent() > kPauseBytes && !std::exchange(paused_, true)) source_->pause(true);
  }
  void bound_lag() override { lag_bounded_ = true; }
  void end_stream(HeaderFields) override {
    if (wire_) close(kDone, "");
  }
  void break_off() override { wire_ ? wire_->close(true) : inner_->break_off(); }
  void upgrade(std::string head, std::unique_ptr<Speaker> speaker) override {
    inner_->upgrade(std::move(head), std::move(speaker));
  }
  void hold(std::unique_ptr<cluster::Watch> source) override {
    if (wire_) source_ = std::move(source);
  }

  void begin(Wire& wire) { wire_ = &wire; }
  void receive(std::string_view bytes) {
    reader_.feed(bytes);
    while (wire_) {
      const auto message = reader_.next();
      if (!message) return answer_error(*wire_, message.error(), closing_);
      if (!*message) return;
      // A client has nothing to say but how it is.
      answer_control(*wire_, **message, closing_);
    }
  }
  void sent_all() {
    if (source_ && std::exchange(paused_, false)) source_->pause(false);
  }
  void gone() {
    wire_ = nullptr;
    source_.reset();
  }

 private:
  void close(std::uint16_t code, std::string_view reason) {
    if (std::exchange(closing_, true)) return;
    wire_->send(websocket_close(code, reason));
    wire_->close(false);
  }

  const std::shared_ptr<Responder> inner_;
  const std::string head_;
  Wire* wire_ = nullptr;
  WebSocketReader reader_;
  std::unique_ptr<cluster::Watch> source_;
  bool lag_bounded_ = false, paused_ = false, closing_ = false;
};

class MessageSpeaker final : public Speaker {
 public:
  explicit MessageSpeaker(std::shared_ptr<MessageResponder> stream) : stream_(std::move(stream)) {}
  ~MessageSpeaker() override { stream_->gone(); }
  void begin(Wire& wire) override { stream_->begin(wire); }
  void receive(std::string_view bytes) override { stream_->receive(bytes); }
  void sent_all() override { stream_->sent_all(); }

 private:
  const std::shared_ptr<MessageResponder> stream_;
};

void MessageResponder::begin_stream(AnswerHead) {
  inner_->upgrade(head_, std::make_unique<MessageSpeaker>(shared_from_this()));
}

}  // namespace

Handled take_websocket(Exchange& exchange) {
  const auto& upgrade = exchange.request.upgrade;
  // Others, such as h2c, may be left alone, as RFC 9110 has it.
  if (!upgrade || !is_websocket(*upgrade)) return {};
  TIPHYS_TRY(Agreed agreed, agree(exchange.request, {}, {}));
  exchange.responder = std::make_shared<MessageResponder>(exchange.responder, std::move(agreed.head));
  return {};
}

}  // namespace tiphys::server
