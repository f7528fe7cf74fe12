#include "node/supervisor/supervisor_loop.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "base/strings.h"
#include "base/time.h"

namespace tiphys::node {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostSteps = 16 * 1024;
constexpr auto kInitMayTake = 10s;
/// Of what ends with its plane.
constexpr Duration kServantGrace = 2s;
/// Inits without a step: with steps about, and without.
constexpr std::size_t kMostWarm = 256;
constexpr std::size_t kWarmAtRest = 4;
constexpr auto kRestAfter = 1s;
/// A step that ends sooner is told of once, and its start needs no write to disk of its own.
constexpr auto kStartToldAfter = 3ms;

std::string read_small(const char* path) {
  const UniqueFd file(::open(path, O_RDONLY | O_CLOEXEC));
  std::array<char, 4096> bytes;
  const ssize_t count = file ? ::read(file.get(), bytes.data(), bytes.size()) : -1;
  return count > 0 ? std::string(bytes.data(), static_cast<std::size_t>(count)) : std::string();
}

Time time_of(std::int64_t nanoseconds) {
  return Time{std::chrono::nanoseconds(nanoseconds)};
}

void add_message(ContainerExit& exit, std::string_view text) {
  if (!exit.message.empty()) exit.message += "; ";
  exit.message += text;
}

}  // namespace

SupervisorLoop::SupervisorLoop(SupervisorStart start) : start_(std::move(start)) {}

void SupervisorLoop::complain(const Status& status) {
  if (!status) fmt::print(stderr, "{} {}\n", format_rfc3339_micro(system_now()), status.error().message);
}

Status SupervisorLoop::open() {
  const std::string boot(trim(read_small("/proc/sys/kernel/random/boot_id")));
  TIPHYS_TRY(journal_, SupervisorJournal::open(start_.folder.get(), "journal", boot, system_now()));
  cgroups_.emplace(UniqueFd(::open("/sys/fs/cgroup", O_PATH | O_DIRECTORY | O_CLOEXEC)),
                   read_small("/proc/self/cgroup"));
  const HostView view = HostView::detect();
  const Status available = namespaces_.make(start_.data_dir, view);
  complain(available);
  if (available) TIPHYS_CHECK_OK(held_.open());
  const UniqueFd data(::open(start_.data_dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!data || ::dup3(data.get(), kDataFd, O_CLOEXEC) < 0) return fail_errno("open the data directory", errno);
  roots_.emplace(view);
  complain(roots_->open());
  starter_.emplace(start_.data_dir, view, *roots_, held_, namespaces_, *cgroups_, available);
  warms_.emplace(*starter_, *roots_, held_, memory_);
  zygotes_.emplace(*starter_, *roots_, memory_);
  // Steps share our memory for a moment, and could be our user; none of them may look into it.
  ::prctl(PR_SET_DUMPABLE, 0);

  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  sigset_t mine;
  ::sigemptyset(&mine);
  ::sigaddset(&mine, SIGCHLD);
  ::sigaddset(&mine, SIGTERM);
  signals_.reset(::signalfd(-1, &mine, SFD_CLOEXEC | SFD_NONBLOCK));
  poll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!poll_ || !signals_) return fail_errno("wait for events", errno);
  for (const int fd : {signals_.get(), start_.listener.get(), kEventFd}) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return fail_errno("wait for events", errno);
  }
  return {};
}

void SupervisorLoop::run() {
  if (const Status opened = open(); !opened) {
    complain(opened);
    // The client sees its connection end; ensure_supervisor() of the next one tries again.
    return;
  }
  if (start_.first_client) add_client(std::move(start_.first_client));
  if (!clients_.empty()) warms_->begin();
  while (!may_leave()) turn();
}

bool SupervisorLoop::may_leave() {
  if (!clients_.empty() || !steps_.empty()) return false;
  accept_clients();
  if (!clients_.empty()) return false;
  // A client that connects from here on finds the socket closed, waits for the lock and starts another supervisor.
  ::unlinkat(start_.folder.get(), "sock", 0);
  start_.listener.reset();
  return true;
}

int SupervisorLoop::timeout_ms() const {
  if (more_input_) return 0;
  if (deadlines_.empty() && starts_.empty() && !rest_at_) return -1;
  auto next = rest_at_.value_or(Clock::time_point::max());
  if (!deadlines_.empty()) next = std::min(next, deadlines_.begin()->first);
  if (!starts_.empty()) next = std::min(next, starts_.front().first);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

void SupervisorLoop::turn() {
  std::array<epoll_event, 32> events;
  const int count = ::epoll_wait(poll_.get(), events.data(), static_cast<int>(events.size()), timeout_ms());
  more_input_ = false;
  for (int i = 0; i < count; ++i) {
    const int fd = events[static_cast<std::size_t>(i)].data.fd;
    if (fd == kEventFd) {
      std::uint64_t number = 0;
      while (::read(kEventFd, &number, sizeof number) > 0) {
      }
    } else if (fd == signals_.get()) {
      signalfd_siginfo info;
      while (::read(fd, &info, sizeof info) == sizeof info) {
        // Steps die with us, and the next supervisor says so.
        if (info.ssi_signo == SIGTERM) ::_exit(0);
      }
    } else if (fd == start_.listener.get()) {
      accept_clients();
    } else {
      for (Client& client : clients_) {
        if (client.fd.get() == fd && (events[static_cast<std::size_t>(i)].events & ~EPOLLOUT) != 0) read_client(client);
      }
    }
  }
  // Ends before starts: they free what starts may need.
  take_changes();
  reap();
  while (!deadlines_.empty() && deadlines_.begin()->first <= Clock::now()) kill_more(*deadlines_.begin()->second);
  tell_late_starts();
  for (Client& client : clients_) {
    serve(client);
    if (client.listing) list(client);
  }
  sync_and_flush();
  drop_clients();
  come_to_rest();
  // While there is time.
  if (!more_input_ && !clients_.empty()) warms_->begin();
}

/// Without steps for a while, most of what is kept for them goes.
void SupervisorLoop::come_to_rest() {
  if (!steps_.empty()) {
    rest_at_.reset();
  } else if (!rest_at_) {
    if (warms_->size() > kWarmAtRest || memory_.has_spare()) rest_at_ = Clock::now() + kRestAfter;
  } else if (*rest_at_ <= Clock::now()) {
    warms_->limit(kWarmAtRest);
    memory_.shrink();
    rest_at_.reset();
  }
}

void SupervisorLoop::start(Client& client, StartRequest request) {
  if (const JournalStep* known = journal_->find(request.id)) {
    // Those that it has may be as old as the client before this one.
    for (HeldFiles& held : request.held) renew({request.id, std::move(held)});
    return tell_known(client, request.id, *known);
  }
  const std::string id = request.id;
  const auto refuse = [&](Error error) {
    StepOutcome outcome{true, error.code, {}};
    outcome.exit.exit_code = 128;
    outcome.exit.reason = "StartError";
    outcome.exit.message = std::move(error.message);
    outcome.exit.started_at = outcome.exit.finished_at = system_now();
    client.out += outcome_frame(id, outcome);
  };
  if (steps_.size() >= kMostSteps) {
    return refuse({Code::kResourceExhausted, fmt::format("{} steps run already, more are too many", kMostSteps)});
  }
  if (steps_.contains(id)) return refuse({Code::kAborted, "an earlier run of this step is still being cleared away"});
  // Before the step exists, so that whatever happens next nobody starts it again.
  if (const Status recorded = journal_->started(id, system_now()); !recorded) return refuse(recorded.error());
  Step& step = *steps_.emplace(id, std::make_unique<Step>()).first->second;
  step.id = id;
  step.planned = std::make_unique<PlannedStep>();
  step.ends_with_client = request.ends_with_client;
  step.planned->request = std::move(request);
  if (step.planned->request.memory_bytes > 0 || step.planned->request.cpus > 0) {
    step.group = std::to_string(++last_group_);
  }
  if (const Status launched = launch(step); !launched) {
    step.reaped = true;
    failed_to_start(step, launched.error());
  }
}

Status SupervisorLoop::launch(Step& step) {
  if (const WarmPython& python = step.planned->request.python; !python.interpreter.empty()) {
    step.planned->python_socket = zygotes_->socket_of(python);
    for (std::string& text : zygotes_->take_notices()) notice(std::move(text));
  }
  if (const auto warm = warms_->take(*step.planned, &step)) {
    step.area = warm->area;
    launched(step, warm->pid);
    return {};
  }
  TIPHYS_TRY(step.area, memory_.take());
  step.area.slot->owner = &step;
  const auto pid = starter_->start(*step.planned, step.area, step.group);
  for (std::string& text : starter_->take_notices()) notice(std::move(text));
  if (!pid) {
    memory_.give_back(std::exchange(step.area, {}));
    step.root = std::move(step.planned->root);
    step.held = std::move(step.planned->held);
    return std::unexpected(pid.error());
  }
  launched(step, *pid);
  return {};
}

void SupervisorLoop::launched(Step& step, pid_t pid) {
  step.pid = pid;
  step.reaped = false;
  step.dir = step.planned->dir;
  step.root = step.planned->root;
  step.held = step.planned->held;
  by_pid_.emplace(pid, &step);
  starts_.emplace_back(Clock::now() + kStartToldAfter, step.id);
}

void SupervisorLoop::stop(const StopRequest& request) {
  const auto found = steps_.find(request.id);
  if (found == steps_.end() || found->second->ended || found->second->reaped) return;
  Step& step = *found->second;
  if (request.grace <= Duration::zero()) {
    step.kills = std::max(step.kills, 1);
    return kill_more(step);
  }
  if (step.kills > 1) return;
  step.kills = 1;
  ::kill(step.pid, SIGTERM);
  set_deadline(step, request.grace);
}

void SupervisorLoop::renew(const RenewRequest& request) {
  const auto found = steps_.find(request.id);
  if (found == steps_.end() || found->second->ended || found->second->held.empty()) return;
  complain(held_.renew(found->second->held, request.files));
}

void SupervisorLoop::set_deadline(Step& step, Clock::duration after) {
  if (step.has_deadline) deadlines_.erase(step.deadline);
  step.deadline = deadlines_.emplace(Clock::now() + after, &step);
  step.has_deadline = true;
}

void SupervisorLoop::kill_more(Step& step) {
  if (step.has_deadline) deadlines_.erase(step.deadline);
  step.has_deadline = false;
  if (step.reaped) return;
  if (step.kills < 2) {
    // The init kills all and still writes the rest of the output.
    step.kills = 2;
    ::kill(step.pid, SIGUSR2);
    return set_deadline(step, kInitMayTake);
  }
  step.kills = 3;
  ::kill(step.pid, SIGKILL);
}

void SupervisorLoop::take_changes() {
  StepSlot* slot = memory_.take_queue();
  while (slot) {
    StepSlot* next = slot->next;
    auto* step = static_cast<Step*>(slot->owner);
    slot->queued.store(0);
    if (step) {
      changed(*step);
    } else if (slot->state.load() == StepSlot::kWarm) {
      warms_->ready(slot);
    }
    slot = next;
  }
}

void SupervisorLoop::changed(Step& step) {
  StepSlot& slot = *step.area.slot;
  const std::uint32_t state = slot.state.load();
  if (state == StepSlot::kFailed) return;  // reaped first: its memory may be needed for another try
  if (state == StepSlot::kRunning) return tell_running(step);
  if ((state == StepSlot::kEnded || state == StepSlot::kWarm) && !step.ended) end(step, outcome_of(step));
}

void SupervisorLoop::tell_late_starts() {
  for (const auto now = Clock::now(); !starts_.empty() && starts_.front().first <= now; starts_.pop_front()) {
    const auto found = steps_.find(starts_.front().second);
    if (found != steps_.end()) tell_running_if_so(*found->second);
  }
}

/// False when the step is not that far; its init will tell.
bool SupervisorLoop::tell_running_if_so(Step& step) {
  if (!step.planned) return true;
  StepSlot& slot = *step.area.slot;
  slot.tell_running.store(1);
  if (slot.state.load() == StepSlot::kRunning) tell_running(step);
  return !step.planned;
}

void SupervisorLoop::tell_running(Step& step) {
  if (!step.planned) return;
  step.planned.reset();
  start_told_ = true;
  broadcast(started_frame(step.id, time_of(step.area.slot->started_ns), step.pid));
}

StepOutcome SupervisorLoop::outcome_of(Step& step) {
  const StepSlot& slot = *step.area.slot;
  StepOutcome outcome;
  ContainerExit& exit = outcome.exit;
  exit.started_at = time_of(slot.started_ns);
  exit.finished_at = slot.ended_ns != 0 ? time_of(slot.ended_ns) : system_now();
  if (const auto state = slot.state.load(); state != StepSlot::kEnded && state != StepSlot::kWarm) {
    exit.exit_code = 128 + SIGKILL;
    exit.signal = SIGKILL;
    exit.message = step.kills == 3 ? "it did not end after all its processes were killed, and was abandoned"
                                   : "somebody killed the process that looks after the step";
  } else if (WIFSIGNALED(slot.wait_status)) {
    exit.signal = WTERMSIG(slot.wait_status);
    exit.exit_code = 128 + exit.signal;
  } else {
    exit.exit_code = WEXITSTATUS(slot.wait_status);
  }
  exit.reason = exit.exit_code == 0 ? "Completed" : "Error";
  if (!step.group.empty() && exit.exit_code != 0 && cgroups_->out_of_memory(step.group)) exit.reason = "OOMKilled";
  if (slot.log_errno != 0) {
    add_message(exit, fmt::format("the log of the step is incomplete: {}",
                                  std::error_code(slot.log_errno, std::generic_category()).message()));
  }
  return outcome;
}

/// The root stays in the pool when nobody can want anything in it.
void SupervisorLoop::settle_root(Step& step, StepOutcome& outcome) {
  if (step.root.empty()) return;
  outcome.has_root = false;
  if (outcome.failed_to_start) return roots_->give_unclean(std::exchange(step.root, {}));
  const StepSlot& slot = *step.area.slot;
  if (slot.state.load() == StepSlot::kWarm && slot.root_touched == 0) return;
  const Status moved = roots_->move_out(step.root, step.dir);
  outcome.has_root = moved.has_value();
  if (!moved) {
    roots_->give_unclean(std::move(step.root));
    add_message(outcome.exit, fmt::format("the files of the step are lost: {}", moved.error().message));
  }
  step.root.clear();
}

void SupervisorLoop::end(Step& step, StepOutcome outcome) {
  step.ended = true;
  step.planned.reset();
  settle_root(step, outcome);
  // All that could see them is dead, and the next step finds none of them.
  if (!step.held.empty()) held_.clear(step.held);
  complain(journal_->ended(step.id, std::move(outcome)));
  broadcast(outcome_frame(step.id, *journal_->find(step.id)->outcome));
  if (step.reaped) return release(step);
  if (step.area.slot->state.load() != StepSlot::kWarm) return;  // its init leaves
  if (step.kills != 0) {
    // A signal may still be on its way, and must not meet another step.
    ::kill(step.pid, SIGKILL);
    return;
  }
  by_pid_.erase(step.pid);
  warms_->give({step.pid, std::exchange(step.area, {}), std::exchange(step.held, {})}, std::exchange(step.root, {}),
               step.dir);
  warms_->limit(kMostWarm);
  release(step);
}

void SupervisorLoop::failed_to_start(Step& step, const Error& error) {
  StepOutcome outcome{true, error.code, {}};
  outcome.exit.exit_code = error.code == Code::kNotFound ? 127 : error.code == Code::kPermissionDenied ? 126 : 128;
  outcome.exit.reason = "StartError";
  outcome.exit.message = error.message;
  outcome.exit.started_at = outcome.exit.finished_at = system_now();
  end(step, std::move(outcome));
}

void SupervisorLoop::reap() {
  for (;;) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid <= 0) return;
    take_changes();  // what it told before it ended
    const auto found = by_pid_.find(pid);
    if (found == by_pid_.end()) {
      warms_->ended(pid);
      zygotes_->ended(pid, status);
      for (std::string& text : zygotes_->take_notices()) notice(std::move(text));
      continue;
    }
    Step& step = *found->second;
    by_pid_.erase(found);
    step.reaped = true;
    StepSlot& slot = *step.area.slot;
    if (slot.state.load() == StepSlot::kFailed) {
      const Error error = starter_->describe(*step.planned, slot);
      const bool again = starter_->try_otherwise(slot);
      memory_.give_back(std::exchange(step.area, {}));
      const Status launched = again ? launch(step) : Status(std::unexpected(error));
      if (!launched) failed_to_start(step, launched.error());
    } else if (!step.ended) {
      end(step, outcome_of(step));
    } else {
      release(step);
    }
  }
}

void SupervisorLoop::release(Step& step) {
  if (step.has_deadline) deadlines_.erase(step.deadline);
  if (!step.group.empty()) cgroups_->remove(step.group);
  if (!step.root.empty() && step.held.empty()) {
    roots_->give(std::move(step.root));
  } else if (!step.root.empty()) {
    roots_->give_unclean(std::move(step.root));  // it has the place at which they were shown
  }
  if (!step.held.empty()) held_.give(step.held);
  if (step.area.slot) memory_.give_back(step.area);
  steps_.erase(std::string(step.id));
}

/// Steps that served the plane that is gone.
void SupervisorLoop::end_with_clients() {
  std::vector<std::string> ids;
  for (const auto& [id, step] : steps_) {
    if (step->ends_with_client && step->kills == 0) ids.push_back(id);
  }
  for (const std::string& id : ids) stop({id, kServantGrace});
}

}  // namespace tiphys::node
