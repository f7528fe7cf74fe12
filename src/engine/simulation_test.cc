// Random workflows in a random world. A failure prints its seed; TIPHYS_ENGINE_SEEDS sets how many are tried,
// TIPHYS_ENGINE_FIRST_SEED from where on, and TIPHYS_ENGINE_SEED tries one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "base/hash.h"
#include "engine/fake_world.h"
#include "engine/random_workflow.h"

namespace tiphys::engine {
namespace {

constexpr std::uint64_t kSeeds = 300;
constexpr int kMostEvents = 20'000;

std::pair<std::uint64_t, std::uint64_t> seed_range() {
  if (const char* one = std::getenv("TIPHYS_ENGINE_SEED")) {
    const std::uint64_t seed = std::strtoull(one, nullptr, 10);
    return {seed, seed + 1};
  }
  const char* many = std::getenv("TIPHYS_ENGINE_SEEDS");
  const char* from = std::getenv("TIPHYS_ENGINE_FIRST_SEED");
  const std::uint64_t first = from ? std::strtoull(from, nullptr, 10) : 1;
  return {first, first + (many ? std::strtoull(many, nullptr, 10) : kSeeds)};
}

/// How a pod ends hangs on the seed and its node's name, so that it is the same in every order of events.
PodEnd outcome(std::uint64_t seed, const CreatePod& pod) {
  std::mt19937_64 random(seed * 1'000'003 + fnv1a_32(pod.node_name));
  const auto roll = random() % 100;
  PodEnd end = roll < 18 ? failing(static_cast<int>(random() % 3) + 1) : roll < 25 ? erring() : giving("out", "value");
  if (pod.include_result && end.outputs) end.outputs->result = random() % 2 ? "heads" : "tails";
  end.runs = std::chrono::milliseconds(random() % 5000);
  if (random() % 4 == 0) end.progress = Progress{random() % 5, 5};
  // What happens to one that is ended is told after the run.
  const doc::Value* daemon = doc::find(*pod.template_document, "daemon");
  if (daemon && random() % 2) end.runs = std::chrono::hours(1);
  return end;
}

/// A world that checks the run as it goes.
class CheckedWorld : public FakeWorld {
 public:
  CheckedWorld(std::uint64_t seed, const std::string& text) : FakeWorld(text), manifest_text(text) {
    script = [seed](const CreatePod& pod) { return outcome(seed, pod); };
    on_change = check_row;
    put(RandomWorkflow::far());
    limits = {{"default/ConfigMap/c/k", 2}, {"sem/default/k", 1}};
    // Other workflows have some of the locks for a while.
    const auto held_by = [&](const char* lock, bool semaphore, int number) {
      const auto name = LockName::parse(lock, semaphore);
      hold({*name, fmt::format("default/other-{}", number), kStart + std::chrono::seconds((seed + number) % 7)});
    };
    if (seed % 3 == 0) held_by("default/Mutex/m", false, 1);
    if (seed % 4 == 1) held_by("default/ConfigMap/c/k", true, 2);
    if (seed % 5 == 2) held_by("default/Mutex/whole", false, 3);
    if (seed % 2 == 1) held_by("default/Database/k", true, 4);
    // Whatever was saved: what a key gives must not hang on the order of pods.
    look_up = [seed](const LookUpCache& ask) -> std::optional<api::Outputs> {
      if ((seed + fnv1a_32(ask.key)) % 3 != 0) return std::nullopt;
      return giving("out", "cached").outputs;
    };
  }

  static void check_row(const api::NodeStatus& before, const api::NodeStatus& after) {
    EXPECT_EQ(before.name, after.name);
    // A fulfilled node keeps its phase, but for a group whose daemon has died; an error may only be worded anew.
    const bool fallen = before.type == api::NodeType::kStepGroup && after.phase == api::NodePhase::kFailed;
    if (api::fulfilled(before.phase) && !fallen) {
      EXPECT_EQ(before.phase, after.phase) << after.name;
    }
    EXPECT_LE(before.children.size(), after.children.size()) << after.name;
    EXPECT_EQ(before.started_at, after.started_at) << after.name;
  }

  void check_end() {
    EXPECT_TRUE(run->status().finished()) << "the run ended";
    EXPECT_TRUE(run->status().synchronization.empty()) << "its status names no lock";
    for (const auto& [id, limit] : limits) check_lock(id, limit);
    for (const char* mutex : {"default/Mutex/m", "default/Mutex/whole"}) check_lock(mutex, 1);
    EXPECT_EQ(rows.size(), run->node_count());
    for (const auto& [id, row] : rows) {
      const auto node = run->find_node(id);
      ASSERT_TRUE(node);
      EXPECT_EQ(api::to_json(*node), api::to_json(row)) << "what was persisted is what is";
      EXPECT_FALSE(node->daemoned) << node->name;
      EXPECT_TRUE(api::fulfilled(node->phase)) << node->name << " is " << api::node_phase_name(node->phase);
      EXPECT_GE(node->finished_at, node->started_at) << node->name;
      std::set<std::string> once(node->children.begin(), node->children.end());
      EXPECT_EQ(once.size(), node->children.size()) << node->name;
      for (const std::string& child : node->children) EXPECT_TRUE(run->find_node(child)) << node->name;
      for (const std::string& out : node->outbound_nodes) EXPECT_TRUE(run->find_node(out)) << node->name;
      EXPECT_TRUE(node->boundary_id.empty() || run->find_node(node->boundary_id)) << node->name;
    }
  }

  /// Those that count, in any order: what runs on in real time may be told again.
  std::vector<std::string> counted() const {
    std::vector<std::string> lines;
    std::ranges::copy_if(metrics, std::back_inserter(lines),
                         [](const std::string& each) { return each.find("} from ") == each.npos; });
    std::ranges::sort(lines);
    return lines;
  }

  void check_lock(const std::string& id, std::int64_t limit) const {
    EXPECT_LE(static_cast<std::int64_t>(locks.holders(id).size()), limit) << id;
    for (const std::string& holder : locks.holders(id)) {
      EXPECT_FALSE(run->status().finished() && holder.starts_with(fmt::format("default/{}/", manifest.name)))
          << id << " is left with " << holder;
    }
  }

  std::string all_nodes() const {
    const RunStatus& status = run->status();
    std::string text = fmt::format("{} \"{}\" {}\n", phase_name(status.phase), status.message, status.progress);
    for (const auto& [id, row] : rows) text += api::to_json(row) + "\n";
    return text;
  }

  std::string manifest_text;
};

void play(CheckedWorld& world, const std::function<void()>& after_each) {
  world.apply(Started{});
  after_each();
  for (int events = 0; world.step(); ++events) {
    ASSERT_LT(events, kMostEvents) << "the run does not end";
    after_each();
  }
}

std::string any_node(const CheckedWorld& world, std::uint64_t seed) {
  auto row = world.rows.begin();
  std::advance(row, static_cast<std::ptrdiff_t>(seed % world.rows.size()));
  return row->first;
}

TEST(Simulation, EndsWithAllNodesFulfilled) {
  const auto [first, last] = seed_range();
  for (std::uint64_t seed = first; seed < last && !testing::Test::HasFailure(); ++seed) {
    const std::string manifest = RandomWorkflow(seed).draw();
    SCOPED_TRACE(fmt::format("TIPHYS_ENGINE_SEED={}\n{}", seed, manifest));
    CheckedWorld world(seed, manifest);
    play(world, [] {});
    world.check_end();
    EXPECT_EQ(world.repeated_pods, 0) << "a pod is asked for once";
  }
}

TEST(Simulation, ARestoreAnywhereEndsInTheSameNodes) {
  const auto [first, last] = seed_range();
  for (std::uint64_t seed = first; seed < last && !testing::Test::HasFailure(); ++seed) {
    const std::string manifest = RandomWorkflow(seed).draw();
    SCOPED_TRACE(fmt::format("TIPHYS_ENGINE_SEED={}\n{}", seed, manifest));
    CheckedWorld straight(seed, manifest);
    play(straight, [] {});
    CheckedWorld crashing(seed, manifest);
    crashing.crashes_before_answers = true;
    play(crashing, [&] { crashing.crash(); });
    crashing.check_end();
    EXPECT_EQ(straight.all_nodes(), crashing.all_nodes());
    EXPECT_EQ(straight.counted(), crashing.counted());
  }
}

/// Pods report in any order, twice, and late; the run is restored now and then.
TEST(Simulation, HoldsInADisorderlyWorld) {
  const auto [first, last] = seed_range();
  for (std::uint64_t seed = first; seed < last && !testing::Test::HasFailure(); ++seed) {
    const std::string manifest = RandomWorkflow(seed).draw();
    SCOPED_TRACE(fmt::format("TIPHYS_ENGINE_SEED={}\n{}", seed, manifest));
    std::mt19937_64 random(seed);
    CheckedWorld world(seed, manifest);
    std::vector<Event> seen;
    world.apply(Started{});
    for (int events = 0; !world.run->status().finished(); ++events) {
      ASSERT_LT(events, kMostEvents) << "the run does not end";
      if (!world.due.empty() && random() % 3) {
        auto any = world.due.begin();
        std::advance(any, random() % world.due.size());
        seen.push_back(any->second);
        world.due.erase(any);
        world.now += std::chrono::milliseconds(random() % 100);
        world.apply(seen.back());
      } else if (!seen.empty() && random() % 2) {
        world.apply(seen[random() % seen.size()]);
      } else if (!world.step()) {
        break;
      }
      if (random() % 10 == 0 && !world.run->status().finished()) world.crash();
    }
    world.check_end();
  }
}

/// A user retries a run that has ended, with other luck.
TEST(Simulation, GoesOnAfterARetry) {
  const auto [first, last] = seed_range();
  for (std::uint64_t seed = first; seed < last && !testing::Test::HasFailure(); ++seed) {
    const std::string manifest = RandomWorkflow(seed).draw();
    SCOPED_TRACE(fmt::format("TIPHYS_ENGINE_SEED={}\n{}", seed, manifest));
    const auto retry = [&](CheckedWorld& world, std::uint64_t time, bool crashes) {
      world.script = [=](const CreatePod& pod) { return outcome(seed + time * 7919, pod); };
      ManualRetryOptions options{.other_parameters = (seed + time) % 3 == 0};
      if (seed % 4 == 0) options.restarted.insert(any_node(world, seed + time));
      world.now = world.run->status().finished_at;  // not when the last timer or daemon would have been heard of
      world.go_on(options);
      if (crashes && !world.run->status().finished()) world.crash();
      for (int events = 0; world.step(); ++events) {
        ASSERT_LT(events, kMostEvents) << "the run does not end";
        if (crashes && !world.run->status().finished()) world.crash();
      }
      world.check_end();
    };
    CheckedWorld straight(seed, manifest), crashing(seed, manifest);
    play(straight, [] {});
    play(crashing, [] {});
    for (std::uint64_t time = 1; time <= 2; ++time) {
      retry(straight, time, false);
      retry(crashing, time, true);
      ASSERT_EQ(straight.all_nodes(), crashing.all_nodes());
    }
  }
}

/// A run that has ended is submitted again as another one, which takes over what has succeeded.
TEST(Simulation, AMemoizedCopyEnds) {
  const auto [first, last] = seed_range();
  for (std::uint64_t seed = first; seed < last && !testing::Test::HasFailure(); ++seed) {
    const std::string manifest = RandomWorkflow(seed).draw();
    SCOPED_TRACE(fmt::format("TIPHYS_ENGINE_SEED={}\n{}", seed, manifest));
    const auto play_again = [&](CheckedWorld& world, bool crashes) {
      play(world, [] {});
      world.script = [=](const CreatePod& pod) { return outcome(seed + 7919, pod); };
      world.now = world.run->status().finished_at;
      world.follow("again");
      if (crashes && !world.run->status().finished()) world.crash();
      for (int events = 0; world.step(); ++events) {
        ASSERT_LT(events, kMostEvents) << "the run does not end";
        if (crashes && !world.run->status().finished()) world.crash();
      }
      world.check_end();
    };
    CheckedWorld straight(seed, manifest), crashing(seed, manifest);
    play_again(straight, false);
    play_again(crashing, true);
  }
}

/// A user stops the run at some moment.
TEST(Simulation, EndsWhenItIsStopped) {
  const auto [first, last] = seed_range();
  for (std::uint64_t seed = first; seed < last && !testing::Test::HasFailure(); ++seed) {
    const std::string manifest = RandomWorkflow(seed).draw();
    SCOPED_TRACE(fmt::format("TIPHYS_ENGINE_SEED={}\n{}", seed, manifest));
    std::mt19937_64 random(seed);
    const Time moment = kStart + std::chrono::milliseconds(random() % 20'000);
    const char* strategy = random() % 2 ? "Stop" : "Terminate";
    const auto play_and_stop = [&](CheckedWorld& world, bool crashes) {
      bool stopped = false;
      play(world, [&] {
        if (world.run->status().finished()) return;
        if (crashes) world.crash();
        if (stopped || world.now < moment) return;
        stopped = true;
        world.apply(ShutdownRequested{strategy, ""});
        if (crashes && !world.run->status().finished()) world.crash();
      });
      world.check_end();
    };
    CheckedWorld straight(seed, manifest), crashing(seed, manifest);
    play_and_stop(straight, false);
    play_and_stop(crashing, true);
    EXPECT_EQ(straight.all_nodes(), crashing.all_nodes());
    EXPECT_EQ(straight.counted(), crashing.counted());
  }
}

}  // namespace
}  // namespace tiphys::engine
