#include "play/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <limits>
#include <map>
#include <unordered_map>
#include <utility>

#include "doc/truth.h"
#include "engine/lock_table.h"
#include "play/outputs.h"

namespace tiphys::play {
namespace {

using engine::PodChanged;

constexpr std::size_t kMostEvents = 1'000'000;
constexpr std::size_t kMostAttempts = 1000;
constexpr std::size_t kMostNamed = 5;
constexpr int kKilled = 137;
/// Of a semaphore: its limit stands outside of what is played.
constexpr std::int64_t kRoomForAll = std::numeric_limits<std::int64_t>::max();

/// The number of an attempt: "train(2)" is 2.
std::size_t attempt_of(const std::string& name) {
  const auto open = name.rfind('(');
  std::size_t number = 0;
  if (open != std::string::npos) std::from_chars(name.data() + open + 1, name.data() + name.size(), number);
  return number;
}

PodChanged::Phase pod_phase(api::NodePhase phase) {
  if (phase == api::NodePhase::kSucceeded) return PodChanged::Phase::kSucceeded;
  return phase == api::NodePhase::kFailed ? PodChanged::Phase::kFailed : PodChanged::Phase::kError;
}

class World {
 public:
  World(engine::Run& run, const Script& script, Time start) : run_(run), script_(script), now_(start) {
    played_.start = start;
    for (const CacheEntry& entry : script.cache) {
      const Duration age = entry.age.value_or(Duration(0));
      cache_[{entry.config_map, entry.key}] = {to_outputs(entry.outputs), start - age};
    }
    for (const Action& action : script.actions) {
      later(*action.at, "", [this, &action] { act(action); });
    }
  }

  Played play() {
    apply(engine::Started{});
    std::size_t events = 0;
    while (!run_.status().finished() && played_.findings.empty() && played_.unfinished.empty() && next()) {
      if (++events < kMostEvents) continue;
      played_.unfinished = fmt::format("given up after {} events: it seems to go on for ever", kMostEvents);
    }
    return end();
  }

 private:
  /// Something that will happen, unless the work that it belongs to is over before.
  struct Due {
    std::string node_id;  ///< "": it belongs to none
    std::function<void()> happens;
  };
  struct CacheLine {
    api::Outputs outputs;
    Time saved{};
  };
  /// A pod or an action of the plane that has not ended.
  struct Job {
    std::size_t work;
    api::NodeStatus node;
    doc::Shared document;
    const Outcome* outcome = nullptr;
    bool is_pod = true;
    bool wants_result = false;
    std::optional<Duration> deadline;
    bool admitted = false;
  };

  // ---- Time ----

  void later(Duration after, std::string node_id, std::function<void()> happens) {
    due_.emplace(std::pair(now_ + after, sequence_++), Due{std::move(node_id), std::move(happens)});
  }

  /// Lets the next thing happen; false when there is none.
  bool next() {
    if (timer_ && (due_.empty() || *timer_ < due_.begin()->first.first)) {
      now_ = std::max(now_, *std::exchange(timer_, std::nullopt));
      apply(engine::TimerFired{});
      return true;
    }
    if (due_.empty()) return false;
    const auto first = due_.begin();
    const Due due = std::move(first->second);
    const Time when = first->first.first;
    due_.erase(first);
    if (!due.node_id.empty() && !jobs_.contains(due.node_id) && !suspends_.contains(due.node_id)) return true;
    now_ = std::max(now_, when);
    due.happens();
    return true;
  }

  void apply(const engine::Event& event) {
    std::vector<engine::Effect> effects;
    run_.apply(event, now_, effects);
    for (std::string& id : run_.take_changes().nodes) note(id);
    for (const engine::Effect& effect : effects) {
      // A new effect does not compile before it has a carry_out() here.
      std::visit([this](const auto& each) { carry_out(each); }, effect);
    }
  }

  void note(const std::string& id) {
    const auto [known, is_new] = known_.emplace(id, false);
    if (is_new) {
      ids_.push_back(id);
      known->second = run_.find_node(id)->type == api::NodeType::kSuspend;
    }
    if (known->second) look_at_suspend(id);
  }

  // ---- Mocks ----

  const Outcome* outcome_of(const api::NodeStatus& node) {
    const auto found = std::ranges::find_if(script_.mocks, [&](const Mock* mock) { return mock->fits(node); });
    if (found == script_.mocks.end()) return nullptr;
    const auto& outcomes = (*found)->outcomes;
    const std::size_t turn = node.retried ? attempt_of(node.name) : turns_[*found]++;
    return &outcomes[std::min(turn, outcomes.size() - 1)];
  }

  Duration duration_of(const Job& job) const {
    const std::optional<Duration> mocked = job.outcome ? job.outcome->duration : std::nullopt;
    return script_.duration ? script_.duration(job.node, *job.document, mocked) : mocked.value_or(kShort);
  }

  // ---- Effects ----

  void carry_out(const engine::CreatePod& pod) {
    if (jobs_.contains(pod.node_id)) return;
    Job& job = add_job(pod.node_id, pod.template_document, true);
    job.wants_result = pod.include_result;
    job.deadline = pod.active_deadline;
    if (job.outcome && job.outcome->hangs == "Pending") return;
    if (script_.requests) {
      const auto requests = script_.requests(pod);
      if (!requests) return refuse(pod.node_id, requests.error().message);
      played_.work[job.work].requests = *requests;
    }
    if (const std::string lack = never_fits(played_.work[job.work].requests); !lack.empty()) {
      return refuse(pod.node_id, lack);
    }
    queue_.push_back(pod.node_id);
    admit();
  }

  void carry_out(const engine::RunAction& action) {
    if (jobs_.contains(action.node_id)) return;
    Job& job = add_job(action.node_id, action.template_document, false);
    job.wants_result = action.include_result;
    begin(job);
  }

  void carry_out(const engine::StopPod& stop) { release(stop.node_id); }
  void carry_out(const engine::StopAction& stop) { release(stop.node_id); }

  void carry_out(const engine::LookUpCache& ask) {
    engine::CacheAnswered answer;
    answer.node_id = ask.node_id;
    const auto found = cache_.find({ask.config_map, ask.key});
    const bool hit = found != cache_.end() && (!ask.max_age || now_ - found->second.saved <= *ask.max_age);
    if (hit) answer.outputs = found->second.outputs;
    later(Duration(0), "", [this, answer = std::move(answer)] { apply(answer); });
  }

  void carry_out(const engine::SaveCache& save) { cache_[{save.config_map, save.key}] = {save.outputs, now_}; }

  void carry_out(const engine::AcquireLocks& ask) {
    locks_.request(ask.request);
    for (const engine::LockName& lock : ask.request.locks) {
      if (lock.semaphore) locks_.set_limit(lock.id(), kRoomForAll);
    }
    asking_.insert_or_assign(ask.request.holder, ask);
    later(Duration(0), "", [this] { answer_locks(); });
  }

  void carry_out(const engine::ReleaseLocks& release) {
    asking_.erase(release.holder);
    locks_.release(release.holder);
    later(Duration(0), "", [this] { answer_locks(); });
  }

  void answer_locks() {
    for (engine::LockDecision& decision : locks_.decide()) {
      const auto found = asking_.find(decision.holder);
      if (found == asking_.end()) continue;  // given back by what an answer before it led to
      engine::LocksAnswered answer;
      answer.node_id = found->second.node_id;
      if (!decision.granted) answer.answer = engine::LocksAnswered::Answer::kWaiting;
      answer.awaited = std::move(decision.awaited);
      answer.message = std::move(decision.message);
      for (const engine::LockName& lock : found->second.request.locks) {
        answer.holders.push_back(locks_.holders(lock.id()));
      }
      if (decision.granted) asking_.erase(found);
      apply(answer);
    }
  }

  void carry_out(const engine::FindTemplate& ask) {
    engine::TemplateAnswered answer{.ref = ask.ref, .templates = {}, .error = {}};
    auto found = script_.find_template
                     ? script_.find_template(run_.workflow(), ask.ref)
                     : fail(Code::kNotFound, fmt::format("workflow template {} not found", ask.ref.name));
    if (found) {
      answer.templates = std::move(found->templates);
    } else {
      answer.error = found.error().message;
    }
    later(Duration(0), "", [this, answer = std::move(answer)] { apply(answer); });
  }

  void carry_out(const engine::SetTimer& timer) { timer_ = timer.when; }
  /// Nobody looks at metrics here.
  void carry_out(const engine::EmitMetric&) {}

  // ---- Pods and actions ----

  Job& add_job(const std::string& id, const doc::Shared& document, bool is_pod) {
    Job job;
    job.work = played_.work.size();
    job.node = *run_.find_node(id);
    job.document = document;
    job.outcome = outcome_of(job.node);
    job.is_pod = is_pod;
    if (job.node.retried && attempt_of(job.node.name) >= kMostAttempts) {
      played_.unfinished = fmt::format("given up: {} is the {}th attempt", job.node.name, kMostAttempts + 1);
    }
    Work& work = played_.work.emplace_back();
    work.node_id = id;
    work.is_pod = is_pod;
    work.asked = now_;
    return jobs_.emplace(id, std::move(job)).first->second;
  }

  std::string never_fits(const Resources& asked) const {
    const Resources& all = script_.machine;
    if (all.cpus > 0 && asked.cpus > all.cpus) {
      return fmt::format("the pod requests {} cpus, this machine gives {}", asked.cpus, all.cpus);
    }
    if (all.memory_bytes > 0 && asked.memory_bytes > all.memory_bytes) {
      return fmt::format("the pod requests {:.0f} bytes of memory, this machine gives {:.0f}", asked.memory_bytes,
                         all.memory_bytes);
    }
    return "";
  }

  bool fits(const Resources& asked) const {
    const Resources& all = script_.machine;
    return (all.cpus <= 0 || used_.cpus + asked.cpus <= all.cpus) &&
           (all.memory_bytes <= 0 || used_.memory_bytes + asked.memory_bytes <= all.memory_bytes);
  }

  /// In their order: the first that does not fit holds those behind it, as at the node agent.
  void admit() {
    while (!queue_.empty()) {
      const auto found = jobs_.find(queue_.front());
      if (found != jobs_.end()) {
        const Resources& asked = played_.work[found->second.work].requests;
        if (!fits(asked)) return;
        used_.cpus += asked.cpus;
        used_.memory_bytes += asked.memory_bytes;
        found->second.admitted = true;
      }
      queue_.pop_front();
      if (found != jobs_.end()) begin(found->second);
    }
  }

  void begin(Job& job) {
    played_.work[job.work].started = now_;
    const std::string id = job.node.id;
    if (job.is_pod) later(Duration(0), id, [this, id] { runs(id); });
    const bool stays = job.outcome ? job.outcome->hangs == "Running" : false;
    const bool daemon = doc::is_true(*job.document, "daemon") && !(job.outcome && job.outcome->ends());
    const Duration duration = duration_of(job);
    const bool unending = stays || daemon;
    if (job.deadline && (unending || *job.deadline < duration)) {
      later(*job.deadline, id, [this, id] { too_late(id); });
    } else if (!unending) {
      later(duration, id, [this, id] { ends(id); });
    }
  }

  void runs(const std::string& id) {
    PodChanged event;
    event.node_id = id;
    event.phase = PodChanged::Phase::kRunning;
    event.ready = true;
    event.started_at = now_;
    event.pod_ip = "10.0.0.1";
    apply(event);
  }

  /// Takes the job out; its machine's share is free again.
  std::optional<Job> release(const std::string& id) {
    const auto found = jobs_.find(id);
    if (found == jobs_.end()) return std::nullopt;
    Job job = std::move(found->second);
    jobs_.erase(found);
    Work& work = played_.work[job.work];
    if (work.started != Time{}) work.finished = now_;
    if (job.admitted) {
      used_.cpus -= work.requests.cpus;
      used_.memory_bytes -= work.requests.memory_bytes;
      later(Duration(0), "", [this] { admit(); });
    }
    return job;
  }

  void ends(const std::string& id) {
    const Job job = *release(id);
    static const Outcome kWell;
    const Outcome& outcome = job.outcome ? *job.outcome : kWell;
    const api::NodePhase phase = outcome.end_phase();
    std::optional<api::Outputs> outputs;
    if (phase == api::NodePhase::kSucceeded) {
      outputs =
          mocked_outputs({job.node, *job.document, job.wants_result, job.outcome, script_.pointer}, played_.findings);
    } else {
      outputs = to_outputs(outcome.outputs);
    }
    if (!job.is_pod) {
      engine::ActionChanged event;
      event.node_id = id;
      event.phase = phase;
      event.message = outcome.message;
      event.outputs = std::move(outputs);
      return apply(event);
    }
    PodChanged event;
    event.phase = pod_phase(phase);
    const int code = outcome.exit_code.value_or(phase == api::NodePhase::kSucceeded ? 0 : 1);
    const bool failed = phase == api::NodePhase::kFailed;
    if (phase != api::NodePhase::kError || outcome.exit_code) event.exit_code = code;
    event.message = outcome.message;
    if (event.message.empty() && failed) event.message = fmt::format("main: Error (exit code {})", code);
    if (event.message.empty() && phase == api::NodePhase::kError) event.message = "pod deleted";
    event.outputs = std::move(outputs);
    pod_ended(id, std::move(event), job);
  }

  void too_late(const std::string& id) {
    const Job job = *release(id);
    PodChanged event;
    event.phase = PodChanged::Phase::kFailed;
    event.exit_code = kKilled;
    event.message = "Pod was active on the node longer than the specified deadline";
    pod_ended(id, std::move(event), job);
  }

  /// What cannot become a pod.
  void refuse(const std::string& id, std::string message) {
    later(Duration(0), id, [this, id, message = std::move(message)] {
      const Job job = *release(id);
      PodChanged event;
      event.phase = PodChanged::Phase::kError;
      event.message = message;
      pod_ended(id, std::move(event), job);
    });
  }

  void pod_ended(const std::string& id, PodChanged event, const Job& job) {
    event.node_id = id;
    event.started_at = played_.work[job.work].started;
    event.finished_at = now_;
    apply(event);
  }

  // ---- Suspend nodes and what users do ----

  const api::Template* template_of(const api::NodeStatus& node) const {
    const std::string_view scope = node.template_scope;
    return run_.workflow().find_template(scope.starts_with("local/") ? "" : scope, node.template_name,
                                         node.template_ref);
  }

  /// Begins to wait, or waits no more.
  void look_at_suspend(const std::string& id) {
    const api::NodeStatus node = *run_.find_node(id);
    const auto known = suspends_.find(id);
    if (api::fulfilled(node.phase)) {
      if (known == suspends_.end()) return;
      played_.work[known->second].finished = now_;
      suspends_.erase(known);
      return;
    }
    if (known != suspends_.end() || node.phase != api::NodePhase::kRunning) return;
    suspends_.emplace(id, played_.work.size());
    Work& work = played_.work.emplace_back();
    work.node_id = id;
    work.asked = work.started = now_;
    const api::Template* tmpl = template_of(node);
    const bool timed = !tmpl || !tmpl->suspend || !tmpl->suspend->duration.empty();
    const Outcome* outcome = outcome_of(node);
    if (outcome ? !outcome->hangs.empty() : timed) return;
    const bool ends = !timed || outcome->ends();
    const Duration after = outcome && outcome->duration ? *outcome->duration : ends ? kShort : Duration(0);
    later(after, id, [this, id, outcome, ends] { resume(id, outcome, ends); });
  }

  /// A user gives the node its values, and ends it.
  void resume(const std::string& id, const Outcome* outcome, bool ends) {
    const api::NodeStatus node = *run_.find_node(id);
    engine::NodesRequested request;
    request.fields.emplace_back("id", id);
    if (ends) request.phase = outcome ? outcome->end_phase() : api::NodePhase::kSucceeded;
    if (outcome) {
      request.message = outcome->message;
      request.output_parameters = outcome->outputs.parameters;
    }
    std::vector<api::Parameter> awaited = node.outputs ? node.outputs->parameters : std::vector<api::Parameter>();
    std::erase_if(awaited, [](const auto& each) { return !each.value_from || !each.value_from->supplied; });
    doc::Array declared;
    for (const api::Parameter& parameter : awaited) {
      doc::Object from;
      if (parameter.value_from->default_value) from["default"] = *parameter.value_from->default_value;
      declared.push_back(doc::Object{{"name", parameter.name}, {"valueFrom", std::move(from)}});
    }
    const doc::Value document = doc::Object{{"outputs", doc::Object{{"parameters", std::move(declared)}}}};
    if (request.phase == api::NodePhase::kSucceeded) {
      const auto outputs = mocked_outputs({node, document, false, outcome, script_.pointer}, played_.findings);
      for (const api::Parameter& each : outputs.parameters) request.output_parameters[each.name] = *each.value;
    }
    apply(request);
  }

  void act(const Action& action) {
    if (action.what == "stop" || action.what == "terminate") {
      return apply(engine::ShutdownRequested{action.what == "stop" ? "Stop" : "Terminate", ""});
    }
    apply(engine::SuspendChanged{action.what == "suspend"});
    if (action.what == "suspend") return;
    engine::NodesRequested all;
    all.phase = api::NodePhase::kSucceeded;
    apply(all);
  }

  // ---- The end ----

  Played end() {
    played_.status = run_.status();
    played_.end = now_;
    for (const std::string& id : ids_) played_.nodes.push_back(*run_.find_node(id));
    if (played_.status.finished() || !played_.unfinished.empty() || !played_.findings.empty()) {
      return std::move(played_);
    }
    std::vector<std::string> waiting;
    for (const api::NodeStatus& node : played_.nodes) {
      const bool waits = api::is_work(node.type) && !api::fulfilled(node.phase);
      if (waits && waiting.size() < kMostNamed) waiting.push_back(node.name);
    }
    played_.unfinished = "nothing happens any more";
    if (!waiting.empty()) played_.unfinished += fmt::format("; it waits for {}", fmt::join(waiting, ", "));
    return std::move(played_);
  }

  engine::Run& run_;
  const Script& script_;
  Time now_;
  Played played_;
  std::map<std::pair<Time, std::uint64_t>, Due> due_;
  std::uint64_t sequence_ = 0;
  std::optional<Time> timer_;
  std::unordered_map<std::string, bool> known_;  ///< nodes, and whether they suspend
  std::vector<std::string> ids_;
  std::unordered_map<std::string, Job> jobs_;
  std::deque<std::string> queue_;  ///< pods that wait for room
  Resources used_;
  std::map<std::string, std::size_t> suspends_;  ///< that wait, and their work
  std::map<const Mock*, std::size_t> turns_;
  std::map<std::pair<std::string, std::string>, CacheLine> cache_;
  engine::LockTable locks_;
  std::map<std::string, engine::AcquireLocks> asking_;  ///< by holder
};

}  // namespace

Result<Played> play(api::Workflow workflow, const Script& script, Random& random) {
  const Time start = workflow.created;
  TIPHYS_TRY(const auto run, engine::Run::create(std::move(workflow), random));
  return World(*run, script, start).play();
}

}  // namespace tiphys::play
