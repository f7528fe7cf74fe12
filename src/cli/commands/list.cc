// tiphys list, tiphys get.
#include <fmt/format.h>

#include "base/strings.h"
#include "cli/commands/common.h"
#include "cli/commands/output.h"
#include "cli/terminal.h"
#include "cli/view/event_text.h"
#include "doc/yaml.h"

namespace tiphys::cli {
namespace {

struct ListFlags {
  CommonFlags common;
  WorkflowFilter filter;
  std::string output;
  bool all_namespaces = false, no_headers = false;
  std::vector<std::string> none;

  void add_to(Flags& flags) {
    flags.positional("", none, 0, 0);
    flags.flag("-A,--all-namespaces", all_namespaces, "Show workflows from all namespaces");
    flags.text("--prefix", filter.prefix, "TEXT", "Only names that begin with this");
    flags.text("--older", filter.older, "DURATION",
               "Only completed workflows that finished before this time ago (10m, 3h, 1d)");
    flags.list("--status", filter.status, "PHASE,...", "Only workflows in these phases");
    flags.flag("--completed", filter.completed, "Only completed workflows");
    flags.flag("--running", filter.running, "Only workflows that are not completed");
    flags.flag("--resubmitted", filter.resubmitted, "Only resubmitted workflows");
    flags.choice("-o,--output", output, {"name", "json", "yaml", "wide"}, "Output format");
    flags.text("--since", filter.since, "DURATION", "Only workflows created since this time ago");
    flags.number("--chunk-size", filter.chunk_size, "N", "Ask for long lists in parts of this size");
    flags.flag("--no-headers", no_headers, "Don't print headers");
    flags.text("-l,--selector", filter.labels, "LABELS", "Only workflows with these labels (a=b,c!=d)");
    flags.text("--field-selector", filter.fields, "FIELDS", "Only workflows with these fields (metadata.name=x)");
    common.add_to(flags);
  }
};

Status list(ListFlags& flags) {
  const bool whole = flags.output == "json" || flags.output == "yaml";
  flags.filter.status = split_commas(flags.filter.status);
  flags.filter.with_nodes = whole || flags.output == "wide";
  if (!flags.all_namespaces) flags.filter.ns = flags.common.chosen_namespace();
  flags.filter.instance_id = flags.common.instance_id;
  Loop loop;
  TIPHYS_TRY(const auto session, open_session(loop, flags.common.session, Need::kRead));
  TIPHYS_TRY(const auto workflows, list_workflows(*session, flags.filter));
  print_workflows(
      workflows, flags.output,
      {.wide = flags.output == "wide", .headers = !flags.no_headers, .with_namespace = flags.all_namespaces},
      loop.now());
  return {};
}

struct GetFlags {
  CommonFlags common;
  std::vector<std::string> names;
  std::string output, status, node_selector;
  bool events = false;

  void add_to(Flags& flags) {
    flags.positional("WORKFLOW", names, 1, 1000);
    flags.choice("-o,--output", output, {"name", "json", "yaml", "short", "wide"}, "Output format");
    flags.flag("--events", events, "Show what its Events of the last hour say, too");
    add_node_filter(flags, status, node_selector);
    common.add_to(flags);
  }
};

Result<std::vector<cluster::Object>> list_events(Session& session, const std::string& ns, std::string_view fields) {
  cluster::ListOptions options;
  options.ns = ns;
  TIPHYS_TRY(options.fields, cluster::Selector::parse_fields(fields));
  TIPHYS_TRY(auto list, await<cluster::List>(session.loop(), [&](auto done) {
               session.cluster().list(cluster::kEvents, std::move(options), std::move(done));
             }));
  return std::move(list.items);
}

Status print_events(Session& session, const cluster::Key& workflow) {
  TIPHYS_TRY(const auto object, get_object(session, workflow));
  const std::string_view uid = doc::find_string(*object, "metadata", "uid");
  TIPHYS_TRY(auto events, list_events(session, workflow.ns, fmt::format("involvedObject.uid={}", uid)));
  // Of a plane that tells of nodes as of their pods.
  TIPHYS_TRY(auto of_pods, list_events(session, workflow.ns, "involvedObject.kind=Pod"));
  for (cluster::Object& event : of_pods) {
    const auto of = doc::find_string(*event, "metadata", "annotations", "workflows.argoproj.io/workflow-uid");
    if (of == uid) events.push_back(std::move(event));
  }
  print(event_text(std::move(events), session.loop().now()));
  return {};
}

Status get(const GetFlags& flags) {
  if (flags.events && !flags.output.empty() && flags.output != "wide" && flags.output != "short") {
    return fail(Code::kInvalidArgument, "--events is for the text that people read, not for -o " + flags.output);
  }
  OutputOptions output;
  output.output = flags.output;
  output.style = flags.common.style();
  TIPHYS_TRY(output.selector, NodeSelector::parse(flags.node_selector, flags.status));
  Loop loop;
  TIPHYS_TRY(const auto session, open_session(loop, flags.common.session, Need::kRead));
  for (const auto& name : flags.names) {
    TIPHYS_TRY(const auto key, find_workflow(*session, flags.common.chosen_namespace(), name));
    TIPHYS_CHECK_OK(print_workflow(*session, key, output));
    if (flags.events) TIPHYS_CHECK_OK(print_events(*session, key));
  }
  return {};
}

}  // namespace

int list_command(const Arguments& arguments) {
  Flags flags("list", "List workflows",
              "  tiphys list\n  tiphys list -A --running\n  tiphys list --since 10m -o wide\n");
  ListFlags list_flags;
  list_flags.add_to(flags);
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("list", parsed.error());
  if (!*parsed) return kSucceeded;
  const Status status = list(list_flags);
  return status ? kSucceeded : report("list", status.error());
}

int get_command(const Arguments& arguments) {
  Flags flags("get", "Display details about a workflow", "  tiphys get my-wf\n  tiphys get @latest -o wide\n");
  GetFlags get_flags;
  get_flags.add_to(flags);
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("get", parsed.error());
  if (!*parsed) return kSucceeded;
  const Status status = get(get_flags);
  return status ? kSucceeded : report("get", status.error());
}

}  // namespace tiphys::cli
