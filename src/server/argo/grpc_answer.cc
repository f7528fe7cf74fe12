#include "server/argo/grpc_answer.h"

#include <fmt/format.h>

#include <utility>

#include "argo/version.h"
#include "schema/protobuf.h"
#include "server/argo/feed.h"
#include "server/argo/grpc_frames.h"

namespace tiphys::server {
namespace {

constexpr std::string_view kGrpc = "application/grpc";

/// What gRPC's clients show of a message is cut by some of them beyond their bound of headers.
constexpr std::size_t kMostStatusBytes = 4 * 1024;

HeaderFields status_fields(const Error& error) {
  HeaderFields fields{{"grpc-status", std::to_string(static_cast<int>(error.code))},
                      {"grpc-message", encode_grpc_text(std::string_view(error.message).substr(0, kMostStatusBytes))}};
  if (error.code == Code::kUnimplemented) fields.emplace_back("grpc-accept-encoding", kGrpcEncodings);
  return fields;
}

class GrpcAnswer final : public argo::Answer, public std::enable_shared_from_this<GrpcAnswer> {
 public:
  GrpcAnswer(const Exchange& exchange, const argo::Method& method)
      : executor_(exchange.served.executor), responder_(exchange.responder), method_(method) {}
  ~GrpcAnswer() override {
    executor_.cancel(timer_);
    if (!done_) fail({Code::kInternal, fmt::format("{} gave no answer", method_.name)});
  }

  void expect_within(Duration timeout) {
    timer_ = executor_.schedule(executor_.now() + timeout, [weak = weak_from_this()] {
      if (const auto answer = weak.lock()) answer->expire();
    });
  }

  void reply(const doc::Value& message) override {
    if (done_) return;
    write(message);
    end();
  }
  void reply_text(std::string json) override {
    if (const auto message = parse(json)) reply(*message);
  }
  void send(std::string json) override {
    if (done_) return;
    if (const auto message = parse(json)) write(*message);
  }
  void caught_up() override {
    if (!done_) responder_->bound_lag();
  }
  void end() override {
    if (std::exchange(done_, true)) return;
    begin();
    responder_->end_stream({{"grpc-status", "0"}});
  }
  void refuse(Error error) override { fail(error); }
  void hold(std::unique_ptr<cluster::Watch> source) override {
    if (done_) return;
    begin();
    responder_->hold(std::make_unique<Feed>(shared_from_this(), std::move(source)));
  }

 private:
  std::optional<doc::Value> parse(const std::string& json) {
    auto message = doc::parse_json(json);
    if (message) return std::move(*message);
    fail({Code::kInternal, "the answer cannot be read: " + message.error().message});
    return std::nullopt;
  }

  void write(const doc::Value& message) {
    const auto encoded = schema::encode_message(*method_.response, message);
    if (!encoded) return fail({Code::kInternal, "the answer cannot be written: " + encoded.error().message});
    if (encoded->size() > kMostGrpcMessageBytes) {
      return fail({Code::kResourceExhausted, fmt::format("grpc: trying to send message larger than max ({} vs. {})",
                                                         encoded->size(), kMostGrpcMessageBytes)});
    }
    begin();
    responder_->write(grpc_frame(*encoded));
  }

  void begin() {
    if (std::exchange(begun_, true)) return;
    responder_->begin_stream(
        {.content_type = std::string(kGrpc), .fields = {{"argo-version", std::string(argo::kVersion)}}});
  }

  void fail(const Error& error) {
    if (std::exchange(done_, true)) return;
    begun_ ? responder_->end_stream(status_fields(error)) : refuse_grpc(*responder_, error);
  }

  void expire() {
    fail({Code::kDeadlineExceeded, "context deadline exceeded"});
    responder_->hold(nullptr);
  }

  Executor& executor_;
  const std::shared_ptr<Responder> responder_;
  const argo::Method& method_;
  Executor::TimerId timer_ = 0;
  bool begun_ = false;
  bool done_ = false;
};

}  // namespace

std::shared_ptr<argo::Answer> make_grpc_answer(const Exchange& exchange, const argo::Method& method,
                                               std::optional<Duration> timeout) {
  auto answer = std::make_shared<GrpcAnswer>(exchange, method);
  if (timeout) answer->expect_within(*timeout);
  return answer;
}

void refuse_grpc(Responder& responder, const Error& error) {
  responder.reply({.content_type = std::string(kGrpc), .fields = status_fields(error)}, "");
}

}  // namespace tiphys::server
