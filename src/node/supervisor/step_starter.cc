#include "node/supervisor/step_starter.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "base/strings.h"

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

ino_t inode_of(const std::string& path) {
  struct stat about;
  return ::fstatat(kDataFd, path.c_str(), &about, AT_SYMLINK_NOFOLLOW) == 0 ? about.st_ino : 0;
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

StepStarter::StepStarter(std::string data_dir, HostView view, StepNamespaces& namespaces, StepCgroups& cgroups,
                         Status available)
    : data_dir_(std::move(data_dir)),
      view_(std::move(view)),
      namespaces_(namespaces),
      cgroups_(cgroups),
      available_(std::move(available)),
      can_warm_(available_.has_value() && kSharedMemoryFlag != 0) {}

Status StepStarter::make_dir(const std::string& dir) {
  if (::mkdirat(kDataFd, dir.c_str(), 0755) == 0 || errno == EEXIST) return {};
  const auto slash = dir.rfind('/');
  if (errno != ENOENT || slash == std::string::npos) return fail_errno(fmt::format("make folder {}", dir), errno);
  TIPHYS_CHECK_OK(make_dir(dir.substr(0, slash)));
  if (::mkdirat(kDataFd, dir.c_str(), 0755) == 0 || errno == EEXIST) return {};
  return fail_errno(fmt::format("make folder {}", dir), errno);
}

/// The step's folder, made, relative to the data directory.
Result<std::string> StepStarter::folder_of(const StartRequest& request) {
  const std::string& dir = request.dir;
  if (!lies_below(dir, data_dir_) || dir.size() == data_dir_.size() || dir.find("/../") != std::string::npos) {
    return fail(Code::kInvalidArgument, fmt::format("folder {} of a step is not in the data directory", dir));
  }
  std::string relative = dir.substr(data_dir_.size() + 1);
  TIPHYS_CHECK_OK(make_dir(relative));
  return relative;
}

Status StepStarter::prepare_root(const std::string& dir) {
  const std::string root = dir + "/root";
  while (!roots_.empty()) {
    const std::string pooled = fmt::format("{}/{}", kRootPool, roots_.back());
    if (::renameat(kDataFd, pooled.c_str(), kDataFd, root.c_str()) == 0) {
      roots_.pop_back();
      return {};
    }
    if (errno == EEXIST || errno == ENOTEMPTY) return {};  // the client has made it, with input files in it
    roots_.pop_back();
  }
  if (::faccessat(kDataFd, root.c_str(), F_OK, 0) == 0) return {};
  if (!links_) open_links();
  return make_root(view_, kDataFd, root.c_str(), links_.get());
}

void StepStarter::open_links() {
  ::mkdirat(kDataFd, kRootLinks, 0700);
  links_.reset(::openat(kDataFd, kRootLinks, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Without them a root has links of its own.
  if (links_ && !store_links(view_, links_.get())) links_.reset();
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
  TIPHYS_TRY(step.dir, folder_of(step.request));
  TIPHYS_CHECK_OK(prepare_root(step.dir));
  TIPHYS_CHECK_OK(plan_limits(step, group));
  TIPHYS_CHECK_OK(plan_user(step));
  if (step.argv.empty()) plan_program(step);
  step.root = step.request.dir + "/root";
  step.plan.reusable = fits_any_init(step) && !step.plan.keep_capabilities;
  step.root_inode = step.plan.reusable ? inode_of(step.dir + "/root") : 0;
  step.plan.root = {area.slot, area.buffer(), step.root.c_str(), namespaces_.host_folders(), fresh_proc_};

  const bool host_mounts = needs_host_mounts(step.request);
  if (host_mounts) TIPHYS_CHECK_OK(namespaces_.enter_host());
  auto pid = clone_init(step_init, area, &step.plan);
  if (host_mounts) TIPHYS_CHECK_OK(namespaces_.leave_host());
  return pid;
}

bool StepStarter::start_warm(WarmStep& warm, const StepMemory::Area& area) {
  if (roots_.empty()) {
    if (!links_) open_links();
    warm.root = fmt::format("w{}-{}", ::getpid(), ++last_root_);
    // With a disk that is full or broken, the next step will say so.
    can_warm_ = make_root(view_, kDataFd, fmt::format("{}/{}", kRootPool, warm.root).c_str(), links_.get()).has_value();
    if (!can_warm_) return false;
  } else {
    warm.root = std::move(roots_.back());
    roots_.pop_back();
  }
  warm.root_path = fmt::format("{}/{}/{}", data_dir_, kRootPool, warm.root);
  warm.area = area;
  warm.plan = {area.slot, area.buffer(), warm.root_path.c_str(), namespaces_.host_folders(), fresh_proc_};
  const auto pid = clone_init(warm_init, area, &warm.plan);
  can_warm_ = pid.has_value();
  if (!can_warm_) return false;
  warm.pid = *pid;
  warm.root_inode = pooled_inode(warm.root);
  return true;
}

Result<bool> StepStarter::hand_over(PlannedStep& step, WarmStep& warm) {
  if (!plan_user(step) || !fits_any_init(step)) return false;
  auto dir = folder_of(step.request);
  if (!dir) return false;
  step.dir = std::move(*dir);
  const std::string pooled = fmt::format("{}/{}", kRootPool, warm.root);
  const std::string root = step.dir + "/root";
  // The mount of the init's root goes along.
  if (::renameat(kDataFd, pooled.c_str(), kDataFd, root.c_str()) != 0) {
    if (errno == EEXIST || errno == ENOTEMPTY) return false;  // the client has made it, with input files in it
    return fail_errno("take a root into use", errno);
  }
  step.plan.memory_cgroup_fd = step.plan.cpu_cgroup_fd = -1;
  plan_program(step);
  StepSlot& slot = *warm.area.slot;
  step.plan.root = {&slot, warm.area.buffer(), "", namespaces_.host_folders(), fresh_proc_};
  step.plan.reusable = !step.plan.keep_capabilities;
  step.root_inode = step.plan.reusable ? warm.root_inode : 0;
  slot.wait_status = slot.log_errno = 0;
  slot.started_ns = slot.ended_ns = 0;
  slot.plan.store(&step.plan);
  slot.state.store(StepSlot::kPreparing);
  if (::kill(warm.pid, SIGUSR1) != 0) return fail_errno("wake a process for a step", errno);
  return true;
}

/// Whether an init serves that has nothing of this step's own.
bool StepStarter::fits_any_init(const PlannedStep& step) const {
  const StartRequest& request = step.request;
  return request.mounts.empty() && request.memory_bytes <= 0 && request.cpus <= 0 && !request.read_only_root &&
         step.plan.user_namespace_fd < 0;
}

ino_t StepStarter::pooled_inode(const std::string& name) const {
  return inode_of(fmt::format("{}/{}", kRootPool, name));
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
