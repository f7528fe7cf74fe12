// A command in a running step of the process runtime: started in the step's namespaces, which nsenter(1) enters.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "node/supervisor/supervisor_protocol.h"

namespace tiphys::node {

struct StepProcess {
  pid_t init;  ///< the first process of its namespaces
  StartRequest request;
};

/// Descriptors that become the command's; -1 stands for /dev/null.
struct StepStreams {
  int in = -1, out = -1, err = -1;
  bool terminal = false;  ///< `in` is a terminal that becomes the command's own
};

struct StepCommand {
  pid_t pid = -1;    ///< of nsenter, which leads a process group and waits for the command
  UniqueFd process;  ///< becomes readable when it has ended; then it is to be reaped
};

/// A folder of a running step, as it sees it. kNotFound when the step does not run or has no such folder.
Result<UniqueFd> open_folder_in_step(const StepProcess& step, std::string_view path);
/// kNotFound when the step does not run.
Result<StepCommand> start_in_step(const StepProcess& step, std::vector<std::string> command,
                                  const StepStreams& streams);
/// Kills a command that is not reaped yet, with its process group.
void kill_command(pid_t pid);
/// The exit code of an ended command, 128 + signal when it was killed.
int reap_command(pid_t pid);

}  // namespace tiphys::node
