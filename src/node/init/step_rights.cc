#include "node/init/step_rights.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/resource.h>

#include "node/init/init_descriptors.h"
#include "node/init/raw_syscall.h"

namespace tiphys::node {
namespace {

// What a container engine leaves to root by default.
constexpr unsigned kKeptCapabilities[] = {
    CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FSETID,  CAP_FOWNER,           CAP_MKNOD,      CAP_NET_RAW, CAP_SETGID,
    CAP_SETUID, CAP_SETFCAP,      CAP_SETPCAP, CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT, CAP_KILL,    CAP_AUDIT_WRITE};

long drop_capabilities(std::uint64_t kept) {
  for (unsigned capability = 0; capability < 64; ++capability) {
    // An unknown capability ends the list; a process without CAP_SETPCAP has none to drop.
    if (kept >> capability & 1) continue;
    const long result = raw(SYS_prctl, 24 /* PR_CAPBSET_DROP */, capability, 0, 0, 0);
    if (result == -EINVAL) break;
    if (result < 0 && result != -EPERM) return result;
  }
  return 0;
}

}  // namespace

std::uint64_t kept_capabilities() {
  std::uint64_t kept = 0;
  for (const unsigned capability : kKeptCapabilities) kept |= std::uint64_t{1} << capability;
  return kept;
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

bool limit_programs(StepSlot& slot) {
  long result = drop_capabilities(kept_capabilities());
  if (result >= 0) result = raw(SYS_prctl, 38 /* PR_SET_NO_NEW_PRIVS */, 1, 0, 0, 0);
  if (result < 0) fail_start(slot, StepStage::kUser, result);
  return result >= 0;
}

long become_user(const StepPlan& plan) {
  long result = 0;
  if (plan.user_namespace_fd >= 0) {
    // Whoever enters one gets all capabilities in it.
    result = raw(SYS_setns, kUserNamespaceFd, CLONE_NEWUSER);
    if (result >= 0 && !plan.keep_capabilities) result = drop_capabilities(kept_capabilities());
  }
  if (result >= 0 && plan.set_user) {
    result = raw(SYS_setgroups, 0, nullptr);
    if (result >= 0) result = raw(SYS_setresgid, plan.gid, plan.gid, plan.gid);
    if (result >= 0) result = raw(SYS_setresuid, plan.uid, plan.uid, plan.uid);
  }
  return result;
}

long keep_rights_to_enter() {
  const std::uint64_t wanted = kept_capabilities() | std::uint64_t{1} << CAP_SYS_ADMIN;
  __user_cap_header_struct header;
  header.version = _LINUX_CAPABILITY_VERSION_3;
  header.pid = 0;
  __user_cap_data_struct data[2];
  long result = raw(SYS_capget, &header, data);
  if (result < 0) return result;
  // What an ordinary user's program would lose as it is run, it keeps as ambient ones.
  data[0].inheritable = data[0].permitted & static_cast<__u32>(wanted);
  data[1].inheritable = data[1].permitted & static_cast<__u32>(wanted >> 32);
  result = raw(SYS_capset, &header, data);
  for (unsigned capability = 0; capability < 64 && result >= 0; ++capability) {
    if ((data[capability / 32].inheritable >> capability % 32 & 1) == 0) continue;
    result = raw(SYS_prctl, 47 /* PR_CAP_AMBIENT */, 2 /* PR_CAP_AMBIENT_RAISE */, capability, 0, 0);
  }
  if (result >= 0) result = drop_capabilities(wanted);
  if (result >= 0) result = raw(SYS_prctl, 38 /* PR_SET_NO_NEW_PRIVS */, 1, 0, 0, 0);
  return result;
}

}  // namespace tiphys::node
