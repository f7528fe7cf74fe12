#include "argo/ask.h"

#include <utility>

namespace tiphys::argo {
namespace {

/// Of a call whose method is known by its names alone: who needs more looks it up.
class NamedAnswer : public Answer {
 public:
  NamedAnswer(std::string service, std::string method)
      : method_{.service = std::move(service), .name = std::move(method)} {}
  const Method& method() const { return method_; }

 private:
  const Method method_;
};

class OneAnswer final : public NamedAnswer {
 public:
  OneAnswer(std::string service, std::string method, cluster::Done<doc::Value> done)
      : NamedAnswer(std::move(service), std::move(method)), done_(std::move(done)) {}

  void reply(const doc::Value& message) override { done_(doc::Value(message)); }
  void reply_text(std::string json) override { done_(doc::parse_json(json)); }
  void refuse(Error error) override { done_(std::unexpected(std::move(error))); }
  void send(std::string) override {}
  void caught_up() override {}
  void end() override {}
  void hold(std::unique_ptr<cluster::Watch>) override {}

 private:
  cluster::Done<doc::Value> done_;
};

class StreamAnswer final : public NamedAnswer {
 public:
  StreamAnswer(std::string service, std::string method, StreamSink sink)
      : NamedAnswer(std::move(service), std::move(method)), sink_(std::move(sink)) {}

  void reply(const doc::Value& message) override {
    if (open_) sink_.on_message(message);
    finish({});
  }
  void reply_text(std::string json) override {
    send(std::move(json));
    finish({});
  }
  void send(std::string json) override {
    if (!open_) return;
    auto message = doc::parse_json(json);
    message ? sink_.on_message(std::move(*message)) : finish(std::unexpected(std::move(message.error())));
  }
  void caught_up() override {}
  void end() override { finish({}); }
  void refuse(Error error) override { finish(std::unexpected(std::move(error))); }
  void hold(std::unique_ptr<cluster::Watch> source) override {
    if (open_) source_ = std::move(source);
  }

  void leave() {
    open_ = false;
    source_.reset();
  }
  void pause(bool paused) {
    if (source_) source_->pause(paused);
  }

 private:
  void finish(Status status) {
    if (std::exchange(open_, false)) sink_.on_end(std::move(status));
  }

  StreamSink sink_;
  bool open_ = true;
  std::unique_ptr<cluster::Watch> source_;
};

class Listening final : public cluster::Watch {
 public:
  explicit Listening(std::shared_ptr<StreamAnswer> answer) : answer_(std::move(answer)) {}
  ~Listening() override { answer_->leave(); }
  void pause(bool paused) override { answer_->pause(paused); }

 private:
  std::shared_ptr<StreamAnswer> answer_;
};

}  // namespace

void ask(Services& services, std::string service, std::string method, doc::Object request,
         cluster::Done<doc::Value> done) {
  auto answer = std::make_shared<OneAnswer>(std::move(service), std::move(method), std::move(done));
  services.call({answer->method(), std::move(request), nullptr, answer});
}

std::unique_ptr<cluster::Watch> listen(Services& services, std::string service, std::string method, doc::Object request,
                                       StreamSink sink) {
  auto answer = std::make_shared<StreamAnswer>(std::move(service), std::move(method), std::move(sink));
  services.call({answer->method(), std::move(request), nullptr, answer});
  return std::make_unique<Listening>(std::move(answer));
}

}  // namespace tiphys::argo
