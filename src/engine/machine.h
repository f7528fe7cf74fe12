// The state machine behind Run. Its methods lie in files by subject: machine.cc (events, the agenda), begin.cc (a
// template becomes a node), config_maps.cc, metrics.cc, pods.cc, resources.cc, container_set.cc, steps.cc, dag.cc,
// loops.cc, named_templates.cc, tagged_names.cc, retry.cc, exit.cc, hooks.cc, daemons.cc, suspend.cc, control.cc
// (stopping), outputs.cc, connect.cc (children and outbound nodes), load.cc, restore.cc, resolve_again.cc and
// status.cc.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "engine/compiled_template.h"
#include "engine/node.h"
#include "engine/run.h"
#include "expr/ambient.h"

namespace tiphys::engine {

/// Values and artifacts that are handed to a template.
struct Arguments {
  struct Parameter {
    std::string_view name;
    /// Nothing: the value is the output of a skipped node without a default; the input's own default applies.
    std::optional<std::string> value;
    /// The value is in a ConfigMap.
    std::unique_ptr<const api::ValueFrom> source = nullptr;
  };
  std::vector<Parameter> parameters;
  std::vector<api::Artifact> artifacts;
};

/// It has no value of its own: a ConfigMap has it.
inline bool reads_config_map(const api::Parameter& parameter) {
  return !parameter.value && parameter.value_from && parameter.value_from->config_map;
}

/// The parameters that have a value or a ConfigMap that has it, as they are written.
std::vector<Arguments::Parameter> given_values(const api::Arguments& source);

/// A template's inputs with their values.
struct ResolvedInputs {
  std::unique_ptr<std::string[]> values;  ///< by position in the plan's inputs
  std::optional<api::Inputs> rich;
};

/// One invocation of a template: what becomes a node.
struct Call {
  std::string name;
  const std::string* template_name = nullptr;
  const api::TemplateRef* template_ref = nullptr;
  const CompiledTemplate* plan = nullptr;  ///< null: there is no such template
  NodeIndex boundary = kNoNode;
  NodeIndex owner_node = kNoNode;
  Owner owner = Owner::kEntry;
  std::uint32_t task = kNoTask;
  std::uint32_t turn = kNoTask;
  std::uint16_t depth = 1;
  bool hooked = false;
  bool retried = false;
  bool on_exit = false;
  bool exit_hook = false;
};

/// A step or task whose references are resolved. For a loop the item's tags are still there.
struct ResolvedStep {
  std::string when;
  bool proceed = true;  ///< false: `when` is false whatever the item; nothing else is resolved
  std::vector<std::optional<std::string>> values;  ///< by position in the step's arguments; nothing: absent
  std::vector<api::Artifact> artifacts;
  std::optional<api::TemplateRef> ref;  ///< where the step's has tags
};

/// The phase of a run whose entry node has this one.
RunStatus::Phase run_phase(api::NodePhase phase);

class Machine {
 public:
  Machine(api::Workflow workflow, Random& random);
  Status load(RunStatus status, std::vector<api::NodeStatus> nodes);
  void apply(const Event& event, Time now, std::vector<Effect>& effects);
  void metric_failed(std::string_view error);

  const api::Workflow& workflow() const { return workflow_; }
  const RunStatus& status() const { return status_; }
  std::optional<api::NodeStatus> find_node(std::string_view id) const;
  std::size_t node_count() const { return nodes_.size(); }
  Run::Changes take_changes();

 private:
  friend class BodyVariables;
  friend class MetricVariables;
  friend class SiblingVariables;

  /// Where a node stands in the manifest, tasks and turns from the outermost in: of two that could begin or end now,
  /// the first does so first. Nothing of the past decides, for a restored run does not know it.
  using Rank = std::vector<std::uint32_t>;
  struct Action {
    enum class Kind : std::uint8_t {
      kEnded,    ///< tell the owner
      kAdvance,  ///< see whether the frame's group or dag is complete
      kRetry,    ///< see whether the retry node ends or tries again
      kUnblock,  ///< begin what parallelism held back
      kWake,     ///< go on with a restored frame
      kHooks,    ///< see whether hooks of a task are due
      kDied,     ///< a daemon has ended by itself, after those that waited for it went on
    };
    Kind kind;
    NodeIndex node = kNoNode;
  };
  struct Timer {
    enum class Kind : std::uint8_t { kDeadline, kSuspend, kBackoff, kPending };
    Time when{};
    Kind kind = Kind::kDeadline;
    NodeIndex node = kNoNode;
    Rank rank = {};  ///< of the node; set by set_timer
    bool operator>(const Timer& other) const { return std::tie(when, rank) > std::tie(other.when, other.rank); }
  };

  // machine.cc
  void handle(const Started& event);
  void handle(const PodChanged& event);
  void handle(const ActionChanged& event);
  void handle(const CacheAnswered& event);
  void handle(const LocksAnswered& event);
  void handle(const TemplateAnswered& event);
  void handle(const TimerFired&);
  void handle(const SuspendChanged& event);
  void handle(const ShutdownRequested& event);
  void handle(const NodesRequested& event);
  void handle(const ConfigMapsChanged& event);
  void answer(const CacheAnswered& event);
  void drain();
  void do_action(const Action& action);
  void ended(NodeIndex index);
  void begin_run();
  void begin_entry();
  void handle_deadline();
  void set_timer(Timer timer);
  void ask_for_timer();
  void set_status(RunStatus::Phase phase, std::string message);
  void end_run(RunStatus::Phase phase, std::string message);
  void sum_resources();
  void push(Action::Kind kind, NodeIndex node) { agenda_.push_back({kind, node}); }

  // globals.cc
  void set_globals();
  const expr::Scope& globals();
  std::string failed_nodes() const;
  void export_globals(const CompiledTemplate* plan, const api::Outputs& outputs);

  // begin.cc
  void begin(const Call& call, const Arguments& arguments);
  void run(NodeIndex index);
  Result<ResolvedInputs> resolve_inputs(const Call& call, const Arguments& arguments);
  Result<std::unique_ptr<const api::ValueFrom>> argument_source(const api::Parameter& parameter,
                                                                const Variables& variables, Leftover leftover);
  Result<std::string> config_map_value(const std::string& input, const api::ValueFrom& source);
  Result<api::Inputs> resolve_rich(const Call& call, const Arguments& arguments, const std::string* values);
  NodeIndex create(const Call& call, api::NodeType type, api::NodePhase phase);
  NodeIndex create_open(const Call& call, ResolvedInputs inputs);
  NodeIndex create_ended(const Call& call, api::NodePhase phase, std::string message);
  void fail_to_begin(const Call& call, const std::string& error);
  Status apply_display_name(NodeIndex index);
  Result<LookUpCache> cache_question(const CompiledTemplate& plan, const Variables& variables);
  void ask_cache(NodeIndex index, LookUpCache question);
  void save_cache(NodeIndex index);
  void run_open(NodeIndex index);

  // locks.cc; kNoNode is the workflow itself
  std::string lock_holder(NodeIndex index) const;
  Result<std::vector<LockName>> lock_names(const LockPlans& plans, const Variables& variables);
  void request_locks(NodeIndex index, std::vector<LockName> names);
  bool workflow_waits() const;
  void ask_workflow_locks();
  void workflow_locks_refused(const std::string& why);
  void workflow_locks_answered(const LocksAnswered& event);
  void ask_locks(NodeIndex index);
  void wait_for_lock(NodeIndex index, const LocksAnswered& event);
  bool too_late(NodeIndex index);
  void fail_waiting(const Frame& frame);
  bool must_give_back(const Node& node) const;
  void begin_unlocked(NodeIndex index);
  void release_locks(NodeIndex index);
  void note_held(NodeIndex index);
  void note_awaited(NodeIndex index, const LocksAnswered& event);
  void forget_awaited(NodeIndex index);
  void forget_locks(NodeIndex index);
  void load_locks();

  // nodes: phases, counters, progress (phases.cc)
  void set_phase(NodeIndex index, api::NodePhase phase);
  void set_phase(NodeIndex index, api::NodePhase phase, std::string message);
  void set_message(NodeIndex index, std::string message);
  /// The engine itself could not go on with the node; tells the owner so.
  void errored(NodeIndex index, const std::string& error);
  void tell_error(NodeIndex index, const std::string& error);
  void count(const Node& node, int sign);
  void count_whole(const Node& node, int sign);
  static void count_in_frame(const Node& node, Frame& frame, int sign);
  void make_room(const Node& node);
  void place_node(NodeIndex index);
  void add_progress(const Node& node, const Progress& more);
  void set_progress(NodeIndex index, const Progress& told);
  NodeIndex container_of(const Node& node) const;
  Frame* frame_of(NodeIndex boundary) { return boundary == kNoNode ? nullptr : nodes_[boundary].frame.get(); }

  // pods.cc
  void launch(NodeIndex index);
  Status set_pending_timer(NodeIndex index);
  void ask_for_pod(NodeIndex index);
  bool wants_result(NodeIndex index);
  Result<std::optional<Time>> retries_deadline(NodeIndex index);
  Result<std::optional<Duration>> pod_deadline(NodeIndex index, std::optional<Time> retries_end);
  void stop_pod(NodeIndex index);
  void take_outputs(NodeIndex index, const std::optional<api::Outputs>& outputs);
  void add_declared(NodeIndex index, const api::Outputs& declared, api::Outputs& outputs);
  void pod_ended(NodeIndex index, api::NodePhase phase, const PodChanged& event);

  // container_set.cc
  std::string container_name(NodeIndex pod, std::string_view container) const;
  void create_containers(NodeIndex pod);
  void containers_changed(NodeIndex pod, const std::vector<PodChanged::Container>& containers);
  void end_containers(NodeIndex pod, api::NodePhase phase, const std::string& message);
  void place_containers(NodeIndex pod, const std::vector<NodeIndex>& members);
  void last_containers(NodeIndex pod, std::vector<NodeIndex>& into) const;

  // daemons.cc
  void become_daemon(NodeIndex index);
  void lost_daemon(NodeIndex index);
  void daemon_died(NodeIndex index);
  bool of_ended_loop(const Frame& frame, const Node& node) const;
  void reopen(Frame& frame, NodeIndex index);
  void fail_past_group(Frame& frame, NodeIndex index);
  void refresh_held(NodeIndex boundary);
  void refresh_loop(Frame& frame, std::uint32_t task);
  void end_daemons(const std::vector<NodeIndex>& daemons);
  void restore_daemons(Frame& frame, const std::vector<NodeIndex>& members);

  // metrics.cc
  static bool has_end_metrics(const Node& node);
  void emit_realtime(NodeIndex index);
  void emit_node_metrics(NodeIndex index);
  void emit_workflow_metrics(bool begins);
  void emit_metric(const MetricPlan& plan, NodeIndex index);
  Result<std::optional<EmitMetric>> evaluate_metric(const MetricPlan& plan, NodeIndex index);
  static Status put_value(const api::Metric& source, const std::string& text, EmitMetric& metric);
  Status put_time(const MetricPlan& plan, NodeIndex index, EmitMetric& metric) const;
  api::ResourcesDuration resources_of(NodeIndex index) const;

  // suspend.cc
  void wait_suspended(NodeIndex index);
  void suspend_over(NodeIndex index);
  static Status use_supplied_defaults(Node& node);
  void export_outputs(NodeIndex index);
  bool matches(NodeIndex index, const std::vector<std::pair<std::string, std::string>>& fields) const;

  // frames (frames.cc)
  void open_frame(NodeIndex index);
  void pump(Frame& frame);
  bool gate_open(Frame& frame);
  Rank rank(NodeIndex index) const;
  void block(NodeIndex index) { blocked_.insert_or_assign(rank(index), index); }
  void unblock();
  bool begin_held(Frame& frame);
  bool begin_held_turn(Frame& frame, std::uint32_t task, Expansion& loop);
  void hold(Frame& frame, std::uint32_t task, ResolvedStep step);
  void omit_held(Frame& frame);
  Call task_call(Frame& frame, std::uint32_t task);
  Call turn_call(Frame& frame, std::uint32_t task, std::uint32_t turn, const LoopItem& item);
  Result<Arguments> task_arguments(Frame& frame, std::uint32_t task, ResolvedStep step);

  // named_templates.cc: those that a tag names
  Result<std::optional<api::TemplateRef>> resolve_ref(Frame& frame, std::uint32_t task);
  void aim_at(Call& call, const std::optional<api::TemplateRef>& ref);
  bool aim(Call& call, const std::optional<api::TemplateRef>& ref);
  bool aim_names(NodeIndex index);
  bool aim_workflow_hooks();
  Result<std::optional<api::TemplateRef>> workflow_hook_ref(const HookPlan& hook);
  bool aim_hooks_of_turn(Frame& frame, std::uint32_t task, const LoopItem& item);
  Result<std::optional<api::TemplateRef>> hook_ref(const HookPlan& hook, const Variables& variables);
  bool wait_for_template(const api::TemplateRef& ref);
  std::string no_such_template(const Call& call) const;

  // tagged_names.cc
  Status settle_names(NodeIndex index);

  // frames.cc
  void task_settled(Frame& frame, std::uint32_t task);
  void turn_settled(Frame& frame, std::uint32_t task);
  void settle(NodeIndex index);
  void stop_frame(Frame& frame);
  bool failed_fast(Frame& frame);
  void advance(Frame& frame);
  Result<ResolvedStep> resolve_step(Frame& frame, std::uint32_t task);
  Result<std::optional<api::Artifact>> resolve_artifact(const ArtifactPlan& plan, const Variables& variables,
                                                        NodeIndex around);
  void begin_resolved(Frame& frame, Call call, ResolvedStep step);

  // steps.cc
  void begin_group(Frame& frame, std::uint32_t group);
  void end_group(Frame& frame);
  void end_steps(Frame& frame);
  void end_with_outputs(Frame& frame);
  void fail_group(Frame& frame, api::NodePhase phase, const std::string& message);

  // dag.cc
  Result<std::shared_ptr<const DagTargets>> find_targets(NodeIndex index);
  void begin_dag(Frame& frame);
  void task_due(Frame& frame, std::uint32_t task);
  void omit(Frame& frame, std::uint32_t task);
  bool depends_hold(const Frame& frame, std::uint32_t task) const;
  void end_dag(Frame& frame);
  api::NodePhase assess_dag(const Frame& frame) const;
  std::uint8_t inherited_branch(const Frame& frame, std::uint32_t task) const;
  std::uint8_t passed_branch(NodeIndex index) const;
  void pass_branch_on(Frame& frame, std::uint32_t task);

  // loops.cc
  Result<Expansion> expand(Frame& frame, std::uint32_t task, ResolvedStep step);
  Status find_items(const LoopPlan& plan, const Variables& variables, Expansion& expansion);
  static LoopItem item_of(const Expansion& loop, std::uint32_t turn);
  void begin_loop(Frame& frame, std::uint32_t task, Expansion expansion);
  bool begin_turn(Frame& frame, std::uint32_t task, std::uint32_t turn);
  Status check_turns(Frame& frame, std::uint32_t task, const Expansion& expansion);
  Result<Arguments> turn_arguments(Frame& frame, std::uint32_t task, const Expansion& loop, const LoopItem& item);
  Result<std::optional<api::TemplateRef>> turn_ref(Frame& frame, std::uint32_t task, const LoopItem& item);
  void end_loop(Frame& frame, std::uint32_t task);
  const Aggregate& aggregate(Expansion& loop) const;

  // retry.cc
  void begin_attempt(NodeIndex retry);
  void retry(NodeIndex index);
  /// What follows a failed attempt: another one, now or later, or the end with the attempt's phase and `message`.
  struct RetryVerdict {
    bool again = false;
    std::optional<Time> wait_until = std::nullopt;
    std::string message = {};
  };
  Result<RetryVerdict> judge_retry(NodeIndex index);
  Result<std::optional<RetryVerdict>> judge_backoff(NodeIndex index, std::optional<int> limit);
  NodeIndex last_attempt(const Node& node) const;
  std::vector<NodeIndex> attempts(const Node& node) const;
  /// The last attempt of a retry node, whose outputs count; else the node itself.
  NodeIndex effective(NodeIndex index) const;

  // hooks.cc
  NodeIndex find_hook(NodeIndex index, std::string_view name) const;
  /// The step or task whose hooks the node has; null when it has none.
  const CompiledStep* hooked_step(NodeIndex index) const;
  void phase_seen(NodeIndex index);
  void consider_hooks(NodeIndex index);
  Result<bool> hook_due(NodeIndex index, const HookPlan& hook);
  std::optional<LoopItem> item_of_turn(NodeIndex index);
  bool hooks_open(NodeIndex index) const;
  bool awaits_hook(NodeIndex index) const;
  void hook_failed(NodeIndex index, const std::string& error);
  void begin_hook(NodeIndex index, const HookPlan& hook, std::uint32_t position, std::string name);
  void leave(NodeIndex index);
  void hook_ended(NodeIndex index);
  bool consider_workflow_hooks();
  void begin_workflow_hook(const HookPlan& hook, std::uint32_t position, std::string name);

  // exit.cc
  bool begin_exit_hook(NodeIndex index);
  void entry_ended();
  void finish();
  bool executes(bool on_exit) const;

  // control.cc
  std::vector<NodeIndex> open_nodes() const;
  void stop_all(const std::string& pod_message, const std::string& other_message, bool exit_handlers_too);
  bool past_deadline() const;
  bool doomed(bool on_exit) const;

  // outputs.cc
  Result<std::optional<api::Outputs>> outputs_of(Frame& frame);
  Result<std::string> output_value(const OutputPlan& plan, const Variables& variables);
  Result<std::optional<api::Artifact>> find_artifact(std::string_view tag, NodeIndex around);

  // connect.cc
  void add_child(NodeIndex parent, NodeIndex child);
  void attach(NodeIndex index);
  void outbound_nodes(NodeIndex index, std::vector<NodeIndex>& into) const;
  void set_outbound(NodeIndex index, std::vector<NodeIndex> outbound);

  // load.cc, restore.cc
  Status load_node(api::NodeStatus& status);
  Status load_edges(const std::vector<api::NodeStatus>& nodes);
  void place_loaded(std::vector<api::NodeStatus>& statuses);
  void place_attempts(NodeIndex retry, std::vector<NodeIndex>& open);
  void view_frames(NodeIndex boundary, const std::vector<std::vector<NodeIndex>>& members);
  bool place_member(NodeIndex boundary, NodeIndex index);
  void place_hooks(NodeIndex index, std::vector<NodeIndex>& open);
  void aim_loaded_hook(Node& node, const HookPlan& hook);
  void load_values(NodeIndex index, api::NodeStatus& status);
  void load_inputs(NodeIndex index, api::NodeStatus& status);
  void resume(bool inputs_anew);
  void give_up_unplaced();
  void take_up(const std::vector<NodeIndex>& nodes, bool inputs_anew);
  void restore_frames(const std::vector<NodeIndex>& nodes, bool inputs_anew);
  bool comes_later(NodeIndex index) const;
  void resume_dependents(Frame& frame, std::uint32_t task);
  void resume_group(Frame& frame, std::uint32_t group, NodeIndex node);
  bool ended_with_scope(const Node& node) const;
  void resume_locked(NodeIndex index);
  bool is_within(NodeIndex index, NodeIndex around) const;
  bool sleeps_within(NodeIndex around) const;
  void give_up_asleep(NodeIndex around);
  void wake(NodeIndex index);
  void wake_frame(Frame& frame);
  void restore_frame(NodeIndex index, const std::vector<NodeIndex>& members);
  void restore_steps(Frame& frame);
  void restore_dag(Frame& frame);
  void restore_tasks(Frame& frame, std::vector<std::uint32_t> tasks);
  bool may_have_begun(const Frame& frame, std::uint32_t task) const;
  void restore_branches(NodeIndex index);
  void put_in_frame(Frame& frame, NodeIndex index) const;
  void restore_items(Frame& frame, std::uint32_t task);
  void restore_loop(Frame& frame, std::uint32_t task);

  // resolve_again.cc
  void resolve_again(NodeIndex index);
  Result<ResolvedInputs> inputs_anew(NodeIndex index);
  static ResolvedInputs inputs_of_retry(const Node& retry);
  Arguments entry_arguments() const;

  // status.cc
  api::NodeStatus status_of(NodeIndex index) const;
  std::string scope_of(const Node& node) const;
  api::Inputs inputs_of(const Node& node) const;

  api::Workflow workflow_;
  CompiledWorkflow plans_;
  RunStatus status_;
  NodeTable nodes_;
  expr::Scope globals_;
  expr::Ambient ambient_;
  Time duration_at_{};  ///< when workflow.duration was last set
  bool status_changed_ = false;
  bool node_failed_ = false;  ///< since workflow.failures was looked at

  Time now_{};
  std::vector<Effect>* effects_ = nullptr;
  std::deque<Action> agenda_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::optional<Time> asked_timer_;
  std::shared_ptr<const ConfigMaps> config_maps_;                     ///< null: none
  std::unordered_map<NodeIndex, api::MemoizationStatus> lookups_;     ///< while the cache is asked
  std::vector<CacheAnswered> answers_;                                ///< come while suspended
  std::unordered_map<NodeIndex, std::vector<LockName>> asked_locks_;  ///< of those that ask
  std::set<NodeIndex> awaiting_;                                      ///< those that have been told to wait
  std::map<std::string, int> awaited_;                                ///< how many of them await a lock
  std::set<std::string> asked_templates_;                             ///< keys of those that are being looked for
  std::map<std::string, std::string> missing_;  ///< of those that were not found, why; until what asked has gone on
  std::vector<NodeIndex> daemons_;              ///< entry and exit handler, and their attempts, that became so
  /// Frames, retry nodes and nodes that gave their locks back: they go on when there is room.
  std::map<Rank, NodeIndex> blocked_;
  std::unordered_map<std::uint64_t, ResolvedStep> resolved_;  ///< held steps, by frame's node and task

  NodeIndex entry_ = kNoNode;
  NodeIndex exit_ = kNoNode;
  std::optional<Time> deadline_;
  bool deadline_over_ = false;  ///< what it ends has been ended
  std::string shutdown_;
  bool suspended_ = false;
  bool other_parameters_ = false;                ///< a user's retry has given some
  bool loaded_ = false;                          ///< restored, and not yet started again
  std::vector<std::vector<NodeIndex>> members_;  ///< by boundary, between load and start, or until none is asleep
  std::vector<NodeIndex> asleep_;
  std::uint32_t active_pods_ = 0;
  Progress progress_;
};

}  // namespace tiphys::engine
