#include "simulation/lock_world.h"

#include <fmt/format.h>

#include <memory>
#include <optional>

#include "base/check.h"
#include "base/simulated_executor.h"
#include "cluster/pod_phase.h"
#include "controllers/names.h"
#include "controllers/sync_limit.h"
#include "controllers/workflow_controller.h"
#include "controllers/workflow_status.h"
#include "simulation/fake_agent.h"
#include "simulation/lock_ledger.h"
#include "store/store.h"
#include "store/testing.h"

namespace tiphys::simulation {
namespace {

using std::chrono::seconds;

constexpr Duration kLongest = std::chrono::hours(6);
constexpr std::size_t kMostSteps = 1'000'000;
constexpr std::string_view kLastOne = "last";

// Who has a lock waits at most for those of a later line: in any other order the original, and this one, may stop.
constexpr std::string_view kWhole = "sim/Mutex/whole", kWide = "sim/ConfigMap/limits/wide";
constexpr std::string_view kGroup = "sim/Mutex/group";
constexpr std::string_view kAlone = "sim/Mutex/alone", kPair = "sim/Database/pair",
                           kNarrow = "sim/ConfigMap/limits/narrow";

const std::map<std::string, std::size_t> kLimits{{std::string(kWhole), 1}, {std::string(kWide), 2},
                                                 {std::string(kGroup), 1}, {std::string(kAlone), 1},
                                                 {std::string(kPair), 2},  {std::string(kNarrow), 1}};

doc::Object container() {
  return {{"image", "x"}, {"args", doc::Array{"work", "20"}}};
}

/// The field that asks for the locks.
doc::Value synchronization(const LockSet& locks) {
  doc::Array mutexes, semaphores;
  for (const std::string& lock : locks) {
    const std::string name = lock.substr(lock.rfind('/') + 1);
    if (lock.find("/Mutex/") != lock.npos) {
      mutexes.push_back(doc::Object{{"name", name}});
    } else if (lock.find("/Database/") != lock.npos) {
      semaphores.push_back(doc::Object{{"database", doc::Object{{"key", name}}}});
    } else {
      semaphores.push_back(doc::Object{{"configMapKeyRef", doc::Object{{"name", "limits"}, {"key", name}}}});
    }
  }
  return doc::Object{{"mutexes", std::move(mutexes)}, {"semaphores", std::move(semaphores)}};
}

struct Plan {
  LockedManifest locks;
  doc::Value manifest;
  Duration begins{};
  bool submitted = false;
};

LockSet set_of(std::initializer_list<std::string_view> locks) {
  return {locks.begin(), locks.end()};
}

Plan plan_workflow(Chance& chance, const std::string& name) {
  Plan plan;
  auto& templates = plan.locks.templates;
  templates = {{"alone", set_of({kAlone})},         {"again", set_of({kAlone})}, {"pair", set_of({kPair})},
               {"both", set_of({kAlone, kNarrow})}, {"group", set_of({kGroup})}, {"free", {}}};
  const LockSet own[] = {{}, set_of({kWhole}), set_of({kWide}), set_of({kWhole, kWide})};
  plan.locks.own = name == kLastOne ? set_of({kWhole, kWide, kGroup, kAlone, kPair, kNarrow}) : own[chance.below(4)];
  plan.begins = chance.up_to(seconds(30));
  doc::Array list, tasks;
  constexpr const char* kNames[] = {"alone", "again", "pair", "both", "group", "free"};
  const std::size_t count = name == kLastOne ? 0 : 1 + chance.below(4);
  tasks.push_back(doc::Object{{"name", "free"}, {"template", "free"}});
  for (std::size_t i = 0; i < count; ++i) {
    doc::Object task{{"name", fmt::format("t{}", i)}, {"template", kNames[chance.below(6)]}};
    if (chance.percent(30)) task["depends"] = i == 0 ? "free" : fmt::format("t{}", i - 1);
    if (chance.percent(30)) task["withSequence"] = doc::Object{{"count", "3"}};
    tasks.push_back(std::move(task));
  }
  list.push_back(doc::Object{{"name", "main"}, {"dag", doc::Object{{"tasks", std::move(tasks)}, {"failFast", false}}}});
  for (const auto& [of, locks] : templates) {
    doc::Object tmpl{{"name", of}, {"synchronization", synchronization(locks)}};
    if (locks.contains(std::string(kAlone)))
      tmpl["metadata"] = doc::Object{{"labels", doc::Object{{"mutex", "alone"}}}};
    if (of == "again") tmpl["retryStrategy"] = doc::Object{{"limit", 1}};
    if (of == "group") {
      tmpl["steps"] = doc::Array{doc::Array{doc::Object{{"name", "one"}, {"template", "pair"}}},
                                 doc::Array{doc::Object{{"name", "two"}, {"template", "both"}}}};
    } else {
      tmpl["container"] = container();
    }
    list.push_back(std::move(tmpl));
  }
  doc::Object spec{{"entrypoint", "main"},
                   {"priority", static_cast<std::int64_t>(chance.below(3))},
                   {"synchronization", synchronization(plan.locks.own)},
                   {"templates", std::move(list)}};
  if (name != kLastOne && chance.percent(20)) spec["onExit"] = "alone";
  plan.manifest = doc::Object{{"apiVersion", "argoproj.io/v1alpha1"},
                              {"kind", "Workflow"},
                              {"metadata", doc::Object{{"name", name}, {"namespace", "sim"}}},
                              {"spec", std::move(spec)}};
  return plan;
}

class LockWorld {
 public:
  explicit LockWorld(const LockWorldOptions& options)
      : options_(options), chance_(options.seed), crashes_left_(options.crashes) {
    const std::size_t count = 3 + chance_.below(6);
    for (std::size_t i = 0; i < count; ++i) add(fmt::format("wf{}", i));
    next_crash_ = 20 + chance_.below(300);
  }

  LockWorldOutcome run() {
    add(std::string(kLastOne));
    std::map<std::string, LockedManifest> manifests;
    for (const auto& [name, plan] : plans_) manifests[name] = plan.locks;
    ledger_.emplace(options_.failing_commits_percent == 0, kLimits, std::move(manifests), outcome_.complaints);
    boot();
    quiet_ = true;
    create_limits();
    quiet_ = false;
    if (options_.meddles) meddle();
    play([this] { return submitted() && ready_ && controller_->live_runs() == 0; }, "the workflows");
    last_ = true;
    submit(std::string(kLastOne));
    play([this] { return plans_.at(std::string(kLastOne)).submitted && ready_ && controller_->live_runs() == 0; },
         "who wants all locks");
    outcome_.waits = ledger_->waits();
    dying_ = true;
    shut_down();
    return std::move(outcome_);
  }

 private:
  bool calm() const { return options_.crashes == 0 && options_.failing_commits_percent == 0 && !options_.meddles; }

  void add(const std::string& name) { plans_[name] = plan_workflow(chance_, name); }

  void play(const std::function<bool()>& over, std::string_view what) {
    const Time begin = executor_->now();
    while (!over()) {
      if (++steps_ > kMostSteps || executor_->now() - begin > kLongest) {
        outcome_.complaints.push_back(fmt::format("{} come to no end", what));
        return;
      }
      if (calm() && look()) continue;
      TIPHYS_CHECK(executor_->step(), "there is always something to come");
      if (crashes_left_ > 0 && steps_ >= next_crash_) crash();
    }
  }

  // The process.

  void boot() {
    const Time now = executor_ ? executor_->now() : SimulatedExecutor().now();
    executor_ = std::make_unique<SimulatedExecutor>(now);
    dying_ = ready_ = false;
    auto store = store::Store::open({.path = folder_.path() + "/tiphys.db",
                                     .executor = *executor_,
                                     .random = chance_.source(),
                                     .inline_commits = true,
                                     .before_commit = [this] { return commit_fault(); }});
    TIPHYS_CHECK(store, "what a crash leaves behind can be opened");
    store_ = std::move(*store);
    watch_disk();
    cluster_ = std::make_unique<DisturbedCluster>(*executor_, *store_, promises_, options_.disturbances, chance_,
                                                  outcome_.complaints);
    agent_ = std::make_unique<FakeAgent>(*executor_, *store_, host_, options_.seed, chance_);
    controllers::WorkflowControllerOptions controller;
    controller.config.parallelism = options_.parallelism;
    controller_ = std::make_unique<controllers::WorkflowController>(*executor_, *cluster_, chance_.source(),
                                                                    std::move(controller));
    controller_->start([this] { ready_ = true; });
    for (const auto& [name, plan] : plans_) {
      if (plan.submitted || (name == kLastOne && !last_)) continue;
      executor_->schedule(std::max(now, Time(begin_ + plan.begins)), [this, name] { submit(name); });
    }
  }

  Status commit_fault() {
    if (dying_) return fail(Code::kUnavailable, "the process is no more");
    if (quiet_ || !chance_.percent(options_.failing_commits_percent)) return {};
    return fail(Code::kResourceExhausted, "disk full");
  }

  void shut_down() {
    disk_.clear();
    controller_.reset();
    agent_.reset();
    cluster_.reset();
    store_.reset();
  }

  void crash() {
    ++outcome_.crashes;
    --crashes_left_;
    next_crash_ = steps_ + 1 + chance_.below(400);
    dying_ = true;
    shut_down();
    boot();
  }

  // What comes to be on disk.

  void watch_disk() {
    disk_.push_back(store_->watch(cluster::kWorkflows, {.ns = "sim"},
                                  {[this](const cluster::WatchEvent& event) {
                                     if (!event.object) return;
                                     const bool gone = event.type == cluster::WatchEvent::Type::kDeleted;
                                     count(*event.object, gone);
                                     if (gone) return ledger_->gone(name_of(*event.object));
                                     ledger_->committed(*event.object);
                                   },
                                   [](const Error&) {}}));
    disk_.push_back(store_->watch(cluster::kPods, {.ns = "sim", .labels = *cluster::Selector::parse("mutex=alone")},
                                  {[this](const cluster::WatchEvent& event) {
                                     // What is terminated gives its locks back before its pod is gone, as in the
                                     // original.
                                     if (!event.object || options_.meddles) return;
                                     const bool gone = event.type == cluster::WatchEvent::Type::kDeleted;
                                     ledger_->pod(name_of(*event.object), "alone",
                                                  !gone && !cluster::pod_ended(*event.object));
                                   },
                                   [](const Error&) {}}));
  }

  /// What is under way, by what the disk says.
  void count(const doc::Value& workflow, bool gone) {
    const bool ended = doc::find_string(workflow, "metadata", "labels", controllers::kCompletedLabel) == "true";
    if (!gone && !ended && controllers::has_begun(workflow)) {
      under_way_.insert(name_of(workflow));
    } else {
      under_way_.erase(name_of(workflow));
    }
    if (options_.parallelism == 0 || static_cast<std::int64_t>(under_way_.size()) <= options_.parallelism) return;
    outcome_.complaints.push_back(fmt::format("{} workflows are under way", under_way_.size()));
  }

  static std::string name_of(const doc::Value& object) {
    return std::string(doc::find_string(object, "metadata", "name"));
  }

  /// Once before time goes on: lets all happen that is due. False when it had happened.
  bool look() {
    if (executor_->now() == looked_) return false;
    executor_->run_ready();
    std::vector<doc::Value> workflows;
    for (const auto& [name, plan] : plans_) {
      if (!plan.submitted) continue;
      store_->get({&cluster::kWorkflows, "sim", name}, [&](Result<cluster::Object> workflow) {
        TIPHYS_CHECK(workflow, "nobody deletes a workflow");
        workflows.push_back(**workflow);
      });
    }
    executor_->run_ready();
    ledger_->at_rest(workflows);
    looked_ = executor_->now();
    return true;
  }

  // What users do.

  void create_limits() {
    const doc::Value limits =
        doc::Object{{"apiVersion", "v1"},
                    {"kind", "ConfigMap"},
                    {"metadata", doc::Object{{"name", "limits"}, {"namespace", "sim"}}},
                    {"data", doc::Object{{"wide", std::to_string(kLimits.at(std::string(kWide)))},
                                         {"narrow", std::to_string(kLimits.at(std::string(kNarrow)))}}}};
    std::size_t done = 0;
    const auto created = [&](const Result<cluster::Object>& answer) {
      TIPHYS_CHECK(answer, "an object can be created while nothing goes wrong");
      ++done;
    };
    store_->create(cluster::kConfigMaps, limits, created);
    store_->create(cluster::kSyncLimits, controllers::sync_limit("sim", "pair", 2), created);
    executor_->run_until([&] { return done == 2; });
  }

  bool submitted() const {
    for (const auto& [name, plan] : plans_) {
      if (name != kLastOne && !plan.submitted) return false;
    }
    return true;
  }

  /// Until it is on disk.
  void submit(const std::string& name) {
    store_->create(cluster::kWorkflows, plans_.at(name).manifest, [this, name](const Result<cluster::Object>& answer) {
      if (dying_) return;
      plans_.at(name).submitted = answer || answer.error().code == Code::kAlreadyExists;
      if (!plans_.at(name).submitted)
        executor_->schedule(executor_->now() + seconds(1), [this, name] { submit(name); });
    });
  }

  /// Ends one workflow or another, at any moment of theirs.
  void meddle() {
    for (const auto& [name, plan] : plans_) {
      if (name == kLastOne || !chance_.percent(50)) continue;
      const bool removes = chance_.percent(40);
      executor_->schedule(Time(begin_ + plan.begins + chance_.up_to(seconds(40))), [this, name, removes] {
        const cluster::Key key{&cluster::kWorkflows, "sim", name};
        const auto ignored = [](const Result<cluster::Object>&) {};
        if (removes && plans_.at(name).submitted) return store_->remove(key, {}, ignored);
        store_->patch(
            key, cluster::PatchType::kMerge,
            doc::Value(doc::Object{{"spec", doc::Object{{"shutdown", chance_.percent(50) ? "Stop" : "Terminate"}}}}),
            ignored);
      });
    }
  }

  LockWorldOptions options_;
  Chance chance_;
  LockWorldOutcome outcome_;
  store::TempDir folder_{store::TempDir::memory()};
  Host host_;
  Promises promises_;
  std::map<std::string, Plan> plans_;
  std::optional<LockLedger> ledger_;
  std::set<std::string> under_way_;
  Time begin_ = SimulatedExecutor().now();
  Time looked_{};
  std::size_t steps_ = 0, next_crash_ = 0, crashes_left_ = 0;
  bool dying_ = false, quiet_ = false, ready_ = false;
  bool last_ = false;  ///< all others are over

  std::unique_ptr<SimulatedExecutor> executor_;
  std::unique_ptr<store::Store> store_;
  std::vector<std::unique_ptr<cluster::Watch>> disk_;
  std::unique_ptr<DisturbedCluster> cluster_;
  std::unique_ptr<FakeAgent> agent_;
  std::unique_ptr<controllers::WorkflowController> controller_;
};

}  // namespace

LockWorldOutcome run_lock_world(const LockWorldOptions& options) {
  return LockWorld(options).run();
}

}  // namespace tiphys::simulation
