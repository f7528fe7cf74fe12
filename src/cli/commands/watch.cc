// tiphys watch, tiphys wait.
#include <fmt/format.h>

#include "cli/commands/common.h"
#include "cli/commands/follow_command.h"
#include "cli/commands/output.h"
#include "cli/terminal.h"

namespace tiphys::cli {
namespace {

constexpr int kLeft = 130;

}  // namespace

Result<int> watch_workflow(std::unique_ptr<Session>& session, const SessionOptions& options, const cluster::Key& key,
                           NodeSelector selector, const Style& style) {
  Loop& loop = session->loop();
  std::unique_ptr<RunView> view;
  LiveView* live = nullptr;
  if (can_redraw()) {
    auto made = make_live_view(loop, style, selector);
    live = made.get();
    view = std::move(made);
  } else {
    view = make_line_view(loop, style, selector);
  }
  Following following(loop, {key}, *view);
  auto outcome = follow_to_end(session, options, following, *view, live, Interrupt::kLeave);
  view->end();
  if (!outcome) return std::unexpected(std::move(outcome).error());
  if (outcome->left) return kLeft;
  const RunState& run = following.runs().front();
  if (run.deleted) return fail(Code::kNotFound, fmt::format("{} was deleted", key.name));
  print(workflow_text(run.with_spec(), run.nodes,
                      {.output = TreeOutput::kDefault, .selector = std::move(selector), .style = style}, loop.now()));
  return outcome->succeeded ? kSucceeded : kFailed;
}

Result<int> wait_for(std::unique_ptr<Session>& session, const SessionOptions& options,
                     const std::vector<cluster::Key>& keys, bool quiet) {
  const auto view = make_end_view(quiet);
  Following following(session->loop(), keys, *view);
  const auto outcome = follow_to_end(session, options, following, *view, nullptr, Interrupt::kLeave);
  if (!outcome) return std::unexpected(outcome.error());
  if (outcome->left) return kLeft;
  return outcome->succeeded ? kSucceeded : kFailed;
}

int watch_command(const Arguments& arguments) {
  Flags flags("watch", "Watch a workflow until it completes", "  tiphys watch my-wf\n  tiphys watch @latest\n");
  CommonFlags common;
  std::vector<std::string> names;
  std::string status, node_selector;
  flags.positional("WORKFLOW", names, 1, 1);
  add_node_filter(flags, status, node_selector);
  common.add_to(flags);
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("watch", parsed.error());
  if (!*parsed) return kSucceeded;
  const auto code = [&]() -> Result<int> {
    TIPHYS_TRY(NodeSelector selector, NodeSelector::parse(node_selector, status));
    Loop loop;
    TIPHYS_TRY(auto session, open_session(loop, common.session, Need::kRun));
    TIPHYS_TRY(const auto key, find_workflow(*session, common.chosen_namespace(), names.front()));
    return watch_workflow(session, common.session, key, std::move(selector), common.style());
  }();
  return code ? *code : report("watch", code.error());
}

int wait_command(const Arguments& arguments) {
  Flags flags("wait", "Wait for workflows to complete", "  tiphys wait my-wf\n  tiphys wait @latest\n");
  CommonFlags common;
  std::vector<std::string> names;
  bool ignore_not_found = false;
  flags.positional("WORKFLOW", names, 0, 1000);
  flags.flag("--ignore-not-found", ignore_not_found, "Do not mind workflows that do not exist");
  common.add_to(flags);
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("wait", parsed.error());
  if (!*parsed) return kSucceeded;
  const auto code = [&]() -> Result<int> {
    Loop loop;
    TIPHYS_TRY(auto session, open_session(loop, common.session, Need::kRun));
    std::vector<cluster::Key> keys;
    for (const auto& name : names) {
      TIPHYS_TRY(auto key, find_workflow(*session, common.chosen_namespace(), name));
      const auto found = get_object(*session, key);
      if (!found && found.error().code == Code::kNotFound && ignore_not_found) continue;
      if (!found) return std::unexpected(found.error());
      keys.push_back(std::move(key));
    }
    return wait_for(session, common.session, keys, false);
  }();
  return code ? *code : report("wait", code.error());
}

}  // namespace tiphys::cli
