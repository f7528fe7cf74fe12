#include "base/workers.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <latch>

#include "base/asio_executor.h"
#include "base/simulated_executor.h"

namespace tiphys {
namespace {

TEST(Workers, AnswersComeOnTheExecutorsThread) {
  boost::asio::io_context context;
  const auto executor = make_asio_executor(context);
  Workers workers(*executor, 2);
  const auto here = std::this_thread::get_id();
  std::thread::id worked;
  std::thread::id answered;
  workers.run([] { return std::this_thread::get_id(); },
              [&](std::thread::id id) { worked = id, answered = std::this_thread::get_id(); });
  while (answered == std::thread::id()) context.run_one(), context.restart();
  EXPECT_NE(worked, here);
  EXPECT_EQ(answered, here);
}

TEST(Workers, SeveralRunAtOnceUpToTheirNumber) {
  boost::asio::io_context context;
  const auto executor = make_asio_executor(context);
  Workers workers(*executor, 2);
  std::latch both(2);
  int done = 0;
  for (int i = 0; i < 2; ++i) workers.run([&] { return both.arrive_and_wait(), true; }, [&](bool) { ++done; });
  while (done != 2) context.run_one(), context.restart();
}

TEST(Workers, NothingIsAnsweredAfterTheyAreGone) {
  boost::asio::io_context context;
  const auto executor = make_asio_executor(context);
  bool answered = false;
  {
    Workers workers(*executor, 1);
    std::latch begun(1);
    workers.run([&] { return begun.count_down(), true; }, [&](bool) { answered = true; });
    begun.wait();
  }
  context.poll();
  EXPECT_FALSE(answered);
}

TEST(Workers, InVirtualTimeEachJobIsATurn) {
  SimulatedExecutor executor;
  const Time begin = executor.now();
  std::vector<Duration> times{std::chrono::seconds(3), std::chrono::seconds(1)};
  executor.set_time_of_blocking([&, next = std::size_t{0}]() mutable { return times[next++]; });
  std::string order;
  Workers workers(executor, 1);
  workers.run([&] { return order += "a", 1; }, [&](int) { order += "A"; });
  workers.run([&] { return order += "b", 2; }, [&](int) { order += "B"; });
  EXPECT_EQ(order, "") << "the caller goes on first";
  EXPECT_TRUE(executor.step());
  EXPECT_EQ(order, "a") << "jobs begin in order";
  EXPECT_EQ(executor.now(), begin + std::chrono::seconds(1));
  executor.run_until([] { return false; });
  EXPECT_EQ(order, "aAbB");
  EXPECT_EQ(executor.now(), begin + std::chrono::seconds(3));
}

TEST(Workers, InVirtualTimeWhatWaitsIsDroppedWithThem) {
  SimulatedExecutor executor;
  bool worked = false;
  {
    Workers(executor, 1).run([&] { return worked = true; }, [&](bool) { worked = true; });
  }
  executor.run_until([] { return false; });
  EXPECT_FALSE(worked);
}

}  // namespace
}  // namespace tiphys
