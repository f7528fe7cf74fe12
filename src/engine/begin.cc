// A template becomes a node: its inputs get their values, the cache is asked, and by its type the node goes on.
#include <fmt/format.h>

#include <algorithm>

#include "api/artifact_location.h"
#include "base/hash.h"
#include "engine/machine.h"
#include "engine/names.h"
#include "engine/variables.h"

namespace tiphys::engine {
namespace {

/// A value may be anything: what does not compile is no template, and stays as it is.
Result<std::string> render_value(const std::string& value, const expr::Scope& globals, const Variables& variables) {
  const auto program = expr::TextTemplate::compile(value);
  if (!program || program->constant()) return value;
  return render(*program, globals, variables, Leftover::kKeep);
}

constexpr int kDeepest = 100;
constexpr std::string_view kTooDeep =
    "Maximum recursion depth exceeded. See "
    "https://argo-workflows.readthedocs.io/en/release-4.1/scaling/#maximum-recursion-depth";

api::NodeType node_type(const CompiledTemplate& plan, Owner owner) {
  if (plan.retry && owner != Owner::kAttempt) return api::NodeType::kRetry;
  switch (plan.source->type) {
    case api::Template::Type::kSteps:
      return api::NodeType::kSteps;
    case api::Template::Type::kDag:
      return api::NodeType::kDag;
    case api::Template::Type::kSuspend:
      return api::NodeType::kSuspend;
    case api::Template::Type::kHttp:
      return api::NodeType::kHttp;
    case api::Template::Type::kPlugin:
      return api::NodeType::kPlugin;
    case api::Template::Type::kContainer:
    case api::Template::Type::kScript:
    case api::Template::Type::kContainerSet:
    case api::Template::Type::kResource:
    case api::Template::Type::kData:
      break;
  }
  return api::NodeType::kPod;
}

const Arguments::Parameter* find_parameter(const Arguments& arguments, std::string_view name) {
  const auto found = std::ranges::find(arguments.parameters, name, &Arguments::Parameter::name);
  return found == arguments.parameters.end() ? nullptr : &*found;
}

/// Where a value comes from that is not given: as the argument says, else the input itself. Null: from no ConfigMap.
const api::ValueFrom* config_map_of(const Arguments::Parameter* given, const std::optional<api::ValueFrom>& own) {
  if (given && given->source) return given->source.get();
  return own && own->config_map ? &*own : nullptr;
}

bool placed(const api::Artifact& artifact) {
  return api::is_placed(artifact.location);
}

}  // namespace

std::vector<Arguments::Parameter> given_values(const api::Arguments& source) {
  std::vector<Arguments::Parameter> given;
  for (const api::Parameter& parameter : source.parameters) {
    if (parameter.value) {
      given.push_back({parameter.name, parameter.value});
    } else if (reads_config_map(parameter)) {
      given.push_back({parameter.name, std::nullopt, std::make_unique<const api::ValueFrom>(*parameter.value_from)});
    }
  }
  return given;
}

void Machine::begin(const Call& call, const Arguments& arguments) {
  if (call.depth >= kDeepest) {
    create_ended(call, api::NodePhase::kError, std::string(kTooDeep));
    return;
  }
  if (!call.plan) return fail_to_begin(call, no_such_template(call));
  auto inputs = resolve_inputs(call, arguments);
  if (!inputs) return fail_to_begin(call, inputs.error().message);
  std::optional<LookUpCache> question;
  if (call.plan->source->memoize && !call.plan->locks) {
    const api::Inputs* rich = inputs->rich ? &*inputs->rich : nullptr;
    auto asked = cache_question(*call.plan, BodyVariables(*this, call, inputs->values.get(), rich));
    if (!asked) return fail_to_begin(call, asked.error().message);
    question = std::move(*asked);
  }
  const NodeIndex index = create_open(call, std::move(*inputs));
  if (nodes_[index].asks_locks()) {
    ask_locks(index);
  } else if (question) {
    ask_cache(index, std::move(*question));
  } else {
    run(index);
    emit_realtime(index);
  }
}

Result<ResolvedInputs> Machine::resolve_inputs(const Call& call, const Arguments& arguments) {
  const CompiledTemplate& plan = *call.plan;
  ResolvedInputs inputs;
  bool from_config_map = false;
  if (!plan.inputs.empty()) inputs.values = std::make_unique<std::string[]>(plan.inputs.size());
  for (std::size_t i = 0; i < plan.inputs.size(); ++i) {
    const InputPlan& input = plan.inputs[i];
    const Arguments::Parameter* given = find_parameter(arguments, input.source->name);
    const auto& own = input.source->value_from;
    if (given && given->value) {
      inputs.values[i] = *given->value;
    } else if (const api::ValueFrom* source = config_map_of(given, own)) {
      TIPHYS_TRY(inputs.values[i], config_map_value(input.source->name, *source));
      from_config_map = true;
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
      TIPHYS_TRY(inputs.values[i], render_value(inputs.values[i], globals(), variables));
    }
  }
  if (plan.rich_inputs || from_config_map) {
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
    const Arguments::Parameter* given = find_parameter(arguments, parameter.name);
    parameter.value = values[i];
    const api::ValueFrom* source = given && given->value ? nullptr : config_map_of(given, parameter.value_from);
    parameter.value_from = source ? std::optional(*source) : std::nullopt;
    if (source) {
      TIPHYS_CHECK_OK(substitute(parameter.value_from->config_map->name));
      TIPHYS_CHECK_OK(substitute(parameter.value_from->config_map->key));
    }
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

/// Without the id of the node that asks.
Result<LookUpCache> Machine::cache_question(const CompiledTemplate& plan, const Variables& variables) {
  const auto read = [&](const Text& text) { return render(text, globals(), variables, Leftover::kKeep); };
  LookUpCache question;
  TIPHYS_TRY(question.key, read(plan.memo_key));
  TIPHYS_TRY(question.config_map, read(plan.memo_config_map));
  TIPHYS_TRY(const std::string max_age, read(plan.memo_max_age));
  if (max_age.empty()) return question;
  auto age = parse_go_duration(max_age);
  if (!age) return std::unexpected(age.error().in("invalid maxAge"));
  question.max_age = *age;
  return question;
}

void Machine::ask_cache(NodeIndex index, LookUpCache question) {
  question.node_id = nodes_.id(index);
  lookups_[index] = {false, question.key, question.config_map};
  effects_->push_back(std::move(question));
}

void Machine::handle(const CacheAnswered& event) {
  if (suspended_ && shutdown_.empty()) {
    answers_.push_back(event);
  } else {
    answer(event);
  }
}

void Machine::answer(const CacheAnswered& event) {
  const NodeIndex index = nodes_.find_id(event.node_id);
  auto lookup = lookups_.extract(index);
  if (lookup.empty() || nodes_[index].fulfilled()) return;
  Node& node = nodes_[index];
  count_whole(node, -1);
  if (event.error.empty()) {
    lookup.mapped().hit = event.outputs.has_value();
    node.extras().memoization = std::move(lookup.mapped());
  } else {
    node.type = api::NodeType::kSkipped;  // as the original, which makes its node only now
  }
  count_whole(node, 1);
  nodes_.touch(index);
  if (!event.error.empty()) return errored(index, event.error);
  if (!event.outputs) {
    run_open(index);
    return make_room(node);
  }
  take_outputs(index, event.outputs);
  set_phase(index, api::NodePhase::kSucceeded);
}

/// A node that waited for its locks begins.
void Machine::run_open(NodeIndex index) {
  const Node& node = nodes_[index];
  if (!begins_pending(node.type)) set_phase(index, api::NodePhase::kRunning);
  if (!asleep_.empty() && sleeps_within(index)) return resume_locked(index);
  run(index);
  emit_realtime(index);
}

/// What a node does, by its type.
void Machine::run(NodeIndex index) {
  Node& node = nodes_[index];
  if (node.owner != Owner::kAttempt) {
    if (auto status = apply_display_name(index); !status) return errored(index, status.error().message);
  }
  switch (node.type) {
    case api::NodeType::kRetry:
      // The original shares one flag object between the retry node and its attempts.
      if (node.hooked) node.retried = true;
      return begin_attempt(index);
    case api::NodeType::kSteps:
    case api::NodeType::kDag:
      return open_frame(index);
    case api::NodeType::kSuspend:
      return wait_suspended(index);
    default:
      return launch(index);
  }
}

NodeIndex Machine::create(const Call& call, api::NodeType type, api::NodePhase phase) {
  const NodeIndex index = nodes_.add(call.name);
  Node& node = nodes_[index];
  node.plan = call.plan;
  node.template_name = call.template_name;
  node.template_ref = call.template_ref;
  node.boundary = call.boundary;
  node.owner = call.owner;
  node.owner_node = call.owner_node;
  node.task = call.task;
  node.turn = call.turn;
  node.depth = call.depth;
  node.hooked = call.hooked;
  node.retried = call.retried;
  node.on_exit = call.on_exit;
  node.exit_hook = call.exit_hook;
  node.type = type;
  node.phase = phase;
  node.started_at = now_;
  nodes_.touch(index);
  count_whole(node, 1);
  place_node(index);
  attach(index);
  phase_seen(index);
  return index;
}

/// A node that is to run.
NodeIndex Machine::create_open(const Call& call, ResolvedInputs inputs) {
  const auto type = node_type(*call.plan, call.owner);
  const bool locked = call.plan->locks && call.owner != Owner::kAttempt;
  const bool waits = locked || begins_pending(type);
  const NodeIndex index = create(call, type, waits ? api::NodePhase::kPending : api::NodePhase::kRunning);
  Node& node = nodes_[index];
  if (inputs.rich) node.extras().inputs = std::move(inputs.rich);
  node.inputs = std::move(inputs.values);
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

void Machine::fail_to_begin(const Call& call, const std::string& error) {
  tell_error(create_ended(call, api::NodePhase::kError, error), error);
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
