// Time tables of played workflows.
#include "play/schedule.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "play/glob.h"
#include "play/workflow_set.h"

namespace tiphys::play {
namespace {

using std::chrono::seconds;

constexpr std::string_view kDiamond = R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
  templates:
  - name: main
    dag:
      tasks:
      - {name: a, template: work}
      - {name: b, template: work, dependencies: [a]}
      - {name: c, template: work, dependencies: [a]}
      - {name: d, template: work, dependencies: [b, c]}
  - name: work
    container: {image: a}
)";

/// b takes 3 s, c 5 s, the others one.
Schedule schedule_with(std::optional<std::int64_t> parallelism, Resources machine) {
  SeededRandom random(1);
  const WorkflowSet workflows(*doc::parse_yaml(kDiamond, "wf.yaml"));
  auto workflow = workflows.prepare(
      {.workflow = "", .entrypoint = "", .parameters = {}, .parallelism = parallelism, .start = kDefaultStart}, random);
  EXPECT_TRUE(workflow) << workflow.error().message;
  Script script;
  script.machine = machine;
  script.duration = [](const api::NodeStatus& node, const doc::Value&, std::optional<Duration>) -> Duration {
    return node.display_name == "b" ? seconds(3) : node.display_name == "c" ? seconds(5) : seconds(1);
  };
  script.requests = [](const engine::CreatePod&) { return Resources{2, 1024}; };
  return schedule_of(*play(std::move(*workflow), script, random));
}

std::string text_of(const Schedule& schedule) {
  std::string text;
  for (const ScheduleRow& row : schedule.rows) {
    text += fmt::format("{} {}..{}{} ", row.name, format_go_duration(row.started), format_go_duration(row.finished),
                        row.critical ? "!" : "");
  }
  return text + fmt::format("{} pods, {} cpus", schedule.most_pods, schedule.most.cpus);
}

TEST(Schedule, TheLongerBranchIsCritical) {
  EXPECT_EQ(text_of(schedule_with(std::nullopt, {})), "a 0s..1s! b 1s..4s c 1s..6s! d 6s..7s! 2 pods, 4 cpus");
}

TEST(Schedule, ParallelismMakesAPathOfAll) {
  EXPECT_EQ(text_of(schedule_with(1, {})), "a 0s..1s! b 1s..4s! c 4s..9s! d 9s..10s! 1 pods, 2 cpus");
}

TEST(Schedule, PodsWaitForRoom) {
  const Schedule schedule = schedule_with(std::nullopt, {.cpus = 3});
  EXPECT_EQ(text_of(schedule), "a 0s..1s! b 1s..4s! c 4s..9s! d 9s..10s! 1 pods, 2 cpus");
  EXPECT_EQ(schedule.rows[2].asked, seconds(1));
}

TEST(Schedule, WhatNeverFitsIsAnError) {
  const Schedule schedule = schedule_with(std::nullopt, {.cpus = 1});
  EXPECT_TRUE(schedule.rows.empty());
}

TEST(Glob, Matches) {
  struct Row {
    const char *pattern, *text;
    bool matches;
  };
  for (const Row& row :
       {Row{"a", "a", true}, Row{"a", "ab", false}, Row{"a*", "abc", true}, Row{"*c", "abc", true},
        Row{"a*c*e", "abcde", true}, Row{"a*c*e", "abcd", false}, Row{"?", "", false}, Row{"", "", true},
        Row{"*", "", true}, Row{"loop(0:*)", "loop(0:a)", true}, Row{"wf[0]", "wf[0]", true},
        Row{"wf[0]", "wf0", false}, Row{"*a*a*a*b", "aaaaaaaaaaaaaaaaaaaa", false}}) {
    EXPECT_EQ(glob_match(row.pattern, row.text), row.matches) << row.pattern << " " << row.text;
  }
}

}  // namespace
}  // namespace tiphys::play
