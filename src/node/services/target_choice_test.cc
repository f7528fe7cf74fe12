#include "node/services/target_choice.h"

#include <gtest/gtest.h>

#include <map>

namespace tiphys::node {
namespace {

using std::chrono::seconds;

const TcpAddress kA{1, 80}, kB{2, 80}, kC{3, 80};

TargetChoice::Instant at(int second) {
  return TargetChoice::Instant(seconds(second));
}

TEST(TargetChoice, TakesEachInTurnAndNamesTheOthersToTry) {
  TargetChoice choice;
  EXPECT_TRUE(choice.order(9, at(0)).empty());
  choice.set({kA, kB, kC}, seconds(0));
  std::map<TcpAddress, int> taken;
  for (int i = 0; i < 6; ++i) {
    const auto order = choice.order(9, at(0));
    ASSERT_EQ(order.size(), 3U);
    ++taken[order.front()];
    choice.keep(9, order.front(), at(0));
  }
  EXPECT_EQ(taken, (std::map<TcpAddress, int>{{kA, 2}, {kB, 2}, {kC, 2}}));
}

TEST(TargetChoice, AClientStaysWhereItWas) {
  TargetChoice choice;
  choice.set({kA, kB, kC}, seconds(10));
  choice.keep(9, kC, at(0));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(choice.order(9, at(9)).front(), kC);
  // Each connection begins its time anew.
  choice.keep(9, kC, at(9));
  EXPECT_EQ(choice.order(9, at(18)).front(), kC);
  std::map<TcpAddress, int> taken;
  for (int i = 0; i < 3; ++i) ++taken[choice.order(9, at(30)).front()];
  EXPECT_EQ(taken.size(), 3U) << "it has been away for too long";
}

TEST(TargetChoice, AClientWhoseTargetIsGoneGetsAnother) {
  TargetChoice choice;
  choice.set({kA, kB}, seconds(10));
  choice.keep(9, kB, at(0));
  choice.set({kA}, seconds(10));
  EXPECT_EQ(choice.order(9, at(1)).front(), kA);
  choice.set({kA, kB}, seconds(10));
  EXPECT_EQ(choice.order(9, at(1)).front(), kB);
}

TEST(TargetChoice, RemembersSoManyClientsAndNoMore) {
  TargetChoice choice;
  choice.set({kA, kB, kC}, seconds(10));
  for (Ipv4 client = 0; client < TargetChoice::kMostClients; ++client) choice.keep(client, kC, at(0));
  choice.keep(0, kC, at(1));
  choice.keep(1'000'000, kC, at(1));
  std::map<TcpAddress, int> taken;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(choice.order(0, at(2)).front(), kC);
    ++taken[choice.order(1, at(2)).front()];
  }
  EXPECT_EQ(taken.size(), 3U) << "it had been away longest";
}

}  // namespace
}  // namespace tiphys::node
