// Following runs to their end, whatever process works on them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/follow.h"
#include "cli/session.h"
#include "cli/view/run_view.h"

namespace tiphys::cli {

/// What Ctrl-C does while runs are followed.
enum class Interrupt {
  kLeave,     ///< ends the following; the runs go on
  kStopRuns,  ///< first stops the runs, then terminates them, then leaves
};

struct FollowOutcome {
  bool left = false;  ///< the user left before the end
  bool succeeded = false;
};

/// Follows in the view. When the process that holds the data directory goes away, this one finds the plane again:
/// another process's, or the directory itself, which it takes over. `session` is then a new one.
Result<FollowOutcome> follow_to_end(std::unique_ptr<Session>& session, const SessionOptions& options,
                                    Following& following, RunView& view, LiveView* live, Interrupt interrupt);

/// `watch`: shows one workflow until it completes, then its full text. Gives the exit code.
Result<int> watch_workflow(std::unique_ptr<Session>& session, const SessionOptions& options, const cluster::Key& key,
                           NodeSelector selector, const Style& style);
/// `wait`: until all have ended; a line for each unless `quiet`. Gives the exit code.
Result<int> wait_for(std::unique_ptr<Session>& session, const SessionOptions& options,
                     const std::vector<cluster::Key>& keys, bool quiet);

/// What to print when a run has ended: its tree, outputs, where its artifacts lie; of failed nodes the last lines they
/// logged.
std::string closing_report(Session& session, const RunState& run, const Style& style);

}  // namespace tiphys::cli
