#include "engine/variables.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/artifacts.h"
#include "engine/duration_words.h"
#include "engine/names.h"

namespace tiphys::engine {
namespace {

/// Strips `prefix` from `name`; false when it does not begin so.
bool strip(std::string_view& name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return false;
  name.remove_prefix(prefix.size());
  return true;
}

/// True when a text that names `asked` ("" all, "outputs" all below) wants `key`.
bool wants(std::string_view asked, std::string_view key) {
  return asked.empty() || asked == key || (key.starts_with(asked) && key[asked.size()] == '.');
}

/// What lies under `wanted` may be asked for: "outputs" or "outputs.parameters.x" for "outputs.parameters".
bool touches(std::string_view asked, std::string_view wanted) {
  return wants(asked, wanted) || wants(wanted, asked);
}

}  // namespace

BodyVariables::BodyVariables(const Machine& machine, NodeIndex index) : machine_(machine), node_(index) {
  const Node& node = machine.nodes_[index];
  name_ = node.name;
  boundary_ = node.boundary;
  plan_ = node.plan;
  values_ = node.inputs.get();
  rich_ = node.extra && node.extra->inputs ? &*node.extra->inputs : nullptr;
  owner_ = node.owner;
}

BodyVariables::BodyVariables(const Machine& machine, const Call& call, const std::string* values,
                             const api::Inputs* rich)
    : machine_(machine),
      name_(call.name),
      boundary_(call.boundary),
      plan_(call.plan),
      values_(values),
      rich_(rich),
      owner_(call.owner),
      task_(call.task),
      turn_(call.turn) {}

const std::string* BodyVariables::input_value(std::string_view name) const {
  if (!plan_ || !values_) return nullptr;
  const auto found = plan_->input_index.find(name);
  return found == plan_->input_index.end() ? nullptr : &values_[found->second];
}

void BodyVariables::provide(std::string_view name, expr::Scope& scope) const {
  if (plan_ && plan_->inlined && provide_around(name, scope)) return;
  if (std::string_view rest = name; strip(rest, "inputs")) {
    if (rest.empty()) return provide_all_inputs(scope);
    if (rest.front() == '.') return provide_input(rest.substr(1), scope);
    return;
  }
  if (name.starts_with("outputs.")) return provide_path(name, scope);
  if (name == "retries" || name.starts_with("lastRetry")) return provide_retry(name, scope);
  if (name == "node.name") {
    scope.set(std::string(name), std::string(name_));
  } else if (name == "pod.name") {
    if (!plan_ || !plan_->pod || (plan_->retry && owner_ != Owner::kAttempt)) return;
    scope.set(std::string(name), node_ != kNoNode ? machine_.nodes_.pod_name(node_)
                                                  : pod_name(machine_.workflow_.name, name_, plan_->source->name, ""));
  } else if (name == "steps.name" || name == "tasks.name") {
    const bool attempt = owner_ == Owner::kAttempt;
    const Node* step = attempt ? &machine_.nodes_[machine_.nodes_[node_].owner_node] : nullptr;
    const Owner owner = step ? step->owner : owner_;
    const CompiledTemplate* around = boundary_ == kNoNode ? nullptr : machine_.nodes_[boundary_].plan;
    const bool task = owner == Owner::kTask && around && around->dag();
    if (name != (task ? "tasks.name" : "steps.name")) return;
    scope.set(std::string(name), owner == Owner::kTask ? display_name(step ? std::string_view(step->name) : name_,
                                                                      machine_.nodes_[boundary_].name)
                                                       : "");
  }
}

/// An inline template is filled in with its step: what is known there hides what it has itself. True when it is.
bool BodyVariables::provide_around(std::string_view name, expr::Scope& scope) const {
  std::uint32_t task = task_, turn = turn_;
  if (node_ != kNoNode) {
    const Node& node = machine_.nodes_[node_];
    const Node& step = owner_ == Owner::kAttempt ? machine_.nodes_[node.owner_node] : node;
    task = step.task;
    turn = step.turn;
  }
  if (boundary_ == kNoNode || task == kNoTask) return false;
  const Frame* frame = machine_.nodes_[boundary_].frame.get();
  if (name.starts_with("inputs.")) {
    BodyVariables(machine_, boundary_).provide(name, scope);
  } else if (!frame || name == "steps.name" || name == "tasks.name") {
    return false;
  } else if (name == "item" || name.starts_with("item.") || name.starts_with("steps.") || name.starts_with("tasks.")) {
    SiblingVariables siblings(machine_, boundary_);
    siblings.look_back_from(task);
    const auto loop = frame->loops.find(task);
    if (turn != kNoTask && loop != frame->loops.end() && turn < loop->second.items.size()) {
      const LoopItem item = Machine::item_of(loop->second, turn);
      ItemVariables(siblings, item).provide(name, scope);
    } else {
      siblings.provide(name, scope);
    }
  } else {
    return false;
  }
  return scope.text(name) || scope.value(name);
}

void BodyVariables::provide_all_inputs(expr::Scope& scope) const {
  if (!plan_ || !values_) return;
  for (const InputPlan& input : plan_->inputs) provide_input("parameters." + input.source->name, scope);
}

void BodyVariables::provide_input(std::string_view rest, expr::Scope& scope) const {
  if (rest == "parameters") {
    api::Inputs inputs;
    if (plan_) inputs.parameters = rich_ ? rich_->parameters : plan_->source->inputs.parameters;
    for (std::size_t i = 0; values_ && i < inputs.parameters.size(); ++i) {
      inputs.parameters[i].value = values_[i];
      // Of a node that has any from a ConfigMap, that is known.
      if (!rich_) inputs.parameters[i].value_from.reset();
    }
    const doc::Value document = api::to_document(inputs);
    const doc::Value* parameters = doc::find(document, "parameters");
    scope.set("inputs.parameters", parameters ? doc::to_json(*parameters) : "null");
    return;
  }
  if (strip(rest, "parameters.")) {
    if (const std::string* value = input_value(rest)) scope.set("inputs.parameters." + std::string(rest), *value);
    return;
  }
  if (!plan_ || !strip(rest, "artifacts.")) return;
  const bool path = rest.ends_with(".path");
  if (path) rest.remove_suffix(5);
  const auto& artifacts = rich_ ? rich_->artifacts : plan_->source->inputs.artifacts;
  const auto found = std::ranges::find(artifacts, rest, &api::Artifact::name);
  if (found == artifacts.end()) return;
  const std::string name = "inputs.artifacts." + std::string(rest);
  if (path) {
    if (!found->path.empty()) scope.set(name + ".path", found->path);
  } else {
    scope.set_value(name, artifact_marker(name));
  }
}

void BodyVariables::provide_path(std::string_view name, expr::Scope& scope) const {
  std::string_view rest = name.substr(std::string_view("outputs.").size());
  if (!plan_ || !rest.ends_with(".path")) return;
  rest.remove_suffix(5);
  const api::Outputs& outputs = plan_->source->outputs;
  if (strip(rest, "artifacts.")) {
    const auto found = std::ranges::find(outputs.artifacts, rest, &api::Artifact::name);
    if (found != outputs.artifacts.end() && !found->path.empty()) scope.set(std::string(name), found->path);
  } else if (strip(rest, "parameters.")) {
    const auto found = std::ranges::find(outputs.parameters, rest, &api::Parameter::name);
    if (found == outputs.parameters.end() || !found->value_from || found->value_from->path.empty()) return;
    scope.set(std::string(name), found->value_from->path);
  }
}

/// Before the first failure: "0", "0" and empty texts.
void BodyVariables::provide_retry(std::string_view name, expr::Scope& scope) const {
  if (owner_ != Owner::kAttempt || node_ == kNoNode) return;
  const Node* last = nullptr;
  std::size_t number = 0;
  for (const NodeIndex attempt : machine_.attempts(machine_.nodes_[machine_.nodes_[node_].owner_node])) {
    if (attempt == node_) break;
    last = &machine_.nodes_[attempt];
    ++number;
  }
  if (name == "retries") return scope.set("retries", std::to_string(number));
  const bool exited = last && last->exit_code != Node::kNoExitCode;
  scope.set("lastRetry.exitCode", exited ? std::to_string(last->exit_code) : "0");
  scope.set("lastRetry.duration", last ? whole_seconds(last->started_at, last->finished_at) : "0");
  scope.set("lastRetry.status", last ? std::string(api::node_phase_name(last->phase)) : "");
  scope.set("lastRetry.message", last ? last->message : "");
}

void SiblingVariables::provide(std::string_view name, expr::Scope& scope) const {
  const Frame& frame = *machine_.nodes_[node_].frame;
  const std::string_view root = frame.plan->dag() ? "tasks" : "steps";
  std::string_view rest = name;
  if (!strip(rest, root) || name == "steps.name" || name == "tasks.name") return body_.provide(name, scope);
  if (rest.empty()) {
    for (std::uint32_t task = 0; task < frame.tasks.size(); ++task) provide_task(task, "", scope);
    return;
  }
  if (rest.front() != '.') return;
  rest.remove_prefix(1);
  if (const auto found = frame.plan->find_task(rest)) return provide_task(found->first, found->second, scope);
  if (self_ != kNoTask && frame.plan->steps()) return provide_turn(rest, scope);
  body_.provide(name, scope);
}

void SiblingVariables::provide_task(std::uint32_t task, std::string_view field, expr::Scope& scope) const {
  const Frame& frame = *machine_.nodes_[node_].frame;
  if (viewer_ != kNoTask && !frame.plan->comes_after(viewer_, task)) return;
  const CompiledStep& step = frame.plan->tasks[task];
  const std::string root = fmt::format("{}.{}.", frame.plan->dag() ? "tasks" : "steps", step.source->name);
  if (task == self_) return provide_outputs(self_node_, root, field, scope);
  const NodeIndex node = frame.tasks[task].node;
  if (frame.loops.contains(task)) return provide_aggregate(task, root, field, scope);
  if (node == kNoNode) return;
  if (!machine_.nodes_[node].lets_pass()) {
    // Hooks look at those that run, too.
    if (self_ != kNoTask && wants(field, "status")) {
      scope.set(root + "status", std::string(api::node_phase_name(machine_.nodes_[node].phase)));
    }
    return;
  }
  provide_outputs(node, root, field, scope);
  const Node& sibling = machine_.nodes_[node];
  const bool passed_over = sibling.phase == api::NodePhase::kSkipped || sibling.phase == api::NodePhase::kOmitted;
  if (passed_over && !sibling.has_outputs) provide_skipped(step.target, root, scope);
}

/// A turn of a loop by the end of its node's name, "a(0:x)": hooks of steps see how far each is, as its group's members
/// have got, and what it has given.
void SiblingVariables::provide_turn(std::string_view path, expr::Scope& scope) const {
  const Frame& frame = *machine_.nodes_[node_].frame;
  for (const auto& [task, loop] : frame.loops) {
    const auto turn = loop_turn_index(path, frame.plan->tasks[task].source->name);
    if (!turn || *turn >= loop.turns.size() || loop.turns[*turn] == kNoNode) continue;
    const NodeIndex index = loop.turns[*turn];
    const Node& node = machine_.nodes_[index];
    const std::string name = display_name(node.name, machine_.nodes_[node_].name);
    std::string_view field = path;
    if (!strip(field, name) || (!field.empty() && field.front() != '.')) continue;
    if (!field.empty()) field.remove_prefix(1);
    const std::string root = fmt::format("steps.{}.", name);
    if (index == self_node_ || node.lets_pass()) return provide_outputs(index, root, field, scope);
    if (wants(field, "status")) scope.set(root + "status", std::string(api::node_phase_name(node.phase)));
    return;
  }
}

void SiblingVariables::provide_outputs(NodeIndex index, const std::string& root, std::string_view field,
                                       expr::Scope& scope) const {
  const Node& node = machine_.nodes_[machine_.effective(index)];
  const auto set = [&](std::string_view key, auto make) {
    if (!wants(field, key)) return;
    std::string value = make();
    if (!value.empty()) scope.set(root + std::string(key), std::move(value));
  };
  if (!field.starts_with("outputs.")) {
    set("id", [&] { return machine_.nodes_.id(machine_.effective(index)); });
    set("startedAt", [&] { return format_rfc3339(node.started_at); });
    set("finishedAt", [&] { return node.finished_at == Time{} ? std::string() : format_rfc3339(node.finished_at); });
    set("status", [&] { return std::string(api::node_phase_name(machine_.nodes_[index].phase)); });
    set("ip", [&] { return ip_of(index); });
    set("hostNodeName", [&] { return node.extra ? node.extra->host_node_name : std::string(); });
    set("exitCode",
        [&] { return node.exit_code == Node::kNoExitCode ? std::string() : std::to_string(node.exit_code); });
  }
  if (!node.outputs || !touches(field, "outputs")) return;
  if (const std::string* result = node.outputs->result(); result && wants(field, "outputs.result")) {
    scope.set(root + "outputs.result", *result);
  }
  node.outputs->for_each_value([&](const std::string& name, const std::string& value) {
    const std::string key = "outputs.parameters." + name;
    if (wants(field, key)) scope.set(root + key, value);
  });
  for (const api::Artifact& artifact : node.outputs->artifacts()) {
    const std::string key = "outputs.artifacts." + artifact.name;
    if (wants(field, key)) scope.set_value(root + key, artifact_marker(root + key));
  }
}

/// Of a daemon; while another attempt takes the place of one that died, that of the last that had one.
std::string SiblingVariables::ip_of(NodeIndex index) const {
  const Node& node = machine_.nodes_[index];
  std::vector<NodeIndex> pods = node.type == api::NodeType::kRetry ? machine_.attempts(node) : std::vector{index};
  for (auto pod = pods.rbegin(); pod != pods.rend(); ++pod) {
    const Node& one = machine_.nodes_[*pod];
    if (one.extra && !one.extra->pod_ip.empty()) return one.extra->pod_ip;
  }
  return "";
}

/// A skipped step's declared outputs: their defaults, or null, which is not the same as unknown.
void SiblingVariables::provide_skipped(const CompiledTemplate* plan, const std::string& root,
                                       expr::Scope& scope) const {
  if (!plan) return;
  for (const api::Parameter& parameter : plan->source->outputs.parameters) {
    std::string name = root + "outputs.parameters." + parameter.name;
    if (parameter.value_from && parameter.value_from->default_value) {
      scope.set(std::move(name), *parameter.value_from->default_value);
    } else {
      scope.set_value(std::move(name), nullptr);
    }
  }
  // Empty ones, which find_artifact gives; in a dag it has none.
  if (machine_.nodes_[node_].frame->plan->dag()) return;
  for (const api::Artifact& artifact : plan->source->outputs.artifacts) {
    const std::string name = root + "outputs.artifacts." + artifact.name;
    scope.set_value(name, artifact_marker(name));
  }
}

void SiblingVariables::provide_aggregate(std::uint32_t task, const std::string& root, std::string_view field,
                                         expr::Scope& scope) const {
  Frame& frame = *machine_.nodes_[node_].frame;
  Expansion& loop = frame.loops.at(task);
  const bool ended = std::ranges::all_of(
      loop.turns, [&](NodeIndex turn) { return turn != kNoNode && machine_.nodes_[turn].lets_pass(); });
  if (!ended || loop.turns.empty()) return;
  const NodeIndex group = machine_.nodes_[loop.turns.front()].owner_node;
  if (!touches(field, "outputs") || field.empty()) {
    provide_outputs(group, root, field, scope);
    if (!field.empty()) return;
  }
  const Aggregate& aggregate = machine_.aggregate(loop);
  if (wants(field, "outputs.result")) scope.set(root + "outputs.result", aggregate.result);
  if (field == "outputs.parameters") scope.set(root + "outputs.parameters", aggregate.parameters);
  for (const auto& [name, values] : aggregate.by_name) {
    const std::string key = "outputs.parameters." + name;
    if (field != "outputs.parameters" && wants(field, key)) scope.set(root + key, values);
  }
}

void ItemVariables::provide(std::string_view name, expr::Scope& scope) const {
  std::string_view rest = name;
  if (!strip(rest, "item") || (!rest.empty() && rest.front() != '.')) return outer_.provide(name, scope);
  if (rest.empty()) scope.set("item", item_.text);
  for (const auto& [key, text] : item_.members) {
    if (rest.empty() || rest.substr(1) == key) scope.set("item." + key, text);
  }
}

}  // namespace tiphys::engine
