#include "node/supervisor/step_cgroups.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "artifact/file_tree.h"
#include "base/strings.h"

namespace tiphys::node {
namespace {

constexpr std::string_view kPrefix = "tiphys_";
constexpr std::int64_t kCpuPeriodUs = 100'000;
constexpr std::int64_t kLeastCpuQuotaUs = 1'000;

UniqueFd open_folder(int at, const std::string& path) {
  return UniqueFd(::openat(at, path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

std::string read_file(int at, const std::string& path) {
  const UniqueFd file(::openat(at, path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return {};
  std::array<char, 4096> bytes;
  const ssize_t count = ::read(file.get(), bytes.data(), bytes.size());
  return count > 0 ? std::string(bytes.data(), static_cast<std::size_t>(count)) : std::string();
}

bool write_file(int at, const std::string& path, std::string_view text) {
  const UniqueFd file(::openat(at, path.c_str(), O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

/// The path of a line "7:cpu,cpuacct:/path" that names `controller`; "0::/path" for "".
std::string own_group(std::string_view text, std::string_view controller) {
  for (const std::string_view line : split(text, '\n')) {
    const auto parts = split(line, ':');
    if (parts.size() < 3) continue;
    const auto names = split(parts[1], ',');
    if (std::ranges::find(names, controller) == names.end()) continue;
    std::string_view path = parts[2];
    while (path.starts_with('/')) path.remove_prefix(1);
    return std::string(path);
  }
  return {};
}

bool lists(const std::string& words, std::string_view word) {
  const auto all = split(trim(words), ' ');
  return std::ranges::find(all, word) != all.end();
}

/// Groups of supervisors that were killed.
void sweep(int parent) {
  const auto names = artifact::folder_names(parent, "control groups");
  if (!names) return;
  for (const std::string& name : *names) {
    if (!name.starts_with(kPrefix)) continue;
    const pid_t owner = static_cast<pid_t>(std::strtol(name.c_str() + kPrefix.size(), nullptr, 10));
    if (owner > 0 && ::kill(owner, 0) != 0 && errno == ESRCH) ::unlinkat(parent, name.c_str(), AT_REMOVEDIR);
  }
}

std::string folder_name(const std::string& name) {
  return fmt::format("{}{}_{}", kPrefix, ::getpid(), name);
}

/// The value after `key` in lines "key value".
long long value_of(const std::string& text, std::string_view key) {
  for (const std::string_view line : split(text, '\n')) {
    if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ' ') {
      return std::strtoll(std::string(line.substr(key.size() + 1)).c_str(), nullptr, 10);
    }
  }
  return 0;
}

}  // namespace

StepCgroups::StepCgroups(UniqueFd root, std::string own) : root_(std::move(root)), own_(std::move(own)) {}

void StepCgroups::prepare() {
  if (prepared_ || !root_) return;
  prepared_ = true;
  v2_ = ::faccessat(root_.get(), "cgroup.controllers", F_OK, 0) == 0;
  if (v2_) return prepare_v2();
  prepare_v1("memory", memory_);
  prepare_v1("cpu", cpu_);
}

void StepCgroups::prepare_v1(const std::string& controller, Controller& into) {
  const std::string own = own_group(own_, controller);
  for (const std::string& path : {controller + "/" + own, controller}) {
    into.parent = open_folder(root_.get(), path);
    if (into.parent && ::faccessat(into.parent.get(), ".", W_OK, AT_EACCESS) == 0) {
      into.can = true;
      sweep(into.parent.get());
      return;
    }
  }
}

void StepCgroups::prepare_v2() {
  // A group with processes of its own cannot hand limits to groups below it, so look for an ancestor that already does.
  for (std::string path = own_group(own_, "");; path = path.substr(0, path.rfind('/'))) {
    UniqueFd parent = open_folder(root_.get(), path);
    const std::string handed_down = parent ? read_file(parent.get(), "cgroup.subtree_control") : std::string();
    if (lists(handed_down, "memory") && ::faccessat(parent.get(), "cgroup.procs", W_OK, AT_EACCESS) == 0 &&
        ::faccessat(parent.get(), ".", W_OK, AT_EACCESS) == 0) {
      memory_.can = true;
      cpu_.can = lists(handed_down, "cpu");
      cpu_.parent.reset(::dup(parent.get()));
      memory_.parent = std::move(parent);
      sweep(memory_.parent.get());
      return;
    }
    if (path.empty()) return;
    if (path.find('/') == std::string::npos) path = "/";
  }
}

Status StepCgroups::set(const Controller& controller, const std::string& name, const char* file,
                        const std::string& value, bool required) const {
  if (write_file(controller.parent.get(), folder_name(name) + "/" + file, value) || !required) return {};
  return fail_errno(fmt::format("set {} of the step to {}", file, value), errno);
}

Result<StepCgroups::Limits> StepCgroups::make(const std::string& name, std::int64_t memory_bytes, double cpus) {
  Limits limits;
  const auto open_group = [&](const Controller& controller, UniqueFd& procs) -> Status {
    const std::string folder = folder_name(name);
    if (::mkdirat(controller.parent.get(), folder.c_str(), 0755) != 0 && errno != EEXIST) {
      return fail_errno("make a control group", errno);
    }
    procs.reset(::openat(controller.parent.get(), (folder + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
    return procs ? Status{} : fail_errno("open a control group", errno);
  };
  if (memory_bytes > 0 && memory_.can) {
    TIPHYS_CHECK_OK(open_group(memory_, limits.memory_procs));
    const std::string bytes = std::to_string(memory_bytes);
    TIPHYS_CHECK_OK(set(memory_, name, v2_ ? "memory.max" : "memory.limit_in_bytes", bytes, true));
    // Swap may be off or not accounted for.
    TIPHYS_CHECK_OK(v2_ ? set(memory_, name, "memory.swap.max", "0", false)
                        : set(memory_, name, "memory.memsw.limit_in_bytes", bytes, false));
  }
  if (cpus > 0 && cpu_.can) {
    const auto quota = std::max(kLeastCpuQuotaUs, static_cast<std::int64_t>(cpus * static_cast<double>(kCpuPeriodUs)));
    TIPHYS_CHECK_OK(open_group(cpu_, limits.cpu_procs));
    if (v2_) {
      TIPHYS_CHECK_OK(set(cpu_, name, "cpu.max", fmt::format("{} {}", quota, kCpuPeriodUs), true));
    } else {
      TIPHYS_CHECK_OK(set(cpu_, name, "cpu.cfs_period_us", std::to_string(kCpuPeriodUs), true));
      TIPHYS_CHECK_OK(set(cpu_, name, "cpu.cfs_quota_us", std::to_string(quota), true));
    }
  }
  return limits;
}

bool StepCgroups::out_of_memory(const std::string& name) const {
  if (!memory_.can) return false;
  const std::string file = folder_name(name) + (v2_ ? "/memory.events" : "/memory.oom_control");
  return value_of(read_file(memory_.parent.get(), file), "oom_kill") > 0;
}

void StepCgroups::remove(const std::string& name) {
  for (const Controller* controller : {&memory_, &cpu_}) {
    if (controller->can) ::unlinkat(controller->parent.get(), folder_name(name).c_str(), AT_REMOVEDIR);
  }
}

}  // namespace tiphys::node
