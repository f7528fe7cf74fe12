#include "server/argo/rest_answer.h"

#include <fmt/format.h>

#include <utility>

#include "argo/field_filter.h"
#include "argo/version.h"
#include "server/argo/errors.h"
#include "server/argo/feed.h"

namespace tiphys::server {
namespace {

constexpr Duration kKeepAlive = std::chrono::seconds(15);
constexpr std::string_view kEventStream = "text/event-stream";

class RestAnswer final : public argo::Answer, public std::enable_shared_from_this<RestAnswer> {
 public:
  RestAnswer(const Exchange& exchange, const argo::Method& method)
      : executor_(exchange.served.executor),
        responder_(exchange.responder),
        method_(method),
        events_(method.streams && exchange.request.accept == kEventStream),
        fields_(method.streams ? exchange.query.value("fields") : std::string_view()) {}
  ~RestAnswer() override {
    executor_.cancel(timer_);
    if (!done_) fail({Code::kInternal, fmt::format("{} gave no answer", method_.name)});
  }

  void reply(const doc::Value& message) override { reply_text(doc::to_json(message)); }

  void reply_text(std::string json) override {
    if (std::exchange(done_, true)) return;
    responder_->reply(AnswerHead{.content_type = std::string(kJson), .fields = version()}, std::move(json));
  }

  void send(std::string json) override {
    if (done_) return;
    begin();
    if (fields_.wants_all()) return write(fmt::format(R"({{"result":{}}})", json));
    auto parsed = doc::parse_json(json);
    if (!parsed) return fail({Code::kInternal, "the answer cannot be read: " + parsed.error().message});
    doc::Value message = doc::Object{{"result", std::move(*parsed)}};
    fields_.apply(message);
    write(doc::to_json(message));
  }

  void caught_up() override {
    if (!done_) responder_->bound_lag();
  }

  void end() override {
    if (std::exchange(done_, true)) return;
    begin();
    responder_->end_stream();
  }

  void refuse(Error error) override { fail(error); }

  void hold(std::unique_ptr<cluster::Watch> source) override {
    if (done_) return;
    // A caller learns at once that it is heard, if there is nothing to tell yet.
    begin();
    if (events_) keep_alive_later();
    responder_->hold(std::make_unique<Feed>(shared_from_this(), std::move(source)));
  }

 private:
  static HeaderFields version() { return {{"Grpc-Metadata-Argo-Version", std::string(argo::kVersion)}}; }

  void begin() {
    if (std::exchange(begun_, true)) return;
    AnswerHead head{.content_type = std::string(events_ ? kEventStream : kJson), .fields = version()};
    if (events_) head.fields.emplace_back("X-Content-Type-Options", "nosniff");
    responder_->begin_stream(std::move(head));
  }

  /// The spaces and line ends are the original's.
  void write(const std::string& json) {
    responder_->write(events_ ? fmt::format("data: {} \n\n\n", json) : json + "\n");
  }

  /// Events say from time to time that they go on.
  void keep_alive_later() {
    timer_ = executor_.schedule(executor_.now() + kKeepAlive, [weak = weak_from_this()] {
      const auto answer = weak.lock();
      if (!answer || answer->done_) return;
      answer->responder_->write(":\n");
      answer->keep_alive_later();
    });
  }

  void fail(const Error& error) {
    if (std::exchange(done_, true)) return;
    if (!begun_) return responder_->reply(gateway_code(error.code), kJson, gateway_error(error));
    write(gateway_stream_error(error));
    responder_->end_stream();
  }

  Executor& executor_;
  const std::shared_ptr<Responder> responder_;
  const argo::Method& method_;
  const bool events_;
  const argo::FieldFilter fields_;
  Executor::TimerId timer_ = 0;
  bool begun_ = false;
  bool done_ = false;
};

}  // namespace

std::shared_ptr<argo::Answer> make_rest_answer(const Exchange& exchange, const argo::Method& method) {
  return std::make_shared<RestAnswer>(exchange, method);
}

}  // namespace tiphys::server
