// Where an init keeps what belongs to its own step, and how it says that something went wrong.
#pragma once

#include "node/init/raw_syscall.h"
#include "node/init/step_plan.h"

namespace tiphys::node {

inline constexpr int kUserNamespaceFd = kFirstStepFd;
inline constexpr int kMemoryCgroupFd = kFirstStepFd + 1;
inline constexpr int kCpuCgroupFd = kFirstStepFd + 2;
inline constexpr int kRootFd = kFirstStepFd + 3;
inline constexpr int kSignalFd = kFirstStepFd + 4;
inline constexpr int kQueuesFd = kFirstStepFd + 5;
static_assert(kQueuesFd == kFirstFreeFd - 1);
inline constexpr std::size_t kKernelSignalSetBytes = 8;

[[noreturn]] inline void leave(int code) {
  for (;;) raw(SYS_exit_group, code);
}

inline void fail_start(StepSlot& slot, StepStage stage, long error, std::size_t index = 0) {
  slot.failed_stage = stage;
  slot.failed_errno = static_cast<std::int32_t>(-error);
  slot.failed_index = static_cast<std::uint32_t>(index);
}

inline void fail_start(const StepPlan& plan, StepStage stage, long error, std::size_t index = 0) {
  fail_start(*plan.root.slot, stage, error, index);
}

}  // namespace tiphys::node
