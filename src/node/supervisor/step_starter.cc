#include "node/supervisor/step_starter.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "base/strings.h"
#include "node/init/step_rights.h"
#include "node/supervisor/bytes.h"

namespace tiphys::node {
namespace {

constexpr std::size_t kStackBytes = 64 * 1024;
constexpr std::size_t kAreaBytes = kStackBytes + kPumpBytes;
constexpr std::size_t kSlotBlockBytes = 16 * 1024;
constexpr std::size_t kMostSpareAreas = 128;
constexpr std::size_t kSpareAreasAtRest = 2;

// A sanitizer's run time keeps books per process; there an init gets its own copy of the memory.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kSharedMemoryFlag = 0;
#else
constexpr int kSharedMemoryFlag = CLONE_VM;
#endif

std::string reason_of(int error_number) {
  return std::error_code(error_number, std::generic_category()).message();
}

std::string_view value_of(const std::vector<std::string>& env, std::string_view name) {
  for (const std::string& entry : env) {
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=') {
      return std::string_view(entry).substr(name.size() + 1);
    }
  }
  return {};
}

bool lies_below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

}  // namespace

char* StepMemory::Area::stack_top() const {
  return memory + kStackBytes;
}

char* StepMemory::Area::buffer() const {
  return memory + kStackBytes;
}

StepMemory::~StepMemory() {
  for (char* area : free_areas_) ::munmap(area, kAreaBytes);
}

Status StepMemory::add_slots() {
  void* block = ::mmap(nullptr, kSlotBlockBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) return fail_errno("get memory for steps", errno);
  auto* slots = static_cast<StepSlot*>(block);
  std::size_t count = kSlotBlockBytes / sizeof(StepSlot);
  if (!queue_) {
    queue_ = new (block) StepQueue{};
    ++slots;
    --count;
  }
  for (std::size_t i = 0; i < count; ++i) free_slots_.push_back(new (slots + i) StepSlot{});
  return {};
}

Result<StepMemory::Area> StepMemory::take() {
  if (free_slots_.empty()) TIPHYS_CHECK_OK(add_slots());
  Area area;
  if (free_areas_.empty()) {
    void* memory = ::mmap(nullptr, kAreaBytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) return fail_errno("get memory for a step", errno);
    area.memory = static_cast<char*>(memory);
  } else {
    area.memory = free_areas_.back();
    free_areas_.pop_back();
  }
  area.slot = free_slots_.back();
  free_slots_.pop_back();
  area.slot->~StepSlot();
  area.slot = new (area.slot) StepSlot{};
  area.slot->queue = queue_;
  return area;
}

void StepMemory::give_back(Area area) {
  free_slots_.push_back(area.slot);
  if (free_areas_.size() < kMostSpareAreas) {
    free_areas_.push_back(area.memory);
  } else {
    ::munmap(area.memory, kAreaBytes);
  }
}

bool StepMemory::has_spare() const {
  return free_areas_.size() > kSpareAreasAtRest;
}

void StepMemory::shrink() {
  while (free_areas_.size() > kSpareAreasAtRest) {
    ::munmap(free_areas_.back(), kAreaBytes);
    free_areas_.pop_back();
  }
}

StepStarter::StepStarter(std::string data_dir, const HostView& view, RootPool& roots, HeldFolders& held,
                         StepNamespaces& namespaces, StepCgroups& cgroups, Status available)
    : data_dir_(std::move(data_dir)),
      own_folders_(own_folders(view)),
      account_parents_(account_parents()),
      roots_(roots),
      held_(held),
      namespaces_(namespaces),
      cgroups_(cgroups),
      available_(std::move(available)) {
  for (const std::string& folder : own_folders_) own_folder_pointers_.push_back(folder.c_str());
  account_folder_pointers_ = own_folder_pointers_;
  for (const std::string& folder : account_parents_) account_folder_pointers_.push_back(folder.c_str());
  own_folder_pointers_.push_back(nullptr);
  account_folder_pointers_.push_back(nullptr);
}

bool StepStarter::can_warm() const {
  return available_.has_value() && kSharedMemoryFlag != 0;
}

/// The step's folder, relative to the data directory.
Result<std::string> StepStarter::dir_of(const StartRequest& request) const {
  const std::string& dir = request.dir;
  if (!lies_below(dir, data_dir_) || dir.size() == data_dir_.size() || dir.find("/../") != std::string::npos) {
    return fail(Code::kInvalidArgument, fmt::format("folder {} of a step is not in the data directory", dir));
  }
  return dir.substr(data_dir_.size() + 1);
}

/// A step with mounts has files at their places in its root: it does not stay in the pool.
Status StepStarter::prepare_root(PlannedStep& step) {
  if (!step.request.has_root && step.root.empty()) {
    TIPHYS_TRY(step.root, roots_.take());
  }
  if (!step.root.empty() && !step.plan.reusable) {
    if (Status moved = roots_.move_out(step.root, step.dir); !moved) {
      roots_.give_unclean(std::exchange(step.root, {}));
      return moved;
    }
    step.root.clear();
  }
  step.root_path = absolute(step.root.empty() ? step.dir + "/root" : RootPool::path(step.root));
  return {};
}

RootPlan StepStarter::root_plan(const StepMemory::Area& area, const char* path) const {
  return {area.slot, area.buffer(), path, namespaces_.host_folders(), own_folder_pointers_.data(),
          nullptr,   fresh_proc_,   false};
}

void StepStarter::notice_once(bool& told, std::string text) {
  if (!std::exchange(told, true)) notices_.push_back(std::move(text));
}

Status StepStarter::plan_limits(PlannedStep& step, const std::string& group) {
  const StartRequest& request = step.request;
  step.plan.memory_cgroup_fd = step.plan.cpu_cgroup_fd = -1;
  if (request.memory_bytes <= 0 && request.cpus <= 0) return {};
  cgroups_.prepare();
  TIPHYS_TRY(step.limits, cgroups_.make(group, request.memory_bytes, request.cpus));
  step.plan.memory_cgroup_fd = step.limits.memory_procs.get();
  step.plan.cpu_cgroup_fd = step.limits.cpu_procs.get();
  if (request.memory_bytes > 0 && !cgroups_.limits_memory()) {
    step.plan.address_space_bytes = static_cast<std::uint64_t>(request.memory_bytes);
    notice_once(told_memory_,
                "memory limits of steps hold for their address space, not for the memory they use: this user may not "
                "make control groups");
  }
  if (request.cpus > 0 && !cgroups_.limits_cpu()) {
    notice_once(told_cpu_, "processor limits of steps are not enforced: this user may not make control groups");
  }
  return {};
}

Status StepStarter::plan_user(PlannedStep& step) {
  const StartRequest& request = step.request;
  step.plan.user_namespace_fd = -1;
  step.plan.uid = request.uid.value_or(::geteuid());
  step.plan.gid = request.gid.value_or(request.uid && !namespaces_.rootless() ? 0 : ::getegid());
  const bool other = step.plan.uid != ::geteuid() || step.plan.gid != ::getegid();
  if (other && namespaces_.rootless()) {
    TIPHYS_TRY(step.plan.user_namespace_fd, namespaces_.user_namespace(step.plan.uid, step.plan.gid));
  }
  step.plan.set_user = other && !namespaces_.rootless();
  if (request.privileged && namespaces_.rootless()) {
    notice_once(told_privileged_, "privileged steps of an ordinary user get no privileges");
  }
  step.plan.keep_capabilities = request.privileged && !namespaces_.rootless();
  return {};
}

void StepStarter::plan_program(PlannedStep& step) {
  StartRequest& request = step.request;
  for (std::string& argument : request.argv) step.argv.push_back(argument.data());
  step.argv.push_back(nullptr);
  for (std::string& entry : request.env) step.envp.push_back(entry.data());
  step.envp.push_back(nullptr);
  const std::string& program = request.argv.front();
  if (program.find('/') != std::string::npos) {
    step.programs.push_back(program);
  } else if (!program.empty()) {
    for (const std::string_view folder : split(value_of(request.env, "PATH"), ':')) {
      step.programs.push_back(fmt::format("{}/{}", folder.empty() ? "." : folder, program));
    }
  }
  for (const std::string& candidate : step.programs) step.candidates.push_back(candidate.c_str());
  step.candidates.push_back(nullptr);
  for (const Mount& mount : request.mounts) {
    step.mounts.push_back({mount.host_path.c_str(), mount.path.c_str(), mount.read_only});
  }
  StepPlan& plan = step.plan;
  plan.dir = step.dir.c_str();
  plan.mounts = step.mounts.data();
  plan.mount_count = step.mounts.size();
  plan.working_dir = request.working_dir.c_str();
  plan.hostname = request.hostname.c_str();
  plan.argv = step.argv.data();
  plan.envp = step.envp.data();
  plan.candidates = step.candidates.data();
  plan.read_only_root = request.read_only_root;
  plan_python(step);
}

/// What zygote.py reads, in its order.
void StepStarter::plan_python(PlannedStep& step) {
  StepPlan& plan = step.plan;
  plan.python = nullptr;
  if (step.python_socket.empty() || plan.user_namespace_fd >= 0 || plan.keep_capabilities) return;
  ByteWriter to;
  to.put(step.request.argv).put(step.request.env).put(step.request.working_dir);
  to.put(static_cast<std::uint8_t>(plan.set_user)).put(std::uint32_t{plan.uid}).put(std::uint32_t{plan.gid});
  to.put(plan.uid == 0 ? kept_capabilities() : std::uint64_t{0}).put(plan.address_space_bytes);
  step.python_request = to.take();
  step.python = {step.python_socket.c_str(), step.python_request.data(), step.python_request.size()};
  plan.python = &step.python;
}

/// Held files come last: they lie in no volume's way, and may lie in one.
Status StepStarter::plan_held(PlannedStep& step) {
  const std::vector<HeldFiles>& held = step.request.held;
  if (held.empty() || !step.held.empty()) return {};
  TIPHYS_TRY(step.held, held_.take(held));
  for (std::size_t i = 0; i < held.size(); ++i) step.held_sources.push_back(HeldFolders::source(step.held, i));
  for (std::size_t i = 0; i < held.size(); ++i) {
    step.mounts.push_back({step.held_sources[i].c_str(), held[i].path.c_str(), true});
  }
  step.plan.mounts = step.mounts.data();
  step.plan.mount_count = step.mounts.size();
  return {};
}

bool StepStarter::needs_host_mounts(const StartRequest& request) const {
  for (const Mount& mount : request.mounts) {
    if (!lies_below(mount.host_path, data_dir_)) return true;
  }
  return false;
}

Result<pid_t> StepStarter::clone_init(int (*init)(void*), const StepMemory::Area& area, void* plan) const {
  constexpr int kFlags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | kSharedMemoryFlag | SIGCHLD;
  const pid_t pid = ::clone(init, area.stack_top(), kFlags, plan);
  if (pid < 0) return fail_errno("start a process for a step", errno);
  return pid;
}

Result<pid_t> StepStarter::start(PlannedStep& step, const StepMemory::Area& area, const std::string& group) {
  TIPHYS_CHECK_OK(available_);
  TIPHYS_TRY(step.dir, dir_of(step.request));
  TIPHYS_CHECK_OK(plan_limits(step, group));
  TIPHYS_CHECK_OK(plan_user(step));
  step.plan.reusable = can_warm() && fits_any_init(step);
  TIPHYS_CHECK_OK(prepare_root(step));
  if (step.argv.empty()) plan_program(step);
  TIPHYS_CHECK_OK(plan_held(step));
  step.plan.root = root_plan(area, step.root_path.c_str());
  const bool has_account =
      std::ranges::find(step.request.held, kAccountFolder, &HeldFiles::path) != step.request.held.end();
  if (has_account) {
    step.plan.root.own_folders = account_folder_pointers_.data();
    step.plan.root.shown = kAccountFolder.data();
  }
  step.plan.root.writable_proc = step.plan.keep_capabilities;

  const bool host_mounts = needs_host_mounts(step.request);
  if (host_mounts) TIPHYS_CHECK_OK(namespaces_.enter_host());
  auto pid = clone_init(step_init, area, &step.plan);
  if (host_mounts) TIPHYS_CHECK_OK(namespaces_.leave_host());
  return pid;
}

Result<pid_t> StepStarter::start_warm(RootPlan& plan, const StepMemory::Area& area, const char* root_path) {
  plan = root_plan(area, root_path);
  return clone_init(warm_init, area, &plan);
}

Result<pid_t> StepStarter::clone_zygote(ZygotePlan& zygote, const StepMemory::Area& area) const {
  // We wait until it runs its program or has failed.
  constexpr int kFlags = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_VM | CLONE_VFORK | SIGCHLD;
  const pid_t pid = ::clone(zygote_init, area.stack_top(), kFlags, &zygote);
  if (pid < 0) return fail_errno("start an interpreter", errno);
  return pid;
}

Result<pid_t> StepStarter::start_zygote(PlannedStep& step, const StepMemory::Area& area, int listener, int source) {
  TIPHYS_CHECK_OK(available_);
  TIPHYS_CHECK_OK(plan_user(step));
  step.plan.memory_cgroup_fd = step.plan.cpu_cgroup_fd = -1;
  plan_program(step);
  step.root_path = absolute(RootPool::path(step.root));
  step.plan.root = root_plan(area, step.root_path.c_str());
  step.plan.root.fresh_proc = false;  // it is in no process namespace of its own
  ZygotePlan zygote{step.plan, listener, source};
  TIPHYS_CHECK_OK(namespaces_.enter_host());
  const auto pid = clone_zygote(zygote, area);
  TIPHYS_CHECK_OK(namespaces_.leave_host());
  TIPHYS_CHECK_OK(pid);
  if (area.slot->failed_stage == StepStage::kNone) return *pid;
  ::waitpid(*pid, nullptr, 0);
  return std::unexpected(describe(step, *area.slot));
}

bool StepStarter::plan_warm(PlannedStep& step, const std::string& held) {
  if (step.request.has_root || !plan_user(step) || !fits_any_init(step)) return false;
  auto dir = dir_of(step.request);
  if (!dir) return false;
  if (!held.empty() && !held_.fill(held, step.request.held)) {
    held_.clear(held);
    return false;
  }
  step.dir = std::move(*dir);
  step.plan.memory_cgroup_fd = step.plan.cpu_cgroup_fd = -1;
  step.plan.reusable = true;
  plan_program(step);
  return true;
}

/// Whether an init serves that has nothing of this step's own but a folder of held files.
bool StepStarter::fits_any_init(const PlannedStep& step) const {
  const StartRequest& request = step.request;
  const bool held_stays = std::ranges::all_of(request.held, HeldFolders::may_stay, &HeldFiles::path);
  return held_stays && request.mounts.empty() && request.memory_bytes <= 0 && request.cpus <= 0 &&
         !request.read_only_root && step.plan.user_namespace_fd < 0 && !step.plan.keep_capabilities;
}

bool StepStarter::try_otherwise(const StepSlot& slot) {
  // In a container that hides parts of /proc the kernel lets nobody mount a whole one.
  return slot.failed_stage == StepStage::kProc && slot.failed_errno == EPERM && std::exchange(fresh_proc_, false);
}

Error StepStarter::describe(const PlannedStep& step, const StepSlot& slot) const {
  const StartRequest& request = step.request;
  const int number = slot.failed_errno;
  const std::string why = reason_of(number);
  const auto other = [&](std::string what) {
    return Error{number == EAGAIN || number == ENOMEM || number == ENOSPC || number == EMFILE || number == ENFILE
                     ? Code::kResourceExhausted
                     : Code::kInternal,
                 fmt::format("{}: {}", what, why)};
  };
  switch (slot.failed_stage) {
    case StepStage::kExec: {
      const std::string& program = request.argv.front();
      const bool bare = program.find('/') == std::string::npos;
      if (number == ENOENT && bare) {
        return {Code::kNotFound, fmt::format("exec: \"{}\": executable file not found in $PATH", program)};
      }
      if (number == ENOENT) return {Code::kNotFound, fmt::format("exec: \"{}\": no such file or directory", program)};
      if (number == EACCES) return {Code::kPermissionDenied, fmt::format("exec: \"{}\": permission denied", program)};
      if (number == ENOEXEC) {
        return {Code::kPermissionDenied, fmt::format("exec: \"{}\": exec format error", program)};
      }
      return other(fmt::format("exec: \"{}\"", program));
    }
    case StepStage::kMountSource:
    case StepStage::kMountTarget: {
      const std::size_t held = slot.failed_index - request.mounts.size();
      if (slot.failed_index >= request.mounts.size() && held < request.held.size()) {
        return other(fmt::format("show {} to the step", request.held[held].path));
      }
      if (slot.failed_index >= request.mounts.size()) return other("mount the step's volumes");
      const Mount& mount = request.mounts[slot.failed_index];
      return other(fmt::format("mount {} at {}", mount.host_path, mount.path));
    }
    case StepStage::kHostFolder:
      return other(fmt::format("show /{} to the step", namespaces_.host_folders()[slot.failed_index]));
    case StepStage::kWorkingDir:
      return other(fmt::format("enter the working directory {}", request.working_dir));
    case StepStage::kLimit:
      return other("limit the step's resources");
    case StepStage::kUser:
      return other(fmt::format("run as user {} and group {}", step.plan.uid, step.plan.gid));
    case StepStage::kProc:
      return other("mount /proc for the step");
    case StepStage::kSharedMemory:
      return other("mount /dev/shm for the step");
    case StepStage::kOutput:
      return other("make pipes for the step's output");
    case StepStage::kFork:
    case StepStage::kClone:
      return other("start a process for the step");
    case StepStage::kNone:
    case StepStage::kRoot:
    case StepStage::kPivot:
      break;
  }
  return other("make the step's root");
}

}  // namespace tiphys::node
