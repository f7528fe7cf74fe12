#include "simulation/fake_agent.h"

#include <fmt/format.h>

#include <charconv>
#include <set>

#include "cluster/pod_annotations.h"
#include "cluster/pod_phase.h"

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

}  // namespace

class FakeAgent::State : public std::enable_shared_from_this<State> {
 public:
  State(Executor& executor, cluster::Cluster& cluster, Host& host, std::uint64_t outcomes, Chance& chance)
      : executor_(executor), cluster_(cluster), host_(host), outcomes_(outcomes), chance_(chance) {}

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
    if (!cluster::pod_ended(*event.object) && known_.insert(uid).second) take(event.object, uid);
  }

  /// A pod that is new, or that this agent sees for the first time since it began.
  void take(const cluster::Object& pod, const std::string& uid) {
    const auto running = host_.containers.find(uid);
    if (running != host_.containers.end()) return await_end(pod, uid);
    later(chance_.up_to(kLongestStart), [pod, uid](State& self) {
      if (!self.known_.contains(uid) || self.stopping_.contains(uid)) return;
      self.run(pod, uid);
    });
  }

  void run(const cluster::Object& pod, const std::string& uid) {
    const std::string name = node_name(*pod);
    const std::string node_id(annotation(*pod, "workflows.argoproj.io/node-id"));
    ++host_.starts[node_id];
    const Duration length(static_cast<Duration::rep>(fixed_by(outcomes_, name + "/length") %
                                                     static_cast<std::uint64_t>(kLongestRun.count())));
    host_.containers[uid] = {node_id, executor_.now(), executor_.now() + length};
    // Some pods end before anybody has seen them run.
    if (chance_.percent(80)) write(key_of(*pod), doc::Object{{"status", doc::Object{{"phase", "Running"}}}}, uid);
    await_end(pod, uid);
  }

  void await_end(const cluster::Object& pod, const std::string& uid) {
    const Time end = std::max(host_.containers.at(uid).ends_at, executor_.now());
    later(end - executor_.now(), [pod, uid](State& self) {
      if (self.known_.contains(uid)) self.end(*pod, uid);
    });
  }

  void end(const doc::Value& pod, const std::string& uid) {
    const std::string name = node_name(pod);
    const std::string percent = main_arg(pod, 1);
    int failing = 0;
    std::from_chars(percent.data(), percent.data() + percent.size(), failing);
    const bool fails = static_cast<int>(fixed_by(outcomes_, name + "/fails") % 100) < failing;
    const Host::Container& container = host_.containers.at(uid);
    const doc::Object terminated{{"exitCode", fails ? 1 : 0},
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
    if (!fails) patch["metadata"] = doc::Object{{"annotations", outputs(pod, name)}};
    write(key_of(pod), std::move(patch), uid);
  }

  doc::Object outputs(const doc::Value& pod, const std::string& name) {
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
    return {{cluster::kOutputsAnnotation, doc::to_json(std::move(outputs))}};
  }

  /// Until it holds: an agent does not forget what it has to tell.
  void write(const cluster::Key& key, doc::Object patch, const std::string& uid) {
    doc::Value sent = patch;
    cluster_.patch(
        key, cluster::PatchType::kMerge, std::move(sent),
        [weak = weak_from_this(), key, patch = std::move(patch), uid](Result<cluster::Object> answer) mutable {
          const auto self = weak.lock();
          const bool lost =
              answer || answer.error().code == Code::kNotFound || answer.error().code == Code::kInvalidArgument;
          if (!self || lost || !self->known_.contains(uid)) return;
          self->later(kRetry, [key, patch = std::move(patch), uid](State& state) mutable {
            state.write(key, std::move(patch), uid);
          });
        });
  }

  void stop(const cluster::Object& pod) {
    const std::string uid(doc::find_string(*pod, "metadata", "uid"));
    if (!stopping_.insert(uid).second) return;
    later(chance_.up_to(kLongestStart), [pod, uid](State& self) { self.remove(*pod, uid); });
  }

  void remove(const doc::Value& pod, const std::string& uid) {
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
  std::set<std::string> known_, stopping_;
};

FakeAgent::FakeAgent(Executor& executor, cluster::Cluster& cluster, Host& host, std::uint64_t outcomes, Chance& chance)
    : state_(std::make_shared<State>(executor, cluster, host, outcomes, chance)) {
  state_->start();
}

FakeAgent::~FakeAgent() = default;

}  // namespace tiphys::simulation
