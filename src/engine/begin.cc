// A template becomes a node: its inputs get their values, the cache is asked, and by its type the node goes on.
#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "engine/machine.h"
#include "engine/names.h"
#include "engine/variables.h"

namespace tiphys::engine {
namespace {

constexpr int kDeepest = 100;
constexpr std::string_view kTooDeep =
    "Maximum recursion depth exceeded. See "
    "https://argo-workflows.readthedocs.io/en/release-4.1/scaling/#maximum-recursion-depth";

api::NodeType node_type(const CompiledTemplate& plan) {
  if (plan.retry) return api::NodeType::kRetry;
  switch (plan.source->type) {
    case api::Template::Type::kSteps:
      return api::NodeType::kSteps;
    case api::Template::Type::kDag:
      return api::NodeType::kDag;
    case api::Template::Type::kSuspend:
      return api::NodeType::kSuspend;
    case api::Template::Type::kContainer:
    case api::Template::Type::kScript:
    case api::Template::Type::kResource:
      break;
  }
  return api::NodeType::kPod;
}

const Arguments::Parameter* find_parameter(const Arguments& arguments, std::string_view name) {
  const auto found = std::ranges::find(arguments.parameters, name, &Arguments::Parameter::name);
  return found == arguments.parameters.end() ? nullptr : &*found;
}

/// As validate.go words it; values that come from other steps can only be checked here.
Status check_enum(const api::Parameter& input, const std::string& value) {
  if (input.enum_values.empty() || std::ranges::find(input.enum_values, value) != input.enum_values.end()) return {};
  return fail(
      Code::kInvalidArgument,
      fmt::format("inputs.parameters.{0}.value should be present in inputs.parameters.{0}.enum list", input.name));
}

bool placed(const api::Artifact& artifact) {
  return !artifact.location.empty();
}

}  // namespace

NodeIndex Machine::begin(Call call, const Arguments& arguments) {
  if (call.depth >= kDeepest) return create_ended(call, api::NodePhase::kError, std::string(kTooDeep));
  if (!call.plan) {
    return fail_to_begin(call, fmt::format("template name '{}' undefined", *call.template_name));
  }
  auto inputs = resolve_inputs(call, arguments);
  if (!inputs) return fail_to_begin(call, inputs.error().message);
  if (call.plan->source->memoize) {
    NodeIndex failed = kNoNode;
    if (ask_cache(call, *inputs, failed)) return failed;
  }
  return begin_with(call, std::move(*inputs), std::nullopt);
}

Result<ResolvedInputs> Machine::resolve_inputs(const Call& call, const Arguments& arguments) {
  const CompiledTemplate& plan = *call.plan;
  ResolvedInputs inputs;
  if (!plan.inputs.empty()) inputs.values = std::make_unique<std::string[]>(plan.inputs.size());
  for (std::size_t i = 0; i < plan.inputs.size(); ++i) {
    const InputPlan& input = plan.inputs[i];
    const Arguments::Parameter* given = find_parameter(arguments, input.source->name);
    if (given && given->value) {
      inputs.values[i] = *given->value;
    } else if (input.has_default) {
      inputs.values[i] = input.default_text.source();
    } else if (given) {
      return fail(Code::kInvalidArgument,
                  fmt::format("inputs.parameters.{}: argument references an absent optional (skipped/omitted node "
                              "output with no default)",
                              input.source->name));
    } else {
      return fail(Code::kInvalidArgument, fmt::format("inputs.parameters.{} was not supplied", input.source->name));
    }
  }
  for (std::size_t i = 0; i < plan.inputs.size(); ++i) {
    if (has_tag(inputs.values[i])) {
      const BodyVariables variables(*this, call, inputs.values.get(), nullptr);
      TIPHYS_TRY(inputs.values[i], render(std::string_view(inputs.values[i]), globals(), variables, Leftover::kKeep));
    }
    TIPHYS_CHECK_OK(check_enum(*plan.inputs[i].source, inputs.values[i]));
  }
  if (plan.rich_inputs) {
    TIPHYS_TRY(inputs.rich, resolve_rich(call, arguments, inputs.values.get()));
  }
  return inputs;
}

Result<api::Inputs> Machine::resolve_rich(const Call& call, const Arguments& arguments, const std::string* values) {
  api::Inputs inputs = call.plan->source->inputs;
  const BodyVariables variables(*this, call, values, nullptr);
  const auto substitute = [&](std::string& text) -> Status {
    if (!has_tag(text)) return {};
    TIPHYS_TRY(text, render(std::string_view(text), globals(), variables, Leftover::kKeep));
    return {};
  };
  for (std::size_t i = 0; i < inputs.parameters.size(); ++i) {
    api::Parameter& parameter = inputs.parameters[i];
    parameter.value = values[i];
    parameter.value_from.reset();
    if (parameter.default_value) TIPHYS_CHECK_OK(substitute(*parameter.default_value));
    TIPHYS_CHECK_OK(substitute(parameter.description));
    for (std::string& value : parameter.enum_values) TIPHYS_CHECK_OK(substitute(value));
  }
  for (api::Artifact& input : inputs.artifacts) {
    const auto given = std::ranges::find(arguments.artifacts, input.name, &api::Artifact::name);
    const bool supplied = given != arguments.artifacts.end();
    if (!input.optional && !placed(input)) {
      if (!supplied) {
        return fail(Code::kInvalidArgument, fmt::format("inputs.artifacts.{} was not supplied", input.name));
      }
      if (!placed(*given)) {
        return fail(Code::kInvalidArgument,
                    fmt::format("inputs.artifacts.{} missing location information", input.name));
      }
    }
    if (supplied) {
      api::Artifact merged = *given;
      merged.name = input.name;
      merged.path = input.path;
      merged.mode = input.mode;
      merged.recurse_mode = input.recurse_mode;
      merged.optional = input.optional;
      input = std::move(merged);
    }
    TIPHYS_CHECK_OK(substitute(input.path));
    if (doc::Value location(input.location); has_tag(location)) {
      TIPHYS_TRY(const auto program, expr::DocumentTemplate::compile(std::move(location)));
      TIPHYS_TRY(const doc::Shared rendered, render(program, program.references(), globals(), variables));
      input.location = rendered->get_object();
    }
  }
  return inputs;
}

/// False when the call can go on at once. True when the cache was asked, or a node was made that ended in an error.
bool Machine::ask_cache(Call& call, ResolvedInputs& inputs, NodeIndex& failed) {
  const CompiledTemplate& plan = *call.plan;
  const BodyVariables variables(*this, call, inputs.values.get(), inputs.rich ? &*inputs.rich : nullptr);
  LookUpCache ask;
  const auto read = [&](const Text& text, std::string& into) -> Status {
    TIPHYS_TRY(into, render(text, globals(), variables, Leftover::kKeep));
    return {};
  };
  std::string max_age;
  Status status = read(plan.memo_key, ask.key);
  if (status) status = read(plan.memo_config_map, ask.config_map);
  if (status) status = read(plan.memo_max_age, max_age);
  if (status && !max_age.empty()) {
    auto age = parse_go_duration(max_age);
    if (age) {
      ask.max_age = *age;
    } else {
      status = std::unexpected(age.error().in("invalid maxAge"));
    }
  }
  if (!status) {
    failed = fail_to_begin(call, status.error().message);
    return true;
  }
  ask.node_id = node_id(workflow_.name, call.name);
  api::MemoizationStatus memoization{false, ask.key, ask.config_map};
  lookups_.insert_or_assign(ask.node_id, Lookup{std::move(call), std::move(inputs), std::move(memoization)});
  effects_->push_back(std::move(ask));
  return true;
}

void Machine::handle(const CacheAnswered& event) {
  if (suspended_ && shutdown_.empty()) {
    answers_.push_back(event);
  } else {
    answer(event);
  }
}

void Machine::answer(const CacheAnswered& event) {
  auto found = lookups_.extract(event.node_id);
  if (found.empty()) return;
  Lookup& lookup = found.mapped();
  if (Frame* frame = frame_of(lookup.call.boundary); frame && lookup.call.owner == Owner::kTask) {
    if (failed_fast(*frame) || frame->stopping) return give_up(lookup.call);
  }
  if (!event.error.empty()) {
    fail_to_begin(lookup.call, event.error);
    return;
  }
  if (!event.outputs) {
    begin_with(lookup.call, std::move(lookup.inputs), std::move(lookup.memoization));
    return;
  }
  lookup.memoization.hit = true;
  const NodeIndex index = create(lookup.call, node_type(*lookup.call.plan), api::NodePhase::kSucceeded);
  Node& node = nodes_[index];
  give_inputs(node, std::move(lookup.inputs));
  node.finished_at = now_;
  node.extras().memoization = std::move(lookup.memoization);
  take_outputs(index, event.outputs);
  push(Action::Kind::kEnded, index);
}

NodeIndex Machine::begin_with(const Call& call, ResolvedInputs inputs,
                              std::optional<api::MemoizationStatus> memoization) {
  if (!call.plan->retry) return run(call, std::move(inputs), memoization);
  const NodeIndex index = create(call, api::NodeType::kRetry, api::NodePhase::kRunning);
  Node& node = nodes_[index];
  // The original shares one flag object between the retry node and its attempts.
  if (call.hooked) node.retried = true;
  give_inputs(node, std::move(inputs));
  if (memoization) node.extras().memoization = std::move(memoization);
  if (auto status = apply_display_name(index); !status) {
    errored(index, status.error().message);
    return index;
  }
  begin_attempt(index);
  return index;
}

NodeIndex Machine::run(const Call& call, ResolvedInputs inputs,
                       const std::optional<api::MemoizationStatus>& memoization) {
  const CompiledTemplate& plan = *call.plan;
  const bool holds_others = plan.steps() || plan.dag();
  const auto type = plan.steps() ? api::NodeType::kSteps
                    : plan.dag() ? api::NodeType::kDag
                    : plan.pod   ? api::NodeType::kPod
                                 : api::NodeType::kSuspend;
  const NodeIndex index = create(call, type, holds_others ? api::NodePhase::kRunning : api::NodePhase::kPending);
  Node& node = nodes_[index];
  give_inputs(node, std::move(inputs));
  if (memoization) node.extras().memoization = memoization;
  if (call.owner != Owner::kAttempt) {
    if (auto status = apply_display_name(index); !status) {
      errored(index, status.error().message);
      return index;
    }
  }
  if (holds_others) {
    open_frame(index);
  } else if (plan.pod) {
    launch(index);
  } else {
    wait_suspended(index);
  }
  return index;
}

NodeIndex Machine::create(const Call& call, api::NodeType type, api::NodePhase phase) {
  const NodeIndex index = nodes_.add(call.name);
  Node& node = nodes_[index];
  node.plan = call.plan;
  node.template_name = call.template_name;
  node.boundary = call.boundary;
  node.owner = call.owner;
  node.owner_node = call.owner_node;
  node.task = call.task;
  node.turn = call.turn;
  node.depth = call.depth;
  node.hooked = call.hooked;
  node.retried = call.retried;
  node.on_exit = call.on_exit;
  node.type = type;
  node.phase = phase;
  node.started_at = now_;
  nodes_.touch(index);
  count_new(node);
  place_node(index);
  attach(index);
  return index;
}

/// Makes the node known to those who wait for it.
void Machine::place_node(NodeIndex index) {
  const Node& node = nodes_[index];
  if (node.owner == Owner::kEntry) entry_ = index;
  if (node.owner == Owner::kExit) exit_ = index;
  if (node.owner != Owner::kTask) return;
  Frame* frame = frame_of(node.boundary);
  if (!frame) return;
  if (node.turn == kNoTask) {
    frame->tasks[node.task].node = index;
  } else if (const auto loop = frame->loops.find(node.task); loop != frame->loops.end()) {
    loop->second.turns[node.turn] = index;
  }
}

void Machine::give_inputs(Node& node, ResolvedInputs inputs) {
  if (inputs.rich) node.extras().inputs = std::move(inputs.rich);
  node.inputs = std::move(inputs.values);
}

NodeIndex Machine::create_ended(const Call& call, api::NodePhase phase, std::string message) {
  const NodeIndex index = create(call, api::NodeType::kSkipped, phase);
  Node& node = nodes_[index];
  node.finished_at = node.started_at;
  node.message = std::move(message);
  if (const Frame* frame = frame_of(node.boundary); frame && frame->plan->dag() && node.owner == Owner::kTask) {
    node.branch = inherited_branch(*frame, node.task);
  }
  push(Action::Kind::kEnded, index);
  return index;
}

NodeIndex Machine::fail_to_begin(const Call& call, const std::string& error) {
  const NodeIndex index = create_ended(call, api::NodePhase::kError, error);
  tell_error(index, error);
  return index;
}

Status Machine::apply_display_name(NodeIndex index) {
  Node& node = nodes_[index];
  if (!node.plan || node.plan->display_name.empty()) return {};
  TIPHYS_TRY(std::string name,
             render(node.plan->display_name, globals(), BodyVariables(*this, index), Leftover::kKeep));
  const auto alphanumeric = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  const bool valid = name.size() >= 2 && name.size() <= 63 && alphanumeric(name.front()) && alphanumeric(name.back()) &&
                     std::ranges::all_of(name, [&](char c) { return alphanumeric(c) || c == '-' || c == '.'; });
  if (!valid) {
    return fail(Code::kInvalidArgument, "displayName must match the regex ^[a-zA-Z0-9][a-zA-Z0-9-.]{0,61}[a-zA-Z0-9]$");
  }
  node.extras().display_name = std::move(name);
  return {};
}

void Machine::save_cache(NodeIndex index) {
  const Node& node = nodes_[index];
  if (!node.extra || !node.extra->memoization || node.extra->memoization->hit) return;
  const api::MemoizationStatus& memoization = *node.extra->memoization;
  effects_->push_back(SaveCache{nodes_.id(index), memoization.cache_name, memoization.key,
                                status_of(index).outputs.value_or(api::Outputs{})});
}

}  // namespace tiphys::engine
