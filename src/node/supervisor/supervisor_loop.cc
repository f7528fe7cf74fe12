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

#include "artifact/file_tree.h"
#include "base/strings.h"
#include "base/time.h"

namespace tiphys::node {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kReadBytes = 64 * 1024;
/// A client that does not read is not listened to while more than this waits for it.
constexpr std::size_t kMostUnreadBytes = 1024 * 1024;
/// Starts of one client before other events get their turn.
constexpr int kMostFramesATurn = 16;
constexpr std::size_t kMostSteps = 16 * 1024;
constexpr auto kInitMayTake = 10s;
/// Inits without a step: with steps about, and without.
constexpr std::size_t kMostWarm = 256;
constexpr std::size_t kWarmAtRest = 4;
constexpr auto kRestAfter = 1s;

std::string read_small(const char* path) {
  const UniqueFd file(::open(path, O_RDONLY | O_CLOEXEC));
  std::array<char, 4096> bytes;
  const ssize_t count = file ? ::read(file.get(), bytes.data(), bytes.size()) : -1;
  return count > 0 ? std::string(bytes.data(), static_cast<std::size_t>(count)) : std::string();
}

Time time_of(std::int64_t nanoseconds) {
  return Time{std::chrono::nanoseconds(nanoseconds)};
}

void complain(const Status& status) {
  if (!status) fmt::print(stderr, "{} {}\n", format_rfc3339_micro(system_now()), status.error().message);
}

std::vector<std::string> pooled_roots(int folder) {
  const UniqueFd roots(::openat(folder, "roots", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!roots) {
    ::mkdirat(folder, "roots", 0700);
    return {};
  }
  auto names = artifact::folder_names(roots.get(), kRootPool);
  complain(names ? Status{} : std::unexpected(names.error()));
  return names ? std::move(*names) : std::vector<std::string>{};
}

}  // namespace

SupervisorLoop::SupervisorLoop(SupervisorStart start) : start_(std::move(start)) {}

Status SupervisorLoop::open() {
  const std::string boot(trim(read_small("/proc/sys/kernel/random/boot_id")));
  TIPHYS_TRY(journal_, SupervisorJournal::open(start_.folder.get(), "journal", boot, system_now()));
  cgroups_.emplace(UniqueFd(::open("/sys/fs/cgroup", O_PATH | O_DIRECTORY | O_CLOEXEC)),
                   read_small("/proc/self/cgroup"));
  const HostView view = HostView::detect();
  const Status available = namespaces_.make(start_.data_dir, view);
  complain(available);
  const UniqueFd data(::open(start_.data_dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!data || ::dup3(data.get(), kDataFd, O_CLOEXEC) < 0) return fail_errno("open the data directory", errno);
  starter_.emplace(start_.data_dir, view, namespaces_, *cgroups_, available);
  for (std::string& root : pooled_roots(start_.folder.get())) starter_->add_root(std::move(root));
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
  begin_warm();
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
  if (deadlines_.empty() && !rest_at_) return -1;
  auto next = rest_at_.value_or(Clock::time_point::max());
  if (!deadlines_.empty()) next = std::min(next, deadlines_.begin()->first);
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
  for (Client& client : clients_) serve(client);
  sync_and_flush();
  drop_clients();
  come_to_rest();
  if (!more_input_) begin_warm();
}

/// Without steps for a while, most of what is kept for them goes.
void SupervisorLoop::come_to_rest() {
  if (!steps_.empty()) {
    rest_at_.reset();
  } else if (!rest_at_) {
    if (warms_.size() > kWarmAtRest || memory_.has_spare()) rest_at_ = Clock::now() + kRestAfter;
  } else if (*rest_at_ <= Clock::now()) {
    keep_warm(kWarmAtRest);
    memory_.shrink();
    rest_at_.reset();
  }
}

void SupervisorLoop::accept_clients() {
  for (;;) {
    UniqueFd fd(::accept4(start_.listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) return;
    add_client(std::move(fd));
  }
}

void SupervisorLoop::add_client(UniqueFd fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd.get();
  if (::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, fd.get(), &event) == 0) clients_.emplace_back().fd = std::move(fd);
}

void SupervisorLoop::read_client(Client& client) {
  if (client.in.size() > kMostFrameBytes + kReadBytes) return;
  const std::size_t before = client.in.size();
  client.in.resize(before + kReadBytes);
  const ssize_t count = ::read(client.fd.get(), client.in.data() + before, kReadBytes);
  client.in.resize(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) client.gone = true;
}

void SupervisorLoop::serve(Client& client) {
  std::string_view rest = client.in;
  int frames = 0;
  for (; frames < kMostFramesATurn && client.out.size() < kMostUnreadBytes; ++frames) {
    auto frame = take_frame(rest);
    if (!frame) {
      complain(std::unexpected(frame.error()));
      client.gone = true;
    }
    if (!frame || !*frame) break;
    handle(client, **frame);
  }
  client.in.erase(0, client.in.size() - rest.size());
  if (client.in.empty()) client.in.shrink_to_fit();
  if (frames == kMostFramesATurn) more_input_ = true;
}

void SupervisorLoop::handle(Client& client, const Frame& frame) {
  const auto spoiled = [&](const Error& error) {
    complain(std::unexpected(error));
    client.gone = true;
  };
  switch (frame.type) {
    case FrameType::kHello:
      return greet(client, frame.body);
    case FrameType::kStart: {
      auto request = parse_start(frame.body);
      return request ? start(client, std::move(*request)) : spoiled(request.error());
    }
    case FrameType::kStop: {
      const auto request = parse_stop(frame.body);
      return request ? stop(*request) : spoiled(request.error());
    }
    case FrameType::kList:
      return list(client);
    case FrameType::kForget: {
      const auto id = parse_name(frame.body);
      if (!id) return spoiled(id.error());
      const JournalStep* known = journal_->find(*id);
      if (known && known->outcome) journal_->forgotten(*id);
      return;
    }
    case FrameType::kPooled: {
      auto name = parse_name(frame.body);
      return name ? pooled(std::move(*name)) : spoiled(name.error());
    }
    default:
      return;  // a newer client's; it knows our version
  }
}

void SupervisorLoop::greet(Client& client, std::string_view body) {
  if (!parse_hello(body)) {
    client.gone = true;
    return;
  }
  client.out += welcome_frame({kProtocolVersion, ::getpid()});
  for (const std::string& text : notices_) client.out += notice_frame(text);
}

void SupervisorLoop::tell_known(Client& client, const std::string& id, const JournalStep& known) {
  if (!known.outcome) {
    const auto step = steps_.find(id);
    const bool preparing = step != steps_.end() && step->second->planned;
    if (!preparing) client.out += started_frame(id, known.started_at);
    return;
  }
  if (!known.outcome->failed_to_start) client.out += started_frame(id, known.started_at);
  client.out += outcome_frame(id, *known.outcome);
}

void SupervisorLoop::list(Client& client) {
  for (const auto& [id, known] : journal_->steps()) tell_known(client, id, known);
  client.out += listed_frame();
}

void SupervisorLoop::start(Client& client, StartRequest request) {
  if (const JournalStep* known = journal_->find(request.id)) return tell_known(client, request.id, *known);
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
  step.planned->request = std::move(request);
  if (step.planned->request.memory_bytes > 0 || step.planned->request.cpus > 0) {
    step.group = std::to_string(++last_group_);
  }
  if (const Status launched = launch(step); !launched) {
    step.reaped = true;
    failed_to_start(step, launched.error());
  }
}

/// While there is time: the next step finds its namespaces made.
void SupervisorLoop::begin_warm() {
  const bool one = std::ranges::any_of(warms_, [](const WarmStep& warm) { return !warm.root.empty(); });
  if (one || clients_.empty() || !starter_->can_warm()) return;
  auto area = memory_.take();
  if (!area) return;
  WarmStep& warm = warms_.emplace_back();
  if (starter_->start_warm(warm, *area)) {
    without_step_.emplace(warm.pid, *area);
    return;
  }
  memory_.give_back(*area);
  warms_.pop_back();
}

bool SupervisorLoop::launch_warm(Step& step) {
  const auto warm = std::ranges::find_if(warms_, &WarmStep::ready);
  if (warm == warms_.end()) return false;
  // Before the init can have anything to tell.
  warm->area.slot->owner = &step;
  const auto handed = starter_->hand_over(*step.planned, *warm);
  if (handed && *handed) {
    step.area = warm->area;
    without_step_.erase(warm->pid);
    launched(step, warm->pid);
    warms_.erase(warm);
    return true;
  }
  warm->area.slot->owner = nullptr;
  if (!handed) {
    complain(std::unexpected(handed.error()));
    ::kill(warm->pid, SIGKILL);
    warms_.erase(warm);
  }
  return false;
}

/// The init of a step that has ended waits for another one, and for the client to clear the root.
void SupervisorLoop::rest(Step& step) {
  WarmStep& warm = warms_.emplace_back();
  warm.pid = step.pid;
  warm.area = std::exchange(step.area, {});
  warm.root_inode = step.root_inode;
  warm.told = warm.area.slot->state.load() == StepSlot::kWarm;
  warm.area.slot->owner = nullptr;
  by_pid_.erase(warm.pid);
  without_step_.emplace(warm.pid, warm.area);
  keep_warm(kMostWarm);
  release(step);
}

void SupervisorLoop::keep_warm(std::size_t most) {
  while (warms_.size() > most) {
    ::kill(warms_.front().pid, SIGKILL);
    if (!warms_.front().root.empty()) starter_->add_root(std::move(warms_.front().root));
    warms_.pop_front();
  }
}

void SupervisorLoop::pooled(std::string name) {
  const ino_t inode = starter_->pooled_inode(name);
  const auto warm = std::ranges::find_if(
      warms_, [&](const WarmStep& one) { return one.root.empty() && inode != 0 && one.root_inode == inode; });
  if (warm == warms_.end()) return starter_->add_root(std::move(name));
  warm->root = std::move(name);
}

void SupervisorLoop::warm_ended(pid_t pid) {
  const auto found = without_step_.find(pid);
  if (found == without_step_.end()) return;
  if (const auto warm = std::ranges::find(warms_, pid, &WarmStep::pid); warm != warms_.end()) {
    const bool never_was = !warm->root.empty() && !warm->told;
    if (never_was && !starter_->try_otherwise(*warm->area.slot)) starter_->warm_failed();
    if (!warm->root.empty()) starter_->add_root(std::move(warm->root));
    warms_.erase(warm);
  }
  memory_.give_back(found->second);
  without_step_.erase(found);
}

Status SupervisorLoop::launch(Step& step) {
  if (launch_warm(step)) return {};
  TIPHYS_TRY(step.area, memory_.take());
  step.area.slot->owner = &step;
  const auto pid = starter_->start(*step.planned, step.area, step.group);
  for (std::string& text : starter_->take_notices()) notice(std::move(text));
  if (!pid) {
    memory_.give_back(std::exchange(step.area, {}));
    return std::unexpected(pid.error());
  }
  launched(step, *pid);
  return {};
}

void SupervisorLoop::launched(Step& step, pid_t pid) {
  step.pid = pid;
  step.reaped = false;
  step.root_inode = step.planned->root_inode;
  by_pid_.emplace(pid, &step);
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
      const auto warm = std::ranges::find_if(warms_, [&](const WarmStep& one) { return one.area.slot == slot; });
      if (warm != warms_.end()) warm->told = true;
    }
    slot = next;
  }
}

void SupervisorLoop::changed(Step& step) {
  StepSlot& slot = *step.area.slot;
  const std::uint32_t state = slot.state.load();
  if (state == StepSlot::kFailed) return;  // reaped first: its memory may be needed for another try
  if (step.planned) {
    step.planned.reset();
    broadcast(started_frame(step.id, time_of(slot.started_ns)));
  }
  if ((state == StepSlot::kEnded || state == StepSlot::kWarm) && !step.ended) end(step, outcome_of(step));
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
    exit.message += fmt::format("{}the log of the step is incomplete: {}", exit.message.empty() ? "" : "; ",
                                std::error_code(slot.log_errno, std::generic_category()).message());
  }
  return outcome;
}

void SupervisorLoop::end(Step& step, StepOutcome outcome) {
  step.ended = true;
  complain(journal_->ended(step.id, std::move(outcome)));
  broadcast(outcome_frame(step.id, *journal_->find(step.id)->outcome));
  if (step.reaped) return release(step);
  if (step.root_inode == 0) return;
  if (step.kills == 0) return rest(step);
  // A signal may still be on its way, and must not meet another step.
  ::kill(step.pid, SIGKILL);
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
    const pid_t pid = ::waitpid(-1, nullptr, WNOHANG);
    if (pid <= 0) return;
    take_changes();  // what it told before it ended
    const auto found = by_pid_.find(pid);
    if (found == by_pid_.end()) {
      warm_ended(pid);
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
      if (step.planned) broadcast(started_frame(step.id, journal_->find(step.id)->started_at));
      end(step, outcome_of(step));
    } else {
      release(step);
    }
  }
}

void SupervisorLoop::release(Step& step) {
  if (step.has_deadline) deadlines_.erase(step.deadline);
  if (!step.group.empty()) cgroups_->remove(step.group);
  if (step.area.slot) memory_.give_back(step.area);
  steps_.erase(std::string(step.id));
}

void SupervisorLoop::broadcast(std::string_view frame) {
  for (Client& client : clients_) client.out += frame;
}

void SupervisorLoop::notice(std::string text) {
  broadcast(notice_frame(text));
  notices_.push_back(std::move(text));
}

void SupervisorLoop::sync_and_flush() {
  const bool anything = std::ranges::any_of(clients_, [](const Client& client) { return !client.out.empty(); });
  // A start is on disk before it is told: after a power cut nobody runs the step again. An end is the client's to keep,
  // and only without one ours.
  if (anything && journal_->start_unsynced()) complain(journal_->sync());
  for (Client& client : clients_) flush(client);
}

void SupervisorLoop::flush(Client& client) {
  std::size_t sent = 0;
  while (sent < client.out.size() && !client.gone) {
    const ssize_t count =
        ::send(client.fd.get(), client.out.data() + sent, client.out.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) {
      sent += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      client.gone = true;
    }
  }
  client.out.erase(0, sent);
  const bool listens = client.out.size() < kMostUnreadBytes && client.in.size() < kMostFrameBytes;
  const std::uint32_t wanted = (listens ? EPOLLIN : 0u) | (client.out.empty() ? 0u : EPOLLOUT);
  if (wanted == client.polled) return;
  client.polled = wanted;
  epoll_event event{};
  event.events = wanted;
  event.data.fd = client.fd.get();
  ::epoll_ctl(poll_.get(), EPOLL_CTL_MOD, client.fd.get(), &event);
}

void SupervisorLoop::drop_clients() {
  std::erase_if(clients_, [](const Client& client) { return client.gone; });
  if (clients_.empty()) complain(journal_->sync());
}

}  // namespace tiphys::node
