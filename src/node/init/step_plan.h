// What one step's init process is told, and what it tells back: plain memory, because it may neither allocate nor lock.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace tiphys::node {

/// Descriptors that the supervisor keeps at fixed numbers, so that an init closes everything above with one call.
inline constexpr int kNullFd = 0;
inline constexpr int kAliveFd = 3;  ///< reading end of a pipe whose writing end only the supervisor holds
inline constexpr int kEventFd = 4;  ///< eventfd that wakes the supervisor
inline constexpr int kDataFd = 5;   ///< the data directory, in the supervisor's mount namespace
/// From here to below kFirstFreeFd an init puts what belongs to its own step; the supervisor holds the numbers.
inline constexpr int kFirstStepFd = 6;
inline constexpr int kFirstFreeFd = 12;

/// Where a start went wrong.
enum class StepStage : std::uint32_t {
  kNone,
  kClone,
  kRoot,
  kHostFolder,
  kProc,
  kSharedMemory,
  kMountSource,
  kMountTarget,
  kPivot,
  kWorkingDir,
  kOutput,
  kFork,
  kLimit,
  kUser,
  kExec,
};

struct StepPlan;
struct StepSlot;

/// Slots whose state has changed: a stack that many inits push on and the supervisor takes whole. An init that is
/// killed at any point leaves it in order.
struct StepQueue {
  std::atomic<StepSlot*> head;
};

/// Lies in memory that an init shares with the supervisor.
struct StepSlot {
  enum State : std::uint32_t { kPreparing, kWarm, kRunning, kFailed, kEnded };
  std::atomic<std::uint32_t> state;
  StepStage failed_stage;
  std::int32_t failed_errno;
  std::uint32_t failed_index;  ///< of StepPlan::mounts or host_folders
  std::int32_t wait_status;    ///< of the step's first process, as wait(2) gives it
  std::int32_t log_errno;      ///< not 0: output was dropped from here on
  std::uint32_t root_touched;  ///< in kWarm after a step: 0 when its root is as before it
  std::int64_t started_ns, ended_ns;
  /// Set by the supervisor, which then looks at the state: from now on kRunning is told.
  std::atomic<std::uint32_t> tell_running;
  std::atomic<std::uint32_t> queued;
  StepSlot* next;
  StepQueue* queue;
  void* owner;                        ///< the supervisor's
  std::atomic<const StepPlan*> plan;  ///< for a warm init, before it gets SIGUSR1
};

struct StepMount {
  const char* source;  ///< absolute, on the host
  const char* target;  ///< absolute, in the step
  bool read_only;
};

/// What does not depend on the step.
struct RootPlan {
  StepSlot* slot;
  char* buffer;      ///< kPumpBytes of memory for the output
  const char* root;  ///< the folder that becomes the root, absolute
  /// Names below tree/ of the supervisor's mount that move to the same place in the root; ends with nullptr.
  const char* const* host_folders;
  /// The folders of the root that a step may change, as it sees them; at most kMostOwnFolders, ends with nullptr.
  const char* const* own_folders;
  const char* shown;   ///< a folder that is bound over the root for one step after another; nullptr: none
  bool fresh_proc;     ///< false: the kernel does not let us mount one, the host's is shown
  bool writable_proc;  ///< for a privileged step: it may change the settings of the kernel
};

/// An interpreter that is kept forks for the step (init/python_fork.h).
struct PythonFork {
  const char* socket;  ///< the path at which it is asked
  const char* request;
  std::size_t request_bytes;
};

struct StepPlan {
  RootPlan root;
  bool reusable;    ///< the init has nothing of this step's own, and waits for another one afterwards
  const char* dir;  ///< the container's folder, made for the log if need be; relative to the data directory
  const StepMount* mounts;
  std::size_t mount_count;
  const char* working_dir;
  const char* hostname;
  char* const* argv;
  char* const* envp;
  const char* const* candidates;  ///< programs to try in this order; ends with nullptr
  const PythonFork* python;       ///< asked before that; nullptr: nobody
  bool read_only_root;
  bool keep_capabilities;
  bool set_user;
  uid_t uid;
  gid_t gid;
  int user_namespace_fd;  ///< joined before the program runs; -1: none
  int memory_cgroup_fd;   ///< cgroup.procs open for writing; -1: none
  int cpu_cgroup_fd;
  std::uint64_t address_space_bytes;  ///< RLIMIT_AS; 0: unlimited
};

inline constexpr std::size_t kMostOwnFolders = 32;
inline constexpr std::size_t kLongestPath = 4096;

/// Bytes of output that an init reads at once, for each of the two streams; also the longest line that is not split.
inline constexpr std::size_t kMostLineBytes = 16 * 1024;
inline constexpr std::size_t kPumpBytes = 128 * 1024;

/// The init of a step's pid namespace: makes the root, starts the program, writes its output to the log, reaps,
/// forwards SIGTERM to the program's process group, and on SIGUSR2 kills all. Runs on a stack of its own in the
/// supervisor's memory; all signals are blocked. Takes a StepPlan*, which must live until the slot leaves kPreparing.
/// Never returns. Once the program runs, the slot tells kEnded or kWarm.
int step_init(void* plan);

/// The same, begun before there is a step: makes the root that a RootPlan* names, tells kWarm, and takes a plan from
/// the slot at SIGUSR1. The plan must be reusable. The RootPlan must live until kWarm or kFailed is told.
///
/// After a reusable step either init makes sure that nothing of it is left but files in its root, tells kWarm and
/// whether there may be such, and takes the next plan; or it tells kEnded and leaves.
int warm_init(void* root_plan);

struct ZygotePlan {
  StepPlan plan;    ///< its root, volumes and one candidate
  int listener_fd;  ///< at which inits will ask
  int source_fd;    ///< of its program
};
inline constexpr int kZygoteListenerFd = 3;
inline constexpr int kZygoteSourceFd = 4;

/// Makes the root that a ZygotePlan* names and becomes the program, an interpreter, in the supervisor's own process
/// namespace, with the right to enter those of inits. It ends with the supervisor. Failures are in the slot.
int zygote_init(void* zygote_plan);

}  // namespace tiphys::node
