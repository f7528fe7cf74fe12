// What a supervisor does all day: takes requests, watches steps, writes the journal, tells clients.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "node/python/python_zygotes.h"
#include "node/supervisor/step_cgroups.h"
#include "node/supervisor/step_namespaces.h"
#include "node/supervisor/step_starter.h"
#include "node/supervisor/supervisor_journal.h"
#include "node/supervisor/supervisor_protocol.h"
#include "node/supervisor/warm_inits.h"

namespace tiphys::node {

/// Descriptors that a new supervisor starts with. kNullFd up to kFirstFreeFd are set up before.
struct SupervisorStart {
  std::string data_dir;  ///< canonical
  UniqueFd folder;       ///< supervisor/ in the data directory
  UniqueFd listener;     ///< of supervisor/sock
  UniqueFd lock;         ///< held until the process ends
  UniqueFd first_client;
  UniqueFd alive;  ///< writing end of the pipe at kAliveFd
};

class SupervisorLoop {
 public:
  explicit SupervisorLoop(SupervisorStart start);
  /// Returns when no step runs and no client is connected.
  void run();

 private:
  using Clock = std::chrono::steady_clock;

  struct Client {
    UniqueFd fd;
    std::string in;
    std::string out;
    std::uint32_t polled = 1;  ///< EPOLLIN
    bool listing = false;      ///< kList is not answered yet
    bool gone = false;
  };
  struct Step {
    std::string id;
    pid_t pid = -1;
    StepMemory::Area area;
    std::unique_ptr<PlannedStep> planned;  ///< until it was told that it runs, or it has ended or failed
    std::string group;                     ///< its control groups; "" when it has none
    std::string dir;                       ///< relative to the data directory
    std::string root;                      ///< in the pool; "" when it lies in the step's folder
    std::string held;                      ///< its init's folder of held files; "": none
    bool ended = false;                    ///< its outcome is in the journal
    bool reaped = false;                   ///< there is no process of this pid, or none of ours
    int kills = 0;                         ///< 0: not told to end; 1: SIGTERM; 2: all killed; 3: the init too
    bool ends_with_client = false;
    bool has_deadline = false;
    std::multimap<Clock::time_point, Step*>::iterator deadline;
  };

  Status open();
  void turn();
  int timeout_ms() const;
  bool may_leave();
  void accept_clients();
  void add_client(UniqueFd fd);
  void read_client(Client& client);
  void serve(Client& client);
  void handle(Client& client, const Frame& frame);
  void greet(Client& client, std::string_view body);
  void start(Client& client, StartRequest request);
  Status launch(Step& step);
  void launched(Step& step, pid_t pid);
  void come_to_rest();
  void stop(const StopRequest& request);
  void renew(const RenewRequest& request);
  void kill_more(Step& step);
  void set_deadline(Step& step, Clock::duration after);
  void list(Client& client);
  bool tell_running_if_so(Step& step);
  void tell_known(Client& client, const std::string& id, const JournalStep& known);
  void take_changes();
  void changed(Step& step);
  void tell_late_starts();
  void tell_running(Step& step);
  void failed_to_start(Step& step, const Error& error);
  void end(Step& step, StepOutcome outcome);
  StepOutcome outcome_of(Step& step);
  void settle_root(Step& step, StepOutcome& outcome);
  void reap();
  void release(Step& step);
  void broadcast(std::string_view frame);
  /// Where what goes wrong is told: the log.
  static void complain(const Status& status);
  void notice(std::string text);
  void sync_and_flush();
  void flush(Client& client);
  void drop_clients();
  void end_with_clients();

  SupervisorStart start_;
  UniqueFd poll_, signals_;
  std::optional<SupervisorJournal> journal_;
  StepNamespaces namespaces_;
  std::optional<StepCgroups> cgroups_;
  std::optional<RootPool> roots_;
  HeldFolders held_;
  std::optional<StepStarter> starter_;
  StepMemory memory_;
  std::optional<WarmInits> warms_;
  std::optional<PythonZygotes> zygotes_;
  std::list<Client> clients_;
  std::unordered_map<std::string, std::unique_ptr<Step>> steps_;
  std::unordered_map<pid_t, Step*> by_pid_;
  std::multimap<Clock::time_point, Step*> deadlines_;
  std::deque<std::pair<Clock::time_point, std::string>> starts_;  ///< when to tell of them, if they still run then
  bool start_told_ = false;                                       ///< since the journal was synced
  std::vector<std::string> notices_;
  std::uint64_t last_group_ = 0;
  std::optional<Clock::time_point> rest_at_;
  bool more_input_ = false;
};

}  // namespace tiphys::node
