// One pod on its way through the agent: queued, prepared, running, ended, reported.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "artifact/stores.h"
#include "base/executor.h"
#include "base/workers.h"
#include "cluster/cluster.h"
#include "cluster/session.h"
#include "node/agent/claim_folders.h"
#include "node/agent/container_probes.h"
#include "node/agent/hosts_files.h"
#include "node/agent/pod_files.h"
#include "node/agent/pod_network.h"
#include "node/agent/pod_report.h"
#include "node/agent/pod_spec.h"
#include "node/agent/pod_tokens.h"
#include "node/agent/progress_file.h"
#include "node/agent/service_accounts.h"
#include "node/log/log_file.h"
#include "node/runtime.h"
#include "node/services/node_events.h"

namespace tiphys::node {

/// What a pod's run needs of its agent.
struct PodWorld {
  boost::asio::io_context& context;
  Executor& executor;
  cluster::Cluster& cluster;
  const artifact::Stores& stores;
  Workers& workers;
  FolderNotices& notices;
  LogReader& logs;
  ClaimFolders& claims;
  ServiceDirectory& services;
  HostsFiles& hosts;
  ServiceAccounts& accounts;
  NodeEvents& events;
  web::HttpClient& http;
  const ApiAccess* api;  ///< null: none
};

class PodRun : public std::enable_shared_from_this<PodRun> {
 public:
  struct Events {
    /// Once, when no container of the pod runs any more: its place is free for the next.
    std::function<void()> on_settled;
    /// Once, when its end is on disk: the run may be forgotten.
    std::function<void()> on_reported;
  };
  PodRun(PodWorld world, cluster::Object pod, PodPlace place, Runtime& runtime, Events events);

  const cluster::Object& pod() const { return pod_; }
  bool begun() const { return begun_; }
  bool settled() const { return settled_; }
  /// Its containers are without Services: tells of it by an Event.
  void tell_unreachable_services(const Error& error);
  /// Whether its containers have the network of this host, and its ports.
  bool shares_network() const { return runtime_.name() == "process"; }

  void begin();
  /// The pod's newest state: a deletion stops it.
  void update(cluster::Object pod);
  /// Ends a pod that was not begun, or cannot be.
  void refuse(std::string reason, std::string message);
  /// kNotFound when what it is for does not run.
  void open_session(cluster::SessionOptions options, cluster::Done<std::unique_ptr<cluster::Session>> done);

 private:
  struct Container {
    ContainerSpec spec;
    bool init = false;
    bool sidecar = false;  ///< an init container that keeps running: it has a life as those after it have
    bool asked = false;    ///< given to the runtime
    bool in_set = false;   ///< one of a containerSet: it starts when those that it waits for have succeeded
    std::vector<std::size_t> waits_for;
    ContainerReport report;
    std::unique_ptr<ContainerProbes> probes;  ///< while it runs
    std::unique_ptr<ProgressFile> progress;   ///< once it has run for a moment, where it is asked for
    std::unique_ptr<HandlerRun> post_start;   ///< while that hook runs, for which those after it wait
    std::unique_ptr<HandlerRun> pre_stop;     ///< from the first kill to its end
    Duration kill_grace{0};                   ///< of that kill
    bool told = false;                        ///< its own command to end it has been run
    std::string failure;                      ///< why it is killed, if it is for what it does
    int crashes = 0;                          ///< that count towards the next back-off
    Executor::TimerId restart = 0;            ///< until it is started again
    bool ending = false;                      ///< a sidecar: its turn to end has come
    bool lives() const { return !init || sidecar; }
  };

  void prepare(PodSources sources);
  Status check_stores() const;
  /// Whether addresses of Services are to answer in its containers. In an engine that takes a while, which a step does
  /// not wait for in vain.
  bool reaches_services() const;
  // pod_run_tokens.cc
  /// Whose tokens the pod may have, or why there are none.
  Result<TokenOwner> token_owner() const;
  bool has_account_folder() const;
  bool has_tokens() const { return holds_account_ || !tokens_.empty(); }
  void hold(HeldFiles files);
  Status give_tokens(PodContainers& made);
  Status write_tokens_again();
  /// Again and again while the pod runs.
  void renew_tokens_after(Duration wait);
  void tell_of_missing_account();

  // pod_run_progress.cc
  Status give_progress_folder(PodContainers& made);
  void follow_progress();
  void told_progress(std::string text);

  bool wants_hosts() const;
  void give_hosts(PodContainers made, bool reaches_services);
  void fetch_credentials(PodContainers made);
  void stage(PodContainers made, artifact::Credentials credentials);
  void start_containers(PodContainers made);
  void start_next();
  void start_set();
  void start(std::size_t index);
  void start_in_network(std::size_t index);
  // pod_run_files.cc
  void keep_for_files(PodSources objects, HostVolumes volumes);
  /// Before it starts.
  Status read_files(Container& container);
  Status order_set();
  void end_waiting();
  void end_unstarted(Container& container, int exit_code, std::string message);
  void container_of_set_ended(std::size_t index);
  void started(std::size_t index, const Status& status);
  void ended(std::size_t index, ContainerExit exit);
  // pod_run_restarts.cc
  /// By the pod's restartPolicy, after this end.
  bool is_restarted(const Container& container) const;
  void back_off(std::size_t index);
  void restart(std::size_t index);
  /// What waits to be started again has ended for good.
  void give_up_restarts();
  void take_up_restarts();

  void failed_before_start(std::string container, const Error& error);
  void set_deadline();
  void stop_all(Duration grace);
  void cannot_start(Container& container, const Error& error);
  static bool runs(const Container& container);
  bool none_runs() const;
  // pod_run_sidecars.cc
  bool init_failed() const;
  bool has_sidecars() const;
  bool only_sidecars_left() const;
  void begin_to_end(Duration grace);
  void end_sidecars();
  void all_ended();
  // pod_run_messages.cc
  Status give_message_files(PodContainers& made);
  static std::string message_file(const ContainerSpec& spec);
  bool wants_message(const Container& container) const;
  void read_messages(std::size_t index);
  void take_message(std::size_t index, std::string message);

  void gather();
  void collect(const Container* main, Result<artifact::Credentials> credentials);
  void settle();
  void run_post_start(std::size_t index, const doc::Value& document);
  void run_on(std::size_t index);
  void probe(std::size_t index, const doc::Value& document);
  void signal(std::size_t index, Duration grace);
  void kill(std::size_t index, Duration grace);
  void kill_all(Duration grace);
  HandlerWorld handler_world(const Container& container);
  const Container* running(const cluster::SessionOptions& options) const;
  void attach(const Container& container, const cluster::SessionOptions& options,
              cluster::Done<std::unique_ptr<cluster::Session>> done);
  void open_port(const Container& container, std::uint16_t port, cluster::Done<std::unique_ptr<cluster::Session>> done);
  void with_address(std::function<void()> then);
  /// The id of the container whose address is the pod's, as one of its containers sees it.
  const std::string& network_owner(const Container& container) const;
  bool needs_network() const;
  /// In the pod's spec.
  const doc::Value* document_of(const Container& container) const;
  const doc::Value* document_of(std::string_view name, bool init) const;
  void report_soon();
  void report_by(Time when);
  void report_running();
  void report_end(Result<doc::Object> outputs);
  void write(PodReport report, Duration retry_after);
  PodReport report(std::string phase) const;
  void judge_unstarted();
  bool main_started() const;
  const Container* main_container() const;
  Duration grace() const;
  void free_what_it_used();
  void finish_deletion();

  PodWorld world_;
  cluster::Object pod_;
  cluster::Key key_;
  PodPlace place_;
  std::vector<ClaimFolders::Use> claims_;   ///< kept until its end is on disk: outputs may lie there
  std::unique_ptr<HostsFiles::Use> hosts_;  ///< null: the runtime's own
  /// What containers are made of, kept where some read files as they start.
  struct Sources {
    PodSources objects;
    HostVolumes volumes;
  };
  std::optional<Sources> sources_;
  std::vector<TokenFile> tokens_;  ///< that are kept fresh while it runs
  bool holds_account_ = false;     ///< and so is account_files()
  std::vector<HeldFiles> held_;    ///< as its containers are shown them
  Executor::TimerId token_timer_ = 0;
  Runtime& runtime_;
  Events events_;
  std::vector<Container> containers_;    ///< init containers, then main, then the others
  std::shared_ptr<PodNetwork> network_;  ///< null: main's, or the runtime's own
  std::optional<Time> end_by_;           ///< when sidecars must have ended, once the pod is to end
  std::size_t next_ = 0;                 ///< the first of them that is not asked to start
  Time started_at_{};
  Executor::TimerId deadline_ = 0;
  Executor::TimerId running_timer_ = 0;  ///< of the next report of what runs
  Time running_due_{};                   ///< when that timer fires
  Time last_report_{};
  std::string progress_;          ///< "N/M", as last told
  std::string reason_, message_;  ///< why the agent ended the pod, when it did
  bool begun_ = false;
  bool stopping_ = false;
  std::string address_;  ///< of the pod, once it is known
  bool settled_ = false;
};

}  // namespace tiphys::node
