#include "controllers/run_trace.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <vector>

namespace tiphys::controllers {
namespace {

using api::NodePhase;
using telemetry::Span;
using WorkflowPhase = engine::RunStatus::Phase;
using namespace std::chrono_literals;

constexpr Time kStart{1'700'000'000s};
constexpr std::string_view kUid = "0af76519-16cd-43dd-8448-eb211c80319c";

struct Spans final : telemetry::SpanSink {
  void take(const Span& span) override { all.push_back(span); }
  /// The one span with this name and node.
  const Span& of(std::string_view name, std::string_view node = "") const {
    const Span* found = nullptr;
    for (const Span& span : all) {
      if (span.name != name || (!node.empty() && text(span, "node_id") != node)) continue;
      EXPECT_EQ(found, nullptr) << name << " " << node;
      found = &span;
    }
    EXPECT_NE(found, nullptr) << name << " " << node;
    static const Span kNone;
    return found ? *found : kNone;
  }
  static std::string text(const Span& span, std::string_view attribute) {
    for (const auto& [key, value] : span.attributes) {
      if (key == attribute) return std::get<std::string>(value);
    }
    return "";
  }
  std::vector<Span> all;
};

api::NodeStatus node(std::string id, NodePhase phase, std::string boundary = "", std::string message = "") {
  api::NodeStatus made;
  made.id = std::move(id);
  made.display_name = "step";
  made.template_name = "train";
  made.phase = phase;
  made.boundary_id = std::move(boundary);
  made.message = std::move(message);
  made.started_at = kStart + 1s;
  if (api::fulfilled(phase)) made.finished_at = kStart + 9s;
  return made;
}

engine::RunStatus status(WorkflowPhase phase, Time started = kStart) {
  engine::RunStatus made;
  made.phase = phase;
  made.started_at = started;
  if (made.finished()) made.finished_at = kStart + 10s;
  return made;
}

TEST(RunTrace, HasTheWorkflowItsNodesAndTheirPhases) {
  Spans spans;
  RunTrace trace(&spans, "ns", "wf", kUid);
  trace.workflow_changed(status(WorkflowPhase::kPending, Time{}), WorkflowPhase::kUnset, kStart - 5s);
  trace.workflow_changed(status(WorkflowPhase::kRunning), WorkflowPhase::kPending, kStart);
  trace.node_changed(node("wf", NodePhase::kRunning), NodePhase::kUnset, kStart, kStart);
  trace.node_changed(node("wf-1", NodePhase::kPending, "wf"), NodePhase::kUnset, kStart, kStart + 1s);
  trace.node_changed(node("wf-1", NodePhase::kPending, "wf", "Unschedulable: no room"), NodePhase::kPending, kStart,
                     kStart + 2s);
  trace.node_changed(node("wf-1", NodePhase::kPending, "wf", "Unschedulable: other"), NodePhase::kPending, kStart,
                     kStart + 3s);
  trace.node_changed(node("wf-1", NodePhase::kRunning, "wf"), NodePhase::kPending, kStart, kStart + 4s);
  EXPECT_EQ(trace.traceparent("wf-1", kStart).substr(0, 36), "00-0af7651916cd43dd8448eb211c80319c-");
  trace.workflow_changed(status(WorkflowPhase::kFailed), WorkflowPhase::kRunning, kStart + 10s);
  trace.node_changed(node("wf-1", NodePhase::kFailed, "wf", "main: Error (exit code 1)"), NodePhase::kRunning, kStart,
                     kStart + 9s);
  trace.node_changed(node("wf", NodePhase::kFailed), NodePhase::kRunning, kStart, kStart + 9s);
  trace.node_changed(node("wf", NodePhase::kFailed), NodePhase::kFailed, kStart, kStart + 9s);

  const Span& workflow = spans.of("workflow");
  EXPECT_EQ(workflow.parent, std::nullopt);
  EXPECT_EQ(workflow.start, kStart);
  EXPECT_EQ(workflow.end, kStart + 10s);
  EXPECT_EQ(workflow.outcome, Span::Outcome::kError);
  EXPECT_EQ(workflow.message, "Failed");
  EXPECT_EQ(Spans::text(workflow, "name") + "/" + Spans::text(workflow, "namespace"), "wf/ns");

  const Span& entry = spans.of("node", "wf");
  const Span& step = spans.of("node", "wf-1");
  EXPECT_EQ(entry.parent, workflow.id);
  EXPECT_EQ(step.parent, entry.id) << "its boundary";
  EXPECT_EQ(step.start, kStart + 1s);
  EXPECT_EQ(step.end, kStart + 9s);
  EXPECT_EQ(step.outcome, Span::Outcome::kError);
  EXPECT_EQ(Spans::text(step, "node_type") + " " + Spans::text(step, "node_name") + " " + Spans::text(step, "template"),
            "Pod step train");
  EXPECT_EQ(Spans::text(step, "node_phase") + ": " + Spans::text(step, "message"), "Failed: main: Error (exit code 1)");

  std::vector<std::string> phases;
  for (const Span& span : spans.all) {
    EXPECT_EQ(span.trace, workflow.trace);
    for (const Span& other : spans.all) EXPECT_TRUE(&span == &other || span.id != other.id) << span.name;
    const auto seconds = [](Time time) { return (time - kStart) / 1s; };
    if (span.name == "nodePhase") {
      EXPECT_EQ(span.parent, Spans::text(span, "node_id") == "wf" ? entry.id : step.id);
    } else if (span.name == "workflowPhase") {
      EXPECT_EQ(span.parent, workflow.id);
    } else {
      continue;
    }
    phases.push_back(fmt::format("{} {}{} {} {} to {}", span.name, Spans::text(span, "node_id"),
                                 Spans::text(span, "phase") + Spans::text(span, "node_phase"),
                                 Spans::text(span, "message"), seconds(span.start), seconds(span.end)));
  }
  EXPECT_EQ(phases,
            (std::vector<std::string>{"workflowPhase Pending  -5 to 0", "nodePhase wf-1Pending  1 to 2",
                                      "nodePhase wf-1Pending Unschedulable 2 to 4", "workflowPhase Running  0 to 10",
                                      "nodePhase wf-1Running  4 to 9", "nodePhase wfRunning  1 to 9"}));
}

TEST(RunTrace, OutcomesAreThePhases) {
  struct Row {
    NodePhase phase;
    Span::Outcome outcome;
  };
  for (const Row& row :
       {Row{NodePhase::kSucceeded, Span::Outcome::kOk}, Row{NodePhase::kError, Span::Outcome::kError},
        Row{NodePhase::kSkipped, Span::Outcome::kUnset}, Row{NodePhase::kOmitted, Span::Outcome::kUnset}}) {
    Spans spans;
    RunTrace trace(&spans, "ns", "wf", kUid);
    trace.node_changed(node("wf-1", row.phase), NodePhase::kUnset, kStart, kStart + 1s);
    ASSERT_EQ(spans.all.size(), 1u);
    EXPECT_EQ(spans.all.front().outcome, row.outcome);
  }
}

TEST(RunTrace, GoesOnAfterARestart) {
  Spans before, after;
  RunTrace first(&before, "ns", "wf", kUid);
  first.node_changed(node("wf-1", NodePhase::kSucceeded, "wf"), NodePhase::kUnset, kStart + 300ms, kStart + 9s);
  // What has been read back has whole seconds.
  RunTrace second(&after, "ns", "wf", kUid);
  EXPECT_EQ(first.traceparent("wf-2", kStart + 300ms), second.traceparent("wf-2", kStart));
  second.node_changed(node("wf", NodePhase::kRunning, "", "a message"), NodePhase::kRunning, kStart, kStart + 9s);
  second.node_changed(node("wf", NodePhase::kSucceeded), NodePhase::kRunning, kStart, kStart + 9s);
  ASSERT_EQ(after.all.size(), 1u) << "since when it ran nobody knows";
  EXPECT_EQ(before.of("node", "wf-1").parent, after.of("node", "wf").id);
  second.workflow_changed(status(WorkflowPhase::kSucceeded), WorkflowPhase::kRunning, kStart + 10s);
  EXPECT_EQ(after.of("node", "wf").parent, after.of("workflow").id);
  EXPECT_EQ(after.all.size(), 2u);
}

TEST(RunTrace, ARetryHasSpansOfItsOwn) {
  Spans spans;
  RunTrace trace(&spans, "ns", "wf", kUid);
  for (const Time began : {kStart, kStart + 60s}) {
    trace.node_changed(node("wf", NodePhase::kFailed), NodePhase::kRunning, began, began + 9s);
  }
  EXPECT_NE(spans.all[0].id, spans.all[1].id);
  EXPECT_EQ(spans.all[0].trace, spans.all[1].trace);
}

TEST(RunTrace, WithoutASinkThereIsNone) {
  RunTrace trace(nullptr, "ns", "wf", kUid);
  trace.node_changed(node("wf", NodePhase::kFailed), NodePhase::kRunning, kStart, kStart);
  trace.workflow_changed(status(WorkflowPhase::kSucceeded), WorkflowPhase::kRunning, kStart);
  EXPECT_EQ(trace.traceparent("wf", kStart), "");
}

}  // namespace
}  // namespace tiphys::controllers
