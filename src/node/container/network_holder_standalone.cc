// A program of its own, of some hundred bytes without the C library: it waits until it is told to end. As the first
// process of its container it hears of that only by signals that it waits for.
#include <signal.h>
#include <stddef.h>

#include "node/init/raw_syscall.h"

extern "C" [[noreturn]] void _start() {
  constexpr unsigned long kEnds = 1UL << (SIGTERM - 1) | 1UL << (SIGINT - 1);
  using tiphys::node::raw;
  raw(SYS_rt_sigprocmask, SIG_BLOCK, &kEnds, nullptr, sizeof kEnds);
  while (raw(SYS_rt_sigtimedwait, &kEnds, nullptr, nullptr, sizeof kEnds) < 0) {
  }
  for (;;) raw(SYS_exit_group, 0);
}
