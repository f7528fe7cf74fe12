#include "simulation/scripted_agent.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/strings.h"
#include "cluster/pod_annotations.h"
#include "cluster/pod_phase.h"
#include "controllers/workflow_status.h"
#include "play/world.h"

namespace tiphys::simulation {
namespace {

std::string_view annotation(const doc::Value& pod, std::string_view name) {
  return doc::find_string(pod, "metadata", "annotations", name);
}

cluster::Key key_of(const doc::Value& pod) {
  return {&cluster::kPods, std::string(doc::find_string(pod, "metadata", "namespace")),
          std::string(doc::find_string(pod, "metadata", "name"))};
}

std::size_t attempt_of(const std::string& name) {
  const auto open = name.rfind('(');
  return open == name.npos ? 0 : std::stoul(name.substr(open + 1));
}

doc::Object outputs_of(const play::Values& values) {
  doc::Object outputs;
  if (values.result) outputs["result"] = *values.result;
  for (const auto& [name, value] : values.parameters) {
    doc::Value& list = outputs["parameters"];
    if (!list.is_array()) list.emplace_array();
    list.get_array().push_back(doc::Object{{"name", name}, {"value", value}});
  }
  return outputs;
}

/// A text of several lines is a folder of files, by their names.
ArtifactFiles files_of(const std::string& text) {
  if (!text.contains('\n')) return {{"", text}};
  ArtifactFiles files;
  for (const std::string_view line : split(text, '\n')) {
    if (!line.empty()) files[std::string(line)] = line;
  }
  return files;
}

}  // namespace

class ScriptedAgent::State : public std::enable_shared_from_this<State> {
 public:
  State(Executor& executor, cluster::Cluster& cluster, ScriptedHost& host)
      : executor_(executor), cluster_(cluster), host_(host) {}

  void start() {
    watch_ = cluster_.watch(cluster::kPods, {},
                            {[this](const cluster::WatchEvent& event) { on_event(event); }, [](const Error&) {}});
  }

 private:
  void on_event(const cluster::WatchEvent& event) {
    if (!event.object) return;
    const std::string uid(doc::find_string(*event.object, "metadata", "uid"));
    if (event.type == cluster::WatchEvent::Type::kDeleted) {
      known_.erase(uid);
    } else if (!doc::find_string(*event.object, "metadata", "deletionTimestamp").empty()) {
      if (stopping_.insert(uid).second) {
        cluster_.remove(key_of(*event.object), {.uid = uid, .grace_seconds = 0}, [](const auto&) {});
      }
    } else if (!cluster::pod_ended(*event.object) && known_.insert(uid).second) {
      take(event.object, uid);
    }
  }

  /// A pod that is new, or that this agent sees for the first time since it began.
  void take(const cluster::Object& pod, const std::string& uid) {
    if (host_.containers.contains(uid)) return run(pod, uid);
    const auto& owner = doc::find(*pod, "metadata", "ownerReferences")->as_array().at(0);
    const cluster::Key workflow{&cluster::kWorkflows, key_of(*pod).ns, std::string(doc::find_string(owner, "name"))};
    cluster_.get(workflow, [weak = weak_from_this(), pod, uid](const Result<cluster::Object>& answer) {
      const auto self = weak.lock();
      if (!self || !answer) return;
      const auto nodes = controllers::read_nodes(**answer);
      TIPHYS_CHECK(nodes, nodes.error().message);
      const std::string_view id = annotation(*pod, "workflows.argoproj.io/node-id");
      const auto node = std::ranges::find(*nodes, id, &api::NodeStatus::id);
      TIPHYS_CHECK(node != nodes->end(), "a pod's node is written with it");
      self->host_.containers[uid] = {self->outcome_of(*node), self->executor_.now()};
      self->run(pod, uid);
    });
  }

  const play::Outcome* outcome_of(const api::NodeStatus& node) {
    const auto found = std::ranges::find_if(host_.mocks, [&](const play::Mock* mock) { return mock->fits(node); });
    if (found == host_.mocks.end() || (*found)->outcomes.empty()) return nullptr;
    const std::size_t turn = node.retried ? attempt_of(node.name) : host_.begun[*found]++;
    return &(*found)->outcomes[std::min(turn, (*found)->outcomes.size() - 1)];
  }

  void run(const cluster::Object& pod, const std::string& uid) {
    const ScriptedHost::Container& container = host_.containers.at(uid);
    const play::Outcome* outcome = container.outcome;
    if (outcome && outcome->hangs == "Pending") return;
    doc::Array statuses;
    for (const doc::Value& each : doc::find(*pod, "spec", "containers")->as_array()) {
      statuses.push_back(doc::Object{
          {"name", doc::find_string(each, "name")},
          {"ready", true},
          {"state", doc::Object{{"running", doc::Object{{"startedAt", format_rfc3339(container.started_at)}}}}}});
    }
    if (doc::find_string(*pod, "status", "phase") != "Running") {
      write(*pod, doc::Object{{"status", doc::Object{{"phase", "Running"},
                                                     {"podIP", "10.0.0.7"},
                                                     {"containerStatuses", std::move(statuses)}}}});
    }
    if (outcome && outcome->hangs == "Running") return;
    const Duration length = outcome && outcome->duration ? *outcome->duration : play::kShort;
    executor_.schedule(std::max(executor_.now(), container.started_at + length), [weak = weak_from_this(), pod, uid] {
      const auto self = weak.lock();
      if (self && self->known_.contains(uid) && !self->stopping_.contains(uid)) self->end(*pod, uid);
    });
  }

  /// Of several containers the last one fails.
  void end(const doc::Value& pod, const std::string& uid) {
    const ScriptedHost::Container& run = host_.containers.at(uid);
    const int code = run.outcome ? run.outcome->exit_code.value_or(run.outcome->phase == "Failed" ? 1 : 0) : 0;
    const doc::Array& containers = doc::find(pod, "spec", "containers")->as_array();
    doc::Array statuses;
    for (const doc::Value& each : containers) {
      const bool fails = code != 0 && &each == &containers.back();
      doc::Object terminated{{"exitCode", fails ? code : 0},
                             {"reason", fails ? "Error" : "Completed"},
                             {"startedAt", format_rfc3339(run.started_at)},
                             {"finishedAt", format_rfc3339(executor_.now())}};
      if (fails && !run.outcome->message.empty()) terminated["message"] = run.outcome->message;
      statuses.push_back(doc::Object{{"name", doc::find_string(each, "name")},
                                     {"state", doc::Object{{"terminated", std::move(terminated)}}}});
    }
    doc::Object patch{{"status", doc::Object{{"phase", code == 0 ? "Succeeded" : "Failed"},
                                             {"containerStatuses", std::move(statuses)}}}};
    if (run.outcome && !annotation(pod, cluster::kOutputsWantedAnnotation).empty()) {
      doc::Object outputs = outputs_of(run.outcome->outputs);
      if (doc::Array made = store(pod, run.outcome->outputs); !made.empty()) outputs["artifacts"] = std::move(made);
      patch["metadata"] =
          doc::Object{{"annotations", doc::Object{{cluster::kOutputsAnnotation, doc::to_json(std::move(outputs))}}}};
    }
    write(pod, std::move(patch));
  }

  doc::Array store(const doc::Value& pod, const play::Values& values) {
    return store_artifacts(pod, host_.artifacts, [&](std::string_view name, std::string_view) {
      const auto made = values.artifacts.find(std::string(name));
      return made == values.artifacts.end() ? ArtifactFiles() : files_of(made->second);
    });
  }

  void write(const doc::Value& pod, doc::Object patch) {
    cluster_.patch(key_of(pod), cluster::PatchType::kMerge, std::move(patch), [](const auto&) {});
  }

  Executor& executor_;
  cluster::Cluster& cluster_;
  ScriptedHost& host_;
  std::unique_ptr<cluster::Watch> watch_;
  std::set<std::string> known_, stopping_;
};

ScriptedAgent::ScriptedAgent(Executor& executor, cluster::Cluster& cluster, ScriptedHost& host)
    : state_(std::make_shared<State>(executor, cluster, host)) {
  state_->start();
}

ScriptedAgent::~ScriptedAgent() = default;

namespace {

class ScriptedCall final : public web::HttpCall {
 public:
  ScriptedCall(Executor& executor, Time when, Executor::Task task)
      : executor_(executor), timer_(executor.schedule(when, std::move(task))) {}
  ~ScriptedCall() override { executor_.cancel(timer_); }

 private:
  Executor& executor_;
  Executor::TimerId timer_;
};

}  // namespace

std::unique_ptr<web::HttpCall> ScriptedWeb::send(web::HttpRequest request, Done done) {
  const auto parts = split(request.url, '/');
  TIPHYS_CHECK(parts.size() >= 6, "http://sim/STATUS/SECONDS/BODY: " + request.url);
  const Time sent = host_.requests.try_emplace(request.url, executor_.now()).first->second;
  const Time when = std::max(executor_.now(), sent + std::chrono::seconds(std::stoi(std::string(parts[4]))));
  web::HttpAnswer answer{std::stoi(std::string(parts[3])), {}, std::string(parts[5])};
  return std::make_unique<ScriptedCall>(
      executor_, when, [done = std::move(done), answer = std::move(answer)]() mutable { done(std::move(answer)); });
}

}  // namespace tiphys::simulation
