#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>

#include "base/strings.h"
#include "simulation/world.h"

namespace tiphys::simulation {
namespace {

constexpr std::uint64_t kDefaultSeeds = 60;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = ::getenv(variable);
  return text && *text ? ::strtoull(text, nullptr, 10) : otherwise;
}

/// The lines of `b` that differ from `a`, for a person who looks for the cause.
std::string difference(const std::string& a, const std::string& b) {
  const auto left = split(a, '\n');
  const auto right = split(b, '\n');
  std::string text;
  for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
    const std::string_view x = i < left.size() ? left[i] : "";
    const std::string_view y = i < right.size() ? right[i] : "";
    if (x == y) continue;
    text += fmt::format("- {}\n+ {}\n", x, y);
    if (left.size() != right.size()) break;
  }
  return text;
}

void check_seed(std::uint64_t seed, std::size_t& crashes, std::size_t& nodes) {
  SCOPED_TRACE(fmt::format("TIPHYS_SEED={} replays this", seed));
  const WorldOutcome calm = run_world({seed, 0});
  const WorldOutcome rough = run_world({seed, seed + 1});
  if (::getenv("TIPHYS_SHOW")) {
    for (const auto& [name, tree] : calm.trees) fmt::print("without faults {}: {}\n", name, tree);
    for (const auto& [name, tree] : rough.trees) fmt::print("with faults {}: {}\n", name, tree);
  }
  for (const std::string& complaint : calm.complaints) ADD_FAILURE() << "without faults: " << complaint;
  for (const std::string& complaint : rough.complaints) ADD_FAILURE() << "with faults: " << complaint;
  if (calm.same_every_time) {
    for (const auto& [name, tree] : calm.trees) {
      EXPECT_TRUE(rough.trees.contains(name) && rough.trees.at(name) == tree)
          << name << " ended differently with faults:\n"
          << (rough.trees.contains(name) ? difference(tree, rough.trees.at(name)) : "");
    }
  }
  crashes += rough.crashes;
  nodes += calm.nodes;
}

TEST(Simulation, WorkflowsEndAsTheyShouldWhateverGoesWrong) {
  const char* one = ::getenv("TIPHYS_SEED");
  const std::uint64_t first = number_from("TIPHYS_SEED", number_from("TIPHYS_FIRST_SEED", 1));
  const std::uint64_t count = one && *one ? 1 : number_from("TIPHYS_SEEDS", kDefaultSeeds);
  std::size_t crashes = 0, nodes = 0;
  for (std::uint64_t seed = first; seed < first + count && !HasFailure(); ++seed) check_seed(seed, crashes, nodes);
  fmt::print("{} seeds from {}, {} nodes, {} crashes\n", count, first, nodes, crashes);
}

TEST(Simulation, ASeedReplaysToTheByte) {
  for (const std::uint64_t seed : {7, 21, 40}) {
    const WorldOutcome first = run_world({seed, seed + 1});
    const WorldOutcome second = run_world({seed, seed + 1});
    EXPECT_EQ(first.statuses, second.statuses);
    EXPECT_EQ(first.crashes, second.crashes);
  }
}

}  // namespace
}  // namespace tiphys::simulation
