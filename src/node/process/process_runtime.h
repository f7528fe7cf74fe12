// Runs a container's command as processes of this host, in a private root that shows the host's programs read-only. The
// container's image is not used.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/unique_fd.h"
#include "base/workers.h"
#include "node/process/input_roots.h"
#include "node/process/step_command.h"
#include "node/process/supervisor_client.h"
#include "node/runtime.h"
#include "node/supervisor/step_root.h"

namespace boost::asio {
class io_context;
}

namespace tiphys::node {

struct ProcessRuntimeOptions {
  std::string data_dir;
  /// Folders of this host that steps see, read-only, beside the system's own: an interpreter in a home folder, say.
  std::vector<std::string> host_paths{};
  /// Folders of this host, which steps see, too, whose programs they find before the system's.
  std::vector<std::string> program_paths{};
  /// Which steps say it themselves or not: see ContainerSpec::warm_python.
  std::string warm_python{};
};

class ProcessRuntime final : public Runtime {
 public:
  /// `supervisor` is a connection from ensure_supervisor(options.data_dir). `context` runs on the executor's thread.
  ProcessRuntime(boost::asio::io_context& context, Executor& executor, UniqueFd supervisor,
                 ProcessRuntimeOptions options);
  ~ProcessRuntime() override;

  std::string_view name() const override { return "process"; }
  bool holds_files() const override { return true; }
  void renew_held(const std::string& id, const HeldFiles& files) override;
  void start(const ContainerSpec& spec, std::move_only_function<void(Status)> on_started,
             std::move_only_function<void(ContainerExit)> on_exit) override;
  void stop(const std::string& id, Duration grace) override;
  void exec(const std::string& id, std::vector<std::string> command, Duration timeout,
            std::move_only_function<void(Result<int>)> done) override;
  void open_exec(const std::string& id, cluster::SessionOptions options,
                 cluster::Done<std::unique_ptr<cluster::Session>> done) override;
  Result<UniqueFd> open_folder(const std::string& id, const std::string& path) override;
  /// Steps share this host's network.
  void find_address(const std::string&, std::move_only_function<void(Result<std::string>)> done) override {
    executor_.post([done = std::move(done)]() mutable { done("127.0.0.1"); });
  }
  void fetch(const std::string& id, const std::string& path, const std::string& scratch_dir,
             std::move_only_function<void(Result<std::string>)> done) override;
  void remove(const std::string& id) override;
  void remove_unclaimed(std::function<bool(std::string_view id)> wanted) override;

 private:
  struct Step {
    StartRequest request;
    std::vector<Mount> view;  ///< what lies over the root: the mounts and the host's folders
    std::move_only_function<void(Status)> on_started;
    std::move_only_function<void(ContainerExit)> on_exit;
    std::vector<std::pair<std::string, std::string>> inputs;
    bool preparing = false;
    bool sent = false;
    bool starting = false;  ///< sent, and not known to run
    bool started = false;
    bool ended = false;
    bool removed = false;
    bool has_root = false;  ///< its folder has a root that is to be freed
    std::optional<Duration> stop_when_sent;
    std::int32_t pid = 0;  ///< of its init, while it runs; 0: not known
    /// Each attempt is a step of its own to the supervisor, `request.id`, so that its journal tells how many there
    /// were.
    int attempt = 1, attempts = 1;
    Duration pause{0};
    std::optional<ContainerExit> failed;  ///< the end of the attempt before, until this one is sent
    bool stopped = false;                 ///< no further attempt
  };
  /// What the supervisor told of a step that nobody has started here yet.
  struct Reported {
    std::optional<StartedEvent> started;
    std::optional<StepOutcome> outcome;
  };

  /// kNotFound unless it runs.
  Result<StepProcess> running(const std::string& id) const;
  void connect(UniqueFd fd);
  void reconnect();
  void on_frame(const Frame& frame);
  void on_listed();
  void send_start(const std::string& id, Step& step);
  void send_waiting();
  void replay(const std::string& id, Reported report);
  bool runs_again(const Step& step, const StepOutcome& outcome) const;
  void run_again(const std::string& id, Step& step, StepOutcome outcome);
  void begin_attempt(const std::string& id, int attempt);
  void give_up_attempt(const std::string& id);
  void is_started(Step& step);
  bool is_busy() const;
  void prepare_inputs(const std::string& id, Step& step);
  void prepared(const std::string& id, Step& step, const Status& made);
  void started(const std::string& id, Step& step);
  void ended(const std::string& id, Step& step, ContainerExit exit);
  void outcome(const std::string& id, Step& step, StepOutcome outcome);
  void show_programs(const std::string& folder);
  StartRequest request_of(const ContainerSpec& spec) const;
  Result<WarmPython> python_of(const ContainerSpec& spec, const StartRequest& request) const;
  bool is_host_path(std::string_view path) const;
  std::string canonical(const std::string& path) const;
  void refuse(const std::string& id, Error error);
  void free_root(std::string forget, const Step& ended);

  boost::asio::io_context& context_;
  Executor& executor_;
  ProcessRuntimeOptions options_;
  std::string data_dir_;  ///< canonical
  HostView view_;
  InputRoots input_roots_;
  std::string program_paths_;  ///< options.program_paths as a PATH begins with them
  std::unique_ptr<SupervisorClient> client_;
  std::map<std::string, Step, std::less<>> steps_;
  std::map<std::string, Reported, std::less<>> reported_;
  bool listed_ = false;
  int lost_in_a_row_ = 0;                            ///< supervisors that went away before they had told what they know
  std::function<bool(std::string_view id)> wanted_;  ///< set once remove_unclaimed() was called
  std::deque<std::string> waiting_;                  ///< steps that are not sent yet, by id
  std::size_t preparing_ = 0, starting_ = 0, clearing_ = 0;
  std::uint64_t last_root_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Workers workers_;
};

}  // namespace tiphys::node
