#include "base/executor.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <thread>

#include "base/asio_executor.h"
#include "base/simulated_executor.h"

namespace tiphys {
namespace {

using namespace std::chrono_literals;

TEST(SimulatedExecutor, MovesTimeOnlyWhenNothingIsReady) {
  SimulatedExecutor executor;
  const Time start = executor.now();
  std::vector<std::string> order;
  executor.schedule(start + 2s, [&] { order.push_back("late"); });
  executor.schedule(start + 1s, [&] {
    order.push_back("early");
    executor.post([&] { order.push_back("posted"); });
  });
  const auto cancelled = executor.schedule(start + 1s, [&] { order.push_back("cancelled"); });
  executor.post([&] { order.push_back("first"); });
  executor.cancel(cancelled);
  EXPECT_TRUE(executor.run_until([] { return false; }));
  EXPECT_EQ(order, (std::vector<std::string>{"first", "early", "posted", "late"}));
  EXPECT_EQ(executor.now(), start + 2s);
}

TEST(SimulatedExecutor, SaysWhenTheLimitOfStepsWasNotEnough) {
  SimulatedExecutor executor;
  std::function<void()> again = [&] { executor.post(again); };
  again();
  EXPECT_FALSE(executor.run_until([] { return false; }, 100));
}

TEST(AsioExecutor, RunsPostedTasksInOrderAndTimersOnce) {
  boost::asio::io_context context;
  const auto executor = make_asio_executor(context);
  std::vector<int> order;
  executor->post([&] { order.push_back(1); });
  executor->post([&] { order.push_back(2); });
  executor->schedule(executor->now() - 1s, [&] { order.push_back(3); });
  const auto cancelled = executor->schedule(executor->now() + 1h, [&] { order.push_back(4); });
  executor->cancel(cancelled);
  executor->cancel(12345);
  context.run();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

/// Both are due at once: who forgets the other must not meet it.
TEST(AsioExecutor, ATimerThatIsDueCanStillBeCancelled) {
  boost::asio::io_context context;
  const auto executor = make_asio_executor(context);
  const Time due = executor->now() - 1s;
  int ran = 0;
  Executor::TimerId timers[2];
  for (int i = 0; i < 2; ++i) {
    timers[i] = executor->schedule(due, [&, i] {
      ++ran;
      executor->cancel(timers[1 - i]);
    });
  }
  context.run();
  EXPECT_EQ(ran, 1);
}

TEST(AsioExecutor, TakesTasksFromOtherThreads) {
  boost::asio::io_context context;
  const auto executor = make_asio_executor(context);
  int count = 0;
  {
    const std::jthread other([&] {
      for (int i = 0; i < 100; ++i) executor->post([&] { ++count; });
    });
  }
  context.run();
  EXPECT_EQ(count, 100);
}

}  // namespace
}  // namespace tiphys
