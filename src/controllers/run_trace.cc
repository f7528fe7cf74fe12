#include "controllers/run_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tiphys::controllers {
namespace {

using api::NodePhase;
using Outcome = telemetry::Span::Outcome;
using WorkflowPhase = engine::RunStatus::Phase;

/// A message may hold all that a program has printed.
constexpr std::size_t kMostMessage = 2048;

/// What a node waits for. Original: phaseMessage.
std::string_view reason_of(const api::NodeStatus& node) {
  if (node.phase != NodePhase::kPending) return "";
  const std::string_view reason = std::string_view(node.message).substr(0, node.message.find(':'));
  return reason == "PodInitializing" ? "" : reason;
}

void set_outcome(telemetry::Span& span, bool succeeded, bool failed, std::string_view phase) {
  if (succeeded) span.outcome = Outcome::kOk;
  if (!failed) return;
  span.outcome = Outcome::kError;
  span.message = phase;
}

void add_message(telemetry::Span& span, std::string_view message) {
  if (!message.empty()) span.attributes.emplace_back("message", std::string(message.substr(0, kMostMessage)));
}

/// A clock that was set back ends nothing before it began.
void set_times(telemetry::Span& span, Time start, Time end) {
  span.start = start;
  span.end = std::max(start, end);
}

}  // namespace

RunTrace::RunTrace(telemetry::SpanSink* sink, std::string ns, std::string name, std::string_view uid)
    : sink_(sink), ns_(std::move(ns)), name_(std::move(name)), uid_(uid), trace_(telemetry::trace_id_of(uid)) {}

/// The status has whole seconds, which is what a plane that takes the workflow over knows. "" is the workflow itself.
telemetry::SpanId RunTrace::id_of(std::string_view node_id, Time began, std::string_view part) const {
  const auto second = std::chrono::floor<std::chrono::seconds>(began).time_since_epoch().count();
  return telemetry::span_id_of(fmt::format("{}/{}/{}/{}", uid_, second, node_id, part));
}

std::string RunTrace::traceparent(std::string_view node_id, Time began) const {
  return sink_ ? telemetry::traceparent(trace_, id_of(node_id, began)) : std::string();
}

// ---- The workflow ----

void RunTrace::workflow_changed(const engine::RunStatus& status, WorkflowPhase before, Time now) {
  if (!sink_ || status.phase == before) return;
  // One that has not begun has no id yet: how long it was Pending is told once it has.
  if (before != WorkflowPhase::kUnset && phase_since_) end_workflow_phase(phase_name(before), status.started_at, now);
  phase_since_ = now;
  if (status.finished()) end_workflow(status, now);
}

void RunTrace::end_workflow_phase(std::string_view phase, Time began, Time now) const {
  telemetry::Span span{.trace = trace_, .id = id_of("", began, phase), .parent = id_of("", began)};
  span.name = "workflowPhase";
  set_times(span, *phase_since_, now);
  span.attributes = {{"phase", std::string(phase)}};
  sink_->take(span);
}

void RunTrace::end_workflow(const engine::RunStatus& status, Time now) const {
  telemetry::Span span{.trace = trace_, .id = id_of("", status.started_at), .parent = std::nullopt};
  span.name = "workflow";
  set_times(span, status.started_at, status.finished_at == Time{} ? now : status.finished_at);
  span.attributes = {{"name", name_}, {"namespace", ns_}};
  add_message(span, status.message);
  const bool succeeded = status.phase == WorkflowPhase::kSucceeded;
  set_outcome(span, succeeded, !succeeded, phase_name(status.phase));
  sink_->take(span);
}

// ---- Nodes ----

void RunTrace::node_changed(const api::NodeStatus& node, NodePhase before, Time began, Time now) {
  if (!sink_ || api::fulfilled(before)) return;
  const std::string_view phase = api::node_phase_name(node.phase), reason = reason_of(node);
  const auto known = nodes_.find(node.id);
  if (known != nodes_.end() && known->second.name == phase && known->second.message == reason) return;
  if (known != nodes_.end()) end_phase(known->second, node, began, now);
  if (api::fulfilled(node.phase)) {
    if (known != nodes_.end()) nodes_.erase(known);
    return end_node(node, began, now);
  }
  // Of a phase that was there before this plane nobody knows since when.
  if (known == nodes_.end() && before == node.phase) return;
  const Time since = before == NodePhase::kUnset ? node.started_at : now;
  nodes_[node.id] = Phase{std::string(phase), std::string(reason), since};
}

void RunTrace::end_phase(const Phase& phase, const api::NodeStatus& node, Time began, Time now) const {
  const auto since = phase.since.time_since_epoch().count();
  telemetry::Span span{.trace = trace_,
                       .id = id_of(node.id, began, fmt::format("{} {}", phase.name, since)),
                       .parent = id_of(node.id, began)};
  span.name = "nodePhase";
  span.kind = telemetry::Span::Kind::kProducer;
  set_times(span, phase.since, now);
  span.attributes = {{"node_id", node.id}, {"node_phase", phase.name}};
  add_message(span, phase.message);
  sink_->take(span);
}

void RunTrace::end_node(const api::NodeStatus& node, Time began, Time now) const {
  telemetry::Span span{.trace = trace_, .id = id_of(node.id, began), .parent = id_of(node.boundary_id, began)};
  span.name = "node";
  set_times(span, node.started_at, node.finished_at == Time{} ? now : node.finished_at);
  span.attributes = {{"node_id", node.id},
                     {"name", name_},
                     {"namespace", ns_},
                     {"node_type", std::string(api::node_type_name(node.type))},
                     {"node_name", node.display_name},
                     {"node_phase", std::string(api::node_phase_name(node.phase))}};
  if (const std::string& used = api::template_of(node); !used.empty()) span.attributes.emplace_back("template", used);
  add_message(span, node.message);
  set_outcome(span, node.phase == NodePhase::kSucceeded, api::failed_or_error(node.phase),
              api::node_phase_name(node.phase));
  sink_->take(span);
}

}  // namespace tiphys::controllers
