// The pod in which the executor plugins of one workflow run. Original: createAgentPod in workflow/controller/agent.go,
// whose main container asks the plugins; here the plane asks them itself.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/random.h"
#include "cluster/cluster.h"
#include "controllers/executor_plugins.h"
#include "controllers/pod_rate.h"

namespace tiphys::controllers {

std::string agent_pod_name(std::string_view workflow_name);
bool is_agent_pod(const doc::Value& pod);

/// Made when it is first needed, with a secret that holds a token for each plugin; found again after a crash. One that
/// has ended is replaced when it is needed again. Its end is for others: the workflow stops it.
class AgentPod : public std::enable_shared_from_this<AgentPod> {
 public:
  struct Plugin {
    std::string name;
    std::string address;            ///< "http://127.0.0.1:4355"
    std::string token;              ///< what it knows those by who may ask it
    bool executes_nothing = false;  ///< it has no such method: it is not asked again
  };
  struct Owner {
    std::string ns, workflow_name, workflow_uid;
  };
  /// Makes the pod of these plugins, each with its token of the secret of this name.
  using Build =
      std::function<Result<doc::Value>(const std::vector<ExecutorPlugin>& plugins, const std::string& secret)>;
  /// The pod is ready; or it cannot be had, or has failed.
  using Told = std::function<void(const Status&)>;

  /// `spec` is the workflow's.
  AgentPod(Executor& executor, cluster::Cluster& cluster, Random& random, Owner owner, doc::Shared spec,
           PodRate& pod_rate, Build build);

  /// Until it is destroyed `told` is called, later, when the pod is ready, and again when it fails.
  class Use {
   public:
    Use(std::weak_ptr<AgentPod> pod, std::uint64_t id) : pod_(std::move(pod)), id_(id) {}
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    std::weak_ptr<AgentPod> pod_;
    std::uint64_t id_;
  };
  std::unique_ptr<Use> use(Told told);
  /// Of the pod that is ready.
  std::vector<Plugin>& plugins() { return plugins_; }
  const Owner& owner() const { return owner_; }

 private:
  enum class State { kIdle, kStarting, kReady };

  void begin();
  void list_plugins();
  void make_secret();
  void read_secret();
  void take_tokens(const doc::Value& secret);
  void follow();
  void saw(const cluster::WatchEvent& event);
  void create_in_turn();
  void create();
  void judge(const doc::Value& pod);
  void replace(const doc::Value& pod);
  void ready(const doc::Value& pod);
  void failed(const std::string& reason);
  void try_again(const Error& error, void (AgentPod::*task)());
  void tell(const Status& status);
  template <typename F>
  auto guarded(F task) {
    return [weak = weak_from_this(), task = std::move(task)](auto&&... args) mutable {
      if (const auto self = weak.lock()) task(*self, std::forward<decltype(args)>(args)...);
    };
  }

  Executor& executor_;
  cluster::Cluster& cluster_;
  Random& random_;
  const Owner owner_;
  const doc::Shared spec_;
  PodRate& pod_rate_;
  const Build build_;
  const std::string name_;    ///< the pod's
  const std::string secret_;  ///< the secret's name
  State state_ = State::kIdle;
  std::vector<ExecutorPlugin> wanted_;
  std::map<std::string, std::string> tokens_;  ///< by plugin
  std::vector<Plugin> plugins_;
  std::unique_ptr<cluster::Watch> watch_;
  bool present_ = false;  ///< there is a pod of this name
  bool created_ = false;  ///< by us, since it was last needed
  Duration retry_delay_{};
  std::map<std::uint64_t, Told> users_;
  std::uint64_t next_user_ = 0;
};

}  // namespace tiphys::controllers
