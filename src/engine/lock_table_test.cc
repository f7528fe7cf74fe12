#include "engine/lock_table.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

namespace tiphys::engine {
namespace {

LockName mutex(std::string name) {
  return {.kind = LockName::Kind::kMutex, .semaphore = false, .ns = "ns", .resource = std::move(name), .key = ""};
}

LockName semaphore(std::string key) {
  return {.kind = LockName::Kind::kConfigMap, .semaphore = true, .ns = "ns", .resource = "c", .key = std::move(key)};
}

LockRequest request(std::string holder, std::vector<LockName> locks, std::int64_t priority = 0, int created = 0,
                    std::uint32_t rank = 0) {
  return {std::move(holder), std::move(locks), priority, Time{std::chrono::seconds(created)}, {rank}};
}

/// What is decided, in a line.
std::string decide(LockTable& table) {
  std::string text;
  for (const LockDecision& decision : table.decide()) {
    if (!text.empty()) text += "; ";
    text += decision.holder + (decision.granted ? " has" : " awaits " + decision.awaited);
  }
  return text;
}

TEST(LockName, IsReadBackFromItsText) {
  for (const char* text : {"ns/Mutex/a", "ns/Mutex/a/b", "ns/ConfigMap/c/k", "ns/Database/k"}) {
    const auto name = LockName::parse(text, true);
    ASSERT_TRUE(name) << text;
    EXPECT_EQ(name->text(), text);
  }
  for (const char* text : {"", "ns", "ns/Mutex", "ns/Mutex/", "/Mutex/a", "ns/Secret/a", "ns/ConfigMap/c",
                           "ns/ConfigMap/c/k/l", "ns/ConfigMap//k"}) {
    EXPECT_FALSE(LockName::parse(text, true)) << text;
  }
  EXPECT_EQ(LockName::parse("ns/Database/k", true)->id(), "sem/ns/k");
  EXPECT_EQ(LockName::parse("ns/Database/k", false)->id(), "mtx/ns/k");
}

TEST(LockTable, OneAtATimeInOrderOfPriorityThenAgeThenName) {
  LockTable table;
  table.request(request("ns/first", {mutex("m")}));
  EXPECT_EQ(decide(table), "ns/first has");
  table.request(request("ns/young", {mutex("m")}, 0, 9));
  table.request(request("ns/old-b", {mutex("m")}, 0, 5));
  table.request(request("ns/old-a", {mutex("m")}, 0, 5));
  table.request(request("ns/urgent", {mutex("m")}, 1, 9));
  EXPECT_EQ(decide(table),
            "ns/urgent awaits ns/Mutex/m; ns/old-a awaits ns/Mutex/m; ns/old-b awaits ns/Mutex/m; "
            "ns/young awaits ns/Mutex/m");
  for (const char* holder : {"ns/first", "ns/urgent", "ns/old-a", "ns/old-b"}) {
    table.release(holder);
    EXPECT_TRUE(decide(table).ends_with(" has"));
  }
  EXPECT_EQ(table.holders("ns/Mutex/m"), std::vector<std::string>{"ns/young"});
  table.release("ns/young");
  EXPECT_EQ(table.size(), 0);
}

TEST(LockTable, NodesOfAWorkflowGoInOrderOfTheManifest) {
  LockTable table;
  table.request(request("ns/w/9", {mutex("m")}, 0, 0, 1));
  table.request(request("ns/w/1", {mutex("m")}, 0, 0, 2));
  EXPECT_EQ(decide(table), "ns/w/9 has; ns/w/1 awaits ns/Mutex/m");
}

TEST(LockTable, SeveralLocksAtOnceOrNone) {
  LockTable table;
  table.request(request("ns/a", {mutex("m")}));
  table.request(request("ns/b", {mutex("n"), mutex("m")}, 0, 1));
  table.request(request("ns/c", {mutex("n")}, 0, 2));
  // c is behind b, although n is free: only the head may take.
  EXPECT_EQ(decide(table), "ns/a has; ns/b awaits ns/Mutex/m; ns/c awaits ns/Mutex/n");
  table.release("ns/a");
  EXPECT_EQ(decide(table), "ns/b has");
  table.release("ns/b");
  EXPECT_EQ(decide(table), "ns/c has");
}

TEST(LockTable, WhichLockBecameFreeDoesNotDecideWhoIsNext) {
  // The first of the mutex needs nothing else; a later one is the first of "a".
  for (const bool anew : {false, true}) {
    LockTable table;
    table.restore(mutex("m"), "ns/other");
    const auto ask = [&] {
      table.request(request("ns/w/late", {mutex("a"), mutex("m")}, 0, 0, 2));
      table.request(request("ns/w/early", {mutex("m")}, 0, 0, 1));
    };
    if (!anew) {
      ask();
      decide(table);
    }
    table.release("ns/other");
    if (anew) ask();
    EXPECT_TRUE(decide(table).starts_with("ns/w/early has")) << anew;
  }
}

TEST(LockTable, NodesOfTheHeadsWorkflowMayGoBeforeOneAnother) {
  LockTable table;
  table.request(request("ns/other", {mutex("m")}));
  EXPECT_EQ(decide(table), "ns/other has");
  table.request(request("ns/w/1", {mutex("n"), mutex("m")}, 0, 1, 1));
  table.request(request("ns/w/2", {mutex("n")}, 0, 1, 2));
  EXPECT_EQ(decide(table), "ns/w/2 has; ns/w/1 awaits ns/Mutex/n");
}

TEST(LockTable, TheLimitChanges) {
  LockTable table;
  for (int i = 0; i < 4; ++i) table.request(request(fmt::format("ns/w{}", i), {semaphore("k")}, 0, i));
  EXPECT_EQ(decide(table), "") << "the limit is not known";
  EXPECT_TRUE(table.set_limit("ns/ConfigMap/c/k", 2));
  EXPECT_EQ(decide(table), "ns/w0 has; ns/w1 has; ns/w2 awaits ns/ConfigMap/c/k; ns/w3 awaits ns/ConfigMap/c/k");
  table.set_limit("ns/ConfigMap/c/k", 3);
  const auto decisions = table.decide();
  ASSERT_EQ(decisions.size(), 2);
  EXPECT_TRUE(decisions[0].granted && decisions[0].holder == "ns/w2");
  EXPECT_EQ(decisions[1].message, "Waiting for ns/ConfigMap/c/k lock. Lock status: 0/3");
  table.set_limit("ns/ConfigMap/c/k", 1);
  EXPECT_EQ(table.decide().front().message, "Waiting for ns/ConfigMap/c/k lock. Lock status: -2/1");
  table.release("ns/w0");
  table.release("ns/w1");
  EXPECT_EQ(decide(table), "") << "one is left, which is as many as there may be";
  table.set_limit("ns/ConfigMap/c/k", 0);
  EXPECT_EQ(table.decide().front().message, "Failed to get semaphore limit for ns/ConfigMap/c/k");
  EXPECT_FALSE(table.set_limit("ns/ConfigMap/c/unused", 1));
}

TEST(LockTable, ThePriorityOfWhatWaitsChanges) {
  LockTable table;
  table.restore(mutex("m"), "ns/first");
  table.request(request("ns/a/1", {mutex("m")}, 0, 1));
  table.request(request("ns/b/1", {mutex("m"), mutex("n")}, 0, 2));
  decide(table);
  table.set_priority("ns/b", 5);
  table.set_priority("ns/first", -1);
  EXPECT_EQ(decide(table), "");
  EXPECT_EQ(table.waiters("ns/Mutex/m"), (std::vector<std::string>{"ns/b/1", "ns/a/1"}));
  EXPECT_EQ(table.workflows(), (std::set<std::string>{"ns/a", "ns/b", "ns/first"}));
  table.release("ns/first");
  EXPECT_EQ(decide(table), "ns/b/1 has");
}

/// As in the original: x has m2 and its node wants m1, for which an older workflow is first that waits for both.
TEST(LockTable, ADeadlockThatIsKept) {
  LockTable table;
  table.request(request("ns/x", {mutex("m2")}, 0, 2));
  decide(table);
  table.request(request("ns/old", {mutex("m1"), mutex("m2")}, 0, 1));
  table.request(request("ns/x/node", {mutex("m1")}, 0, 2));
  EXPECT_EQ(decide(table), "ns/old awaits ns/Mutex/m2; ns/x/node awaits ns/Mutex/m1");
}

TEST(LockTable, MessagesOfTheDatabase) {
  LockTable table;
  const LockName lock = *LockName::parse("ns/Database/k", false);
  table.request(request("ns/a", {lock}));
  table.request(request("ns/b", {lock}, 0, 1));
  EXPECT_EQ(table.decide().back().message, "Waiting for ns/Database/k lock (mtx/ns/k). Lock status: 1/1");
}

TEST(LockTable, IsMadeAnewFromHolders) {
  LockTable table;
  table.restore(mutex("m"), "ns/w/1");
  table.restore(mutex("n"), "ns/w/1");
  table.request(request("ns/v", {mutex("n")}));
  EXPECT_EQ(decide(table), "ns/v awaits ns/Mutex/n");
  table.request(request("ns/w/1", {mutex("m"), mutex("n")}));
  EXPECT_EQ(decide(table), "ns/w/1 has") << "who has them is told so";
  table.release_workflow("ns/w");
  EXPECT_EQ(decide(table), "ns/v has");
  table.release_workflow("ns/v");
  EXPECT_EQ(table.size(), 0);
}

TEST(LockTable, AWorkflowIsNoPrefixOfAnother) {
  LockTable table;
  table.restore(mutex("m"), "ns/w-1/n");
  table.release_workflow("ns/w");
  EXPECT_EQ(table.holders("ns/Mutex/m").size(), 1);
}

/// At no time more holders than the limit; whoever waits has an obstacle; in the end nobody is left.
TEST(LockTable, HoldsUnderRandomUse) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const auto below = [&](std::uint64_t n) { return random() % n; };
    LockTable table;
    std::set<std::string> claims, having;
    std::map<std::string, std::int64_t> limits;
    const auto settle = [&] {
      for (const LockDecision& decision : table.decide()) {
        if (decision.granted) having.insert(decision.holder);
      }
      for (const auto& [id, limit] : limits) {
        const auto holders = table.holders(id);
        for (const auto& holder : holders) EXPECT_TRUE(having.contains(holder)) << holder;
      }
    };
    for (int i = 0; i < 200; ++i) {
      if (below(3) > 0) {
        std::vector<LockName> locks;
        for (const char* name : {"a", "b", "c"}) {
          if (below(2)) locks.push_back(mutex(name));
        }
        if (locks.empty() || below(2)) locks.push_back(semaphore("k"));
        const std::string holder = fmt::format("ns/w{}/{}", below(4), i);
        claims.insert(holder);
        table.request(request(holder, locks, 0, static_cast<int>(holder[4] - '0'), static_cast<std::uint32_t>(i)));
        if (!table.knows_limit("ns/ConfigMap/c/k")) table.set_limit("ns/ConfigMap/c/k", 2);
      } else if (!claims.empty()) {
        auto any = std::next(claims.begin(), static_cast<std::ptrdiff_t>(below(claims.size())));
        table.release(*any);
        having.erase(*any);
        claims.erase(any);
      }
      settle();
      for (const char* name : {"a", "b", "c"}) EXPECT_LE(table.holders(mutex(name).id()).size(), 1);
      EXPECT_LE(table.holders("ns/ConfigMap/c/k").size(), 2);
    }
    // Whoever has what it wanted gives it back: everybody gets a turn.
    while (!claims.empty()) {
      ASSERT_FALSE(having.empty()) << "nobody can go on";
      const std::string done = *having.begin();
      table.release(done);
      having.erase(done);
      claims.erase(done);
      settle();
    }
    EXPECT_EQ(table.size(), 0);
  }
}

}  // namespace
}  // namespace tiphys::engine
