// A world for tests of the engine: it carries the effects of a run out with virtual time, and says how each pod ends.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "api/found_templates.h"
#include "api/parse.h"
#include "base/check.h"
#include "doc/yaml.h"
#include "engine/manual_retry.h"
#include "engine/resubmit_nodes.h"
#include "engine/run.h"

namespace tiphys::engine {

inline constexpr Time kStart = Time{std::chrono::seconds{1'700'000'000}};

inline api::Workflow workflow_of(std::string_view yaml) {
  auto documents = doc::parse_yaml(yaml, "test.yaml");
  TIPHYS_CHECK(documents, documents.error().message);
  std::vector<api::Finding> findings;
  api::Workflow workflow = api::parse_resolved_workflow(documents->front().root, findings);
  for (const api::Finding& finding : findings) {
    TIPHYS_CHECK(!finding.is_error(), finding.pointer + ": " + finding.message);
  }
  if (workflow.name.empty()) workflow.name = "wf";
  workflow.created = kStart;
  if (workflow.ns.empty()) workflow.ns = "default";
  return workflow;
}

/// The containers of a containerSet's pod: all run, or all have ended with `exit_code`.
inline std::vector<PodChanged::Container> containers_of(const CreatePod& pod, std::optional<int> exit_code) {
  std::vector<PodChanged::Container> containers;
  const doc::Value* set = doc::find(*pod.template_document, "containerSet", "containers");
  if (!set) return containers;
  for (const doc::Value& each : set->get_array()) {
    PodChanged::Container& container = containers.emplace_back();
    container.name = doc::find_string(each, "name");
    container.state = exit_code ? PodChanged::Container::State::kEnded : PodChanged::Container::State::kRunning;
    container.exit_code = exit_code.value_or(0);
    container.message = fmt::format("{}: Error (exit code {})", container.name, container.exit_code);
  }
  return containers;
}

/// So long an action runs: not so long that it ends together with a pod, a timer or a deadline.
inline constexpr Duration kActionRuns = std::chrono::milliseconds(700);

/// It ends well, but for a request of http://bad.
inline ActionChanged ended(const RunAction& action) {
  ActionChanged finished;
  finished.node_id = action.node_id;
  const doc::Value* http = doc::find(*action.template_document, "http");
  if (doc::find(*action.template_document, "data")) finished.outputs.emplace().result = R"(["a","b"])";
  if (!http) return finished;
  finished.outputs.emplace().result = "body";
  if (doc::find_string(*http, "url") != "http://bad") return finished;
  finished.phase = api::NodePhase::kFailed;
  finished.message = "received non-2xx response code: 500";
  return finished;
}

/// How a pod ends.
struct PodEnd {
  PodChanged::Phase phase = PodChanged::Phase::kSucceeded;
  std::string message = {};
  std::optional<int> exit_code = 0;
  std::optional<api::Outputs> outputs = {};
  Duration runs = std::chrono::seconds(1);
  std::optional<Progress> progress = {};               ///< told while it runs
  std::vector<PodChanged::Container> containers = {};  ///< without any those of a set all end with the exit code
};

inline PodChanged pod_changed(std::string node_id, PodChanged::Phase phase, std::string message = "") {
  PodChanged event;
  event.node_id = std::move(node_id);
  event.phase = phase;
  event.message = std::move(message);
  return event;
}

inline PodEnd failing(int exit_code = 1) {
  return {PodChanged::Phase::kFailed, fmt::format("main: Error (exit code {})", exit_code), exit_code};
}
inline PodEnd erring(std::string message = "pod lost") {
  return {PodChanged::Phase::kError, std::move(message), std::nullopt};
}
inline PodEnd printing(std::string result) {
  PodEnd end;
  end.outputs.emplace().result = std::move(result);
  return end;
}
inline PodEnd giving(std::string name, std::string value) {
  PodEnd end;
  api::Parameter& parameter = end.outputs.emplace().parameters.emplace_back();
  parameter.name = std::move(name);
  parameter.value = std::move(value);
  return end;
}

class FakeWorld {
 public:
  explicit FakeWorld(api::Workflow workflow) : manifest(workflow) {
    auto made = Run::create(std::move(workflow), random);
    TIPHYS_CHECK(made, "a run is created");
    run = std::move(*made);
  }
  explicit FakeWorld(std::string_view yaml) : FakeWorld(workflow_of(yaml)) {}

  /// How a pod ends, by its node's name; unknown ones succeed.
  std::function<PodEnd(const CreatePod&)> script = [this](const CreatePod& pod) {
    const auto found = ends.find(pod.node_name);
    return found == ends.end() ? PodEnd{} : found->second;
  };
  std::map<std::string, PodEnd> ends;
  std::map<std::string, api::Outputs> cache;  ///< by key
  std::function<std::optional<api::Outputs>(const LookUpCache&)> look_up =
      [this](const LookUpCache& ask) -> std::optional<api::Outputs> {
    const auto found = cache.find(ask.key);
    return found == cache.end() ? std::nullopt : std::optional(found->second);
  };

  void apply(const Event& event) {
    std::vector<Effect> effects;
    if (const auto* answer = std::get_if<TemplateAnswered>(&event)) {
      manifest.stored_templates.insert(answer->templates.begin(), answer->templates.end());
    }
    run->apply(event, now, effects);
    persist();
    for (Effect& effect : effects) carry_out(std::move(effect));
    if (crashes_before_answers && !asked.empty() && !run->status().finished()) crash();
    answer_locks();
  }

  // ---- Locks ----

  /// Another workflow's hold on a lock, and when it ends.
  struct Foreign {
    LockName lock;
    std::string holder;
    Time until{};
  };
  void hold(Foreign other) {
    locks.restore(other.lock, other.holder);
    foreign.push_back(std::move(other));
  }
  void ask_for_locks(const AcquireLocks& ask) {
    for (const LockName& lock : ask.request.locks) {
      if (lock.semaphore && !limits.contains(lock.id())) {
        return apply(LocksAnswered{.node_id = ask.node_id,
                                   .answer = LocksAnswered::Answer::kRefused,
                                   .awaited = {},
                                   .message = "no limit of " + lock.text(),
                                   .holders = {}});
      }
    }
    asked[ask.request.holder] = ask;
    locks.request(ask.request);
    for (const LockName& lock : ask.request.locks) {
      if (lock.semaphore) locks.set_limit(lock.id(), limits.at(lock.id()));
    }
  }
  void answer_locks() {
    for (const LockDecision& decision : locks.decide()) {
      const auto found = asked.find(decision.holder);
      if (found == asked.end()) continue;
      LocksAnswered answer;
      answer.node_id = found->second.node_id;
      answer.answer = decision.granted ? LocksAnswered::Answer::kGranted : LocksAnswered::Answer::kWaiting;
      answer.awaited = decision.awaited;
      answer.message = decision.message;
      for (const LockName& lock : found->second.request.locks) answer.holders.push_back(locks.holders(lock.id()));
      if (decision.granted) asked.erase(found);
      apply(answer);
    }
  }
  bool step_foreign() {
    const auto next = std::ranges::min_element(foreign, {}, &Foreign::until);
    if (next == foreign.end()) return false;
    if (!due.empty() && due.begin()->first < next->until) return false;
    if (timer && *timer < next->until) return false;
    now = std::max(now, next->until);
    locks.release(next->holder);
    foreign.erase(next);
    answer_locks();
    return true;
  }

  /// What a reference comes to among the objects of the library.
  TemplateAnswered answer_of(const api::TemplateRef& ref) const {
    api::References references(run->workflow(), ref);
    while (!references.wanted().empty()) {
      const api::TemplateHolder holder = *references.wanted().begin();
      const auto object = library.find(holder);
      references.add(holder, object == library.end() ? nullptr : object->second);
    }
    auto templates = api::found_templates(run->workflow(), ref, references);
    if (!templates) return {ref, {}, templates.error().message};
    return {ref, std::move(templates->templates), ""};
  }
  /// Puts a WorkflowTemplate or ClusterWorkflowTemplate there.
  void put(std::string_view yaml) {
    auto documents = doc::parse_yaml(yaml, "library.yaml");
    TIPHYS_CHECK(documents, documents.error().message);
    doc::Value root = std::move(documents->front().root);
    root.as_object()["apiVersion"] = "argoproj.io/v1alpha1";
    auto object = std::make_shared<const doc::Value>(std::move(root));
    const bool of_cluster = doc::find_string(*object, "kind") == "ClusterWorkflowTemplate";
    library[{of_cluster, std::string(doc::find_string(*object, "metadata", "name"))}] = std::move(object);
  }

  /// Starts the run and lets the world go on until nothing is left to happen.
  void play() {
    apply(Started{});
    while (step()) {
    }
  }
  /// The next thing that happens; false when there is none.
  bool step() {
    if (step_foreign()) return true;
    if (due.empty()) {
      if (!timer) return false;
      now = std::max(now, *timer);
      timer.reset();
      apply(TimerFired{});
      return true;
    }
    auto next = due.begin();
    if (timer && *timer < next->first) {
      now = std::max(now, *timer);
      timer.reset();
      apply(TimerFired{});
      return true;
    }
    now = std::max(now, next->first);
    const Event event = std::move(next->second);
    due.erase(next);
    apply(event);
    return true;
  }

  void persist() {
    for (const std::string& id : run->take_changes().nodes) {
      const api::NodeStatus node = *run->find_node(id);
      const auto known = rows.find(id);
      if (known == rows.end()) order.push_back(id);
      if (known != rows.end() && on_change) on_change(known->second, node);
      rows.insert_or_assign(id, node);
    }
  }
  /// Forgets the run, and restores it from what was persisted. Pods go on.
  void crash() {
    std::vector<api::NodeStatus> nodes;
    for (const auto& [id, node] : rows) nodes.push_back(node);
    api::Workflow workflow = manifest;
    workflow.spec.suspend = run->workflow().spec.suspend;
    workflow.spec.shutdown = run->workflow().spec.shutdown;
    auto restored = Run::restore(std::move(workflow), run->status(), std::move(nodes), random);
    TIPHYS_CHECK(restored, restored.error().message);
    run = std::move(*restored);
    timer.reset();
    locks = LockTable();
    asked.clear();
    for (const Foreign& other : foreign) locks.restore(other.lock, other.holder);
    const api::SynchronizationStatus& held = run->status().synchronization;
    for (const auto& mutex : held.mutexes_held) locks.restore(*LockName::parse(mutex.name, false), mutex.holder);
    for (const auto& semaphore : held.semaphores_held) {
      const LockName name = *LockName::parse(semaphore.name, true);
      for (const std::string& holder : semaphore.holders) locks.restore(name, holder);
    }
    const bool again = std::exchange(crashes_before_answers, false);
    apply(Started{});
    crashes_before_answers = again;
  }

  /// A user retries the run, which has ended.
  void go_on(ManualRetryOptions options = {}) {
    options.now = now;
    std::vector<api::NodeStatus> nodes;
    for (const auto& [id, node] : rows) nodes.push_back(node);
    ManualRetry retry = retry_nodes(manifest.name, std::move(nodes), options);
    for (const std::string& id : retry.removed) {
      rows.erase(id);
      pods.erase(id);
      std::erase(order, id);
    }
    for (const api::NodeStatus& node : retry.nodes) rows.insert_or_assign(node.id, node);
    RunStatus status;
    status.outputs = run->status().outputs;
    begin_with(std::move(status), std::move(retry.nodes), options.other_parameters);
  }
  /// Another run takes over what has succeeded in this one, which has ended.
  void follow(std::string name) {
    std::vector<api::NodeStatus> nodes;
    for (const auto& [id, node] : rows) nodes.push_back(node);
    nodes = resubmit_nodes(manifest.name, std::move(nodes), name, now);
    locks.release(fmt::format("{}/{}", run->workflow().ns, manifest.name));
    manifest.name = std::move(name);
    rows.clear();
    order.clear();
    pods.clear();
    for (const api::NodeStatus& node : nodes) {
      rows.emplace(node.id, node);
      order.push_back(node.id);
    }
    begin_with({}, std::move(nodes), true);
  }
  void begin_with(RunStatus status, std::vector<api::NodeStatus> nodes, bool other_parameters) {
    created.clear();
    due.clear();
    timer.reset();
    auto restored = Run::restore(manifest, std::move(status), std::move(nodes), random);
    TIPHYS_CHECK(restored, restored.error().message);
    run = std::move(*restored);
    apply(Started{.other_parameters = other_parameters});
  }

  void carry_out(Effect effect) {
    if (auto* pod = std::get_if<CreatePod>(&effect)) {
      if (!pods.insert(pod->node_id).second) {
        ++repeated_pods;
        return;
      }
      created.push_back(*pod);
      const PodEnd end = script(*pod);
      PodChanged running = pod_changed(pod->node_id, PodChanged::Phase::kRunning);
      running.ready = true;
      running.pod_ip = "10.0.0.7";
      running.containers = containers_of(*pod, std::nullopt);
      running.progress = end.progress;
      due.emplace(now, std::move(running));
      PodChanged ended = pod_changed(pod->node_id, end.phase, end.message);
      ended.resources_duration = {{"cpu", end.message.empty() ? 1 : 2}, {"memory", 3}};
      ended.exit_code = end.exit_code;
      ended.outputs = end.outputs;
      ended.containers =
          !end.containers.empty() || !end.exit_code ? end.containers : containers_of(*pod, end.exit_code);
      ended.finished_at = now + end.runs;
      due.emplace(now + end.runs, ended);
    } else if (auto* action = std::get_if<RunAction>(&effect)) {
      actions.push_back(*action);
      // Asked for again after a crash: one end is on its way.
      if (!pods.insert(action->node_id).second) return;
      due.emplace(now + kActionRuns, ended(*action));
    } else if (const auto* end = std::get_if<StopAction>(&effect)) {
      stopped.push_back(end->node_id);
    } else if (auto* ask = std::get_if<LookUpCache>(&effect)) {
      // Asked again after a crash: one answer is on its way.
      const auto same = [&](const auto& next) {
        const auto* answer = std::get_if<CacheAnswered>(&next.second);
        return answer && answer->node_id == ask->node_id;
      };
      if (std::ranges::any_of(due, same)) return;
      CacheAnswered answer;
      answer.node_id = ask->node_id;
      answer.outputs = look_up(*ask);
      due.emplace(now, answer);
    } else if (auto* save = std::get_if<SaveCache>(&effect)) {
      cache[save->key] = save->outputs;
    } else if (auto* ask_for = std::get_if<AcquireLocks>(&effect)) {
      ask_for_locks(*ask_for);
    } else if (auto* release = std::get_if<ReleaseLocks>(&effect)) {
      asked.erase(release->holder);
      locks.release(release->holder);
    } else if (auto* find = std::get_if<FindTemplate>(&effect)) {
      looked_for.push_back(find->ref.key());
      due.emplace(now, answer_of(find->ref));
    } else if (auto* set = std::get_if<SetTimer>(&effect)) {
      timer = set->when;
    } else if (auto* metric = std::get_if<EmitMetric>(&effect)) {
      metrics.push_back(line(*metric));
    } else if (auto* stop = std::get_if<StopPod>(&effect)) {
      stopped.push_back(stop->pod_name);
    }
  }

  /// "runs{status=Succeeded} += 1": what a metric tells.
  static std::string line(const EmitMetric& metric) {
    std::string labels;
    for (const auto& [key, value] : metric.labels)
      labels += fmt::format("{}{}={}", labels.empty() ? "" : ",", key, value);
    std::string text = fmt::format("{}{{{}}} ", metric.name, labels);
    if (metric.kind == EmitMetric::Kind::kRealtime) {
      const auto seconds = [](Time time) { return std::chrono::duration<double>(time - kStart).count(); };
      text += fmt::format("from {}", seconds(metric.since));
      return metric.until == Time{} ? text : text + fmt::format(" to {}", seconds(metric.until));
    }
    if (metric.kind == EmitMetric::Kind::kHistogram)
      return text + fmt::format("in [{}] {}", fmt::join(metric.buckets, " "), metric.value);
    constexpr const char* kSigns[] = {"=", "+=", "-="};
    const bool counts = metric.kind == EmitMetric::Kind::kCounter;
    return text + fmt::format("{} {}", counts ? "counts" : kSigns[static_cast<int>(metric.operation)], metric.value);
  }

  /// One line a node, in order of creation.
  std::string tree() const {
    std::string text = fmt::format("{} {}\n", phase_name(run->status().phase), run->status().message);
    if (run->status().message.empty()) text = fmt::format("{}\n", phase_name(run->status().phase));
    for (const std::string& id : order) text += line(*run->find_node(id));
    return text;
  }
  std::string line(const api::NodeStatus& node) const {
    std::string text =
        fmt::format("{} {} {}", node.name, api::node_type_name(node.type), api::node_phase_name(node.phase));
    if (!node.message.empty()) text += fmt::format(" \"{}\"", renamed(node.message));
    if (node.daemoned) text += " (daemon)";
    if (!node.children.empty()) text += fmt::format(" -> {}", names(node.children));
    if (!node.outbound_nodes.empty()) text += fmt::format(" => {}", names(node.outbound_nodes));
    return text + "\n";
  }
  /// Ids in a message as node names: hashes tell a reader nothing.
  std::string renamed(std::string text) const {
    for (const std::string& id : order) {
      const std::string quoted = "'" + id + "'";
      if (const auto at = text.find(quoted); at != std::string::npos) {
        text.replace(at, quoted.size(), "'" + run->find_node(id)->name + "'");
      }
    }
    return text;
  }
  std::string names(const std::vector<std::string>& ids) const {
    std::vector<std::string> result;
    for (const std::string& id : ids) {
      const auto node = run->find_node(id);
      result.push_back(node ? node->display_name : "?" + id);
    }
    return fmt::format("{}", fmt::join(result, ", "));
  }
  api::NodeStatus node(std::string_view name) const {
    const auto found = run->find_node(node_id(run->workflow().name, name));
    TIPHYS_CHECK(found, name);
    return *found;
  }
  /// The arguments that a pod was started with.
  std::string args(std::string_view node_name) const {
    for (const CreatePod& pod : created) {
      if (pod.node_name != node_name) continue;
      const doc::Value* args = doc::find(*pod.template_document, "container", "args");
      return args ? doc::to_json(*args) : "";
    }
    return "no pod";
  }

  LockTable locks;
  std::map<std::string, std::int64_t> limits;  ///< of semaphores, by LockName::id()
  std::map<std::string, AcquireLocks> asked;   ///< by holder
  std::vector<Foreign> foreign;
  bool crashes_before_answers = false;  ///< also between a wish for locks and the answer

  std::map<api::TemplateHolder, doc::Shared> library;
  std::vector<std::string> looked_for;  ///< keys of templates, as they were asked for

  api::Workflow manifest;
  SeededRandom random{1};
  std::unique_ptr<Run> run;
  std::function<void(const api::NodeStatus& before, const api::NodeStatus& after)> on_change;
  Time now = kStart;
  std::multimap<Time, Event> due;
  std::optional<Time> timer;
  std::map<std::string, api::NodeStatus> rows;  ///< what a store would hold
  std::vector<std::string> order;
  std::set<std::string> pods;
  std::vector<CreatePod> created;
  std::vector<RunAction> actions;
  std::vector<std::string> stopped;
  std::vector<std::string> metrics;  ///< as line() tells them
  int repeated_pods = 0;
};

}  // namespace tiphys::engine
