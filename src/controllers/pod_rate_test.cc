#include "controllers/pod_rate.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/simulated_executor.h"

namespace tiphys::controllers {
namespace {

using std::chrono::milliseconds;
using Limit = api::ControllerConfig::PodRate;

/// Asks for `count` pods, and notes when each may be created.
std::vector<Duration> times(SimulatedExecutor& executor, PodRate& rate, int count) {
  std::vector<Duration> result;
  const Time start = executor.now();
  for (int i = 0; i < count; ++i) {
    if (rate.take()) {
      result.emplace_back(0);
      continue;
    }
    rate.wait([&] {
      result.push_back(executor.now() - start);
      return true;
    });
  }
  executor.run_until([&] { return result.size() == static_cast<std::size_t>(count); }, 1000);
  return result;
}

TEST(PodRate, WithoutALimitThereIsNone) {
  SimulatedExecutor executor;
  PodRate rate(executor, std::nullopt);
  EXPECT_EQ(times(executor, rate, 100), std::vector<Duration>(100));
}

TEST(PodRate, IsABurstAndThenSoManyASecond) {
  SimulatedExecutor executor;
  PodRate rate(executor, Limit{4, 2});
  EXPECT_EQ(times(executor, rate, 5),
            (std::vector<Duration>{{}, {}, milliseconds(250), milliseconds(500), milliseconds(750)}));
  executor.schedule(executor.now() + std::chrono::hours(1), [] {});
  executor.run_until([&] { return false; }, 1000);
  EXPECT_EQ(times(executor, rate, 3), (std::vector<Duration>{{}, {}, milliseconds(250)})) << "no more is saved up";
}

TEST(PodRate, TellsHowLongEachHasWaited) {
  SimulatedExecutor executor;
  std::vector<Duration> delays;
  PodRate unlimited(executor, std::nullopt, [&](Duration delay) { delays.push_back(delay); });
  times(executor, unlimited, 2);
  PodRate rate(executor, Limit{4, 1}, [&](Duration delay) { delays.push_back(delay); });
  times(executor, rate, 3);
  EXPECT_EQ(delays, (std::vector<Duration>{{}, {}, {}, milliseconds(250), milliseconds(500)}));
}

TEST(PodRate, TurnsAreInOrderAndWhoDoesNotTakeItsTurnDoesNotCount) {
  SimulatedExecutor executor;
  PodRate rate(executor, Limit{1, 1});
  std::vector<int> turns;
  EXPECT_TRUE(rate.take());
  for (int i = 0; i < 3; ++i) {
    rate.wait([&turns, i] {
      turns.push_back(i);
      return i > 0;
    });
  }
  executor.run_until([&] { return !turns.empty(); }, 1000);
  EXPECT_EQ(turns, (std::vector<int>{0, 1}));
  EXPECT_FALSE(rate.take()) << "there is one who waits";
  executor.run_until([&] { return turns.size() == 3; }, 1000);
  EXPECT_EQ(turns.back(), 2);
}

}  // namespace
}  // namespace tiphys::controllers
