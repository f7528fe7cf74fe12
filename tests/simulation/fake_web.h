// Servers whose answers are fixed by the seed and the URL: "http://sim/FAILING_PERCENT/NAME". All others are a plugin,
// whose answers are fixed by the template: {"plugin": {"sim": {"failing": PERCENT}}}.
#pragma once

#include <charconv>
#include <memory>

#include "base/check.h"
#include "base/executor.h"
#include "doc/value.h"
#include "simulation/chance.h"
#include "web/http_client.h"

namespace tiphys::simulation {

class FakeWeb final : public web::HttpClient {
 public:
  /// `outcomes` seeds the answers; `chance` how long they take.
  FakeWeb(Executor& executor, std::uint64_t outcomes, Chance& chance)
      : executor_(executor), outcomes_(outcomes), chance_(chance) {}

  std::unique_ptr<web::HttpCall> send(web::HttpRequest request, Done done) override {
    const Time when = executor_.now() + chance_.up_to(std::chrono::seconds(5));
    const bool plugin = !request.url.starts_with(kHost);
    return std::make_unique<Call>(executor_, when, std::move(done),
                                  plugin ? plugin_answer(request.body) : answer_to(request.url));
  }

 private:
  class Call final : public web::HttpCall {
   public:
    Call(Executor& executor, Time when, Done done, web::HttpAnswer answer)
        : executor_(executor),
          timer_(executor.schedule(
              when, [done = std::move(done), answer = std::move(answer)]() mutable { done(std::move(answer)); })) {}
    ~Call() override { executor_.cancel(timer_); }

   private:
    Executor& executor_;
    Executor::TimerId timer_;
  };

  static constexpr std::string_view kHost = "http://sim/";

  /// Sometimes it is to be asked again first.
  web::HttpAnswer plugin_answer(const std::string& body) {
    const auto asked = doc::parse_json(body);
    TIPHYS_CHECK(asked, "a plugin is asked in JSON");
    if (chance_.percent(20)) return {200, {}, R"({"node": {"phase": "Running"}, "requeue": "1s"})"};
    if (chance_.percent(10)) return {503, {}, "not yet"};
    const doc::Value& tmpl = asked->at("template");
    const auto failing = tmpl.at("plugin").at("sim").at("failing").to_number<std::size_t>();
    const bool fails = fixed_by(outcomes_, doc::find_string(tmpl, "name")) % 100 < failing;
    return {
        200, {}, fails ? R"({"node": {"phase": "Failed", "message": "no"}})" : R"({"node": {"phase": "Succeeded"}})"};
  }

  web::HttpAnswer answer_to(const std::string& url) const {
    std::size_t failing_percent = 0;
    std::from_chars(url.data() + kHost.size(), url.data() + url.size(), failing_percent);
    const bool fails = fixed_by(outcomes_, url) % 100 < failing_percent;
    return {fails ? 503 : 200, {}, fails ? "busy" : "welcome"};
  }

  Executor& executor_;
  const std::uint64_t outcomes_;
  Chance& chance_;
};

}  // namespace tiphys::simulation
