// tiphys retry: workflows that have ended go on where they failed.
#include <fmt/format.h>

#include "cli/commands/common.h"
#include "cli/commands/output.h"
#include "cli/commands/stay.h"
#include "cli/manifest.h"
#include "cli/resubmit.h"
#include "cli/terminal.h"
#include "controllers/retry_request.h"
#include "controllers/workflow_status.h"
#include "doc/yaml.h"
#include "engine/manual_retry.h"

namespace tiphys::cli {
namespace {

/// Somebody else changes the workflow at the same time: read it again and try anew.
constexpr int kMostTries = 10;

struct RetryFlags {
  CommonFlags common;
  SubmitOptions options;  ///< parameters alone
  WorkflowFilter filter;
  StayFlags stay;
  std::vector<std::string> names;
  bool restart_successful = false;
  std::string node_selector, output;

  void add_to(Flags& flags) {
    flags.positional("WORKFLOW", names, 0, 1000);
    flags.flag("--restart-successful", restart_successful,
               "Also run nodes again that have succeeded, those that match --node-field-selector");
    flags.text("--node-field-selector", node_selector, "SELECTOR",
               "With --restart-successful: these nodes, such as displayName=train");
    flags.list("-p,--parameter", options.parameters, "NAME=VALUE", "Override an input parameter; may be repeated");
    flags.text("-l,--selector", filter.labels, "LABELS", "Workflows with these labels (a=b,c!=d)");
    flags.text("--field-selector", filter.fields, "FIELDS", "Workflows with these fields (metadata.name=x)");
    flags.choice("-o,--output", output, {"name", "json", "yaml", "wide"}, "Output format");
    stay.add_to(flags);
    add_plane_flags(flags, common.session);
    common.add_to(flags);
  }
};

/// A workflow for which a retry is asked, and what it comes to.
struct Asked {
  doc::Value workflow;
  std::vector<api::NodeStatus> nodes;  ///< as they will be
};

/// Overrides arguments, also those that came with the template that the workflow is made of.
Status set_parameters(doc::Value& workflow, const SubmitOptions& options) {
  if (options.parameters.empty()) return {};
  if (!doc::find_string(workflow, "metadata", "labels", kResubmittedFromLabel).empty()) {
    print_error("Overriding parameters on resubmitted workflows may have unexpected results\n");
  }
  TIPHYS_CHECK_OK(apply_options(workflow, options));
  doc::Value* status = workflow.as_object().if_contains("status");
  doc::Value* stored = status ? status->as_object().if_contains("storedWorkflowTemplateSpec") : nullptr;
  if (!stored || !stored->is_object()) return {};
  doc::Value holder = doc::Object{{"spec", std::move(*stored)}};
  const Status set = apply_options(holder, options);
  *stored = std::move(holder.as_object()["spec"]);
  return set;
}

Result<Asked> ask(const doc::Value& before, const RetryFlags& flags, const NodeSelector& selector, Time now) {
  TIPHYS_TRY(std::vector<api::NodeStatus> nodes, controllers::read_nodes(before));
  const bool chosen = flags.restart_successful && !selector.empty();
  controllers::RetryRequest request{.other_parameters = !flags.options.parameters.empty()};
  for (const api::NodeStatus& node : nodes) {
    if (chosen && selector.matches(node)) request.restarted.insert(node.id);
  }
  Asked asked{.workflow = before, .nodes = {}};
  TIPHYS_CHECK_OK(controllers::ask_for_retry(asked.workflow, request, chosen, now));
  if (chosen && request.restarted.empty() && doc::find_string(before, "status", "phase") == "Succeeded") {
    return fail(Code::kFailedPrecondition,
                fmt::format("no node matches --node-field-selector {}", flags.node_selector));
  }
  TIPHYS_CHECK_OK(set_parameters(asked.workflow, flags.options));
  asked.workflow.as_object()["status"].as_object().erase("nodes");
  asked.nodes =
      engine::retry_nodes(doc::find_string(before, "metadata", "name"), std::move(nodes),
                          {.restarted = request.restarted, .other_parameters = request.other_parameters, .now = now})
          .nodes;
  return asked;
}

/// Gives the workflow as it goes on.
Result<doc::Value> retry(Session& session, const cluster::Key& key, const RetryFlags& flags,
                         const NodeSelector& selector) {
  for (int tries = 1;; ++tries) {
    TIPHYS_TRY(const auto before, get_object(session, key));
    TIPHYS_TRY(Asked asked, ask(*before, flags, selector, session.loop().now()));
    const auto updated = await<cluster::Object>(
        session.loop(), [&](auto done) { session.cluster().update(key, std::move(asked.workflow), std::move(done)); });
    if (!updated && updated.error().code == Code::kAborted && tries < kMostTries) continue;
    if (!updated) return std::unexpected(updated.error());
    doc::Value shown = **updated;
    doc::Object& nodes = doc::ensure_object(doc::ensure_object(shown.as_object(), "status"), "nodes");
    nodes.clear();
    for (const api::NodeStatus& node : asked.nodes) {
      TIPHYS_TRY(nodes[node.id], doc::parse_json(api::to_json(node)));
    }
    return shown;
  }
}

Result<int> retry_all(RetryFlags& flags) {
  if (flags.names.empty() && !flags.filter.chooses()) {
    return fail(Code::kInvalidArgument, "requires either selector or workflow");
  }
  auto selector = NodeSelector::parse(flags.node_selector, "");
  if (!selector) {
    return std::unexpected(
        selector.error().in(fmt::format("unable to parse node field selector '{}'", flags.node_selector)));
  }
  flags.filter.ns = flags.common.chosen_namespace();
  flags.options.ns = flags.filter.ns;
  Loop loop;
  TIPHYS_TRY(auto session, open_session(loop, flags.common.session, Need::kRun));
  TIPHYS_TRY(const auto workflows, chosen_workflows(*session, flags.filter, flags.names));
  TIPHYS_CHECK_OK(flags.stay.check(workflows.size()));
  const OutputOptions output{.output = flags.output, .selector = {}, .style = flags.common.style()};
  std::vector<cluster::Key> keys;
  for (const auto& workflow : workflows) {
    const cluster::Key& key =
        keys.emplace_back(&cluster::kWorkflows, std::string(doc::find_string(*workflow, "metadata", "namespace")),
                          std::string(doc::find_string(*workflow, "metadata", "name")));
    const auto retried = retry(*session, key, flags, *selector);
    if (!retried) return std::unexpected(retried.error().in("failed to retry " + key.name));
    TIPHYS_TRY(const auto text, render_workflow(*retried, output, loop.now()));
    print(text);
  }
  if (keys.empty()) return kSucceeded;
  return stay(session, flags.common, flags.stay, !flags.output.empty() && flags.output != "wide", keys);
}

}  // namespace

int retry_command(const Arguments& arguments) {
  Flags flags("retry", "Retry workflows: failed ones go on where they failed",
              "  tiphys retry my-wf\n  tiphys retry @latest --watch\n  tiphys retry -l app=train -p rate=0.1\n"
              "  tiphys retry my-wf --restart-successful --node-field-selector displayName=train\n");
  RetryFlags retry_flags;
  retry_flags.add_to(flags);
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("retry", parsed.error());
  if (!*parsed) return kSucceeded;
  const auto code = retry_all(retry_flags);
  return code ? *code : report("retry", code.error());
}

}  // namespace tiphys::cli
