// Loops: one step or task becomes a node for each item.
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "doc/json_text.h"
#include "engine/loop_items.h"
#include "engine/machine.h"
#include "engine/names.h"
#include "engine/variables.h"
#include "expr/condition.h"

namespace tiphys::engine {
namespace {

Result<TurnText> turn_text(std::string text) {
  TurnText result{std::move(text), std::nullopt};
  if (!has_tag(result.text)) return result;
  // What a value brought in may be no template.
  if (auto program = expr::TextTemplate::compile(result.text)) result.program = std::move(*program);
  return result;
}

Result<std::string> fill_turn(const TurnText& text, const expr::Scope& globals, const Variables& variables) {
  if (!text.program) return text.text;
  return render(*text.program, globals, variables, Leftover::kFailAll);
}

/// Whether it can be that one item fills it and another does not.
bool may_fail(const TurnText& text) {
  if (!text.program) return false;
  const bool expression = text.text.find("{{=") != std::string::npos;
  return expression || std::ranges::any_of(text.program->references(), [](const auto& name) { return name != "item"; });
}

}  // namespace

Status Machine::find_items(const LoopPlan& plan, const Variables& variables, Expansion& expansion) {
  const auto read = [&](const Text& text) { return render(text, globals(), variables, Leftover::kFailSiblings); };
  if (plan.items && !plan.items_with_tags) {
    expansion.items = *plan.items;
    return {};
  }
  if (plan.items) {
    TIPHYS_TRY(const doc::Shared items,
               render(*plan.items_with_tags, plan.items_with_tags->references(), globals(), variables));
    expansion.items = items->as_array();
    return {};
  }
  if (!plan.sequence) {
    TIPHYS_TRY(const std::string text, read(plan.param));
    auto items = doc::parse_json(text);
    if (items && items->is_null()) return {};
    if (!items || !items->is_array()) {
      return fail(Code::kInvalidArgument, fmt::format("withParam value could not be parsed as a JSON list: {}: {}",
                                                      trim(text), items ? "it is no list" : items.error().message));
    }
    expansion.items = std::move(items->get_array());
    if (!doc::has_written_fractions(text)) return {};
    for (const auto part : doc::json_parts(text)) expansion.written.emplace_back(part);
    return {};
  }
  TIPHYS_TRY(const std::string count, read(plan.count));
  TIPHYS_TRY(const std::string start, read(plan.start));
  TIPHYS_TRY(const std::string end, read(plan.end));
  TIPHYS_TRY(const std::string format, read(plan.format));
  TIPHYS_TRY(expansion.items, make_sequence(count, start, end, format));
  return {};
}

LoopItem Machine::item_of(const Expansion& loop, std::uint32_t turn) {
  const doc::Value& item = loop.items[turn];
  return loop.written.empty() ? make_loop_item(item) : make_written_item(item, loop.written[turn]);
}

Result<Expansion> Machine::expand(Frame& frame, std::uint32_t task, ResolvedStep step) {
  Expansion expansion;
  const SiblingVariables variables(*this, frame.node);
  const auto found = find_items(*frame.plan->tasks[task].loop, variables, expansion);
  if (!found) {
    if (!step.proceed) return expansion;
    const Code code = found.error().code;
    const bool reference = code == Code::kNotFound || code == Code::kFailedPrecondition;
    if (!reference || frame.plan->dag()) return std::unexpected(found.error());
    return std::unexpected(found.error().in("failed to resolve references"));
  }
  expansion.turns.assign(expansion.items.size(), kNoNode);
  expansion.open = static_cast<std::uint32_t>(expansion.items.size());
  expansion.skip = !step.proceed;
  if (expansion.skip) {
    expansion.when.text = std::move(step.when);
    return expansion;
  }
  TIPHYS_TRY(expansion.when, turn_text(std::move(step.when)));
  for (auto& value : step.values) {
    if (!value) {
      expansion.arguments.emplace_back(std::nullopt);
    } else {
      TIPHYS_TRY(expansion.arguments.emplace_back(), turn_text(std::move(*value)));
    }
  }
  expansion.artifacts = std::move(step.artifacts);
  if (step.ref) {
    TIPHYS_TRY(expansion.ref_name.emplace(), turn_text(std::move(step.ref->name)));
    TIPHYS_TRY(expansion.ref_template.emplace(), turn_text(std::move(step.ref->template_name)));
  }
  TIPHYS_CHECK_OK(check_turns(frame, task, expansion));
  return expansion;
}

/// As in the original no turn begins when one of them cannot be.
Status Machine::check_turns(Frame& frame, std::uint32_t task, const Expansion& expansion) {
  const bool sure = !may_fail(expansion.when) && expansion.artifacts.empty() &&
                    std::ranges::none_of(expansion.arguments, [](const auto& text) { return text && may_fail(*text); });
  if (sure) return {};
  const SiblingVariables outer(*this, frame.node);
  for (std::uint32_t turn = 0; turn < expansion.items.size(); ++turn) {
    const LoopItem item = item_of(expansion, turn);
    TIPHYS_CHECK_OK(fill_turn(expansion.when, globals(), ItemVariables(outer, item)));
    TIPHYS_CHECK_OK(turn_arguments(frame, task, expansion, item));
  }
  return {};
}

/// A task of a dag; the group of turns in steps is the step group itself.
void Machine::begin_loop(Frame& frame, std::uint32_t task, Expansion expansion) {
  Call call = task_call(frame, task);
  call.owner = Owner::kGroup;
  call.plan = nullptr;
  const NodeIndex group = create(call, api::NodeType::kTaskGroup, api::NodePhase::kRunning);
  frame.tasks[task].node = group;
  frame.loops.insert_or_assign(task, std::move(expansion));
  frame.held.push(task);
  pump(frame);
}

Call Machine::turn_call(Frame& frame, std::uint32_t task, std::uint32_t turn, const LoopItem& item) {
  const CompiledStep& step = frame.plan->tasks[task];
  Call call = task_call(frame, task);
  call.name.resize(call.name.size() - step.source->name.size());
  call.name += loop_turn_name(step.source->name, turn, item.description);
  call.turn = turn;
  if (frame.plan->dag()) call.owner_node = frame.tasks[task].node;
  return call;
}

Result<Arguments> Machine::turn_arguments(Frame& frame, std::uint32_t task, const Expansion& loop,
                                          const LoopItem& item) {
  const CompiledStep& step = frame.plan->tasks[task];
  const SiblingVariables outer(*this, frame.node);
  const ItemVariables variables(outer, item);
  Arguments arguments;
  for (std::size_t i = 0; i < loop.arguments.size(); ++i) {
    const api::Parameter& parameter = step.source->arguments.parameters[i];
    if (!parameter.value && !reads_config_map(parameter)) continue;
    auto& given = arguments.parameters.emplace_back();
    given.name = parameter.name;
    if (!parameter.value) {
      TIPHYS_TRY(given.source, argument_source(parameter, variables, Leftover::kFailAll));
    } else if (loop.arguments[i]) {
      TIPHYS_TRY(given.value, fill_turn(*loop.arguments[i], globals(), variables));
    }
  }
  for (api::Artifact artifact : loop.artifacts) {
    if (doc::Value location(artifact.location); has_tag(location)) {
      TIPHYS_TRY(const auto program, expr::DocumentTemplate::compile(std::move(location)));
      TIPHYS_TRY(const doc::Shared rendered, render(program, program.references(), globals(), variables));
      artifact.location = rendered->get_object();
    }
    arguments.artifacts.push_back(std::move(artifact));
  }
  return arguments;
}

/// Where the step's templateRef has tags.
Result<std::optional<api::TemplateRef>> Machine::turn_ref(Frame& frame, std::uint32_t task, const LoopItem& item) {
  const Expansion& loop = frame.loops.at(task);
  if (!loop.ref_name) return std::nullopt;
  const SiblingVariables outer(*this, frame.node);
  const ItemVariables variables(outer, item);
  api::TemplateRef ref;
  ref.cluster_scope = frame.plan->tasks[task].ref->cluster_scope;
  TIPHYS_TRY(ref.name, fill_turn(*loop.ref_name, globals(), variables));
  TIPHYS_TRY(ref.template_name, fill_turn(*loop.ref_template, globals(), variables));
  return ref;
}

/// False when its template is being looked for: nothing has begun.
bool Machine::begin_turn(Frame& frame, std::uint32_t task, std::uint32_t turn) {
  const Expansion& loop = frame.loops.at(task);
  const LoopItem item = item_of(loop, turn);
  Call call = turn_call(frame, task, turn, item);
  const auto give_up = [&](const Error& error) {
    create_ended(call, api::NodePhase::kError, error.message);
    if (frame.plan->steps()) fail_group(frame, api::NodePhase::kError, error.message);
    return true;
  };
  if (!loop.when.text.empty()) {
    const SiblingVariables outer(*this, frame.node);
    auto when = fill_turn(loop.when, globals(), ItemVariables(outer, item));
    if (!when) return give_up(when.error());
    const auto proceed = loop.skip ? Result<bool>(false) : expr::eval_when(*when);
    if (!proceed) return give_up(proceed.error());
    if (!*proceed) {
      create_ended(call, api::NodePhase::kSkipped, fmt::format("when '{}' evaluated false", *when));
      return true;
    }
  }
  const auto arguments = turn_arguments(frame, task, loop, item);
  if (!arguments) return give_up(arguments.error());
  const auto ref = turn_ref(frame, task, item);
  if (!ref) return give_up(ref.error());
  if (!aim(call, *ref) || !aim_hooks_of_turn(frame, task, item)) return false;
  begin(call, *arguments);
  return true;
}

void Machine::end_loop(Frame& frame, std::uint32_t task) {
  if (frame.plan->dag()) {
    const NodeIndex group = frame.tasks[task].node;
    auto phase = api::NodePhase::kSucceeded;
    for (const NodeIndex turn : frame.loops.at(task).turns) {
      if (turn != kNoNode && nodes_[turn].failed_or_error()) phase = nodes_[turn].phase;
    }
    set_phase(group, phase);
    if (hooked_step(group)) return;  // they hear of it first
  }
  task_settled(frame, task);
}

const Aggregate& Machine::aggregate(Expansion& loop) const {
  if (!loop.aggregate) {
    std::vector<const NodeOutputs*> outputs;
    for (const NodeIndex turn : loop.turns) {
      if (turn == kNoNode) continue;
      const Node& node = nodes_[turn];
      // A skipped one has any only when it has run in a run that this one follows; the original leaves those out.
      const bool counts = node.phase == api::NodePhase::kSucceeded || node.phase == api::NodePhase::kSkipped;
      if (counts && node.outputs) outputs.push_back(node.outputs.get());
    }
    loop.aggregate = std::make_unique<const Aggregate>(aggregate_outputs(outputs));
  }
  return *loop.aggregate;
}

}  // namespace tiphys::engine
