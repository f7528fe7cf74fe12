// Nodes that run as a pod or as an action of the plane.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/whole_number.h"
#include "engine/declarations.h"
#include "engine/machine.h"
#include "engine/names.h"
#include "engine/retry_hosts.h"
#include "engine/variables.h"

namespace tiphys::engine {
namespace {

api::NodePhase end_phase(PodChanged::Phase phase) {
  switch (phase) {
    case PodChanged::Phase::kSucceeded:
      return api::NodePhase::kSucceeded;
    case PodChanged::Phase::kFailed:
      return api::NodePhase::kFailed;
    default:
      return api::NodePhase::kError;
  }
}

Result<std::int64_t> to_int(const std::string& text) {
  if (const auto number = whole_number(text)) return *number;
  return fail(Code::kInvalidArgument, fmt::format("value '{}' cannot be resolved to an int", text));
}

/// An output whose value stands in the manifest.
bool is_literal(const api::Parameter& output) {
  return output.value && !output.value_from;
}

}  // namespace

/// A new pod node goes out, unless the run is stopping or too late: then it fails at once, without a pod.
void Machine::launch(NodeIndex index) {
  const Node& node = nodes_[index];
  if (!executes(node.on_exit)) {
    if (without_pod(node.type)) {
      return set_phase(index, api::NodePhase::kFailed, fmt::format("Stopped with strategy '{}'", shutdown_));
    }
    return set_phase(index, api::NodePhase::kFailed, fmt::format("workflow shutdown with strategy: {}", shutdown_));
  }
  if (past_deadline() && !node.on_exit) return set_phase(index, api::NodePhase::kFailed, "Step exceeded its deadline");
  ask_for_pod(index);
  if (node.fulfilled()) return;
  create_containers(index);
  if (auto set = set_pending_timer(index); !set) errored(index, set.error().message);
}

/// The end of a node that stays Pending: at `timeout` or `pendingTimeout`. Attempts have none.
Status Machine::set_pending_timer(NodeIndex index) {
  const Node& node = nodes_[index];
  if (node.owner == Owner::kAttempt) return {};
  for (const Text* limit : {&node.plan->timeout, &node.plan->pending_timeout}) {
    if (limit->empty()) continue;
    TIPHYS_TRY(const std::string text, render(*limit, globals(), BodyVariables(*this, index), Leftover::kKeep));
    if (const auto timeout = parse_seconds_or_duration(text)) {
      set_timer({node.started_at + *timeout, Timer::Kind::kPending, index});
    }
  }
  return {};
}

void Machine::ask_for_pod(NodeIndex index) {
  Node& node = nodes_[index];
  const CompiledTemplate& plan = *node.plan;
  if (!plan.document) return errored(index, plan.document.error().message);
  const BodyVariables variables(*this, index);
  auto document = render(*plan.document, plan.references, globals(), variables);
  if (!document) return errored(index, document.error().message);
  if (plan.rich_inputs) {
    doc::Value whole = **document;
    if (doc::Object* object = whole.if_object()) (*object)["inputs"] = api::to_document(inputs_of(node));
    *document = std::make_shared<const doc::Value>(std::move(whole));
  }
  node.pod_asked = true;
  if (plan.source->is_action()) {
    effects_->push_back(RunAction{nodes_.id(index), node.name, std::move(*document), wants_result(index)});
    return;
  }
  const auto retries_end = retries_deadline(index);
  if (!retries_end) return errored(index, retries_end.error().message);
  const auto deadline = pod_deadline(index, *retries_end);
  if (!deadline) return errored(index, deadline.error().message);
  CreatePod pod;
  pod.node_id = nodes_.id(index);
  pod.node_name = node.name;
  pod.pod_name = nodes_.pod_name(index);
  pod.template_document = avoid_failed_hosts(nodes_, index, workflow_.spec, std::move(*document));
  pod.active_deadline = *deadline;
  pod.run_deadline = *retries_end;
  if (deadline_ && !node.on_exit) pod.run_deadline = std::min(*deadline_, retries_end->value_or(*deadline_));
  pod.on_exit = node.on_exit;
  pod.include_result = wants_result(index) || plan.metrics_want_result;
  effects_->push_back(std::move(pod));
}

/// Others use its outputs.result.
bool Machine::wants_result(NodeIndex index) {
  const Node& node = nodes_[index];
  const NodeIndex step_node = node.owner == Owner::kAttempt ? node.owner_node : index;
  const Frame* frame = frame_of(node.boundary);
  return frame && nodes_[step_node].owner == Owner::kTask && frame->plan->tasks[nodes_[step_node].task].wants_result;
}

/// Of an attempt: when the retries' maximum duration is over.
Result<std::optional<Time>> Machine::retries_deadline(NodeIndex index) {
  const Node& node = nodes_[index];
  const CompiledTemplate& plan = *node.plan;
  if (node.owner != Owner::kAttempt || !plan.retry || plan.retry->max_duration.empty()) return std::nullopt;
  TIPHYS_TRY(const std::string text,
             render(plan.retry->max_duration, globals(), BodyVariables(*this, index), Leftover::kKeep));
  TIPHYS_TRY(const Duration longest, parse_seconds_or_duration(text));
  const auto all = attempts(nodes_[node.owner_node]);
  // The first attempt knows no maximum in the original: its pod is made before any attempt has ended.
  if (all.size() < 2) return std::nullopt;
  return nodes_[all.front()].started_at + longest;
}

/// The earlier of activeDeadlineSeconds and the workflow's deadline, or `timeout` in their place, as in the original,
/// which keeps to the workflow's by itself; the retries', if that is earlier.
Result<std::optional<Duration>> Machine::pod_deadline(NodeIndex index, std::optional<Time> retries_end) {
  const Node& node = nodes_[index];
  const CompiledTemplate& plan = *node.plan;
  std::optional<Duration> earliest;
  const auto at_most = [&](Duration duration) {
    duration = std::max(duration, Duration(0));
    if (!earliest || duration < *earliest) earliest = duration;
  };
  const BodyVariables variables(*this, index);
  if (!plan.active_deadline.empty()) {
    TIPHYS_TRY(const std::string text, render(plan.active_deadline, globals(), variables, Leftover::kKeep));
    TIPHYS_TRY(const std::int64_t seconds, to_int(text));
    at_most(std::chrono::seconds(seconds));
  }
  if (deadline_ && !node.on_exit) at_most(std::chrono::floor<std::chrono::seconds>(*deadline_ - now_));
  if (!plan.timeout.empty()) {
    TIPHYS_TRY(const std::string text, render(plan.timeout, globals(), variables, Leftover::kKeep));
    auto timeout = parse_seconds_or_duration(text);
    if (!timeout) return std::unexpected(timeout.error().in("invalid timeout format"));
    earliest.reset();
    at_most(node.started_at + *timeout - now_);
  }
  if (retries_end) at_most(*retries_end - now_);
  return earliest;
}

void Machine::stop_pod(NodeIndex index) {
  const Node& node = nodes_[index];
  if (!node.pod_asked) return;
  if (node.plan && node.plan->source->is_action()) {
    effects_->push_back(StopAction{nodes_.id(index)});
  } else {
    effects_->push_back(StopPod{nodes_.id(index), nodes_.pod_name(index)});
  }
}

void Machine::handle(const PodChanged& event) {
  const NodeIndex index = nodes_.find_id(event.node_id);
  if (index == kNoNode) return;
  Node& node = nodes_[index];
  if (node.type != api::NodeType::kPod || node.fulfilled() || node.asks_cache() || node.asks_locks()) return;
  node.pod_asked = true;
  if (event.progress) set_progress(index, *event.progress);
  switch (event.phase) {
    case PodChanged::Phase::kPending:
      // A report from before the pod ran, come late.
      if (node.phase == api::NodePhase::kPending) set_message(index, event.message);
      return;
    case PodChanged::Phase::kRunning:
      containers_changed(index, event.containers);
      if (node.plan && node.plan->source->daemon) {
        if (!event.ready) return;
        if (node.extras().pod_ip != event.pod_ip) {
          node.extras().pod_ip = event.pod_ip;
          nodes_.touch(index);
          refresh_held(node.boundary);
        }
      }
      if (!event.host_node_name.empty() && (!node.extra || node.extra->host_node_name != event.host_node_name)) {
        node.extras().host_node_name = event.host_node_name;
        nodes_.touch(index);
      }
      if (node.phase == api::NodePhase::kPending) set_phase(index, api::NodePhase::kRunning, "");
      if (node.plan && node.plan->source->daemon && !node.daemoned) become_daemon(index);
      return;
    case PodChanged::Phase::kGone:
      if (node.phase == api::NodePhase::kPending) return ask_for_pod(index);
      return pod_ended(index, api::NodePhase::kError, event);
    case PodChanged::Phase::kSucceeded:
    case PodChanged::Phase::kFailed:
    case PodChanged::Phase::kError:
      // Of a short pod only the end is told; hooks see that it ran.
      if (node.phase == api::NodePhase::kPending && event.started_at != Time{} && hooked_step(index)) {
        set_phase(index, api::NodePhase::kRunning, "");
        consider_hooks(index);
      }
      return pod_ended(index, end_phase(event.phase), event);
  }
}

void Machine::pod_ended(NodeIndex index, api::NodePhase phase, const PodChanged& event) {
  Node& node = nodes_[index];
  if (!event.host_node_name.empty()) node.extras().host_node_name = event.host_node_name;
  if (!event.resources_duration.empty()) {
    node.extras().resources_duration = event.resources_duration;
    api::add(status_.resources_duration, event.resources_duration);
    status_changed_ = true;
  }
  if (event.exit_code) {
    node.exit_code = static_cast<std::int16_t>(std::clamp(*event.exit_code, -1, 1024));
    node.has_outputs = true;
  }
  if (event.finished_at != Time{}) node.finished_at = event.finished_at;
  take_outputs(index, event.outputs);
  containers_changed(index, event.containers);
  const bool gone = event.phase == PodChanged::Phase::kGone;
  if (phase != api::NodePhase::kSucceeded) {
    end_containers(index, gone ? api::NodePhase::kError : api::NodePhase::kFailed,
                   gone ? "container deleted" : "Pod Failed whilst container running");
  }
  // A daemon is to run until it is ended.
  if (phase == api::NodePhase::kSucceeded && node.plan && node.plan->source->daemon) phase = api::NodePhase::kFailed;
  // One that has not been told of yet is told of as any other.
  const bool died = std::exchange(node.daemoned, false) && node.settled;
  const std::string message = gone && event.message.empty() ? "pod deleted" : event.message;
  set_phase(index, phase, phase == api::NodePhase::kSucceeded ? "" : message);
  if (phase == api::NodePhase::kSucceeded) save_cache(index);
  if (died) lost_daemon(index);
}

void Machine::handle(const ActionChanged& event) {
  const NodeIndex index = nodes_.find_id(event.node_id);
  if (index == kNoNode || !nodes_[index].plan) return;
  if (!nodes_[index].plan->source->is_action() || nodes_[index].fulfilled()) return;
  take_outputs(index, event.outputs);
  set_phase(index, event.phase, event.message);
  if (event.phase == api::NodePhase::kSucceeded) save_cache(index);
}

void Machine::take_outputs(NodeIndex index, const std::optional<api::Outputs>& outputs) {
  Node& node = nodes_[index];
  const api::Outputs* declared = node.plan ? node.plan->told_outputs() : nullptr;
  const bool literals = declared && std::ranges::any_of(declared->parameters, is_literal);
  if (!outputs && !literals) return;
  node.has_outputs = true;
  api::Outputs known = outputs ? *outputs : api::Outputs();
  if (known.empty() && !literals) return;
  if (known.exit_code) {
    int code = 0;
    const std::string& text = *known.exit_code;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
    if (error == std::errc()) node.exit_code = static_cast<std::int16_t>(std::clamp(code, -1, 1024));
  }
  if (declared) add_declared(index, *declared, known);
  if (!known.parameters.empty() || !known.artifacts.empty()) export_globals(node.plan, known);
  node.outputs = std::make_unique<NodeOutputs>(std::move(known), declared);
  nodes_.touch(index);
}

/// Of a parameter is told its value alone; the original has the rest of its declaration beside it, and those that need
/// no file.
void Machine::add_declared(NodeIndex index, const api::Outputs& declared, api::Outputs& outputs) {
  const bool left_to_outputs =
      outputs.artifacts.empty() &&
      std::ranges::all_of(declared.parameters, [](const auto& one) { return one.value_from && !has_tag(one); });
  if (left_to_outputs) return;
  const BodyVariables variables(*this, index);
  const auto fill = [&](std::string& text) { fill_text(text, globals(), variables); };
  for (api::Artifact& artifact : outputs.artifacts) {
    const auto found = std::ranges::find(declared.artifacts, artifact.name, &api::Artifact::name);
    if (found == declared.artifacts.end()) continue;
    for (const std::string_view field : {"optional", "recurseMode", "archive"}) {
      if (const doc::Value* value = found->raw.if_contains(field)) artifact.raw[field] = *value;
    }
    if (found->global_name.empty()) continue;
    artifact.global_name = found->global_name;
    fill(artifact.global_name);
    artifact.raw["globalName"] = artifact.global_name;
  }
  for (const api::Parameter& literal : declared.parameters) {
    if (!is_literal(literal)) continue;
    fill(*outputs.parameters.emplace_back(literal).value);
  }
  for (api::Parameter& parameter : outputs.parameters) {
    const auto found = std::ranges::find(declared.parameters, parameter.name, &api::Parameter::name);
    if (found == declared.parameters.end() || !parameter.value) continue;
    auto value = std::move(parameter.value);
    parameter = *found;
    parameter.value = std::move(value);
    fill_declaration(parameter, globals(), variables);
  }
}

}  // namespace tiphys::engine
