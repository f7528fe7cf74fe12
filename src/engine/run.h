// One execution of a workflow as a pure state machine.
//
//   Events come in with the time at which they happened; effects come out and the caller carries them out. An effect
//   may be carried out twice (after a crash it is asked for again): names are deterministic, so creating a pod that
//   exists means adopting it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "api/node_status.h"
#include "api/workflow.h"
#include "base/progress.h"
#include "base/random.h"
#include "engine/config_maps.h"
#include "engine/lock_table.h"

namespace tiphys::engine {

// ---- Events ----

/// The run begins; or it goes on after a restart, and effects that may have been lost are asked for again.
struct Started {
  /// A user's retry has given the workflow other parameters: what goes on gets its inputs anew where it can.
  bool other_parameters = false;
};

/// A pod as the plane last reported it. Late and repeated reports are harmless.
struct PodChanged {
  enum class Phase { kPending, kRunning, kSucceeded, kFailed, kError, kGone };
  std::string node_id;
  Phase phase = Phase::kPending;
  bool ready = false;  ///< all its containers run and are ready: what makes a daemon one
  /// Why it failed, in the original's words ("main: Error (exit code 1)"), or why it waits.
  std::string message;
  std::optional<int> exit_code;
  Time started_at{};
  Time finished_at{};
  std::optional<api::Outputs> outputs;  ///< result, parameters by path, artifacts with their location
  std::string host_node_name;
  std::string pod_ip;
  api::ResourcesDuration resources_duration;  ///< once it has ended
  std::optional<Progress> progress;           ///< that it has told of itself
  /// One of its containers: of a containerSet each has a node.
  struct Container {
    enum class State { kWaiting, kRunning, kEnded };
    std::string name;
    State state = State::kWaiting;
    int exit_code = 0;
    std::string message;  ///< "a: Error (exit code 1): why" of one that has failed
    Time finished_at{};
  };
  std::vector<Container> containers;
};

/// What the plane does itself for a node runs, or has ended.
struct ActionChanged {
  std::string node_id;
  api::NodePhase phase = api::NodePhase::kSucceeded;
  std::string message;
  std::optional<api::Outputs> outputs;
};

/// What the memoization cache holds under the asked key.
struct CacheAnswered {
  std::string node_id;
  /// No value: a miss. A hit within its maximum age: outputs of the node that was saved.
  std::optional<api::Outputs> outputs;
  std::string error;  ///< not empty: the cache could not be read; the node ends in Error
};

/// What has become of the locks that were asked for.
struct LocksAnswered {
  enum class Answer { kGranted, kWaiting, kRefused };
  std::string node_id;  ///< "": the workflow itself
  Answer answer = Answer::kGranted;
  std::string awaited;  ///< kWaiting: the first lock that is in the way
  std::string message;  ///< kWaiting, kRefused: why
  /// kWaiting: who has each of the locks, in the order of the request.
  std::vector<std::vector<std::string>> holders;
};

/// What FindTemplate has come to.
struct TemplateAnswered {
  api::TemplateRef ref;
  /// By key: it, and all that it refers to, beside those that the workflow has stored. They are in its
  /// status.storedTemplates before, or as, what follows from this is persisted.
  api::StoredTemplates templates;
  std::string error;  ///< not empty: it cannot be had; nodes that name it end in Error
};

/// A timer asked for by SetTimer has fired.
struct TimerFired {};

/// spec.suspend changed.
struct SuspendChanged {
  bool suspend = false;
};

/// spec.shutdown became Stop or Terminate.
struct ShutdownRequested {
  std::string strategy;  ///< Stop: exit handlers still run. Terminate: they do not
  std::string message;
};

/// A user ends waiting suspend nodes (resume, stop of selected nodes) or gives them values (node set).
struct NodesRequested {
  /// Pairs of field and value that a node must match (displayName, name, templateName, phase, id,
  /// inputs.parameters.<n>.value); empty: every active suspend node.
  std::vector<std::pair<std::string, std::string>> fields;
  std::optional<api::NodePhase> phase;  ///< Succeeded or Failed ends the node; absent only sets values
  std::string message;
  std::map<std::string, std::string> output_parameters;
};

/// What inputs are read from as their nodes begin. Comes before Started, and again with each change; a node that has
/// begun keeps what it got.
struct ConfigMapsChanged {
  std::shared_ptr<const ConfigMaps> config_maps;
};

using Event = std::variant<Started, PodChanged, ActionChanged, CacheAnswered, LocksAnswered, TemplateAnswered,
                           TimerFired, SuspendChanged, ShutdownRequested, NodesRequested, ConfigMapsChanged>;

// ---- Effects ----

struct CreatePod {
  std::string node_id;
  std::string node_name;
  std::string pod_name;
  doc::Shared template_document;            ///< substituted; inputs hold the values and artifact locations given
  bool include_result = false;              ///< stdout is asked for as outputs.result
  std::optional<Duration> active_deadline;  ///< the pod is killed and failed after this time
  std::optional<Time> run_deadline;         ///< when the workflow, or the retries of the node, must have ended
  bool on_exit = false;                     ///< belongs to an exit handler
};

/// End a pod early; the node has already been told why.
struct StopPod {
  std::string node_id;
  std::string pod_name;
};

/// What the plane does itself, without a pod: a resource, http, data or plugin template.
struct RunAction {
  std::string node_id;
  std::string node_name;
  doc::Shared template_document;
  bool include_result = false;  ///< others use outputs.result
};

struct StopAction {
  std::string node_id;
};

struct LookUpCache {
  std::string node_id;
  std::string config_map;
  std::string key;
  std::optional<Duration> max_age;
};

struct SaveCache {
  std::string node_id;
  std::string config_map;
  std::string key;
  api::Outputs outputs;
};

/// Answer with LocksAnswered, now and whenever the answer changes, until they are granted.
struct AcquireLocks {
  std::string node_id;  ///< "": the workflow itself
  LockRequest request;
};

/// Give back what the node has, or stop asking; once the node's state is persisted, so that no lock is taken twice.
struct ReleaseLocks {
  std::string node_id;
  std::string holder;
};

/// A reference whose tags are filled in names a template of another object that the workflow has not stored. Answer
/// with TemplateAnswered; each is asked for once at a time.
struct FindTemplate {
  api::TemplateRef ref;
};

/// Send TimerFired at `when`. A run has one timer: a later SetTimer replaces the earlier one.
struct SetTimer {
  Time when{};
};

/// A metric of the workflow or of a node, with all that it says. Carried out twice it counts twice, but for realtime.
struct EmitMetric {
  enum class Kind { kCounter, kGauge, kHistogram, kRealtime };
  enum class Operation { kSet, kAdd, kSub };
  std::string name;
  std::string help;
  std::map<std::string, std::string> labels;
  Kind kind = Kind::kCounter;
  double value = 0;
  Operation operation = Operation::kSet;  ///< of a gauge
  std::vector<double> buckets;            ///< of a histogram
  /// kRealtime: a gauge of the seconds since then, or from then till `until` once that is known.
  Time since{};
  Time until{};
};

using Effect = std::variant<CreatePod, StopPod, RunAction, StopAction, LookUpCache, SaveCache, AcquireLocks,
                            ReleaseLocks, FindTemplate, SetTimer, EmitMetric>;

// ---- The run ----

/// `status` of the workflow without its nodes.
struct RunStatus {
  enum class Phase { kUnset, kPending, kRunning, kSucceeded, kFailed, kError };
  Phase phase = Phase::kUnset;
  std::string message;
  std::string progress = "0/0";
  api::ResourcesDuration resources_duration;  ///< of all pods that have ended
  Time started_at{};
  Time finished_at{};
  std::optional<api::Outputs> outputs;  ///< those exported by globalName
  std::string metrics_error;            ///< why metrics could not be emitted
  api::SynchronizationStatus synchronization;
  bool finished() const { return phase >= Phase::kSucceeded; }
};

std::string_view phase_name(RunStatus::Phase phase);
std::optional<RunStatus::Phase> parse_phase(std::string_view name);

class Run {
 public:
  /// A run that has not begun: apply Started next. The workflow has been validated.
  /// `random` is what expressions draw from.
  static Result<std::unique_ptr<Run>> create(api::Workflow workflow, Random& random);
  /// A run as it was persisted: its nodes, status and the workflow. Apply Started next, then PodChanged for every pod
  /// that exists.
  static Result<std::unique_ptr<Run>> restore(api::Workflow workflow, RunStatus status,
                                              std::vector<api::NodeStatus> nodes, Random& random);
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  /// Advances the run and appends what is to be done, in order. Cost: linear in the nodes that change.
  void apply(const Event& event, Time now, std::vector<Effect>& effects);

  /// An EmitMetric could not be carried out; the status tells why.
  void metric_refused(std::string_view error);

  const api::Workflow& workflow() const;
  const RunStatus& status() const;
  /// The status of a node, put together when asked for (the run keeps a denser form); nothing when there is none.
  /// `progress` of nodes that contain others is as of now: it moves without making the node a changed one.
  std::optional<api::NodeStatus> find_node(std::string_view node_id) const;
  std::size_t node_count() const;

  /// Ids of the nodes that changed since the last call, in order of first change, each once, and whether status() did.
  /// Clears both. Persist them together: a run restored from a state between two calls of apply goes on as this one.
  struct Changes {
    std::vector<std::string> nodes;
    std::vector<api::NodePhase> phases;  ///< of the same at the last call; kUnset: the node is new
    bool status = false;
  };
  Changes take_changes();

 private:
  class State;
  explicit Run(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Names as the original builds them (workflow/util/pod_name.go, pkg/apis/workflow/v1alpha1: NodeID).
std::string node_id(std::string_view workflow_name, std::string_view node_name);
std::string pod_name(std::string_view workflow_name, std::string_view node_name, std::string_view template_name,
                     std::string_view node_id);

}  // namespace tiphys::engine
