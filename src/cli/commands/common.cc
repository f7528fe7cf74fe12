#include "cli/commands/common.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "argo/ask.h"
#include "base/strings.h"
#include "cli/terminal.h"
#include "cli/view/humanize.h"
#include "cli/view/workflow_table.h"
#include "cli/view/workflow_text.h"
#include "node/python/warm_python.h"

namespace tiphys::cli {

void CommonFlags::add_to(Flags& flags) {
  flags.text("-n,--namespace", ns, "NAME", "The namespace to work in (default: $ARGO_NAMESPACE, else default)");
  session.add_to(flags);
  flags.text("--instanceid", instance_id, "ID",
             "The controller that workflows are for, by its instance id (default: $ARGO_INSTANCEID)");
  flags.flag("--no-color", no_color, "Disable colorized output");
  flags.flag("--no-utf8", no_utf8, "Use plain 7-bits ascii characters");
}

Style CommonFlags::style() const {
  return choose_style(no_color, no_utf8);
}

void add_plane_flags(Flags& flags, SessionOptions& session) {
  flags.choice("--runtime", session.runtime, {"process", "container"},
               "What runs steps: commands of this host, or container images");
  flags.text("--engine", session.engine, "SOCKET",
             "The container engine's socket (default: $DOCKER_HOST, $CONTAINER_HOST, the usual places)");
  flags.flag("--offline", session.offline, "Never pull an image");
  flags.list("--host-path", session.host_paths, "DIR",
             "A folder of this host that steps of the process runtime may read; may be repeated");
  flags.list("--program-path", session.program_paths, "DIR",
             "A folder of this host whose programs steps of the process runtime find first; may be repeated");
  flags.optional_text(
      "--warm-python", session.warm_python, "true", "MODULES",
      "Run steps of Python in the process runtime as forks of an interpreter that is kept, with modules of "
      "the standard library imported and those named here, such as numpy,pandas");
  add_config_flag(flags, session);
}

Status check_plane_flags(const SessionOptions& session) {
  const auto modules = node::parse_warm_python(session.warm_python);
  if (!modules) return std::unexpected(modules.error().in("--warm-python"));
  return {};
}

void add_config_flag(Flags& flags, SessionOptions& session) {
  flags.text("--config", session.config.path, "FILE",
             "The controller's configuration: the ConfigMap workflow-controller-configmap, or its content");
}

void add_node_filter(Flags& flags, std::string& status, std::string& selector) {
  flags.choice("--status", status, {"Pending", "Running", "Succeeded", "Skipped", "Failed", "Error", "Omitted"},
               "Show only nodes in this phase");
  flags.text("--node-field-selector", selector, "SELECTOR", "Show only these nodes, such as phase=Failed");
}

namespace {

/// What to do about it.
std::string_view advice(const Error& error) {
  const bool certificate = error.message.find("certificate") != std::string::npos;
  if (error.code == Code::kUnauthenticated && certificate) {
    return "Name whom to trust with --certificate-authority FILE, or take any certificate with -k "
           "(ARGO_INSECURE_SKIP_VERIFY=true)\n";
  }
  if (error.code == Code::kUnauthenticated) {
    return "Give the token with --token, TIPHYS_TOKEN or ARGO_TOKEN: `tiphys up` prints it and keeps it in "
           "server.json\n";
  }
  if (error.message.find(" no HTTP/2") != std::string::npos || error.message.find("not by gRPC") != std::string::npos) {
    return "Is it right whether TLS is spoken (--secure, ARGO_SECURE)? Where something in between passes HTTP/1.1 "
           "alone, "
           "--argo-http1 (ARGO_HTTP1=true) keeps to it\n";
  }
  if (error.message.find("wrong version number") != std::string::npos) {
    return "It seems to speak plain text: --secure=false (ARGO_SECURE=false) does, too\n";
  }
  return "";
}

}  // namespace

int report(std::string_view command, const Error& error) {
  std::string text = fmt::format("tiphys {}: {}", command, error.message);
  if (!text.ends_with('\n')) text += '\n';
  text += advice(error);
  print_error(text);
  return error.code == Code::kInvalidArgument || error.code == Code::kUnimplemented ? kBadUsage : kFailed;
}

Result<int> report_findings(const Error& error) {
  if (error.code != Code::kInvalidArgument) return std::unexpected(error);
  print_error(error.message + (error.message.ends_with('\n') ? "" : "\n"));
  return kBadUsage;
}

namespace {

Status check_phase(std::string_view phase) {
  const std::vector<std::string> phases{"Pending", "Running", "Succeeded", "Failed", "Error"};
  if (std::find(phases.begin(), phases.end(), phase) != phases.end()) return {};
  return fail(Code::kInvalidArgument, fmt::format("--status: \"{}\" is no phase of a workflow: {}{}", phase,
                                                  join(phases, ", "), did_you_mean(phase, phases)));
}

/// The label selector that a filter comes to.
std::string label_selector(const WorkflowFilter& filter) {
  std::vector<std::string> parts;
  if (!filter.labels.empty()) parts.push_back(filter.labels);
  if (!filter.status.empty())
    parts.push_back(fmt::format("workflows.argoproj.io/phase in ({})", join(filter.status, ",")));
  if (filter.completed) parts.emplace_back("workflows.argoproj.io/completed=true");
  if (filter.running) parts.emplace_back("workflows.argoproj.io/completed!=true");
  if (filter.resubmitted) parts.emplace_back("workflows.argoproj.io/resubmitted-from-workflow");
  if (!filter.instance_id.empty()) parts.push_back(fmt::format("{}={}", kInstanceLabel, filter.instance_id));
  return join(parts, ",");
}

Result<std::vector<cluster::Object>> list_all(Session& session, const WorkflowFilter& filter) {
  cluster::ListOptions options;
  options.ns = filter.ns;
  TIPHYS_TRY(options.labels, cluster::Selector::parse(label_selector(filter)));
  TIPHYS_TRY(options.fields, cluster::Selector::parse_fields(filter.fields));
  options.with_nodes = filter.with_nodes;
  if (filter.chunk_size) options.limit = static_cast<std::size_t>(std::max<std::int64_t>(0, *filter.chunk_size));
  std::vector<cluster::Object> workflows;
  do {
    TIPHYS_TRY(cluster::List page, await<cluster::List>(session.loop(), [&](auto done) {
                 session.cluster().list(cluster::kWorkflows, options, std::move(done));
               }));
    std::move(page.items.begin(), page.items.end(), std::back_inserter(workflows));
    options.continue_token = std::move(page.continue_token);
  } while (!options.continue_token.empty());
  return workflows;
}

}  // namespace

Result<std::vector<cluster::Object>> list_workflows(Session& session, const WorkflowFilter& filter) {
  if (filter.completed && filter.running)
    return fail(Code::kInvalidArgument, "--completed and --running cannot be used together");
  for (const auto& phase : filter.status) TIPHYS_CHECK_OK(check_phase(phase));
  const Time now = session.loop().now();
  Time created_after{}, finished_before{};
  if (!filter.since.empty()) {
    TIPHYS_TRY(const Duration age, parse_age(filter.since));
    created_after = now - age;
  }
  if (!filter.older.empty()) {
    TIPHYS_TRY(const Duration age, parse_age(filter.older));
    finished_before = now - age;
  }
  TIPHYS_TRY(auto workflows, list_all(session, filter));
  std::erase_if(workflows, [&](const cluster::Object& workflow) {
    if (!doc::find_string(*workflow, "metadata", "name").starts_with(filter.prefix)) return true;
    if (!filter.since.empty() && time_at(*workflow, "metadata", "creationTimestamp") <= created_after) return true;
    const Time finished = time_at(*workflow, "status", "finishedAt");
    return !filter.older.empty() && (finished == Time{} || finished >= finished_before);
  });
  sort_for_list(workflows);
  return workflows;
}

Result<cluster::Key> find_workflow(Session& session, const std::string& ns, const std::string& name) {
  cluster::Key key{&cluster::kWorkflows, ns, name};
  if (name != "@latest") return key;
  const auto newest = ask_of_workflow(session, "GetWorkflow", key, {{"fields", "metadata.name,metadata.namespace"}});
  if (!newest && newest.error().code == Code::kNotFound) {
    return fail(Code::kNotFound, fmt::format("no workflows found in namespace {}", ns));
  }
  if (!newest) return std::unexpected(newest.error());
  key.name = doc::find_string(*newest, "metadata", "name");
  return key;
}

Result<std::vector<cluster::Key>> find_workflows(Session& session, const std::string& ns,
                                                 const std::vector<std::string>& names) {
  std::vector<cluster::Key> keys;
  for (const auto& name : names) {
    TIPHYS_TRY(auto key, find_workflow(session, ns, name));
    keys.push_back(std::move(key));
  }
  return keys;
}

Result<std::vector<cluster::Object>> chosen_workflows(Session& session, const WorkflowFilter& filter,
                                                      const std::vector<std::string>& names) {
  std::vector<cluster::Object> workflows;
  if (filter.chooses()) {
    TIPHYS_TRY(workflows, list_workflows(session, filter));
  }
  TIPHYS_TRY(const auto keys, find_workflows(session, filter.ns, names));
  for (const auto& key : keys) {
    TIPHYS_TRY(workflows.emplace_back(), get_object(session, key));
  }
  std::set<std::string> seen;
  std::erase_if(workflows, [&](const cluster::Object& workflow) {
    return !seen.emplace(doc::find_string(*workflow, "metadata", "name")).second;
  });
  return workflows;
}

Result<cluster::Object> get_object(Session& session, const cluster::Key& key) {
  return await<cluster::Object>(session.loop(), [&](auto done) { session.cluster().get(key, std::move(done)); });
}

Result<cluster::Object> patch_object(Session& session, const cluster::Key& key, cluster::PatchType type,
                                     doc::Value patch) {
  return await<cluster::Object>(
      session.loop(), [&](auto done) { session.cluster().patch(key, type, std::move(patch), std::move(done)); });
}

Result<doc::Value> ask_of_workflow(Session& session, const std::string& method, const cluster::Key& workflow,
                                   doc::Object request) {
  request["namespace"] = workflow.ns;
  request["name"] = workflow.name;
  return ask(session, argo::kWorkflowService, method, std::move(request));
}

cluster::Key workflow_key(const doc::Value& workflow) {
  return {&cluster::kWorkflows, std::string(doc::find_string(workflow, "metadata", "namespace")),
          std::string(doc::find_string(workflow, "metadata", "name"))};
}

}  // namespace tiphys::cli
