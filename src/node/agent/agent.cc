#include "node/agent/agent.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <map>
#include <set>

#include "artifact/file_tree.h"
#include "base/log.h"
#include "base/workers.h"
#include "cluster/pod_phase.h"
#include "node/agent/own_node.h"
#include "node/agent/pod_io.h"
#include "node/agent/pod_run.h"
#include "node/agent/pod_spec.h"
#include "node/log/log_file.h"
#include "node/services/port_claims.h"
#include "node/services/service_proxy.h"

namespace tiphys::node {
namespace {

/// Each may wait for a store elsewhere.
constexpr int kWorkerThreads = 8;

std::string uid_of(const doc::Value& pod) {
  return std::string(doc::find_string(pod, "metadata", "uid"));
}

}  // namespace

class Agent::State : public std::enable_shared_from_this<State> {
 public:
  State(boost::asio::io_context& context, Executor& executor, cluster::Cluster& cluster, const artifact::Stores& stores,
        AgentOptions options)
      : options_(std::move(options)),
        workers_(executor, kWorkerThreads),
        notices_(context),
        logs_(notices_, executor),
        claims_(std::make_shared<ClaimFolders>(executor, cluster, workers_, options_.claims_dir)),
        services_(std::make_shared<ServiceDirectory>(executor, cluster, options_.api != nullptr)),
        proxy_(std::make_shared<ServiceProxy>(executor, cluster, *services_, *options_.relay, options_.node_name)),
        hosts_(std::make_shared<HostsFiles>(executor, cluster, *services_)),
        accounts_(std::make_shared<ServiceAccounts>(executor, cluster)),
        node_(std::make_shared<OwnNode>(executor, cluster, options_.node_name)),
        events_(executor, cluster, "kubelet", options_.node_name),
        scheduler_events_(executor, cluster, "default-scheduler", ""),
        world_{context,  executor,   cluster, stores,     workers_, notices_,       logs_,
               *claims_, *services_, *hosts_, *accounts_, events_,  *options_.http, options_.api} {}

  void start() {
    for (Runtime* runtime : options_.runtimes) {
      runtime->when_services_unreachable([weak = weak_from_this()](const std::string& id, const Error& error) {
        const auto self = weak.lock();
        if (!self) return;
        const auto run = self->runs_.find(id.substr(0, id.find('.')));
        if (run != self->runs_.end()) run->second.run->tell_unreachable_services(error);
      });
    }
    claims_->start();
    services_->start();
    proxy_->start();
    node_->on_change([this] { admit_refused(); });
    node_->start();
    // Pods are told of services and get tokens as they begin, if this machine takes them.
    node_->when_synced([this] { services_->when_synced([this] { watch_with_accounts(); }); });
  }

  void watch_with_accounts() {
    if (!options_.api) return watch();
    accounts_->start();
    accounts_->when_synced([this] { watch(); });
  }

  void watch() {
    cluster::WatchSink sink;
    sink.on_event = [this](const cluster::WatchEvent& event) { on_event(event); };
    sink.on_end = [this](const Error& error) {
      log::warn("the watch of pods ended: {}", error.message);
      // Not from inside its own callback.
      world_.executor.post([weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->watch();
      });
    };
    watch_ = world_.cluster.watch(cluster::kPods, {.live_at_first = true}, std::move(sink));
  }

  std::unique_ptr<cluster::Watch> read_log(const cluster::Object& pod, cluster::LogOptions options,
                                           cluster::LogSink sink) {
    const std::string uid = uid_of(*pod);
    const std::string folder = container_dir(pod_dir(uid), options.container);
    if (options.previous) return read_previous(*pod, folder, std::move(options), std::move(sink));
    const bool over = cluster::pod_ended(*pod);
    if (options.follow && !over) {
      // Something to watch for a container that has not begun.
      std::error_code error;
      std::filesystem::create_directories(folder, error);
      if (error) log::warn("make {}: {}", folder, error.message());
    }
    auto has_ended = [weak = weak_from_this(), uid, over] {
      const auto self = weak.lock();
      if (!self) return true;
      const auto run = self->runs_.find(uid);
      if (run != self->runs_.end()) return run->second.run->settled();
      // Before the first list is in, an unfinished pod may still come.
      return over || self->synced_;
    };
    return logs_.read(folder + "/log", std::move(options), std::move(has_ended), std::move(sink));
  }

  void open_session(const cluster::Object& pod, cluster::SessionOptions options,
                    cluster::Done<std::unique_ptr<cluster::Session>> done) {
    const auto run = runs_.find(uid_of(*pod));
    if (run != runs_.end()) return run->second.run->open_session(std::move(options), std::move(done));
    world_.executor.post([done = std::move(done)]() mutable { done(fail(Code::kNotFound, "the pod does not run")); });
  }

 private:
  struct Entry {
    std::shared_ptr<PodRun> run;
    PodRequests requests;
    bool counted = false;
  };

  /// What a container that was started again wrote before.
  std::unique_ptr<cluster::Watch> read_previous(const doc::Value& pod, const std::string& folder,
                                                cluster::LogOptions options, cluster::LogSink sink) {
    const std::string path = folder + "/log.previous";
    std::error_code error;
    if (std::filesystem::exists(path, error)) {
      return logs_.read(path, std::move(options), [] { return true; }, std::move(sink));
    }
    world_.executor.post([end = std::move(sink.on_end), container = options.container,
                          name = std::string(doc::find_string(pod, "metadata", "name"))]() mutable {
      end(fail(Code::kInvalidArgument,
               fmt::format("previous terminated container \"{}\" in pod \"{}\" not found", container, name)));
    });
    return nullptr;
  }

  std::string pod_dir(const std::string& uid) const { return fmt::format("{}/{}", options_.pods_dir, uid); }

  void on_event(const cluster::WatchEvent& event) {
    if (event.type == cluster::WatchEvent::Type::kSynced) {
      synced_ = true;
      admit();
      // Those of pods that still wait for their turn are theirs.
      const auto wanted = [weak = weak_from_this()](std::string_view id) {
        const auto self = weak.lock();
        return !self || self->runs_.contains(std::string(id.substr(0, id.find('.'))));
      };
      for (Runtime* runtime : options_.runtimes) runtime->remove_unclaimed(wanted);
      return;
    }
    const std::string uid = uid_of(*event.object);
    const auto known = runs_.find(uid);
    if (event.type == cluster::WatchEvent::Type::kDeleted) return deleted(uid);
    if (reported_.contains(uid)) {
      // What was before its end is told late: it has run.
      if (!cluster::pod_ended(*event.object)) return;
      reported_.erase(uid);
    }
    if (known != runs_.end()) return known->second.run->update(event.object);
    if (cluster::pod_ended(*event.object) || is_withheld(*event.object)) {
      if (!doc::find_string(*event.object, "metadata", "deletionTimestamp").empty()) remove_ended(*event.object);
      return;
    }
    add(uid, event.object);
  }

  /// Another node has been named for it, or somebody holds it back. What has begun here goes on, whatever this machine
  /// is called now.
  bool is_withheld(const doc::Value& pod) const {
    if (!doc::find_string(pod, "status", "startTime").empty()) return false;
    const std::string_view node = doc::find_string(pod, "spec", "nodeName");
    return cluster::pod_gated(pod) || (!node.empty() && node != options_.node_name);
  }

  void add(const std::string& uid, const cluster::Object& pod) {
    const std::string_view asked = doc::find_string(*pod, "metadata", "annotations", kRuntimeAnnotation);
    Runtime* runtime = asked.empty() ? options_.runtimes.front() : nullptr;
    for (Runtime* known : options_.runtimes) {
      if (known->name() == asked) runtime = known;
    }
    Entry entry;
    PodRun::Events events;
    events.on_settled = [weak = weak_from_this(), uid] {
      if (const auto self = weak.lock()) self->settled(uid);
    };
    events.on_reported = [weak = weak_from_this(), uid] {
      const auto self = weak.lock();
      if (!self) return;
      self->reported_.insert(uid);
      self->forget(uid);
    };
    entry.run = std::make_shared<PodRun>(
        world_, pod,
        PodPlace{pod_dir(uid), options_.claims_dir, options_.node_name, options_.cpus, options_.memory_bytes},
        runtime ? *runtime : *options_.runtimes.front(), std::move(events));
    const auto run = entry.run;
    const auto requests = pod_requests(*pod);
    if (requests) entry.requests = *requests;
    runs_.emplace(uid, std::move(entry));
    if (!runtime) {
      return run->refuse("UnknownRuntime",
                         fmt::format("there is no runtime \"{}\": the annotation {} takes process or container", asked,
                                     kRuntimeAnnotation));
    }
    if (!requests) return run->refuse("InvalidResources", requests.error().message);
    if (requests->cpus > options_.cpus || requests->memory_bytes > options_.memory_bytes) {
      return run->refuse(
          "Unschedulable",
          fmt::format("the pod requests {} cpus and {:.0f} MiB of memory, this machine has {} and {:.0f}",
                      requests->cpus, requests->memory_bytes / (1 << 20), options_.cpus,
                      options_.memory_bytes / (1 << 20)));
    }
    const bool waits = doc::find_string(*pod, "status", "phase") != "Running";
    const bool to_end = doc::find_string(*pod, "metadata", "annotations", kEndAnnotation) == "true";
    if (!doc::find_string(*pod, "metadata", "deletionTimestamp").empty() || (to_end && waits)) return run->update(pod);
    queue_.push_back(uid);
    if (synced_) admit();
  }

  /// Begins waiting pods in their order while there is room. The first that does not fit holds those behind it.
  void admit() {
    while (!queue_.empty()) {
      const auto it = runs_.find(queue_.front());
      if (it == runs_.end() || it->second.run->settled()) {
        queue_.pop_front();
        continue;
      }
      Entry& entry = it->second;
      if (is_refused(*entry.run->pod())) {
        refused_.push_back(queue_.front());
        queue_.pop_front();
        continue;
      }
      const bool fits = running_ < options_.most_pods && used_.cpus + entry.requests.cpus <= options_.cpus &&
                        used_.memory_bytes + entry.requests.memory_bytes <= options_.memory_bytes;
      if (!fits) return;
      queue_.pop_front();
      entry.counted = true;
      ++running_;
      used_.cpus += entry.requests.cpus;
      used_.memory_bytes += entry.requests.memory_bytes;
      const auto run = entry.run;
      if (run->shares_network()) claim_ports(*run->pod());
      run->begin();
    }
  }

  /// Tells why, where it is. Who has chosen this node itself is not asked, as in Kubernetes, and what has begun goes
  /// on.
  bool is_refused(const doc::Value& pod) {
    if (!doc::find_string(pod, "spec", "nodeName").empty()) return false;
    const std::string why = node_->why_not(pod);
    if (why.empty()) return false;
    auto patch = unschedulable_patch(pod, why, world_.executor.now());
    if (!patch) return true;
    const NodeEvents::Subject subject = NodeEvents::subject_of(pod);
    world_.cluster.patch({&cluster::kPods, subject.ns, subject.name}, cluster::PatchType::kMerge, std::move(*patch),
                         [subject](const Result<cluster::Object>& written) {
                           if (written || written.error().code == Code::kNotFound) return;
                           log::warn("pod {}/{}: {}", subject.ns, subject.name, written.error().message);
                         });
    scheduler_events_.warn(subject, "FailedScheduling", why);
    return true;
  }

  /// Those that the node has refused have been there before those that wait now.
  void admit_refused() {
    queue_.insert(queue_.begin(), refused_.begin(), refused_.end());
    refused_.clear();
    if (synced_) admit();
  }

  void claim_ports(const doc::Value& pod) {
    for (const std::string& conflict : ports_.claim(pod)) {
      events_.warn(NodeEvents::subject_of(pod), "HostPortConflict", conflict);
    }
  }

  void release(Entry& entry) {
    if (!std::exchange(entry.counted, false)) return;
    --running_;
    ports_.release(uid_of(*entry.run->pod()));
    used_.cpus -= entry.requests.cpus;
    used_.memory_bytes -= entry.requests.memory_bytes;
  }

  void settled(const std::string& uid) {
    const auto it = runs_.find(uid);
    if (it == runs_.end()) return;
    release(it->second);
    admit();
  }

  void forget(const std::string& uid) {
    const auto it = runs_.find(uid);
    if (it == runs_.end()) return;
    release(it->second);
    runs_.erase(it);
    admit();
  }

  void deleted(const std::string& uid) {
    reported_.erase(uid);
    forget(uid);
    workers_.run([path = pod_dir(uid)] { return artifact::remove_tree(path); },
                 [](const Status& removed) {
                   if (!removed) log::warn("{}", removed.error().message);
                 });
  }

  void remove_ended(const doc::Value& pod) {
    cluster::DeleteOptions options;
    options.uid = uid_of(pod);
    options.grace_seconds = 0;
    const cluster::Key key{&cluster::kPods, std::string(doc::find_string(pod, "metadata", "namespace")),
                           std::string(doc::find_string(pod, "metadata", "name"))};
    world_.cluster.remove(key, std::move(options), [key](const Result<cluster::Object>& removed) {
      if (!removed && removed.error().code != Code::kNotFound)
        log::warn("pod {}/{} cannot be removed: {}", key.ns, key.name, removed.error().message);
    });
  }

  AgentOptions options_;
  Workers workers_;
  FolderNotices notices_;
  LogReader logs_;
  std::shared_ptr<ClaimFolders> claims_;
  std::shared_ptr<ServiceDirectory> services_;
  std::shared_ptr<ServiceProxy> proxy_;
  std::shared_ptr<HostsFiles> hosts_;
  std::shared_ptr<ServiceAccounts> accounts_;
  std::shared_ptr<OwnNode> node_;
  NodeEvents events_, scheduler_events_;
  PortClaims ports_;
  PodWorld world_;
  std::map<std::string, Entry> runs_;
  std::set<std::string> reported_;    ///< uids of pods whose end is stored, and not seen by the watch yet
  std::deque<std::string> queue_;     ///< uids of pods that wait for room
  std::vector<std::string> refused_;  ///< uids of pods that this machine does not take as it is
  std::size_t running_ = 0;
  PodRequests used_;
  bool synced_ = false;
  std::unique_ptr<cluster::Watch> watch_;
};

Agent::Agent(boost::asio::io_context& context, Executor& executor, cluster::Cluster& cluster,
             const artifact::Stores& stores, AgentOptions options)
    : state_(std::make_shared<State>(context, executor, cluster, stores, std::move(options))) {}
Agent::~Agent() = default;

void Agent::start() {
  state_->start();
}

void Agent::open_session(const cluster::Object& pod, cluster::SessionOptions options,
                         cluster::Done<std::unique_ptr<cluster::Session>> done) {
  state_->open_session(pod, std::move(options), std::move(done));
}

std::unique_ptr<cluster::Watch> Agent::read_log(const cluster::Object& pod, cluster::LogOptions options,
                                                cluster::LogSink sink) {
  return state_->read_log(pod, std::move(options), std::move(sink));
}

}  // namespace tiphys::node
