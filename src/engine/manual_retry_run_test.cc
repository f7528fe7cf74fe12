// Runs that go on after a user's retry.
#include <gtest/gtest.h>

#include "engine/fake_world.h"

namespace tiphys::engine {
namespace {

std::string started(const FakeWorld& world) {
  std::vector<std::string> names;
  for (const CreatePod& pod : world.created) names.push_back(pod.node_name);
  return fmt::format("{}", fmt::join(names, " "));
}

constexpr std::string_view kLeaf =
    "{name: leaf, inputs: {parameters: [{name: m, default: none}]}, container: {image: i, command: [c], args: "
    "['{{inputs.parameters.m}}']}}";

std::string workflow(std::string_view spec) {
  return fmt::format(
      "{{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {{name: wf}}, spec: {{entrypoint: main, "
      "templates: [{}, {}}}}}",
      kLeaf, spec);
}

struct Case {
  std::string_view rule;
  std::string spec;                  ///< the other templates and what follows
  std::vector<std::string> failing;  ///< in the first run
  std::string_view pods;             ///< of the second run, in order
  RunStatus::Phase end = RunStatus::Phase::kSucceeded;
  std::vector<std::string> failing_again{};
};

const Case kCases[] = {
    {"of a dag only what failed and what waits for it runs",
     "{name: main, dag: {tasks: [{name: a, template: leaf}, {name: b, template: leaf, depends: a}, {name: c, template: "
     "leaf, depends: b}, {name: d, template: leaf}]}}]",
     {"wf.b"},
     "wf.b wf.c"},
    {"of steps the members of the group that failed, and the groups after it",
     "{name: main, steps: [[{name: a, template: leaf}, {name: b, template: leaf}], [{name: c, template: leaf}]]}]",
     {"wf[0].b"},
     "wf[0].b wf[1].c"},
    {"one that fails again fails the run again",
     "{name: main, dag: {tasks: [{name: a, template: leaf}, {name: b, template: leaf, depends: a}]}}]",
     {"wf.a"},
     "wf.a",
     RunStatus::Phase::kFailed,
     {"wf.a"}},
    {"attempts are counted anew",
     "{name: main, retryStrategy: {limit: 1}, container: {image: i, command: [c]}}]",
     {"wf(0)", "wf(1)"},
     "wf(0) wf(1)",
     RunStatus::Phase::kSucceeded,
     {"wf(0)"}},
    {"of a loop the turns that failed",
     "{name: main, dag: {tasks: [{name: a, template: leaf, withItems: [u, v, w]}, {name: b, template: leaf, depends: "
     "a}]}}]",
     {"wf.a(1:v)"},
     "wf.a(1:v) wf.b"},
    {"a nested template goes on where it stood",
     "{name: inner, steps: [[{name: p, template: leaf}], [{name: q, template: leaf}, {name: r, template: leaf}]]}, "
     "{name: main, dag: {tasks: [{name: a, template: inner}, {name: b, template: leaf, depends: a}]}}]",
     {"wf.a[1].r"},
     "wf.a[1].r wf.b"},
    {"the path through a nested group before it runs nothing again",
     "{name: inner, steps: [[{name: p, template: leaf}], [{name: q, template: leaf}]]}, "
     "{name: main, dag: {tasks: [{name: a, template: inner}, {name: b, template: leaf, depends: a}, {name: c, "
     "template: "
     "leaf, depends: b}]}}]",
     {"wf.b"},
     "wf.b wf.c"},
    {"the exit handler of the workflow runs again",
     "{name: main, steps: [[{name: a, template: leaf}]]}], onExit: leaf",
     {"wf[0].a"},
     "wf[0].a wf.onExit"},
    {"a run whose exit handler alone failed runs that",
     "{name: main, steps: [[{name: a, template: leaf}]]}], onExit: leaf",
     {"wf.onExit"},
     "wf.onExit"},
    {"a task's exit handler runs again with it",
     "{name: main, dag: {tasks: [{name: a, template: leaf, hooks: {exit: {template: leaf}}}]}}]",
     {"wf.a"},
     "wf.a wf.a.onExit"},
    {"an earlier group that has come back goes before a later one that is there",
     "{name: inner, failFast: true, dag: {tasks: [{name: x, template: leaf}, {name: z, template: leaf}]}}, "
     "{name: main, steps: [[{name: a, template: inner, continueOn: {failed: true}}], [{name: b, template: leaf}, "
     "{name: "
     "c, template: leaf}]]}]",
     {"wf[0].a.x", "wf[1].b"},
     "wf[0].a.x wf[1].b"},
    {"what failed in a later group and stays so is no daemon that has fallen",
     "{name: inner, failFast: true, dag: {tasks: [{name: x, template: leaf}, {name: z, template: leaf}]}}, "
     "{name: kept, dag: {tasks: [{name: p, template: leaf}, {name: q, template: leaf, depends: \"p || p.Failed\"}, "
     "{name: r, template: leaf, depends: p}]}}, "
     "{name: main, steps: [[{name: a, template: inner, continueOn: {failed: true}}], [{name: b, template: kept}, "
     "{name: c, template: leaf}]]}]",
     {"wf[0].a.x", "wf[1].b.p", "wf[1].c"},
     "wf[0].a.x wf[1].c",
     RunStatus::Phase::kFailed},
    {"a loop that waits for a status before it is worked out once that is there",
     "{name: inner, dag: {tasks: [{name: x, template: leaf, hooks: {exit: {template: leaf}}}]}}, {name: main, dag: "
     "{tasks: [{name: a, template: inner}, {name: b, template: leaf, depends: a, withParam: "
     "\"{{=sprig.list(tasks.a.status, 1) | toJson()}}\"}]}}]",
     {"wf.a.x.onExit", "wf.b(1:1)"},
     "wf.a.x.onExit wf.b(1:1)"},
    {"a single pod", "{name: main, container: {image: i, command: [c]}}]", {"wf"}, "wf"},
};

TEST(ManualRetryRun, Rules) {
  for (const Case& each : kCases) {
    SCOPED_TRACE(each.rule);
    FakeWorld world(workflow(each.spec));
    for (const std::string& name : each.failing) world.ends[name] = failing();
    world.play();
    ASSERT_NE(world.run->status().phase, RunStatus::Phase::kSucceeded);
    world.ends.clear();
    for (const std::string& name : each.failing_again) world.ends[name] = failing();
    world.go_on();
    while (world.step()) {
    }
    EXPECT_EQ(started(world), each.pods);
    EXPECT_EQ(world.run->status().phase, each.end);
    for (const auto& [id, row] : world.rows) EXPECT_TRUE(api::fulfilled(row.phase)) << row.name;
  }
}

}  // namespace
}  // namespace tiphys::engine
