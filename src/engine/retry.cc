// Nodes that are tried again. The rules and their order: operator.go, processNodeRetries.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/whole_number.h"
#include "engine/duration_words.h"
#include "engine/machine.h"
#include "engine/names.h"
#include "engine/transient.h"
#include "engine/variables.h"

namespace tiphys::engine {
namespace {

Result<std::optional<int>> optional_int(const Result<std::string>& text, bool given) {
  if (!text) return std::unexpected(text.error());
  if (!given) return std::nullopt;
  const auto number = whole_number(*text);
  if (!number || !std::in_range<int>(*number)) {
    return fail(Code::kInvalidArgument, fmt::format("value '{}' cannot be resolved to an int", *text));
  }
  return static_cast<int>(*number);
}

/// The wait before attempt number `attempts`: duration * factor^(attempts - 1), at most `cap`.
Duration backoff(Duration base, std::optional<int> factor, std::optional<Duration> cap, std::size_t attempts) {
  Duration wait = base;
  if (factor && *factor > 0) {
    const double multiple = std::pow(static_cast<double>(*factor), static_cast<double>(attempts) - 1);
    const bool overflows = multiple > static_cast<double>(INT64_MAX) / std::max<double>(1.0, base.count());
    wait = overflows ? Duration::max() : base * static_cast<std::int64_t>(multiple);
  }
  return cap && wait > *cap ? *cap : wait;
}

}  // namespace

std::vector<NodeIndex> Machine::attempts(const Node& node) const {
  std::vector<NodeIndex> found;
  for (const NodeIndex child : node.children) {
    if (nodes_[child].owner == Owner::kAttempt) found.push_back(child);
  }
  return found;
}

NodeIndex Machine::last_attempt(const Node& node) const {
  for (auto child = node.children.rbegin(); child != node.children.rend(); ++child) {
    if (nodes_[*child].owner == Owner::kAttempt) return *child;
  }
  return kNoNode;
}

NodeIndex Machine::effective(NodeIndex index) const {
  const Node& node = nodes_[index];
  if (node.type != api::NodeType::kRetry || (node.extra && node.extra->memoization && node.extra->memoization->hit)) {
    return index;
  }
  const NodeIndex last = last_attempt(node);
  return last == kNoNode ? index : last;
}

ResolvedInputs Machine::inputs_of_retry(const Node& retry) {
  ResolvedInputs inputs;
  if (retry.inputs) {
    inputs.values = std::make_unique<std::string[]>(retry.plan->inputs.size());
    std::copy_n(retry.inputs.get(), retry.plan->inputs.size(), inputs.values.get());
  }
  if (retry.extra) inputs.rich = retry.extra->inputs;
  return inputs;
}

void Machine::begin_attempt(NodeIndex retry) {
  const Node& around = nodes_[retry];
  if (workflow_.spec.parallelism && active_pods_ >= *workflow_.spec.parallelism && !doomed(around.on_exit)) {
    block(retry);
    return;
  }
  Call call;
  // After a user's retry the first ones may be missing.
  const NodeIndex last = last_attempt(around);
  call.name = attempt_name(around.name, last == kNoNode ? 0 : *attempt_index(nodes_[last].name, around.name) + 1);
  call.template_name = around.template_name;
  call.template_ref = around.template_ref;
  call.plan = around.plan;
  call.boundary = around.boundary;
  call.owner = Owner::kAttempt;
  call.owner_node = retry;
  call.depth = around.depth;
  call.hooked = around.hooked;
  call.retried = true;
  call.on_exit = around.on_exit;
  const NodeIndex index = create_open(call, inputs_of_retry(around));
  // The metrics of the last one are the retry node's.
  if (last != kNoNode) emit_node_metrics(last);
  if (around.daemoned) refresh_held(around.boundary);
  if (around.extra && around.extra->memoization) nodes_[index].extras().memoization = around.extra->memoization;
  run(index);
}

void Machine::retry(NodeIndex index) {
  Node& node = nodes_[index];
  const NodeIndex last_index = last_attempt(node);
  if (node.fulfilled() || node.asks_cache() || node.asks_locks()) return;
  if (last_index == kNoNode) return begin_attempt(index);
  if (nodes_[last_index].daemoned && !node.daemoned) return become_daemon(index);
  if (!nodes_[last_index].fulfilled()) return;
  const Node& last = nodes_[last_index];
  if (!last.failed_or_error()) {
    if (last.outputs) node.outputs = std::make_unique<NodeOutputs>(*last.outputs);
    node.exit_code = last.exit_code;
    node.has_outputs = last.has_outputs;
    return set_phase(index, api::NodePhase::kSucceeded);
  }
  auto verdict = judge_retry(index);
  if (!verdict) {
    const bool died = std::exchange(node.daemoned, false) && node.settled;
    errored(index, verdict.error().message);
    if (died) lost_daemon(index);
    return;
  }
  if (verdict->wait_until) {
    set_timer({*verdict->wait_until, Timer::Kind::kBackoff, index});
    return set_message(index, verdict->message);
  }
  if (!verdict->again) {
    if (last.outputs) node.outputs = std::make_unique<NodeOutputs>(*last.outputs);
    node.exit_code = last.exit_code;
    node.has_outputs = last.has_outputs;
    const bool died = std::exchange(node.daemoned, false) && node.settled;
    set_phase(index, last.phase, verdict->message);
    if (died) lost_daemon(index);
    return;
  }
  if (node.plan->retry->source->backoff) set_message(index, "");
  begin_attempt(index);
}

Result<Machine::RetryVerdict> Machine::judge_retry(NodeIndex index) {
  const Node& node = nodes_[index];
  const RetryPlan& plan = *node.plan->retry;
  const auto all = attempts(node);
  const Node& last = nodes_[all.back()];
  if (!shutdown_.empty()) return RetryVerdict{.message = fmt::format("Stopped with strategy '{}'", shutdown_)};
  if (past_deadline()) {
    return RetryVerdict{.message = "retry exceeded workflow deadline " + go_time(*deadline_)};
  }
  const BodyVariables variables(*this, index);
  const auto read = [&](const Text& text) { return render(text, globals(), variables, Leftover::kKeep); };
  TIPHYS_TRY(const auto limit, optional_int(read(plan.limit), plan.source->limit.has_value()));
  if (plan.source->backoff) {
    TIPHYS_TRY(auto verdict, judge_backoff(index, limit));
    if (verdict) return std::move(*verdict);
  }

  std::string policy = plan.source->retry_policy;
  if (policy.empty()) policy = plan.source->expression.empty() ? "OnFailure" : "Always";
  bool on_failed = policy == "Always" || policy == "OnFailure";
  bool on_error = policy == "Always" || policy == "OnError";
  if (policy == "OnTransientError") on_failed = on_error = may_pass(last.message);
  if (!on_failed && !on_error && policy != "OnTransientError") {
    return fail(Code::kInvalidArgument, policy + " is not a valid RetryPolicy");
  }
  const bool failed = last.phase == api::NodePhase::kFailed;
  if (failed ? !on_failed : !on_error) return RetryVerdict{.message = last.message};
  if (limit && static_cast<int>(all.size()) > *limit) return RetryVerdict{.message = "No more retries left"};
  if (!plan.expression.empty()) {
    TIPHYS_TRY(const expr::Expression expression, plan.expression.filled(globals(), variables));
    expr::Scope scope;
    scope.set_ambient(&ambient_);
    scope.set("retries", std::to_string(all.size() - 1));
    scope.set("lastRetry.exitCode", last.exit_code == Node::kNoExitCode ? "-1" : std::to_string(last.exit_code));
    scope.set("lastRetry.status", std::string(api::node_phase_name(last.phase)));
    scope.set("lastRetry.duration", whole_seconds(last.started_at, last.finished_at));
    scope.set("lastRetry.message", last.message);
    TIPHYS_TRY(const bool again, expression.eval_bool(scope));
    if (!again) return RetryVerdict{.message = "retryStrategy.expression evaluated to false"};
  }
  return RetryVerdict{.again = true};
}

/// Nothing when the wait is over.
Result<std::optional<Machine::RetryVerdict>> Machine::judge_backoff(NodeIndex index, std::optional<int> limit) {
  const Node& node = nodes_[index];
  const RetryPlan& plan = *node.plan->retry;
  const auto all = attempts(node);
  const BodyVariables variables(*this, index);
  const auto duration = [&](const Text& text) -> Result<std::optional<Duration>> {
    TIPHYS_TRY(const std::string written, render(text, globals(), variables, Leftover::kKeep));
    if (written.empty()) return std::nullopt;
    TIPHYS_TRY(const Duration parsed, parse_seconds_or_duration(written));
    return parsed;
  };
  TIPHYS_TRY(const auto longest, duration(plan.max_duration));
  std::optional<Time> last_moment;
  if (longest) last_moment = nodes_[all.front()].started_at + *longest;
  if (last_moment && now_ > *last_moment) return RetryVerdict{.message = "Max duration limit exceeded"};
  TIPHYS_TRY(const auto base, duration(plan.duration));
  if (!base) return fail(Code::kInvalidArgument, "no base duration specified for retryStrategy");
  TIPHYS_TRY(const auto cap, duration(plan.cap));
  TIPHYS_TRY(const auto factor,
             optional_int(render(plan.factor, globals(), variables, Leftover::kKeep), !plan.factor.empty()));
  const Duration wait = backoff(*base, factor, cap, all.size());
  const Time finished = nodes_[all.back()].finished_at;
  const Time until = wait > Time::max() - finished ? Time::max() : finished + wait;
  if (last_moment && until > *last_moment) return RetryVerdict{.message = "Backoff would exceed max duration limit"};
  // Without a limit the original does not wait at all.
  if (now_ < until && limit && static_cast<int>(all.size()) <= *limit) {
    return RetryVerdict{.wait_until = until, .message = "Backoff for " + duration_words(wait)};
  }
  return std::nullopt;
}

}  // namespace tiphys::engine
