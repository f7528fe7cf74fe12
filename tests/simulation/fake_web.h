// Servers whose answers are fixed by the seed and the URL: "http://sim/FAILING_PERCENT/NAME".
#pragma once

#include <charconv>
#include <memory>

#include "base/executor.h"
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
    return std::make_unique<Call>(executor_, when, std::move(done), answer_to(request.url));
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

  web::HttpAnswer answer_to(const std::string& url) const {
    constexpr std::string_view kHost = "http://sim/";
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
