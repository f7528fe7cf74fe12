#include "simulation/golden_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "base/check.h"
#include "base/simulated_executor.h"
#include "controllers/artifact_gc.h"
#include "controllers/artifact_gc_controller.h"
#include "controllers/names.h"
#include "controllers/workflow_controller.h"
#include "controllers/workflow_status.h"
#include "simulation/chance.h"
#include "simulation/scripted_agent.h"
#include "store/store.h"
#include "store/testing.h"

namespace tiphys::simulation {
namespace {

constexpr Duration kLongestRun = std::chrono::hours(48);
constexpr std::size_t kMostSteps = 1'000'000;

class World {
 public:
  explicit World(const GoldenRun& run)
      : run_(run), start_(run.test->start == Time{} ? play::kDefaultStart : run.test->start) {
    for (const play::Mock& mock : run.test->mocks) host_.mocks.push_back(&mock);
    for (const play::Mock& mock : *run.mocks) host_.mocks.push_back(&mock);
    acted_.resize(run.test->actions.size());
    host_.artifacts.before_remove = [this](std::string_view) { return before_commit(); };
  }

  GoldenEnd play() {
    boot();
    for (const doc::Value& object : run_.objects) create(object);
    counting_ = true;
    start_user();
    GoldenEnd end;
    if (!play_until([this] { return all_over() && all_collected(); })) {
      end.stands_still = fmt::format("after {} steps", steps_);
    }
    counting_ = false;
    for (const std::string& name : workflows_) conclude(name, end);
    counting_ = true;
    if (!host_.artifacts.keys().empty()) remove_workflows(end);
    end.commits = commits_;
    counting_ = false;
    shut_down();
    return end;
  }

 private:
  bool play_until(const std::function<bool()>& over) {
    while (!over() && ++steps_ < kMostSteps && executor_->now() - start_ < kLongestRun) {
      if (!executor_->step()) break;
      if (dying_) boot();
    }
    return over();
  }

  /// What artifacts there are then, and when their workflows have gone.
  void remove_workflows(GoldenEnd& end) {
    std::string kept = fmt::format("artifacts: {}\n", fmt::join(host_.artifacts.keys(), " "));
    removing_ = true;
    start_user();
    if (!play_until([this] { return synced_ && on_disk_.empty(); })) end.stands_still += "workflows do not go";
    kept += fmt::format("without the workflows: {}\n", fmt::join(host_.artifacts.keys(), " "));
    end.status += kept;
    end.tree += kept;
  }

  void boot() {
    const bool again = executor_ != nullptr;
    const Time now = again ? executor_->now() : start_;
    shut_down();
    dying_ = ready_ = false;
    executor_ = std::make_unique<SimulatedExecutor>(now);
    auto store = store::Store::open({.path = folder_.path() + "/tiphys.db",
                                     .executor = *executor_,
                                     .random = ids_.source(),
                                     .inline_commits = true,
                                     .before_commit = [this] { return before_commit(); }});
    TIPHYS_CHECK(store, "what a crash leaves behind can be opened: " + store.error().message);
    store_ = std::move(*store);
    watch_disk();
    stores_ = std::make_unique<artifact::Stores>(host_.artifacts);
    agent_ = std::make_unique<ScriptedAgent>(*executor_, *store_, host_);
    web_ = std::make_unique<ScriptedWeb>(*executor_, host_);
    controller_ = std::make_unique<controllers::WorkflowController>(
        *executor_, *store_, ids_.source(),
        controllers::WorkflowControllerOptions{.ns = "", .http = web_.get(), .stores = stores_.get()});
    controller_->start([this] { ready_ = true; });
    artifact_gc_ = std::make_unique<controllers::ArtifactGcController>(*executor_, *store_, *stores_);
    artifact_gc_->start();
    if (again) start_user();
  }

  void watch_disk() {
    on_disk_.clear();
    synced_ = false;
    disk_ = store_->watch(cluster::kWorkflows, {},
                          {[this](const cluster::WatchEvent& event) {
                             synced_ = synced_ || event.type == cluster::WatchEvent::Type::kSynced;
                             if (!event.object) return;
                             const std::string name(doc::find_string(*event.object, "metadata", "name"));
                             if (event.type == cluster::WatchEvent::Type::kDeleted) {
                               on_disk_.erase(name);
                             } else {
                               on_disk_[name] = event.object;
                             }
                           },
                           [](const Error&) {}});
  }

  void shut_down() {
    artifact_gc_.reset();
    controller_.reset();
    web_.reset();
    agent_.reset();
    stores_.reset();
    disk_.reset();
    store_.reset();
  }

  Status before_commit() {
    if (!counting_) return {};
    if (dying_) return fail(Code::kUnavailable, "the process is no more");
    if (!crashed_ && run_.crash_after == commits_) {
      dying_ = crashed_ = true;
      return fail(Code::kUnavailable, "the process is no more");
    }
    ++commits_;
    return {};
  }

  void create(const doc::Value& object) {
    const std::string_view kind = doc::find_string(object, "kind");
    const cluster::Resource* resources[] = {&cluster::kWorkflows, &cluster::kWorkflowTemplates, &cluster::kConfigMaps};
    const auto found = std::ranges::find_if(resources, [&](const auto* each) { return each->kind == kind; });
    TIPHYS_CHECK(found != std::end(resources), "a golden workflow's file holds no " + std::string(kind));
    if (*found == &cluster::kWorkflows) workflows_.emplace_back(doc::find_string(object, "metadata", "name"));
    bool done = false;
    doc::Value copy = object;
    doc::ensure_object(copy.as_object(), "metadata")["namespace"] = "default";
    store_->create(**found, std::move(copy), [&](const Result<cluster::Object>& answer) {
      TIPHYS_CHECK(answer, answer.error().message);
      done = true;
    });
    executor_->run_until([&] { return done; });
  }

  /// A user does what was not acknowledged before a crash once more.
  void start_user() {
    if (removing_) {
      for (const std::string& name : workflows_) {
        store_->remove({&cluster::kWorkflows, "default", name}, {}, [](const Result<cluster::Object>&) {});
      }
      return;
    }
    for (std::size_t i = 0; i < acted_.size(); ++i) {
      const play::Action& action = run_.test->actions[i];
      if (acted_[i]) continue;
      executor_->schedule(std::max(executor_->now(), start_ + *action.at), [this, i, &action] { act(i, action); });
    }
  }

  void act(std::size_t number, const play::Action& action) {
    store_->get(first(), [this, number, &action](const Result<cluster::Object>& workflow) {
      if (!workflow) return;
      store_->patch(first(), cluster::PatchType::kMerge, wish(number, action.what, **workflow),
                    [this, number](const Result<cluster::Object>& answer) { acted_[number] = answer.has_value(); });
    });
  }

  cluster::Key first() const { return {&cluster::kWorkflows, "default", workflows_.front()}; }

  doc::Object wish(std::size_t number, const std::string& what, const doc::Value& workflow) const {
    if (what == "stop") return {{"spec", doc::Object{{"shutdown", "Stop"}}}};
    if (what == "terminate") return {{"spec", doc::Object{{"shutdown", "Terminate"}}}};
    if (what == "suspend") return {{"spec", doc::Object{{"suspend", true}}}};
    doc::Object patch{{"spec", doc::Object{{"suspend", nullptr}}}};
    const auto nodes = controllers::read_nodes(workflow);
    TIPHYS_CHECK(nodes, "nodes can be read");
    doc::Array requests;
    for (const api::NodeStatus& node : *nodes) {
      if (node.type != api::NodeType::kSuspend || node.phase != api::NodePhase::kRunning) continue;
      requests.push_back(doc::Object{{"id", fmt::format("r{}-{}", number, node.id)},
                                     {"fields", doc::Array{doc::Array{"id", node.id}}},
                                     {"phase", "Succeeded"},
                                     {"outputParameters", supplied(node)}});
    }
    if (requests.empty()) return patch;
    patch["metadata"] = doc::Object{
        {"annotations", doc::Object{{controllers::kNodeRequestsAnnotation, doc::to_json(std::move(requests))}}}};
    return patch;
  }

  /// What a user who resumes the node says: the outputs of its mock.
  doc::Object supplied(const api::NodeStatus& node) const {
    doc::Object values;
    const auto mock = std::ranges::find_if(host_.mocks, [&](const play::Mock* each) { return each->fits(node); });
    if (mock == host_.mocks.end() || (*mock)->outcomes.empty()) return values;
    for (const auto& [name, value] : (*mock)->outcomes.front().outputs.parameters) values[name] = value;
    return values;
  }

  bool all_over() const { return ready_ && controller_->live_runs() == 0; }
  bool all_collected() const {
    return synced_ && std::ranges::none_of(
                          on_disk_, [](const auto& each) { return controllers::awaits_artifact_gc(*each.second); });
  }

  void conclude(const std::string& name, GoldenEnd& end) {
    std::optional<Result<cluster::Object>> answer;
    store_->get({&cluster::kWorkflows, "default", name},
                [&](Result<cluster::Object> object) { answer = std::move(object); });
    executor_->run_until([&] { return answer.has_value(); });
    TIPHYS_CHECK(answer && *answer, "a workflow stays");
    const doc::Value& workflow = ***answer;
    const doc::Value* status = doc::find(workflow, "status");
    if (end.tree.empty()) end.phase = doc::find_string(workflow, "status", "phase");
    end.status += status ? doc::to_json(sorted(*status)) + "\n" : "no status\n";
    end.tree += tree(workflow);
  }

  static doc::Value sorted(doc::Value value) {
    if (doc::Value* nodes = value.as_object().if_contains("nodes")) {
      std::map<std::string, doc::Value> by_id;
      for (const auto& [id, node] : nodes->as_object()) by_id[std::string(id)] = node;
      doc::Object all;
      for (auto& [id, node] : by_id) all[id] = std::move(node);
      *nodes = std::move(all);
    }
    return value;
  }

  // For a reader.

  std::string tree(const doc::Value& workflow) const {
    const auto nodes = controllers::read_nodes(workflow);
    TIPHYS_CHECK(nodes, "nodes can be read");
    std::map<std::string, const api::NodeStatus*> by_id, by_name;
    for (const api::NodeStatus& node : *nodes) by_id[node.id] = by_name[node.name] = &node;
    std::string text = fmt::format("{}: {} {}\n", doc::find_string(workflow, "metadata", "name"),
                                   doc::find_string(workflow, "status", "phase"),
                                   named(std::string(doc::find_string(workflow, "status", "message")), by_id));
    if (const doc::Value* outputs = doc::find(workflow, "status", "outputs")) {
      text += "  outputs: " + doc::to_json(*outputs) + "\n";
    }
    const doc::Value* collected = doc::find(workflow, "status", "artifactGCStatus");
    if (collected && !doc::find(*collected, "notSpecified")) {
      text += "  artifactGCStatus: " + doc::to_json(*collected) + "\n";
    }
    if (const doc::Value* finalizers = doc::find(workflow, "metadata", "finalizers")) {
      text += "  finalizers: " + doc::to_json(*finalizers) + "\n";
    }
    for (const auto& [name, node] : by_name) text += line(workflow, *node, by_id);
    return text;
  }

  std::string line(const doc::Value& workflow, const api::NodeStatus& node,
                   const std::map<std::string, const api::NodeStatus*>& by_id) const {
    const auto since = [&](Time time) {
      return std::chrono::duration_cast<std::chrono::seconds>(time - start_).count();
    };
    std::string text =
        fmt::format("{}\n  {} {} {}..{}s", node.name, api::node_type_name(node.type), api::node_phase_name(node.phase),
                    since(node.started_at), node.finished_at == Time{} ? -1 : since(node.finished_at));
    if (!node.message.empty()) text += " " + named(node.message, by_id);
    text += "\n";
    const auto list = [&](const char* what, const std::vector<std::string>& ids) {
      if (ids.empty()) return;
      text += fmt::format("  {}:", what);
      for (const std::string& id : ids) text += " " + (by_id.contains(id) ? by_id.at(id)->display_name : "?" + id);
      text += "\n";
    };
    list("children", node.children);
    list("outbound", node.outbound_nodes);
    for (const char* field : {"inputs", "outputs", "memoizationStatus", "synchronizationStatus"}) {
      const doc::Value* value = doc::find(workflow, "status", "nodes", std::string_view(node.id), field);
      if (value) text += fmt::format("  {}: {}\n", field, doc::to_json(*value));
    }
    return text;
  }

  /// Ids as names: hashes tell a reader nothing.
  static std::string named(std::string text, const std::map<std::string, const api::NodeStatus*>& by_id) {
    for (const auto& [id, node] : by_id) {
      const std::string quoted = "'" + id + "'";
      if (const auto at = text.find(quoted); at != text.npos) text.replace(at, quoted.size(), "'" + node->name + "'");
    }
    return text;
  }

  const GoldenRun& run_;
  Time start_;
  Chance ids_{1};
  store::TempDir folder_{store::TempDir::memory()};
  ScriptedHost host_;
  std::vector<std::string> workflows_;
  std::map<std::string, cluster::Object> on_disk_;  ///< workflows without their nodes
  std::vector<bool> acted_;
  std::size_t steps_ = 0, commits_ = 0;
  bool synced_ = false;    ///< on_disk_ is whole
  bool removing_ = false;  ///< the workflows have ended and go
  bool counting_ = false, crashed_ = false, dying_ = false, ready_ = false;

  std::unique_ptr<SimulatedExecutor> executor_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<cluster::Watch> disk_;
  std::unique_ptr<artifact::Stores> stores_;
  std::unique_ptr<ScriptedAgent> agent_;
  std::unique_ptr<ScriptedWeb> web_;
  std::unique_ptr<controllers::WorkflowController> controller_;
  std::unique_ptr<controllers::ArtifactGcController> artifact_gc_;
};

}  // namespace

GoldenEnd play_golden(const GoldenRun& run) {
  return World(run).play();
}

}  // namespace tiphys::simulation
