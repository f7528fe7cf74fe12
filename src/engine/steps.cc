// Steps: groups one after the other, the members of a group at the same time.
#include <fmt/format.h>

#include "engine/machine.h"
#include "engine/names.h"

namespace tiphys::engine {
namespace {

const std::string kNoTemplate;
}  // namespace

/// All steps of a group are resolved before the first begins: an error in one means that none does.
void Machine::begin_group(Frame& frame, std::uint32_t group) {
  const Node& around = nodes_[frame.node];
  Call call;
  call.name = step_group_name(around.name, group);
  call.template_name = &kNoTemplate;
  call.boundary = frame.node;
  call.owner = Owner::kGroup;
  call.turn = group;
  call.depth = around.depth;
  call.on_exit = around.on_exit;
  frame.group = group;
  frame.open = 0;
  frame.stopping = false;
  frame.looking_around.clear();
  frame.last_group_node = frame.group_node;
  frame.group_node = create(call, api::NodeType::kStepGroup, api::NodePhase::kRunning);

  const std::uint32_t begin = frame.plan->group_begin[group], end = frame.plan->group_begin[group + 1];
  std::vector<std::pair<std::uint32_t, ResolvedStep>> singles;
  std::vector<std::uint32_t> empty;
  for (std::uint32_t task = begin; task < end; ++task) {
    auto step = resolve_step(frame, task);
    if (!step) {
      frame.loops.clear();
      return fail_group(frame, api::NodePhase::kError, "failed to resolve references: " + step.error().message);
    }
    if (!frame.plan->tasks[task].loop) {
      singles.emplace_back(task, std::move(*step));
      continue;
    }
    auto expansion = expand(frame, task, std::move(*step));
    if (!expansion) return fail_group(frame, api::NodePhase::kError, expansion.error().message);
    if (expansion->items.empty()) {
      empty.push_back(task);
    } else {
      frame.loops.insert_or_assign(task, std::move(*expansion));
    }
  }
  frame.open = end - begin;
  for (std::uint32_t task = begin; task < end; ++task) frame.tasks[task].stage = TaskStage::kBegun;
  for (const std::uint32_t task : empty) {
    create_ended(task_call(frame, task), api::NodePhase::kSkipped, "Skipped, empty params");
  }
  auto single = singles.begin();
  for (std::uint32_t task = begin; task < end; ++task) {
    if (single != singles.end() && single->first == task) {
      hold(frame, task, std::move(single++->second));
    } else if (frame.loops.contains(task)) {
      frame.held.push(task);
    }
  }
  pump(frame);
  if (frame.open == 0) push(Action::Kind::kAdvance, frame.node);
}

void Machine::fail_group(Frame& frame, api::NodePhase phase, const std::string& message) {
  if (!nodes_[frame.group_node].fulfilled()) set_phase(frame.group_node, phase, message);
  stop_frame(frame);
}

void Machine::end_group(Frame& frame) {
  Node& group = nodes_[frame.group_node];
  if (!group.fulfilled() && frame.plan->source->fail_fast && frame.unsuccessful > 0) {
    set_phase(frame.group_node, api::NodePhase::kFailed, std::string(kFailFast));
    return set_phase(frame.node, api::NodePhase::kFailed, std::string(kFailFast));
  }
  if (!group.fulfilled()) {
    for (const NodeIndex child : group.children) {
      const Node& member = nodes_[child];
      if (!member.failed_or_error()) continue;
      if (member.task != kNoTask && continues_on(frame.plan->tasks[member.task].source->continue_on, member.phase)) {
        continue;
      }
      set_phase(frame.group_node, api::NodePhase::kFailed, fmt::format("child '{}' failed", nodes_.id(child)));
      break;
    }
  }
  if (!group.fulfilled()) set_phase(frame.group_node, api::NodePhase::kSucceeded);
  const Node& failed = frame.fallen_group == kNoNode ? group : nodes_[frame.fallen_group];
  if (failed.failed_or_error()) {
    std::vector<NodeIndex> outbound;
    for (const NodeIndex child : group.children) outbound_nodes(child, outbound);
    set_outbound(frame.node, std::move(outbound));
    return set_phase(frame.node, api::NodePhase::kFailed, failed.message);
  }
  if (frame.group + 1 < frame.plan->group_count()) {
    const std::uint32_t next = frame.group + 1;
    const NodeIndex known =
        asleep_.empty() ? kNoNode : nodes_.find_name(step_group_name(nodes_[frame.node].name, next));
    known == kNoNode ? begin_group(frame, next) : resume_group(frame, next, known);
  } else {
    end_steps(frame);
  }
}

void Machine::end_steps(Frame& frame) {
  if (frame.group_node != kNoNode) {
    std::vector<NodeIndex> outbound;
    for (const NodeIndex child : nodes_[frame.group_node].children) outbound_nodes(child, outbound);
    set_outbound(frame.node, std::move(outbound));
  }
  end_with_outputs(frame);
}

void Machine::end_with_outputs(Frame& frame) {
  auto outputs = outputs_of(frame);
  if (!outputs) return errored(frame.node, outputs.error().message);
  take_outputs(frame.node, *outputs);
  save_cache(frame.node);
  set_phase(frame.node, api::NodePhase::kSucceeded);
}

}  // namespace tiphys::engine
