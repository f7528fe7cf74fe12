// The code of a step's init. It shares the supervisor's memory and thread-local storage, so everything here is raw
// system calls on memory that was prepared before.
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "node/init/init_descriptors.h"
#include "node/init/leftovers.h"
#include "node/init/output_pump.h"
#include "node/init/python_fork.h"
#include "node/init/raw_files.h"
#include "node/init/raw_syscall.h"
#include "node/init/step_plan.h"
#include "node/init/step_rights.h"
#include "node/init/step_view.h"

namespace tiphys::node {
namespace {

void tell(StepSlot& slot, StepSlot::State state) {
  slot.state.store(state);
  if (slot.queued.exchange(1) != 0) return;
  StepSlot* head = slot.queue->head.load();
  do {
    slot.next = head;
  } while (!slot.queue->head.compare_exchange_weak(head, &slot));
  if (head) return;  // whoever pushed that one wakes the supervisor
  const std::uint64_t one = 1;
  raw(SYS_write, kEventFd, &one, sizeof one);
}

/// Puts what the supervisor opened for this step where it stays, and closes what else came along.
void keep_descriptors(int user_namespace, int memory_cgroup, int cpu_cgroup) {
  const int wanted[][2] = {
      {user_namespace, kUserNamespaceFd}, {memory_cgroup, kMemoryCgroupFd}, {cpu_cgroup, kCpuCgroupFd}};
  for (const auto& pair : wanted) {
    if (pair[0] >= 0) raw(SYS_dup3, pair[0], pair[1], O_CLOEXEC);
  }
  raw(SYS_close_range, kFirstFreeFd, ~0U, 0);
}

/// The step's first process, still in memory that it shares. Returns only when the program could not be run.
void run_program(const StepPlan& plan, int out, int err) {
  raw(SYS_setsid);
  raw(SYS_dup3, out, 1, 0);
  raw(SYS_dup3, err, 2, 0);
  long result = limit_resources(plan);
  if (result < 0) return fail_start(plan, StepStage::kLimit, result);
  result = become_user(plan);
  if (result < 0) return fail_start(plan, StepStage::kUser, result);
  raw(SYS_umask, 022);
  struct {
    void* handler;
    unsigned long flags;
    void* restorer;
    std::uint64_t mask;
  } default_action;
  default_action.handler = nullptr;
  default_action.flags = 0;
  default_action.restorer = nullptr;
  default_action.mask = 0;
  raw(SYS_rt_sigaction, SIGPIPE, &default_action, nullptr, kKernelSignalSetBytes);
  const std::uint64_t none = 0;
  raw(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, kKernelSignalSetBytes);
  long error = -ENOENT;
  for (const char* const* program = plan.candidates; *program; ++program) {
    result = raw(SYS_execve, *program, plan.argv, plan.envp);
    if (result != -ENOENT && result != -ENOTDIR) error = result;
    if (result != -ENOENT && result != -ENOTDIR && result != -EACCES) break;
  }
  fail_start(plan, StepStage::kExec, error);
}

/// vfork: the child runs on this very stack until it runs its program or leaves.
[[gnu::noinline]] long start_program(const StepPlan& plan, int out, int err) {
  const long child = raw(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
  if (child == 0) {
    run_program(plan, out, err);
    leave(127);
  }
  return child;
}

class Init {
 public:
  explicit Init(const RootPlan& plan) : slot_(*plan.slot), pump_(plan.buffer, kDataFd, &plan.slot->log_errno) {
    polled_[0] = {kSignalFd, POLLIN, 0};
    polled_[1] = {kAliveFd, POLLIN, 0};
  }

  bool start(const StepPlan& plan);
  void run();
  /// An interpreter was asked for a process and may make one yet.
  bool is_expecting() const { return expecting_; }

 private:
  long start_process(const StepPlan& plan, int out, int err);
  void obey(unsigned signal);
  void handle_signals();
  void reap();
  void read_streams();
  void finish_streams();

  StepSlot& slot_;
  OutputPump pump_;
  int program_ = 0;
  bool program_ended_ = false;
  bool expecting_ = false;
  unsigned signal_ = 0;  // came before there was a program
  pollfd polled_[4];     // signals, the supervisor's life, stdout, stderr
  int written_[2];       // the streams' other ends: while we hold them, only a signal tells of the program's end
};

bool watch_signals(StepSlot& slot) {
  const std::uint64_t all = ~std::uint64_t{0};
  const long signals = raw(SYS_signalfd4, -1, &all, kKernelSignalSetBytes, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals < 0) fail_start(slot, StepStage::kOutput, signals);
  raw(SYS_dup3, signals, kSignalFd, O_CLOEXEC);
  raw(SYS_close, signals);
  return signals >= 0;
}

const StepPlan& await_plan(StepSlot& slot) {
  pollfd polled[2] = {{kSignalFd, POLLIN, 0}, {kAliveFd, POLLIN, 0}};
  for (;;) {
    raw(SYS_ppoll, polled, 2, nullptr, nullptr, kKernelSignalSetBytes);
    if (polled[1].revents != 0) leave(1);
    signalfd_siginfo info;
    while (raw(SYS_read, kSignalFd, &info, sizeof info) == sizeof info) {
      if (info.ssi_signo == SIGUSR1) return *slot.plan.load();
    }
  }
}

bool Init::start(const StepPlan& plan) {
  int out[2];
  int err[2];
  long result = raw(SYS_pipe2, out, O_CLOEXEC);
  if (result >= 0) result = raw(SYS_pipe2, err, O_CLOEXEC);
  if (result < 0) {
    fail_start(plan, StepStage::kOutput, result);
    return false;
  }
  raw(SYS_fcntl, out[0], F_SETFL, O_NONBLOCK);
  raw(SYS_fcntl, err[0], F_SETFL, O_NONBLOCK);
  polled_[2] = {out[0], POLLIN, 0};
  polled_[3] = {err[0], POLLIN, 0};
  written_[0] = out[1];
  written_[1] = err[1];
  if (!pump_.set_dir(plan.dir)) {
    fail_start(plan, StepStage::kRoot, -ENAMETOOLONG);
    return false;
  }

  slot_.started_ns = now_ns();
  const long child = start_process(plan, out[1], err[1]);
  if (child < 0) fail_start(plan, StepStage::kFork, child);
  if (slot_.failed_stage != StepStage::kNone) return false;
  program_ = static_cast<int>(child);
  for (int fd = kFirstStepFd; !plan.reusable && fd < kRootFd; ++fd) raw(SYS_close, fd);
  return true;
}

long Init::start_process(const StepPlan& plan, int out, int err) {
  if (plan.python) {
    const ForkedPython forked = fork_python(plan, out, err);
    if (forked.pid > 0) return forked.pid;
    expecting_ = forked.given_up;
    signal_ = forked.signal;
  }
  return start_program(plan, out, err);
}

void Init::reap() {
  for (;;) {
    int status = 0;
    const long pid = raw(SYS_wait4, -1, &status, WNOHANG | __WALL, nullptr);
    if (pid <= 0) return;
    if (pid == program_) {
      slot_.wait_status = status;
      program_ended_ = true;
    }
  }
}

void Init::obey(unsigned signal) {
  if (signal == SIGTERM) {
    if (raw(SYS_kill, -program_, SIGTERM) < 0) raw(SYS_kill, program_, SIGTERM);
  } else if (signal == SIGUSR2) {
    raw(SYS_kill, -1, SIGKILL);
  }
}

void Init::handle_signals() {
  signalfd_siginfo info;
  while (raw(SYS_read, polled_[0].fd, &info, sizeof info) == sizeof info) {
    obey(info.ssi_signo);
  }
  reap();
}

void Init::read_streams() {
  for (int i = 2; i < 4; ++i) {
    if (polled_[i].revents != 0) pump_.read_some(polled_[i].fd, i == 3);
  }
}

void Init::finish_streams() {
  for (int i = 2; i < 4; ++i) {
    raw(SYS_close, written_[i - 2]);
    pump_.finish(polled_[i].fd, i == 3);
    raw(SYS_close, polled_[i].fd);
  }
  pump_.close();
}

void Init::run() {
  obey(signal_);
  while (!program_ended_) {
    raw(SYS_ppoll, polled_, 4, nullptr, nullptr, kKernelSignalSetBytes);
    if (polled_[1].revents != 0) leave(1);  // the supervisor is gone; the namespace dies with us
    read_streams();
    if (polled_[0].revents != 0) handle_signals();
  }
  // What the program left behind ends with it; only then its folder and log are at rest.
  raw(SYS_kill, -1, SIGKILL);
  while (raw(SYS_wait4, -1, nullptr, __WALL, nullptr) > 0) {
  }
  finish_streams();
  slot_.ended_ns = now_ns();
}

void take_name() {
  raw(SYS_prctl, 1 /* PR_SET_PDEATHSIG */, SIGKILL, 0, 0, 0);
  raw(SYS_prctl, 15 /* PR_SET_NAME */, "tiphys step", 0, 0, 0);
}

[[noreturn]] void give_up(StepSlot& slot) {
  tell(slot, StepSlot::kFailed);
  leave(1);
}

/// One step after another, as long as what a step could leave outside its root is gone, with all its processes dead.
[[noreturn]] void serve(const StepPlan* plan, const RootPlan root, bool reusable) {
  StepSlot& slot = *root.slot;
  RootWatch watch(root);
  const ShownFolder shown(root.shown);
  for (;;) {
    Init init(root);
    if (reusable) watch.before_step();
    if (!settle(*plan) || !init.start(*plan)) give_up(slot);
    // The plan may be gone from here on.
    slot.state.store(StepSlot::kRunning);
    if (slot.tell_running.load() != 0) tell(slot, StepSlot::kRunning);
    init.run();
    if (!reusable || init.is_expecting() || raw(SYS_chdir, "/") < 0 || !nothing_left(kQueuesFd) || !shown.is_there()) break;
    slot.root_touched = watch.is_touched() ? 1 : 0;
    tell(slot, StepSlot::kWarm);
    plan = &await_plan(slot);
  }
  tell(slot, StepSlot::kEnded);
  leave(0);
}

}  // namespace

int step_init(void* argument) {
  const StepPlan& plan = *static_cast<const StepPlan*>(argument);
  StepSlot& slot = *plan.root.slot;
  take_name();
  keep_descriptors(plan.user_namespace_fd, plan.memory_cgroup_fd, plan.cpu_cgroup_fd);
  if (!watch_signals(slot) || !build_root(plan.root) || !make_mounts_and_enter(plan)) give_up(slot);
  if (!plan.keep_capabilities && !limit_programs(slot)) give_up(slot);
  serve(&plan, plan.root, plan.reusable && open_queues(kQueuesFd));
}

int warm_init(void* argument) {
  const RootPlan& root = *static_cast<const RootPlan*>(argument);
  StepSlot& slot = *root.slot;
  take_name();
  keep_descriptors(-1, -1, -1);
  if (!watch_signals(slot) || !build_root(root) || !enter_root(slot) || !limit_programs(slot)) give_up(slot);
  const bool reusable = open_queues(kQueuesFd);
  const RootPlan own = root;  // that one may be gone from here on
  tell(slot, StepSlot::kWarm);
  serve(&await_plan(slot), own, reusable);
}

}  // namespace tiphys::node
