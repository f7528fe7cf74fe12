// Mutexes and semaphores of workflows that compete: never more holders than the limit, no lock lost or left behind,
// nobody passes whoever is first, and nobody waits for what is free.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "simulation/lock_world.h"

namespace tiphys::simulation {
namespace {

/// TIPHYS_SEED plays one, TIPHYS_SEEDS so many, TIPHYS_FIRST_SEED from this one on.
void play_seeds(std::uint64_t usual, LockWorldOptions (*options_of)(std::uint64_t seed)) {
  const char* one = ::getenv("TIPHYS_SEED");
  const char* many = ::getenv("TIPHYS_SEEDS");
  const char* from = ::getenv("TIPHYS_FIRST_SEED");
  const std::uint64_t first = one ? ::strtoull(one, nullptr, 10) : from ? ::strtoull(from, nullptr, 10) : 1;
  const std::uint64_t count = one ? 1 : many ? ::strtoull(many, nullptr, 10) : usual;
  std::size_t waits = 0, crashes = 0;
  for (std::uint64_t seed = first; seed < first + count && !testing::Test::HasFailure(); ++seed) {
    const LockWorldOutcome outcome = run_lock_world(options_of(seed));
    EXPECT_THAT(outcome.complaints, testing::IsEmpty()) << "TIPHYS_SEED=" << seed << " replays this";
    waits += outcome.waits;
    crashes += outcome.crashes;
  }
  fmt::print("{} seeds, {} waits, {} crashes\n", count, waits, crashes);
  EXPECT_GT(waits, 0U) << "somebody had to wait";
}

TEST(LockSimulation, WhoIsFirstHasWhatIsFree) {
  play_seeds(60, [](std::uint64_t seed) { return LockWorldOptions{.seed = seed}; });
}

TEST(LockSimulation, CrashesAndFaultsLoseAndDoubleNoLock) {
  play_seeds(60, [](std::uint64_t seed) {
    return LockWorldOptions{.seed = seed,
                            .crashes = 1 + seed % 7,
                            .failing_commits_percent = seed % 2 == 0 ? seed % 9 : 0,
                            .disturbances = {.repeat_percent = seed % 20, .cut_percent = seed % 4}};
  });
}

TEST(LockSimulation, WhatIsEndedOrDeletedGivesBack) {
  play_seeds(60,
             [](std::uint64_t seed) { return LockWorldOptions{.seed = seed, .crashes = seed % 3, .meddles = true}; });
}

TEST(LockSimulation, SoManyWorkflowsAreUnderWayAtATime) {
  play_seeds(60, [](std::uint64_t seed) {
    return LockWorldOptions{.seed = seed,
                            .crashes = 1 + seed % 5,
                            .failing_commits_percent = seed % 3 == 0 ? seed % 9 : 0,
                            .disturbances = {.repeat_percent = seed % 20, .cut_percent = seed % 4},
                            .meddles = seed % 2 == 0,
                            .parallelism = static_cast<std::int64_t>(1 + seed % 3)};
  });
}

}  // namespace
}  // namespace tiphys::simulation
