#include "simulation/fake_agent.h"

#include <fmt/format.h>

#include <charconv>
#include <set>

#include "cluster/pod_annotations.h"
#include "cluster/pod_phase.h"
#include "controllers/agent_pod.h"
#include "simulation/random_workflow.h"

namespace tiphys::simulation {
namespace {

constexpr Duration kLongestStart = std::chrono::milliseconds(300);
constexpr Duration kLongestRun = std::chrono::seconds(10);
constexpr Duration kRetry = std::chrono::milliseconds(500);

std::string_view annotation(const doc::Value& pod, std::string_view name) {
  return doc::find_string(pod, "metadata", "annotations", name);
}

std::string node_name(const doc::Value& pod) {
  return std::string(annotation(pod, "workflows.argoproj.io/node-name"));
}

bool terminating(const doc::Value& pod) {
  return !doc::find_string(pod, "metadata", "deletionTimestamp").empty();
}

cluster::Key key_of(const doc::Value& pod) {
  return {&cluster::kPods, std::string(doc::find_string(pod, "metadata", "namespace")),
          std::string(doc::find_string(pod, "metadata", "name"))};
}

std::string main_arg(const doc::Value& pod, std::size_t index) {
  return std::string(std::string_view(pod.at("spec").at("containers").at(0).at("args").at(index).as_string()));
}

/// It runs until somebody ends it: plugins, and daemons.
bool serves(const doc::Value& pod) {
  return controllers::is_agent_pod(pod) || main_arg(pod, 0) == "server";
}

bool to_end(const doc::Value& pod) {
  return annotation(pod, cluster::kEndAnnotation) == "true";
}

}  // namespace

class FakeAgent::State : public std::enable_shared_from_this<State> {
 public:
  State(Executor& executor, cluster::Cluster& cluster, Host& host, std::uint64_t outcomes, Chance& chance,
        NodeFaults faults)
      : executor_(executor), cluster_(cluster), host_(host), outcomes_(outcomes), chance_(chance), faults_(faults) {}

  void start() {
    watch_ = cluster_.watch(cluster::kPods, {},
                            {[this](const cluster::WatchEvent& event) { on_event(event); },
                             [this](const Error&) { later(Duration(0), [](State& self) { self.start(); }); }});
  }

 private:
  template <typename F>
  void later(Duration delay, F task) {
    executor_.schedule(executor_.now() + delay, [weak = weak_from_this(), task = std::move(task)]() mutable {
      if (const auto self = weak.lock()) task(*self);
    });
  }

  void on_event(const cluster::WatchEvent& event) {
    if (!event.object) return;
    const std::string uid(doc::find_string(*event.object, "metadata", "uid"));
    if (event.type == cluster::WatchEvent::Type::kDeleted) {
      known_.erase(uid);
      return;
    }
    if (terminating(*event.object)) return stop(event.object);
    if (to_end(*event.object) && !cluster::pod_ended(*event.object)) return cut_short(event.object, uid);
    if (!cluster::pod_ended(*event.object) && known_.insert(uid).second) take(event.object, uid);
  }

  /// A pod that is new, or that this agent sees for the first time since it began.
  void take(const cluster::Object& pod, const std::string& uid) {
    const auto running = host_.containers.find(uid);
    if (running != host_.containers.end()) {
      const bool told = doc::find_string(*pod, "status", "phase") == "Running";
      if (serves(*pod) && !told) write(key_of(*pod), this->running(*pod), uid);
      return await_end(pod, uid);
    }
    later(chance_.up_to(kLongestStart), [pod, uid](State& self) {
      if (!self.known_.contains(uid) || self.stopping_.contains(uid)) return;
      self.run(pod, uid);
    });
  }

  void run(const cluster::Object& pod, const std::string& uid) {
    const std::string name = node_name(*pod);
    const std::string node_id(annotation(*pod, "workflows.argoproj.io/node-id"));
    if (!controllers::is_agent_pod(*pod)) ++host_.starts[node_id];
    const Duration length(static_cast<Duration::rep>(fixed_by(outcomes_, name + "/length") %
                                                     static_cast<std::uint64_t>(kLongestRun.count())));
    host_.containers[uid] = {node_id, executor_.now(), serves(*pod) ? Host::kNever : executor_.now() + length};
    // Some pods end before anybody has seen them run.
    if (serves(*pod) || chance_.percent(80)) write(key_of(*pod), running(*pod), uid);
    if (!controllers::is_agent_pod(*pod)) disturb(pod, uid);
    await_end(pod, uid);
  }

  doc::Object running(const doc::Value& pod) const {
    doc::Array statuses;
    for (const doc::Value& each : pod.at("spec").at("containers").as_array()) {
      statuses.push_back(doc::Object{
          {"name", doc::find_string(each, "name")},
          {"ready", true},
          {"state", doc::Object{{"running", doc::Object{{"startedAt", format_rfc3339(executor_.now())}}}}}});
    }
    return {{"status",
             doc::Object{{"phase", "Running"}, {"podIP", "10.0.0.7"}, {"containerStatuses", std::move(statuses)}}}};
  }

  /// Of what runs some is evicted, or deleted by somebody.
  void disturb(const cluster::Object& pod, const std::string& uid) {
    if (chance_.percent(faults_.evicted_percent)) {
      later(chance_.up_to(kLongestRun), [pod, uid](State& self) {
        if (!self.known_.contains(uid) || !self.ended_.insert(uid).second) return;
        self.write(key_of(*pod),
                   doc::Object{{"status", doc::Object{{"phase", "Failed"},
                                                      {"reason", "Evicted"},
                                                      {"message", "The node was low on resource"}}}},
                   uid);
      });
    }
    if (chance_.percent(faults_.removed_percent)) {
      later(chance_.up_to(kLongestRun), [pod, uid](State& self) { self.remove(*pod, uid); });
    }
  }

  /// One that has not begun goes.
  void cut_short(const cluster::Object& pod, const std::string& uid) {
    const auto running = host_.containers.find(uid);
    if (running == host_.containers.end()) return stop(pod);
    known_.insert(uid);
    if (!cut_.insert(uid).second) return;
    running->second.cut = true;
    running->second.ends_at = executor_.now();
    later(chance_.up_to(kLongestStart), [pod, uid](State& self) {
      if (self.known_.contains(uid)) self.end(*pod, uid);
    });
  }

  void await_end(const cluster::Object& pod, const std::string& uid) {
    if (host_.containers.at(uid).ends_at == Host::kNever) return;
    const Time end = std::max(host_.containers.at(uid).ends_at, executor_.now());
    later(end - executor_.now(), [pod, uid](State& self) {
      if (self.known_.contains(uid)) self.end(*pod, uid);
    });
  }

  bool fails_by_itself(const doc::Value& pod) const {
    const std::string percent = main_arg(pod, 1);
    int failing = 0;
    std::from_chars(percent.data(), percent.data() + percent.size(), failing);
    return static_cast<int>(fixed_by(outcomes_, node_name(pod) + "/fails") % 100) < failing;
  }

  void end(const doc::Value& pod, const std::string& uid) {
    if (!ended_.insert(uid).second) return;
    const std::string name = node_name(pod);
    const Host::Container& container = host_.containers.at(uid);
    const bool fails = container.cut || fails_by_itself(pod);
    const doc::Object terminated{{"exitCode", container.cut ? 143
                                              : fails       ? 1
                                                            : 0},
                                 {"reason", fails ? "Error" : "Completed"},
                                 {"startedAt", format_rfc3339(container.started_at)},
                                 {"finishedAt", format_rfc3339(container.ends_at)}};
    doc::Array statuses;
    for (const doc::Value& each : pod.at("spec").at("containers").as_array()) {
      statuses.push_back(
          doc::Object{{"name", doc::find_string(each, "name")}, {"state", doc::Object{{"terminated", terminated}}}});
    }
    doc::Object status{{"phase", fails ? "Failed" : "Succeeded"}, {"containerStatuses", std::move(statuses)}};
    doc::Object patch{{"status", std::move(status)}};
    doc::Object outputs = fails ? doc::Object() : outputs_of(pod, name);
    doc::Array artifacts = container.cut ? doc::Array() : store(pod, name, fails);
    if (!artifacts.empty()) outputs["artifacts"] = std::move(artifacts);
    if (!outputs.empty()) {
      patch["metadata"] =
          doc::Object{{"annotations", doc::Object{{cluster::kOutputsAnnotation, doc::to_json(std::move(outputs))}}}};
    }
    write(key_of(pod), std::move(patch), uid);
  }

  /// What has failed has made some of its artifacts.
  doc::Array store(const doc::Value& pod, const std::string& name, bool fails) {
    return store_artifacts(pod, host_.artifacts,
                           [&](std::string_view artifact, std::string_view path) -> ArtifactFiles {
                             if (fails && fixed_by(outcomes_, fmt::format("{}/{}", name, artifact)) % 2 == 0) return {};
                             if (path != kFolderPath) return {{"", "made by " + name}};
                             ArtifactFiles files;
                             for (std::uint64_t i = fixed_by(outcomes_, artifact) % 4 + 1; i > 0; --i) {
                               files[fmt::format("deep/{}.{}", i, i % 3 == 0 ? "txt" : "log")] = "made by " + name;
                             }
                             return files;
                           });
  }

  doc::Object outputs_of(const doc::Value& pod, const std::string& name) {
    const std::string_view wanted = annotation(pod, cluster::kOutputsWantedAnnotation);
    if (wanted.empty()) return {};
    const std::uint64_t draw = fixed_by(outcomes_, name + "/result");
    const std::string kind = main_arg(pod, 0);
    doc::Object outputs;
    if (kind == "value") {
      outputs["parameters"] = doc::Array{doc::Object{{"name", "value"}, {"value", fmt::to_string(draw % 10)}}};
    } else if (kind == "list") {
      doc::Array list;
      for (std::uint64_t i = 0; i < draw % 4; ++i) list.emplace_back(i);
      outputs["result"] = doc::to_json(std::move(list));
    } else {
      outputs["result"] = draw % 2 == 0 ? "heads" : "tails";
    }
    return outputs;
  }

  /// Until it holds, or there is something newer to tell: an agent does not forget, and says nothing that is over.
  void write(const cluster::Key& key, doc::Object patch, const std::string& uid) {
    write(key, std::move(patch), uid, ++newest_[uid]);
  }

  void write(const cluster::Key& key, doc::Object patch, const std::string& uid, int number) {
    if (newest_[uid] != number) return;
    doc::Value sent = patch;
    cluster_.patch(
        key, cluster::PatchType::kMerge, std::move(sent),
        [weak = weak_from_this(), key, patch = std::move(patch), uid, number](Result<cluster::Object> answer) mutable {
          const auto self = weak.lock();
          const bool lost =
              answer || answer.error().code == Code::kNotFound || answer.error().code == Code::kInvalidArgument;
          if (!self || lost || !self->known_.contains(uid)) return;
          self->later(kRetry, [key, patch = std::move(patch), uid, number](State& state) mutable {
            state.write(key, std::move(patch), uid, number);
          });
        });
  }

  void stop(const cluster::Object& pod) {
    const std::string uid(doc::find_string(*pod, "metadata", "uid"));
    if (!stopping_.insert(uid).second) return;
    later(chance_.up_to(kLongestStart), [pod, uid](State& self) { self.remove(*pod, uid); });
  }

  void remove(const doc::Value& pod, const std::string& uid) {
    host_.removed.insert(key_of(pod).name);
    cluster_.remove(key_of(pod), {.uid = uid, .grace_seconds = 0},
                    [weak = weak_from_this(), pod, uid](const Result<cluster::Object>& answer) {
                      const auto self = weak.lock();
                      const bool over =
                          answer || answer.error().code == Code::kNotFound || answer.error().code == Code::kAborted;
                      if (!self || over) return;
                      self->later(kRetry, [pod, uid](State& state) { state.remove(pod, uid); });
                    });
  }

  Executor& executor_;
  cluster::Cluster& cluster_;
  Host& host_;
  std::uint64_t outcomes_;
  Chance& chance_;
  std::unique_ptr<cluster::Watch> watch_;
  NodeFaults faults_;
  std::map<std::string, int> newest_;  ///< of what was told of a pod, by its uid
  std::set<std::string> known_, stopping_, cut_, ended_;
};

FakeAgent::FakeAgent(Executor& executor, cluster::Cluster& cluster, Host& host, std::uint64_t outcomes, Chance& chance,
                     NodeFaults faults)
    : state_(std::make_shared<State>(executor, cluster, host, outcomes, chance, faults)) {
  state_->start();
}

FakeAgent::~FakeAgent() = default;

}  // namespace tiphys::simulation
