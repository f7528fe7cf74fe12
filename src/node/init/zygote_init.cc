// The first code of an interpreter that is kept: like an init it shares the supervisor's memory until the program runs.
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>

#include "node/init/init_descriptors.h"
#include "node/init/raw_syscall.h"
#include "node/init/step_plan.h"
#include "node/init/step_rights.h"
#include "node/init/step_view.h"

namespace tiphys::node {

int zygote_init(void* argument) {
  const ZygotePlan& zygote = *static_cast<const ZygotePlan*>(argument);
  const StepPlan& plan = zygote.plan;
  raw(SYS_prctl, 1 /* PR_SET_PDEATHSIG */, SIGKILL, 0, 0, 0);
  raw(SYS_setsid);
  if (!build_root(plan.root) || !make_mounts_and_enter(plan) || !settle(plan)) leave(1);
  if (const long result = keep_rights_to_enter(); result < 0) {
    fail_start(plan, StepStage::kUser, result);
    leave(1);
  }
  raw(SYS_dup3, zygote.listener_fd, kZygoteListenerFd, 0);
  raw(SYS_dup3, zygote.source_fd, kZygoteSourceFd, 0);
  raw(SYS_close_range, kZygoteSourceFd + 1, ~0U, 0);
  const std::uint64_t none = 0;
  raw(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, kKernelSignalSetBytes);
  fail_start(plan, StepStage::kExec, raw(SYS_execve, plan.candidates[0], plan.argv, plan.envp));
  leave(127);
}

}  // namespace tiphys::node
