// After a user's retry with other parameters: nodes that run again get their inputs anew.
#include <fmt/format.h>

#include <algorithm>

#include "engine/loop_items.h"
#include "engine/machine.h"
#include "engine/variables.h"

namespace tiphys::engine {

/// What is around the node has been restored. It keeps what it has when that hangs on something that runs again, too,
/// or when what has begun within it would have to have other names.
void Machine::resolve_again(NodeIndex index) {
  Node& node = nodes_[index];
  if (node.plan->inputs.empty() && !node.plan->rich_inputs) return;
  auto inputs = inputs_anew(index);
  if (!inputs) return;
  std::swap(node.inputs, inputs->values);
  if (inputs->rich) std::swap(node.extras().inputs, inputs->rich);
  const CompiledTemplate* plan = node.plan;
  if (holds_frame(node.type) && plan->pattern) {
    const bool renamed = !settle_names(index) || !same_names(*plan->source, *node.plan->source);
    if (renamed && !members_[index].empty()) {
      node.plan = plan;
      std::swap(node.inputs, inputs->values);
      if (inputs->rich) std::swap(node.extras().inputs, inputs->rich);
      return;
    }
  }
  nodes_.touch(index);
}

Result<ResolvedInputs> Machine::inputs_anew(NodeIndex index) {
  const Node& node = nodes_[index];
  if (node.owner == Owner::kAttempt) {
    resolve_again(node.owner_node);
    return inputs_of_retry(nodes_[node.owner_node]);
  }
  if (node.owner == Owner::kEntry) {
    Call call;
    call.name = workflow_.name;
    call.template_name = &workflow_.spec.entrypoint;
    call.plan = node.plan;
    return resolve_inputs(call, entry_arguments());
  }
  Frame* frame = frame_of(node.boundary);
  if (!frame || node.owner != Owner::kTask) return fail(Code::kUnimplemented, "the inputs of a hook stay");
  if (node.turn != kNoTask) {
    const Expansion& loop = frame->loops.at(node.task);
    if (node.turn >= loop.items.size()) return fail(Code::kInvalidArgument, "its loop has no such item any more");
    const LoopItem item = item_of(loop, node.turn);
    TIPHYS_TRY(const Arguments arguments, turn_arguments(*frame, node.task, loop, item));
    Call call = turn_call(*frame, node.task, node.turn, item);
    call.plan = node.plan;
    return resolve_inputs(call, arguments);
  }
  TIPHYS_TRY(ResolvedStep step, resolve_step(*frame, node.task));
  if (!step.proceed) {
    return fail(Code::kInvalidArgument, fmt::format("when '{}' evaluated false with other parameters", step.when));
  }
  TIPHYS_TRY(const Arguments arguments, task_arguments(*frame, node.task, std::move(step)));
  Call call = task_call(*frame, node.task);
  call.plan = node.plan;
  return resolve_inputs(call, arguments);
}

}  // namespace tiphys::engine
