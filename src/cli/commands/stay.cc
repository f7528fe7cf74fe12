#include "cli/commands/stay.h"

#include "cli/commands/follow_command.h"
#include "cli/commands/print_logs.h"
#include "cli/terminal.h"

namespace tiphys::cli {

void StayFlags::add_to(Flags& flags) {
  flags.flag("-w,--wait", wait, "Wait for the workflow to complete");
  flags.flag("--watch", watch, "Watch the workflow until it completes");
  flags.flag("--log", log, "Log the workflow until it completes");
}

Status StayFlags::check(std::size_t workflows) const {
  if (watch && workflows > 1) return fail(Code::kInvalidArgument, "cannot watch more than one workflow");
  if (watch && wait) return fail(Code::kInvalidArgument, "--wait cannot be combined with --watch");
  return {};
}

Result<int> stay(std::unique_ptr<Session>& session, const CommonFlags& common, const StayFlags& flags, bool quiet,
                 const std::vector<cluster::Key>& keys) {
  if (!flags.any()) {
    if (!session->remote()) {
      print_error(
          "No `tiphys up` or `tiphys run` works on this plane: the workflow goes on when one does, or with --wait or "
          "--watch.\n");
    }
    return kSucceeded;
  }
  const Style style = common.style();
  if (flags.log) {
    for (const auto& key : keys) {
      argo::PodLogRequest request;
      request.workflow = key;
      request.options.follow = true;
      TIPHYS_CHECK_OK(print_logs(*session, request, style));
    }
    if (!flags.wait && !flags.watch) return kSucceeded;
  }
  TIPHYS_TRY(NodeSelector selector, NodeSelector::parse(flags.node_selector, flags.status));
  if (flags.watch) return watch_workflow(session, common.session, keys.front(), std::move(selector), style);
  return wait_for(session, common.session, keys, quiet);
}

}  // namespace tiphys::cli
