#include "base/mailbox.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/simulated_executor.h"

namespace tiphys {
namespace {

using namespace std::chrono_literals;

TEST(Mailbox, WhatIsPostedRunsThereOnce) {
  SimulatedExecutor executor;
  Mailbox mailbox(executor);
  std::vector<int> order;
  for (int i = 0; i < 3; ++i) mailbox.post([&order, i] { order.push_back(i); });
  EXPECT_TRUE(order.empty());
  executor.run_ready();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
}

TEST(Mailbox, CanBeWaitedForWhereNothingRunsAnyMore) {
  SimulatedExecutor executor;
  Mailbox mailbox(executor);
  std::vector<int> order;
  const std::jthread other([&] {
    for (int i = 0; i < 3; ++i) mailbox.post([&order, i] { order.push_back(i); });
  });
  mailbox.run_until([&] { return order.size() == 2; }, 1h);
  EXPECT_EQ(order, (std::vector<int>{0, 1}));
  mailbox.run_until([&] { return order.size() == 3; }, 1h);
  executor.run_ready();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2})) << "none of them again";
}

TEST(Mailbox, WhatDoesNotComeIsWaitedForSoLong) {
  SimulatedExecutor executor;
  Mailbox mailbox(executor);
  mailbox.run_until([] { return false; }, 1ms);
}

}  // namespace
}  // namespace tiphys
