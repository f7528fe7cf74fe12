// What Argo's API does and where its answers go, for tests.
#pragma once

#include <functional>
#include <optional>

#include "argo/call.h"
#include "server/routes.h"

namespace tiphys::server {

/// Keeps calls, or answers them as the test says.
struct FakeServices final : argo::Services {
  void call(argo::Call asked) override {
    method = asked.method.name;
    request = asked.request;
    caller = asked.caller;
    answer = std::move(asked.answer);
    if (respond) respond(*answer);
    if (respond) answer.reset();
  }

  std::function<void(argo::Answer&)> respond;  ///< none: the test answers by `answer`
  std::string method;
  doc::Object request;
  std::shared_ptr<const objects::Caller> caller;
  std::shared_ptr<argo::Answer> answer;
};

/// What feeds a stream, seen from outside.
struct FakeFeed {
  bool gone = false;
  int pauses = 0, resumptions = 0;

  std::unique_ptr<cluster::Watch> watch() {
    struct Source final : cluster::Watch {
      explicit Source(FakeFeed& to) : feed(to) {}
      ~Source() override { feed.gone = true; }
      void pause(bool paused) override { ++(paused ? feed.pauses : feed.resumptions); }
      FakeFeed& feed;
    };
    return std::make_unique<Source>(*this);
  }
};

/// Keeps an answer.
struct Recorder final : Responder {
  using Responder::begin_stream;
  using Responder::end_stream;
  using Responder::reply;
  void reply(AnswerHead with, std::string text) override {
    head = std::move(with);
    body = std::move(text);
    ended = true;
  }
  void begin_stream(AnswerHead with) override {
    head = std::move(with);
    begun = true;
  }
  void write(std::string chunk) override { body += chunk; }
  void bound_lag() override {}
  void end_stream(HeaderFields with) override {
    trailers = std::move(with);
    ended = true;
  }
  void break_off() override { broken_off = true; }
  void upgrade(std::string, std::unique_ptr<Speaker>) override {}
  void hold(std::unique_ptr<cluster::Watch> feed) override { source = std::move(feed); }

  static std::string value(const HeaderFields& fields, std::string_view name) {
    for (const auto& [known, text] : fields) {
      if (known == name) return text;
    }
    return "";
  }

  AnswerHead head{.code = 0};
  std::string body;
  HeaderFields trailers;
  bool begun = false, ended = false, broken_off = false;
  std::unique_ptr<cluster::Watch> source;
};

}  // namespace tiphys::server
