// An interpreter that is kept (node/python) forks for a step: how an init asks for it. By raw system calls.
//
// A connection is two messages from the init, each whole: a byte with the init's process namespace, which the
// interpreter's child is to be born into; then what the child reads of the step (PythonFork::request) with the step's
// output and error streams, the init's mount, IPC and UTS namespaces, and its control groups. The child enters these,
// has a child of its own and leaves it to the init, as whose child that one tells its process id. The init's byte in
// answer has it run the step's program; without that it ends.
#pragma once

#include "node/init/step_plan.h"

namespace tiphys::node {

struct ForkedPython {
  long pid = 0;           ///< 0: it does not, and the init starts the program itself
  bool given_up = false;  ///< it may try yet, in vain
  unsigned signal = 0;    ///< what came meanwhile, SIGTERM or SIGUSR2, for which it was given up
};

/// In an init, of a plan with `python`. Takes signals from kSignalFd; ends the process with the supervisor.
ForkedPython fork_python(const StepPlan& plan, int out, int err);

}  // namespace tiphys::node
