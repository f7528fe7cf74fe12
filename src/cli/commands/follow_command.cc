#include "cli/commands/follow_command.h"

#include <fmt/format.h>

#include <csignal>

#include "cli/commands/common.h"

namespace tiphys::cli {
namespace {

/// Asks runs that have not ended to shut down, without waiting for the answer: the watch tells of the outcome.
void ask_shutdown(Session& session, const Following& following, RunView& view, const std::shared_ptr<bool>& watched,
                  const std::string& strategy) {
  for (const auto& run : following.runs()) {
    if (run.finished) continue;
    session.cluster().patch(
        run.key, cluster::PatchType::kMerge, doc::Object{{"spec", doc::Object{{"shutdown", strategy}}}},
        [&view, alive = std::weak_ptr(watched), name = run.key.name](const Result<cluster::Object>& result) {
          if (!result && !alive.expired()) view.note(fmt::format("cannot stop {}: {}", name, result.error().message));
        });
  }
}

class Interruptions {
 public:
  Interruptions(Interrupt interrupt, Following& following, RunView& view)
      : interrupt_(interrupt), following_(following), view_(view) {}

  void take(Session& session, int signal) {
    ++count_;
    if (interrupt_ == Interrupt::kLeave || signal == SIGTERM || count_ >= 3) {
      left = true;
      following_.give_up({Code::kCancelled, "left"});
    } else if (count_ == 1) {
      view_.note("Stopping: exit handlers still run. Ctrl-C again terminates, a third one leaves at once.");
      ask_shutdown(session, following_, view_, watched_, "Stop");
    } else {
      view_.note("Terminating. Ctrl-C again leaves at once.");
      ask_shutdown(session, following_, view_, watched_, "Terminate");
    }
  }

  bool left = false;

 private:
  Interrupt interrupt_;
  Following& following_;
  RunView& view_;
  std::shared_ptr<bool> watched_ = std::make_shared<bool>(true);  ///< gone: nobody looks at the view any more
  int count_ = 0;
};

}  // namespace

Result<FollowOutcome> follow_to_end(std::unique_ptr<Session>& session, const SessionOptions& options,
                                    Following& following, RunView& view, LiveView* live, Interrupt interrupt) {
  Loop& loop = session->loop();
  Interruptions interruptions(interrupt, following, view);
  loop.on_signals({SIGINT, SIGTERM, SIGWINCH}, [&](int signal) {
    if (signal != SIGWINCH) return interruptions.take(*session, signal);
    if (live) live->resized();
  });
  struct Release {
    Loop& loop;
    ~Release() { loop.on_signals({}, {}); }
  } release{loop};

  for (;;) {
    const Status status = following.run(session->cluster());
    if (interruptions.left) return FollowOutcome{.left = true, .succeeded = false};
    if (status) return FollowOutcome{.left = false, .succeeded = following.succeeded()};
    const Code code = status.error().code;
    if (code == Code::kOutOfRange) continue;  // the plane has forgotten what was missed: watch anew
    if (code != Code::kUnavailable || !session->remote() || !session->local()) return std::unexpected(status.error());
    session.reset();
    TIPHYS_TRY(session, open_session(loop, options, Need::kRun));
    if (!session->remote()) view.note("The process that ran this plane has ended; this one goes on in its place.");
  }
}

}  // namespace tiphys::cli
