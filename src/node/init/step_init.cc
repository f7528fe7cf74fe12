// The code of a step's init. It shares the supervisor's memory and thread-local storage, so everything here is raw
// system calls on memory that was prepared before.
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <linux/wait.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>

#include "node/init/leftovers.h"
#include "node/init/output_pump.h"
#include "node/init/raw_files.h"
#include "node/init/raw_syscall.h"
#include "node/init/step_plan.h"

// glibc 2.36 has these in <sys/mount.h>, which excludes <linux/mount.h> on some versions.
#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif
#ifndef MS_NOSUID
#define MS_NOSUID 2
#define MS_NODEV 4
#define MS_NOEXEC 8
#endif

namespace tiphys::node {
namespace {

// Where the supervisor's own mount keeps the place for a step's root, and the host's folders.
constexpr char kRootPlace[] = "step";
constexpr unsigned kRecursive = 0x8000;  // AT_RECURSIVE
constexpr int kUserNamespaceFd = kFirstStepFd;
constexpr int kMemoryCgroupFd = kFirstStepFd + 1;
constexpr int kCpuCgroupFd = kFirstStepFd + 2;
constexpr int kRootFd = kFirstStepFd + 3;
constexpr int kSignalFd = kFirstStepFd + 4;
constexpr int kQueuesFd = kFirstStepFd + 5;
static_assert(kQueuesFd == kFirstFreeFd - 1);
constexpr int kMostMounts = 256;
constexpr std::size_t kKernelSignalSetBytes = 8;

// What a container engine leaves to root by default.
constexpr unsigned kKeptCapabilities[] = {
    CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FSETID,  CAP_FOWNER,           CAP_MKNOD,      CAP_NET_RAW, CAP_SETGID,
    CAP_SETUID, CAP_SETFCAP,      CAP_SETPCAP, CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT, CAP_KILL,    CAP_AUDIT_WRITE};

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

[[noreturn]] void leave(int code) {
  for (;;) raw(SYS_exit_group, code);
}

void fail_start(StepSlot& slot, StepStage stage, long error, std::size_t index = 0) {
  slot.failed_stage = stage;
  slot.failed_errno = static_cast<std::int32_t>(-error);
  slot.failed_index = static_cast<std::uint32_t>(index);
}

void fail_start(const StepPlan& plan, StepStage stage, long error, std::size_t index = 0) {
  fail_start(*plan.root.slot, stage, error, index);
}

/// Joins two path parts in a buffer of kLongestPath; false when they are too long.
bool join_path(char* out, const char* first, const char* second) {
  std::size_t at = 0;
  for (; *first; ++first, ++at) {
    if (at == kLongestPath - 2) return false;
    out[at] = *first;
  }
  out[at++] = '/';
  for (; *second; ++second, ++at) {
    if (at == kLongestPath - 1) return false;
    out[at] = *second;
  }
  out[at] = 0;
  return true;
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

/// Submounts included with kRecursive.
long make_read_only(long tree, unsigned recursive) {
  mount_attr attributes;
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  attributes.attr_clr = attributes.propagation = attributes.userns_fd = 0;
  return raw(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | recursive, &attributes, sizeof attributes);
}

/// Opens a mount's source as a tree of its own. What the step may not write is made so here.
long clone_source(const StepMount& mount) {
  const long tree = raw(SYS_open_tree, AT_FDCWD, mount.source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | kRecursive);
  if (tree < 0 || !mount.read_only) return tree;
  const long result = make_read_only(tree, kRecursive);
  return result < 0 ? result : tree;
}

/// What in /proc is the whole machine's, as container engines show it.
long protect_proc() {
  constexpr const char* kOfTheMachine[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"};
  for (const char* path : kOfTheMachine) {
    const long tree = raw(SYS_open_tree, kRootFd, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (tree == -ENOENT) continue;
    long result = tree < 0 ? tree : make_read_only(tree, 0);
    if (result >= 0) result = raw(SYS_move_mount, tree, "", kRootFd, path, MOVE_MOUNT_F_EMPTY_PATH);
    if (tree >= 0) raw(SYS_close, tree);
    if (result < 0) return result;
  }
  return 0;
}

/// The step's folder under the host's folders, at kRootPlace; kRootFd is its top.
bool build_root(const RootPlan& plan) {
  long result = raw(SYS_open_tree, AT_FDCWD, plan.root, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  if (result >= 0) {
    raw(SYS_dup3, result, kRootFd, O_CLOEXEC);
    raw(SYS_close, result);
    result = raw(SYS_move_mount, kRootFd, "", AT_FDCWD, kRootPlace, MOVE_MOUNT_F_EMPTY_PATH);
  }
  if (result < 0) {
    fail_start(*plan.slot, StepStage::kRoot, result);
    return false;
  }
  char path[kLongestPath];
  for (std::size_t i = 0; plan.host_folders[i]; ++i) {
    result = join_path(path, "tree", plan.host_folders[i])
                 ? raw(SYS_move_mount, AT_FDCWD, path, kRootFd, plan.host_folders[i], 0)
                 : -ENAMETOOLONG;
    if (result < 0) {
      fail_start(*plan.slot, StepStage::kHostFolder, result, i);
      return false;
    }
  }
  result = plan.fresh_proc ? raw(SYS_mount, "proc", "step/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr)
                           : raw(SYS_move_mount, AT_FDCWD, "proc", kRootFd, "proc", 0);
  if (result >= 0 && !plan.writable_proc) result = protect_proc();
  if (result < 0) {
    fail_start(*plan.slot, StepStage::kProc, result);
    return false;
  }
  result = raw(SYS_mount, "shm", "step/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
  if (result < 0) {
    fail_start(*plan.slot, StepStage::kSharedMemory, result);
    return false;
  }
  return true;
}

bool enter_root(StepSlot& slot) {
  long result = raw(SYS_fchdir, kRootFd);
  if (result >= 0) result = raw(SYS_pivot_root, ".", ".");
  if (result >= 0) result = raw(SYS_umount2, ".", MNT_DETACH);
  if (result >= 0) result = raw(SYS_chdir, "/");
  if (result < 0) fail_start(slot, StepStage::kPivot, result);
  return result >= 0;
}

/// Puts an opened source in place. Within the new root already, so that no symbolic link of the step leads out of it.
bool attach_mount(const StepPlan& plan, std::size_t index, int source) {
  const StepMount& mount = plan.mounts[index];
  struct statx about;
  long result = raw(SYS_statx, source, "", AT_EMPTY_PATH, STATX_TYPE, &about);
  if (result >= 0) {
    const bool folder = (about.stx_mode & S_IFMT) == S_IFDIR;
    make_folders(AT_FDCWD, mount.target, folder);
    if (!folder) {
      const long file = raw(SYS_openat, AT_FDCWD, mount.target, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
      if (file >= 0) raw(SYS_close, file);
    }
    result = raw(SYS_move_mount, source, "", AT_FDCWD, mount.target, MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS);
  }
  raw(SYS_close, source);
  if (result < 0) fail_start(plan, StepStage::kMountTarget, result, index);
  return result >= 0;
}

bool make_mounts_and_enter(const StepPlan& plan) {
  if (plan.mount_count > kMostMounts) {
    fail_start(plan, StepStage::kMountSource, -E2BIG, kMostMounts);
    return false;
  }
  int sources[kMostMounts];
  for (std::size_t i = 0; i < plan.mount_count; ++i) {
    const long source = clone_source(plan.mounts[i]);
    if (source < 0) {
      fail_start(plan, StepStage::kMountSource, source, i);
      return false;
    }
    sources[i] = static_cast<int>(source);
  }
  if (!enter_root(*plan.root.slot)) return false;
  for (std::size_t i = 0; i < plan.mount_count; ++i) {
    if (!attach_mount(plan, i, sources[i])) return false;
  }
  return true;
}

bool settle(const StepPlan& plan) {
  int length = 0;
  while (plan.hostname[length]) ++length;
  if (length != 0) raw(SYS_sethostname, plan.hostname, length);
  long result = raw(SYS_chdir, plan.working_dir);
  if (result == -ENOENT) {
    make_folders(AT_FDCWD, plan.working_dir, true);
    if (plan.set_user) raw(SYS_fchownat, AT_FDCWD, plan.working_dir, plan.uid, plan.gid, 0);
    result = raw(SYS_chdir, plan.working_dir);
  }
  if (result < 0) {
    fail_start(plan, StepStage::kWorkingDir, result);
    return false;
  }
  if (plan.read_only_root) {
    result = make_read_only(kRootFd, 0);
    if (result < 0) {
      fail_start(plan, StepStage::kRoot, result);
      return false;
    }
  }
  raw(SYS_close, kRootFd);
  return true;
}

long limit_resources(const StepPlan& plan) {
  long result = 0;
  if (plan.memory_cgroup_fd >= 0) result = raw(SYS_write, kMemoryCgroupFd, "0", 1);
  if (result >= 0 && plan.cpu_cgroup_fd >= 0) result = raw(SYS_write, kCpuCgroupFd, "0", 1);
  if (result >= 0 && plan.address_space_bytes != 0) {
    const rlimit limit{plan.address_space_bytes, plan.address_space_bytes};
    result = raw(SYS_prlimit64, 0, static_cast<int>(RLIMIT_AS), &limit, nullptr);
  }
  return result;
}

long drop_capabilities() {
  std::uint64_t kept = 0;
  for (const unsigned capability : kKeptCapabilities) kept |= std::uint64_t{1} << capability;
  for (unsigned capability = 0; capability < 64; ++capability) {
    // An unknown capability ends the list; a process without CAP_SETPCAP has none to drop.
    if (kept >> capability & 1) continue;
    const long result = raw(SYS_prctl, 24 /* PR_CAPBSET_DROP */, capability, 0, 0, 0);
    if (result == -EINVAL) break;
    if (result < 0 && result != -EPERM) return result;
  }
  return 0;
}

/// Limits what programs can get; the init keeps what it has, since it never runs one itself.
bool limit_programs(StepSlot& slot) {
  long result = drop_capabilities();
  if (result >= 0) result = raw(SYS_prctl, 38 /* PR_SET_NO_NEW_PRIVS */, 1, 0, 0, 0);
  if (result < 0) fail_start(slot, StepStage::kUser, result);
  return result >= 0;
}

long become_user(const StepPlan& plan) {
  long result = 0;
  if (plan.user_namespace_fd >= 0) {
    // Whoever enters one gets all capabilities in it.
    result = raw(SYS_setns, kUserNamespaceFd, CLONE_NEWUSER);
    if (result >= 0 && !plan.keep_capabilities) result = drop_capabilities();
  }
  if (result >= 0 && plan.set_user) {
    result = raw(SYS_setgroups, 0, nullptr);
    if (result >= 0) result = raw(SYS_setresgid, plan.gid, plan.gid, plan.gid);
    if (result >= 0) result = raw(SYS_setresuid, plan.uid, plan.uid, plan.uid);
  }
  return result;
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

 private:
  void handle_signals();
  void reap();
  void read_streams();
  void finish_streams();

  StepSlot& slot_;
  OutputPump pump_;
  int program_ = 0;
  bool program_ended_ = false;
  pollfd polled_[4];  // signals, the supervisor's life, stdout, stderr
  int written_[2];    // the streams' other ends: while we hold them, only a signal tells of the program's end
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
  const long child = start_program(plan, out[1], err[1]);
  if (child < 0) fail_start(plan, StepStage::kFork, child);
  if (slot_.failed_stage != StepStage::kNone) return false;
  program_ = static_cast<int>(child);
  for (int fd = kFirstStepFd; !plan.reusable && fd < kRootFd; ++fd) raw(SYS_close, fd);
  return true;
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

void Init::handle_signals() {
  signalfd_siginfo info;
  while (raw(SYS_read, polled_[0].fd, &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGTERM) {
      if (raw(SYS_kill, -program_, SIGTERM) < 0) raw(SYS_kill, program_, SIGTERM);
    } else if (info.ssi_signo == SIGUSR2) {
      raw(SYS_kill, -1, SIGKILL);
    }
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
    if (!reusable || raw(SYS_chdir, "/") < 0 || !nothing_left(kQueuesFd) || !shown.is_there()) break;
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
