// The engine alone: a dag of many tasks, all transitions, no processes. Prints transitions a second and bytes a node.
//
//   engine_bench [TASKS...]      default: 10000 100000 1000000
//
// The dag is made of layers of 100 tasks; a task depends on two of the layer before and gets one parameter from one of
// them. A transition is one change of a node's phase: Pending, Running, Succeeded. Time is the processor's; it includes
// rendering each pod's template and taking the ids of the changed nodes.
#include <fmt/format.h>
#include <malloc.h>
#include <time.h>

#include <chrono>
#include <cstdlib>
#include <deque>
#include <vector>

#include "base/check.h"
#include "engine/run.h"

namespace tiphys::engine {
namespace {

constexpr int kLayer = 100;

/// Of this process: other work on the machine does not count.
double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// What the heap holds, large blocks included.
std::size_t heap_bytes() {
  const auto info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

api::Template leaf() {
  api::Template leaf;
  leaf.name = "work";
  leaf.type = api::Template::Type::kContainer;
  leaf.inputs.parameters.emplace_back().name = "message";
  api::Parameter& output = leaf.outputs.parameters.emplace_back();
  output.name = "out";
  output.value_from.emplace().path = "/tmp/out";
  leaf.document = std::make_shared<const doc::Value>(
      doc::Object{{"name", "work"},
                  {"inputs", doc::Object{{"parameters", doc::Array{doc::Object{{"name", "message"}}}}}},
                  {"container", doc::Object{{"image", "busybox"},
                                            {"command", doc::Array{"echo"}},
                                            {"args", doc::Array{"{{inputs.parameters.message}}"}}}}});
  return leaf;
}

std::string task_name(int task) {
  return fmt::format("task-{}", task);
}

api::Workflow layered_dag(int tasks) {
  api::Template dag;
  dag.name = "main";
  dag.type = api::Template::Type::kDag;
  dag.dag.emplace().tasks.resize(static_cast<std::size_t>(tasks));
  for (int i = 0; i < tasks; ++i) {
    api::Step& task = dag.dag->tasks[static_cast<std::size_t>(i)];
    task.name = task_name(i);
    task.template_name = "work";
    api::Parameter& message = task.arguments.parameters.emplace_back();
    message.name = "message";
    if (i < kLayer) {
      message.value = "first";
      continue;
    }
    const int layer = (i / kLayer - 1) * kLayer;
    task.dependencies = {task_name(layer + i % kLayer), task_name(layer + (i + 1) % kLayer)};
    message.value = fmt::format("{{{{tasks.{}.outputs.parameters.out}}}}", task.dependencies.front());
  }
  api::Workflow workflow;
  workflow.name = "bench";
  workflow.spec.entrypoint = "main";
  workflow.spec.templates = {std::make_shared<const api::Template>(std::move(dag)),
                             std::make_shared<const api::Template>(leaf())};
  return workflow;
}

struct Measured {
  double seconds = 0;
  std::size_t transitions = 0, nodes = 0, state_bytes = 0, plan_bytes = 0, manifest_bytes = 0;
};

Measured measure(int tasks) {
  Measured measured;
  const std::size_t before = heap_bytes();
  api::Workflow workflow = layered_dag(tasks);
  const std::size_t with_manifest = heap_bytes();
  SeededRandom random(1);
  auto created = Run::create(std::move(workflow), random);
  TIPHYS_CHECK(created, "a run is created");
  Run& run = **created;
  const std::size_t with_plan = heap_bytes();

  const double begin = cpu_seconds();
  Time now{std::chrono::seconds(1'700'000'000)};
  std::deque<std::string> pending;
  std::vector<Effect> effects;
  const auto apply = [&](const Event& event) {
    effects.clear();
    run.apply(event, now, effects);
    now += std::chrono::microseconds(1);
    run.take_changes();
    for (Effect& effect : effects) {
      if (auto* pod = std::get_if<CreatePod>(&effect)) {
        ++measured.transitions;
        pending.push_back(std::move(pod->node_id));
      }
    }
  };
  PodChanged running, succeeded;
  running.phase = PodChanged::Phase::kRunning;
  succeeded.phase = PodChanged::Phase::kSucceeded;
  succeeded.exit_code = 0;
  api::Parameter& output = succeeded.outputs.emplace().parameters.emplace_back();
  output.name = "out";
  output.value = "value";
  Event started = std::move(running), ended = std::move(succeeded);

  apply(Started{});
  while (!pending.empty()) {
    std::get<PodChanged>(started).node_id = pending.front();
    std::get<PodChanged>(ended).node_id = std::move(pending.front());
    pending.pop_front();
    apply(started);
    apply(ended);
    measured.transitions += 2;
  }
  measured.seconds = cpu_seconds() - begin;
  TIPHYS_CHECK(run.status().phase == RunStatus::Phase::kSucceeded, run.status().message);
  effects = {};
  pending = {};
  measured.nodes = run.node_count();
  measured.state_bytes = heap_bytes() - with_plan;
  measured.plan_bytes = with_plan - with_manifest;
  measured.manifest_bytes = with_manifest - before;
  return measured;
}

}  // namespace
}  // namespace tiphys::engine

int main(int argc, char** argv) {
  std::vector<int> sizes;
  for (int i = 1; i < argc; ++i) sizes.push_back(std::atoi(argv[i]));
  if (sizes.empty()) sizes = {10'000, 100'000, 1'000'000};
  fmt::print("{:>9} {:>14} {:>12} {:>14} {:>14} {:>16}\n", "tasks", "transitions/s", "us a node", "B state/node",
             "B plan/node", "B manifest/node");
  for (const int size : sizes) {
    if (size <= 0) {
      fmt::print(stderr, "engine_bench: a number of tasks is a whole number above 0\n");
      return 2;
    }
    const auto measured = tiphys::engine::measure(size);
    const auto nodes = static_cast<double>(measured.nodes);
    fmt::print("{:>9} {:>14.0f} {:>12.2f} {:>14.0f} {:>14.0f} {:>16.0f}\n", size,
               static_cast<double>(measured.transitions) / measured.seconds, measured.seconds * 1e6 / nodes,
               static_cast<double>(measured.state_bytes) / nodes, static_cast<double>(measured.plan_bytes) / nodes,
               static_cast<double>(measured.manifest_bytes) / nodes);
  }
  return 0;
}
