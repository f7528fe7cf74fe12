#include "controllers/agent_pod.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/log.h"
#include "cluster/pod_annotations.h"
#include "cluster/pod_phase.h"
#include "cluster/secret.h"
#include "controllers/names.h"
#include "controllers/owner_reference.h"
#include "controllers/pod_status.h"
#include "controllers/refused.h"
#include "engine/run.h"

namespace tiphys::controllers {
namespace {

constexpr int kTokenLetters = 32;
constexpr Duration kFirstRetry = std::chrono::milliseconds(100), kLongestRetry = std::chrono::seconds(10);

bool going(const doc::Value& pod) {
  return cluster::pod_ended(pod) || !doc::find_string(pod, "metadata", "deletionTimestamp").empty() ||
         !doc::find_string(pod, "metadata", "annotations", cluster::kEndAnnotation).empty();
}

bool has_container(const doc::Value& pod, std::string_view name) {
  const doc::Value* containers = doc::find(pod, "spec", "containers");
  return containers && containers->is_array() && std::ranges::any_of(containers->get_array(), [&](const auto& each) {
           return doc::find_string(each, "name") == name;
         });
}

}  // namespace

std::string agent_pod_name(std::string_view workflow_name) {
  return engine::node_id(workflow_name, "agent") + "-agent";
}

bool is_agent_pod(const doc::Value& pod) {
  return doc::find_string(pod, "metadata", "labels", kComponentLabel) == kAgentComponent;
}

AgentPod::AgentPod(Executor& executor, cluster::Cluster& cluster, Random& random, Owner owner, doc::Shared spec,
                   PodRate& pod_rate, Build build)
    : executor_(executor),
      cluster_(cluster),
      random_(random),
      owner_(std::move(owner)),
      spec_(std::move(spec)),
      pod_rate_(pod_rate),
      build_(std::move(build)),
      name_(agent_pod_name(owner_.workflow_name)),
      secret_(name_ + "-tokens") {}

AgentPod::Use::~Use() {
  if (const auto pod = pod_.lock()) pod->users_.erase(id_);
}

std::unique_ptr<AgentPod::Use> AgentPod::use(Told told) {
  const std::uint64_t id = next_user_++;
  users_.emplace(id, std::move(told));
  if (state_ == State::kReady) {
    executor_.post(guarded([id](AgentPod& self) {
      const auto user = self.users_.find(id);
      if (user == self.users_.end() || self.state_ != State::kReady) return;
      const Told tell = user->second;
      tell({});
    }));
  } else if (state_ == State::kIdle) {
    state_ = State::kStarting;
    executor_.post(guarded([](AgentPod& self) { self.begin(); }));
  }
  return std::make_unique<Use>(weak_from_this(), id);
}

void AgentPod::begin() {
  created_ = false;
  auto own = plugins_of_spec(*spec_);
  if (!own) return failed(own.error().message);
  wanted_ = std::move(*own);
  if (wanted_.empty()) return list_plugins();
  make_secret();
}

void AgentPod::list_plugins() {
  cluster::ListOptions options;
  options.ns = owner_.ns;
  if (auto labels = cluster::Selector::parse(fmt::format("{}={}", kConfigMapTypeLabel, kExecutorPluginType))) {
    options.labels = std::move(*labels);
  }
  cluster_.list(cluster::kConfigMaps, std::move(options), guarded([](AgentPod& self, Result<cluster::List> listed) {
                  if (!listed) return self.try_again(listed.error(), &AgentPod::list_plugins);
                  for (const cluster::Object& each : listed->items) {
                    auto plugin = plugin_of_config_map(*each);
                    if (!plugin) log::warn("{}", plugin.error().message);
                    if (plugin) self.wanted_.push_back(std::move(*plugin));
                  }
                  if (!self.wanted_.empty()) return self.make_secret();
                  // There is nobody to ask.
                  self.plugins_.clear();
                  self.state_ = State::kReady;
                  self.tell({});
                }));
}

void AgentPod::make_secret() {
  doc::Object data;
  for (const ExecutorPlugin& plugin : wanted_) {
    data[plugin.name] = encode_base64(make_name_suffix(random_, kTokenLetters));
  }
  doc::Object secret{{"apiVersion", "v1"},
                     {"kind", "Secret"},
                     {"metadata",
                      {{"name", secret_},
                       {"namespace", owner_.ns},
                       {"ownerReferences", doc::Array{owner_reference(owner_.workflow_name, owner_.workflow_uid)}}}},
                     {"data", std::move(data)}};
  cluster_.create(cluster::kSecrets, std::move(secret), guarded([](AgentPod& self, Result<cluster::Object> made) {
                    if (made) return self.take_tokens(**made);
                    if (made.error().code == Code::kAlreadyExists) return self.read_secret();
                    if (refused_for_good(made.error())) return self.failed(made.error().message);
                    self.try_again(made.error(), &AgentPod::make_secret);
                  }));
}

/// That of an earlier pod of the workflow.
void AgentPod::read_secret() {
  cluster_.get(
      {&cluster::kSecrets, owner_.ns, secret_}, guarded([](AgentPod& self, Result<cluster::Object> found) {
        if (!found) return self.try_again(found.error(), &AgentPod::make_secret);
        if (!owned_by(**found, self.owner_.workflow_uid)) {
          return self.failed(fmt::format("secret {} exists already and is not of this workflow", self.secret_));
        }
        self.take_tokens(**found);
      }));
}

void AgentPod::take_tokens(const doc::Value& secret) {
  tokens_.clear();
  std::erase_if(wanted_, [&](const ExecutorPlugin& plugin) {
    auto token = cluster::secret_value(secret, plugin.name);
    if (!token || token->empty()) {
      // It has come since the pod was made.
      log::warn("executor plugin {} is not used by workflow {}: it has come too late", plugin.name,
                owner_.workflow_name);
      return true;
    }
    tokens_[plugin.name] = std::move(*token);
    return false;
  });
  follow();
}

// ---- The pod ----

void AgentPod::follow() {
  present_ = false;
  cluster::WatchOptions options;
  options.ns = owner_.ns;
  if (auto fields = cluster::Selector::parse_fields("metadata.name=" + name_)) options.fields = std::move(*fields);
  watch_ = cluster_.watch(cluster::kPods, std::move(options),
                          {guarded([](AgentPod& self, const cluster::WatchEvent& event) { self.saw(event); }),
                           guarded([](AgentPod& self, const Error&) { self.follow(); })});
}

void AgentPod::saw(const cluster::WatchEvent& event) {
  using Type = cluster::WatchEvent::Type;
  switch (event.type) {
    case Type::kAdded:
    case Type::kModified:
      present_ = true;
      return judge(*event.object);
    case Type::kDeleted:
      present_ = false;
      if (state_ == State::kStarting && !created_) return create_in_turn();
      return failed("pod deleted");
    case Type::kSynced:
      if (present_) return;
      if (state_ == State::kStarting) return create_in_turn();
      return failed("pod deleted");
  }
}

void AgentPod::create_in_turn() {
  created_ = true;
  if (pod_rate_.take()) return create();
  pod_rate_.wait([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->state_ != State::kStarting) return false;
    self->create();
    return true;
  });
}

void AgentPod::create() {
  auto pod = build_(wanted_, secret_);
  if (!pod) return failed(pod.error().message);
  cluster_.create(cluster::kPods, std::move(*pod), guarded([](AgentPod& self, const Result<cluster::Object>& made) {
                    // The watch tells how it goes on.
                    if (made || made.error().code == Code::kAlreadyExists) return;
                    if (refused_for_good(made.error())) return self.failed(made.error().message);
                    self.try_again(made.error(), &AgentPod::create);
                  }));
}

void AgentPod::judge(const doc::Value& pod) {
  if (!owned_by(pod, owner_.workflow_uid)) {
    return failed(fmt::format("pod {} exists already and is not of this workflow", name_));
  }
  if (going(pod)) {
    if (state_ == State::kStarting && !created_) return replace(pod);
    const std::string message = read_pod(pod).message;
    return failed(message.empty() ? "it has ended" : message);
  }
  const bool runs = doc::find_string(pod, "status", "phase") == "Running";
  if (state_ == State::kStarting && runs && !doc::find_string(pod, "status", "podIP").empty()) ready(pod);
}

/// One of an earlier time has ended, or is about to: another one comes when it has gone.
void AgentPod::replace(const doc::Value& pod) {
  if (!doc::find_string(pod, "metadata", "deletionTimestamp").empty()) return;
  cluster_.remove({&cluster::kPods, owner_.ns, name_}, {.uid = std::string(doc::find_string(pod, "metadata", "uid"))},
                  guarded([](AgentPod& self, const Result<cluster::Object>& removed) {
                    const bool gone = removed || removed.error().code == Code::kNotFound;
                    if (!gone) self.try_again(removed.error(), &AgentPod::follow);
                  }));
}

void AgentPod::ready(const doc::Value& pod) {
  plugins_.clear();
  for (const ExecutorPlugin& each : wanted_) {
    if (!has_container(pod, each.name)) continue;
    plugins_.push_back({each.name, fmt::format("http://{}:{}", doc::find_string(pod, "status", "podIP"), each.port),
                        tokens_[each.name]});
  }
  state_ = State::kReady;
  retry_delay_ = {};
  tell({});
}

void AgentPod::failed(const std::string& reason) {
  state_ = State::kIdle;
  watch_.reset();
  tell(fail(Code::kAborted, fmt::format("agent pod failed with reason:\"{}\"", reason)));
}

void AgentPod::try_again(const Error& error, void (AgentPod::*task)()) {
  log::warn("agent pod of workflow {}/{} is tried again: {}", owner_.ns, owner_.workflow_name, error.message);
  retry_delay_ = retry_delay_ == Duration{} ? kFirstRetry : std::min(retry_delay_ * 2, kLongestRetry);
  executor_.schedule(executor_.now() + retry_delay_, guarded([task](AgentPod& self) { (self.*task)(); }));
}

/// Those who are told may go, or come, meanwhile.
void AgentPod::tell(const Status& status) {
  std::vector<std::uint64_t> ids;
  for (const auto& [id, told] : users_) ids.push_back(id);
  for (const std::uint64_t id : ids) {
    const auto user = users_.find(id);
    if (user == users_.end()) continue;
    const Told told = user->second;
    told(status);
  }
}

}  // namespace tiphys::controllers
