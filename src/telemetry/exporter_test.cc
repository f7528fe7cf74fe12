#include "telemetry/exporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/simulated_executor.h"
#include "telemetry/testing.h"

namespace tiphys::telemetry {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Texts = std::vector<std::string>;

class ExporterTest : public testing::Test {
 protected:
  ~ExporterTest() override { exporter_.reset(); }

  void make(Settings settings, bool delta = false) {
    exporter_.emplace(ExporterParts{
        .executor = executor_,
        .http = collector_,
        .random = random_,
        .settings = std::move(settings),
        .resource = {},
        .scope = "test",
        .delta = delta,
        .collect = [this] { return std::vector<Metric>{{"m", "", "", Metric::Type::kCounter, true, {}, points_}}; },
        .dropped = [this](Signal signal, std::size_t items) { dropped_[signal] += items; },
        .exchange =
            [this](web::HttpRequest request) {
              farewells_.push_back(std::move(request));
              if (farewell_time_ > 0s) executor_.set_now(executor_.now() + farewell_time_);
              return farewell_;
            },
        .wait =
            [this](const std::function<bool()>& done, Duration) {
              if (!done() && answers_at_the_end_) collector_.answer(*answers_at_the_end_);
            }});
  }
  static Settings traces() {
    return {.traces = Endpoint{.signal = Signal::kTraces, .grpc = false, .url = "http://c/v1/traces"}};
  }
  static Settings metrics() {
    return {.metrics = Endpoint{.signal = Signal::kMetrics, .grpc = false, .url = "http://c/v1/metrics"}};
  }
  void span(std::string name) {
    Span span;
    span.name = std::move(name);
    exporter_->take(span);
  }
  /// All that is due by then has happened.
  void pass(Duration time) {
    bool over = false;
    executor_.schedule(executor_.now() + time + 1ns, [&] { over = true; });
    ASSERT_TRUE(executor_.run_until([&] { return over; }, 100'000));
  }
  /// Spans of the requests from the one of this number on; those of a request that was sent again come again.
  std::vector<Texts> sent(std::size_t from = 0) const {
    std::vector<Texts> names;
    for (std::size_t i = from; i < collector_.requests.size(); ++i)
      names.push_back(span_names(collector_.requests[i].body));
    return names;
  }

  SimulatedExecutor executor_;
  SeededRandom random_{1};
  FakeCollector collector_;
  std::vector<Metric::Point> points_{{{}, 1, {}}};
  std::map<Signal, std::size_t> dropped_;
  std::vector<web::HttpRequest> farewells_;
  Result<web::HttpAnswer> farewell_ = web::HttpAnswer{.status = 200};
  Duration farewell_time_ = 0s;
  std::optional<int> answers_at_the_end_;  ///< with this status
  std::optional<Exporter> exporter_;
};

TEST_F(ExporterTest, WithoutAnEndpointThereIsNothing) {
  make({});
  EXPECT_EQ(exporter_->spans(), nullptr);
  span("a");
  EXPECT_EQ(executor_.pending_timers(), 0u);
  exporter_->close();
  EXPECT_TRUE(farewells_.empty());
}

TEST_F(ExporterTest, SpansAreGatheredForATime) {
  make(traces());
  EXPECT_NE(exporter_->spans(), nullptr);
  span("a");
  pass(4s);
  span("b");
  EXPECT_TRUE(collector_.requests.empty());
  pass(1s);
  EXPECT_EQ(sent(), std::vector<Texts>({{"a", "b"}}));
  span("c");
  pass(60s);
  EXPECT_EQ(collector_.requests.size(), 1u) << "one request at a time";
  collector_.answer(200);
  pass(5s);
  EXPECT_EQ(sent(1), std::vector<Texts>({{"c"}}));
}

TEST_F(ExporterTest, AFullRequestIsSentAtOnce) {
  Settings settings = traces();
  settings.spans_of_request = 2;
  make(settings);
  for (const char* name : {"a", "b", "c", "d", "e"}) span(name);
  EXPECT_EQ(sent(), std::vector<Texts>({{"a", "b"}}));
  collector_.answer(200);
  pass(0s);
  EXPECT_EQ(sent(1), std::vector<Texts>({{"c", "d"}}));
  collector_.answer(200);
  pass(4s);
  EXPECT_EQ(collector_.requests.size(), 2u);
  pass(1s);
  EXPECT_EQ(sent(2), std::vector<Texts>({{"e"}}));
}

TEST_F(ExporterTest, IsSentAgainWithLongerPausesAndThenGivenUp) {
  testing::internal::CaptureStderr();
  make(traces());
  span("a");
  pass(5s);
  std::vector<Duration> pauses;
  while (dropped_.empty()) {
    const std::size_t before = collector_.requests.size();
    const Time asked = executor_.now();
    if (before % 2 == 0) {
      collector_.answer(503);
    } else {
      collector_.fail("dial tcp 127.0.0.1:1: connect: connection refused");
    }
    if (!dropped_.empty()) break;
    executor_.run_until([&] { return collector_.requests.size() > before; }, 100);
    pauses.push_back(executor_.now() - asked);
  }
  EXPECT_EQ(dropped_[Signal::kTraces], 1u);
  Duration most = 5s, sum{};
  for (const Duration pause : pauses) {
    EXPECT_GE(pause, most / 2);
    EXPECT_LE(pause, most);
    most = std::min<Duration>(most + most / 2, 30s);
    sum += pause;
  }
  EXPECT_GE(sum, 60s);
  EXPECT_LE(sum, 90s);
  const std::size_t before = collector_.requests.size();
  span("b");
  pass(4s);
  EXPECT_EQ(collector_.requests.size(), before) << "the next one waits, too";
  pass(36s);
  EXPECT_EQ(sent(before), std::vector<Texts>({{"b"}}));
  collector_.answer(200);
  pass(0s);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("traces do not reach http://c: dial tcp 127.0.0.1:1: connect: connection refused; they "
                             "are sent again"));
  EXPECT_THAT(log, HasSubstr("traces reach http://c again"));
  EXPECT_EQ(std::ranges::count(log, '\n'), 2) << "each once: " << log;
}

TEST_F(ExporterTest, TheCollectorSaysWhen) {
  make(traces());
  span("a");
  pass(5s);
  collector_.answer(429, {{"Retry-After", "100"}});
  pass(99s);
  EXPECT_EQ(collector_.requests.size(), 1u);
  pass(1s);
  EXPECT_EQ(collector_.requests.size(), 2u);
  collector_.answer(503, {{"Retry-After", "0"}});
  pass(100ms);
  EXPECT_EQ(dropped_[Signal::kTraces], 1u) << "more than a minute has gone by";
}

TEST_F(ExporterTest, WhatTheCollectorRefusesIsLost) {
  make(traces());
  span("a");
  pass(5s);
  collector_.answer(400);
  pass(5s);
  EXPECT_EQ(collector_.requests.size(), 1u);
  EXPECT_EQ(dropped_[Signal::kTraces], 1u);
}

TEST_F(ExporterTest, MoreSpansThanMayWaitAreLost) {
  testing::internal::CaptureStderr();
  Settings settings = traces();
  settings.most_spans = settings.spans_of_request = 2;
  make(settings);
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) span(name);
  EXPECT_EQ(dropped_[Signal::kTraces], 2u);
  collector_.answer(200);
  pass(0s);
  EXPECT_EQ(sent(), std::vector<Texts>({{"a", "b"}, {"c", "d"}}));
  exporter_->close();
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("2 spans wait for http://c: newer ones are lost"));
  EXPECT_THAT(log, HasSubstr("2 spans were not sent"));
  EXPECT_EQ(std::ranges::count(log, '\n'), 2) << "each once: " << log;
}

TEST_F(ExporterTest, MetricsAreSentAtTheirInterval) {
  make(metrics());
  EXPECT_EQ(exporter_->spans(), nullptr);
  pass(59s);
  EXPECT_TRUE(collector_.requests.empty());
  pass(1s);
  ASSERT_EQ(collector_.requests.size(), 1u);
  EXPECT_EQ(texts_at(collector_.requests[0].body, {1, 2, 2, 1}), Texts{"m"});
  pass(120s);
  EXPECT_EQ(collector_.requests.size(), 1u) << "while one is under way no other is";
  collector_.answer(200);
  pass(60s);
  EXPECT_EQ(collector_.requests.size(), 2u);
}

TEST_F(ExporterTest, ManyPointsAreSentInPieces) {
  points_.assign(12'000, {{}, 1, {}});
  make(metrics());
  pass(60s);
  std::size_t points = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_EQ(collector_.requests.size(), i + 1);
    const std::size_t some = texts_at(collector_.requests[i].body, {1, 2, 2, 7, 1}).size();
    EXPECT_LE(some, 5'000u);
    points += some;
    collector_.answer(200);
    pass(0s);
  }
  EXPECT_EQ(points, 12'000u);
  EXPECT_EQ(collector_.requests.size(), 3u);
}

std::uint64_t count_in(const web::HttpRequest& request) {
  return fields_of(texts_at(request.body, {1, 2, 2, 7, 1}).front(), 6).front().value;
}

TEST_F(ExporterTest, CountsMayBeginAnewWithEachRequest) {
  make(metrics(), true);
  pass(60s);
  collector_.answer(200);
  points_[0].value = 5;
  pass(60s);
  EXPECT_EQ(count_in(collector_.requests[0]), 1u);
  EXPECT_EQ(count_in(collector_.requests[1]), 4u);
  points_[0].value = 6;
  exporter_->close();
  ASSERT_EQ(farewells_.size(), 2u) << "what is under way may not have arrived";
  EXPECT_EQ(count_in(farewells_[0]), 4u);
  EXPECT_EQ(count_in(farewells_[1]), 1u);
}

TEST_F(ExporterTest, WhatIsAnsweredAtTheEndIsNotSentAgain) {
  for (const auto& [status, farewells] : std::map<int, std::size_t>{{200, 1}, {503, 2}, {400, 1}}) {
    points_[0].value = 1;
    make(metrics(), true);
    pass(60s);
    points_[0].value = 2;
    answers_at_the_end_ = status;
    exporter_->close();
    ASSERT_EQ(farewells_.size(), farewells) << status;
    EXPECT_EQ(count_in(farewells_.back()), 1u) << "what has come since";
    exporter_.reset();
    farewells_.clear();
  }
}

TEST_F(ExporterTest, WhatIsLeftIsSentAtTheEnd) {
  Settings settings = traces();
  settings.metrics = metrics().metrics;
  settings.traces->timeout = 1s;
  settings.spans_of_request = 2;
  make(settings);
  for (const char* name : {"a", "b", "c"}) span(name);
  EXPECT_EQ(sent(), std::vector<Texts>({{"a", "b"}})) << "not answered yet";
  exporter_->close();
  ASSERT_EQ(farewells_.size(), 3u);
  EXPECT_EQ(span_names(farewells_[0].body), (Texts{"a", "b"}));
  EXPECT_EQ(span_names(farewells_[1].body), Texts{"c"});
  EXPECT_EQ(farewells_[0].timeout, Duration(1s));
  EXPECT_EQ(farewells_[2].url, "http://c/v1/metrics");
  EXPECT_EQ(farewells_[2].timeout, kLongestFarewell);
  exporter_->close();
  span("d");
  pass(600s);
  EXPECT_EQ(farewells_.size(), 3u) << "nothing after that";
  EXPECT_TRUE(dropped_.empty());
}

TEST_F(ExporterTest, TheEndHasABound) {
  Settings settings = traces();
  settings.spans_of_request = 1;
  make(settings);
  for (const char* name : {"a", "b", "c", "d"}) span(name);
  farewell_time_ = 2s;
  exporter_->close();
  ASSERT_EQ(farewells_.size(), 2u);
  EXPECT_EQ(farewells_[1].timeout, Duration(500ms));
  EXPECT_EQ(dropped_[Signal::kTraces], 2u);
}

TEST_F(ExporterTest, AtTheEndADeadCollectorIsTriedOnce) {
  Settings settings = traces();
  settings.spans_of_request = 1;
  make(settings);
  for (const char* name : {"a", "b", "c"}) span(name);
  farewell_ = fail(Code::kUnavailable, "refused");
  exporter_->close();
  EXPECT_EQ(farewells_.size(), 1u);
  EXPECT_EQ(dropped_[Signal::kTraces], 3u);
}

}  // namespace
}  // namespace tiphys::telemetry
