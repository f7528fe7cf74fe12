// tiphys cron: create, update, get, list, delete, lint, suspend, resume; backfill is in cron_backfill.cc.
#include <fmt/format.h>

#include <algorithm>

#include "argo/ask.h"
#include "base/strings.h"
#include "cli/commands/common.h"
#include "cli/commands/cron_backfill.h"
#include "cli/commands/lint.h"
#include "cli/manifest.h"
#include "cli/template_source.h"
#include "cli/terminal.h"
#include "cli/view/cron_text.h"
#include "controllers/names.h"
#include "doc/yaml.h"

namespace tiphys::cli {
namespace {

constexpr std::string_view kActions[] = {"backfill", "create", "delete",  "get",   "lint",
                                         "list",     "resume", "suspend", "update"};

struct CronFlags {
  CommonFlags common;
  SubmitOptions submit;
  std::vector<std::string> names;  ///< of cron workflows, or files
  std::string output, selector, schedule;
  bool all = false, all_namespaces = false, strict = true;

  cluster::Key key(std::string_view name) const {
    return {&cluster::kCronWorkflows, common.chosen_namespace(), std::string(name)};
  }
};

void print_cron(const CronFlags& flags, const doc::Value& cron, Time now) {
  if (flags.output == "name") return print(fmt::format("{}\n", doc::find_string(cron, "metadata", "name")));
  if (flags.output == "json") return print(doc::to_pretty_json(cron, 4) + "\n");
  if (flags.output == "yaml") return print(doc::to_yaml(cron));
  print(cron_workflow_text(cron, expr::host_zone(), flags.common.style(), now));
}

Result<std::vector<cluster::Object>> list_crons(Session& session, const CronFlags& flags) {
  cluster::ListOptions options;
  if (!flags.all_namespaces) options.ns = flags.common.chosen_namespace();
  TIPHYS_TRY(options.labels, cluster::Selector::parse(flags.selector));
  TIPHYS_TRY(cluster::List list, await<cluster::List>(session.loop(), [&](auto done) {
               session.cluster().list(cluster::kCronWorkflows, std::move(options), std::move(done));
             }));
  return std::move(list.items);
}

Result<int> get(Session& session, const CronFlags& flags) {
  for (const std::string& name : flags.names) {
    TIPHYS_TRY(const cluster::Object cron, get_object(session, flags.key(name)));
    print_cron(flags, *cron, session.loop().now());
  }
  return kSucceeded;
}

Result<int> list(Session& session, const CronFlags& flags) {
  TIPHYS_TRY(const auto crons, list_crons(session, flags));
  if (flags.output != "name") {
    print(cron_workflow_table(crons, flags.all_namespaces, expr::host_zone(), session.loop().now()));
    return kSucceeded;
  }
  for (const cluster::Object& cron : crons) print(fmt::format("{}\n", doc::find_string(*cron, "metadata", "name")));
  return kSucceeded;
}

Result<int> remove(Session& session, CronFlags& flags) {
  if (flags.all) {
    TIPHYS_TRY(const auto crons, list_crons(session, flags));
    flags.names.clear();
    for (const auto& cron : crons) flags.names.emplace_back(doc::find_string(*cron, "metadata", "name"));
  }
  for (const std::string& name : flags.names) {
    TIPHYS_TRY([[maybe_unused]] const auto removed, await<cluster::Object>(session.loop(), [&](auto done) {
                 session.cluster().remove(flags.key(name), {}, std::move(done));
               }));
  }
  return kSucceeded;
}

Result<int> set_suspend(Session& session, const CronFlags& flags, bool suspend) {
  for (const std::string& name : flags.names) {
    TIPHYS_TRY([[maybe_unused]] const auto changed,
               ask(session, argo::kCronService, suspend ? "SuspendCronWorkflow" : "ResumeCronWorkflow",
                   {{"namespace", flags.common.chosen_namespace()}, {"name", name}}));
    print(fmt::format("CronWorkflow '{}' {}\n", name, suspend ? "suspended" : "resumed"));
  }
  return kSucceeded;
}

/// Options of workflows change the spec of the workflows to be; names and labels are those of the object.
Status apply(doc::Value& cron, const CronFlags& flags) {
  if (!cron.is_object()) return {};  // validation says what is wrong with it
  set_namespace(cron, flags.common.chosen_namespace());
  doc::Object& metadata = doc::ensure_object(cron.get_object(), "metadata");
  doc::Object& spec = doc::ensure_object(cron.get_object(), "spec");
  if (!flags.schedule.empty()) spec["schedules"] = doc::Array{doc::Value(flags.schedule)};
  const doc::Value* workflow_spec = doc::find(cron, "spec", "workflowSpec");
  if (!workflow_spec || !workflow_spec->is_object()) return {};
  doc::Value workflow = doc::Object{{"metadata", metadata}, {"spec", *workflow_spec}};
  TIPHYS_CHECK_OK(apply_options(workflow, flags.submit));
  metadata = workflow.at("metadata").get_object();
  if (!flags.submit.generate_name.empty()) metadata.erase("name");
  if (!flags.submit.name.empty()) {
    metadata.erase("generateName");
    metadata["name"] = flags.submit.name;
  }
  spec["workflowSpec"] = std::move(workflow.at("spec"));
  return {};
}

/// The CronWorkflows of the files, checked by themselves.
Result<std::vector<Manifest>> read_crons(CronFlags& flags, const PlaneRules& rules) {
  flags.submit.ns = flags.common.chosen_namespace();
  TIPHYS_TRY(Manifests manifests, read_manifests(flags.names));
  std::string errors;
  for (Manifest& cron : manifests.crons) {
    TIPHYS_CHECK_OK(apply(cron.workflow, flags));
    if (const Status checked = check_manifest(cron, manifests.notes, rules); !checked)
      errors += checked.error().message;
  }
  if (!errors.empty()) return fail(Code::kInvalidArgument, manifests.notes + errors);
  if (manifests.crons.empty()) {
    return fail(Code::kInvalidArgument,
                fmt::format("No CronWorkflows found in given files: {}", join(flags.names, ", ")));
  }
  print_error(manifests.notes);
  return std::move(manifests.crons);
}

/// What an update keeps: what the controller knows of the past. One that has stopped begins anew.
void keep_past(const doc::Value& current, doc::Value& cron) {
  doc::Object& metadata = doc::ensure_object(cron.get_object(), "metadata");
  metadata["resourceVersion"] = doc::find_string(current, "metadata", "resourceVersion");
  const auto used = doc::find_string(current, "metadata", "annotations", controllers::kLastUsedScheduleAnnotation);
  if (!used.empty()) doc::ensure_object(metadata, "annotations")[controllers::kLastUsedScheduleAnnotation] = used;
  const doc::Value* status = doc::find(current, "status");
  if (!status || !status->is_object() || doc::find(cron, "status")) return;
  doc::Object kept = status->get_object();
  if (doc::find_string(*status, "phase") == "Stopped") {
    for (const char* field : {"phase", "succeeded", "failed"}) kept.erase(field);
  }
  cron.get_object()["status"] = std::move(kept);
}

Result<cluster::Object> update(Session& session, const Manifest& manifest) {
  const std::string name(doc::find_string(manifest.workflow, "metadata", "name"));
  const cluster::Key key{&cluster::kCronWorkflows,
                         std::string(doc::find_string(manifest.workflow, "metadata", "namespace")), name};
  constexpr int kAttempts = 5;  // the controller writes too
  for (int attempt = 1;; ++attempt) {
    const auto current = get_object(session, key);
    if (!current) {
      return std::unexpected(
          current.error().in(fmt::format("failed to get existing cron workflow \"{}\" to update", name)));
    }
    doc::Value cron = manifest.workflow;
    keep_past(**current, cron);
    const auto updated = await<cluster::Object>(
        session.loop(), [&](auto done) { session.cluster().update(key, std::move(cron), std::move(done)); });
    if (updated) return updated;
    if (updated.error().code == Code::kAborted && attempt < kAttempts) continue;
    return std::unexpected(updated.error().in("failed to update cron workflow"));
  }
}

Result<cluster::Object> create(Session& session, const Manifest& manifest) {
  const auto created = await<cluster::Object>(session.loop(), [&](auto done) {
    session.cluster().create(cluster::kCronWorkflows, manifest.workflow, std::move(done));
  });
  if (!created) return std::unexpected(created.error().in("failed to create cron workflow"));
  return created;
}

Result<int> put(Session& session, const CronFlags& flags, const std::vector<Manifest>& crons, bool updates,
                const PlaneRules& rules) {
  for (const Manifest& cron : crons) {
    const Status checked = check_references(session, cron, {}, rules);
    if (!checked) return report_findings(checked.error());
  }
  for (const Manifest& cron : crons) {
    TIPHYS_TRY(const cluster::Object written, updates ? update(session, cron) : create(session, cron));
    print_cron(flags, *written, session.loop().now());
  }
  if (!session.remote()) {
    print_error("No `tiphys up` works on this plane: schedules are followed while one does.\n");
  }
  return kSucceeded;
}

Result<int> run_action(std::string_view action, CronFlags& flags) {
  const bool writes = action == "create" || action == "update";
  std::vector<Manifest> crons;
  Loop loop;
  PlaneRules rules;
  if (writes) {
    TIPHYS_TRY(rules, plane_rules(loop, flags.common.session));
    auto read = read_crons(flags, rules);
    if (!read) return report_findings(read.error());
    crons = std::move(*read);
  } else if (action != "list" && !flags.all && flags.names.empty()) {
    return kSucceeded;
  }
  TIPHYS_TRY(const auto session, open_session(loop, flags.common.session, Need::kRead));
  if (action == "get") return get(*session, flags);
  if (action == "list") return list(*session, flags);
  if (action == "delete") return remove(*session, flags);
  if (!writes) return set_suspend(*session, flags, action == "suspend");
  return put(*session, flags, crons, action == "update", rules);
}

void add_flags(Flags& flags, std::string_view action, CronFlags& into) {
  if (action == "get") {
    flags.positional("CRON_WORKFLOW", into.names, 1, 1000);
  } else if (action == "delete") {
    flags.positional("CRON_WORKFLOW", into.names, 0, 1000);
    flags.flag("--all", into.all, "Delete all cron workflows");
  } else if (action == "suspend" || action == "resume") {
    flags.positional("CRON_WORKFLOW", into.names, 0, 1000);
  } else if (action == "list") {
    flags.positional("", into.names, 0, 0);
    flags.choice("-o,--output", into.output, {"wide", "name"}, "Output format");
    flags.flag("-A,--all-namespaces", into.all_namespaces, "Show cron workflows from all namespaces");
    flags.text("-l,--selector", into.selector, "LABELS", "Only cron workflows with these labels (a=b,c!=d)");
  } else {
    flags.positional("FILE", into.names, 1, 1000);
    into.submit.add_spec_flags(flags);
    add_config_flag(flags, into.common.session);
    flags.flag("--strict", into.strict, "Validate strictly (always so)");
    if (action == "create") flags.text("--schedule", into.schedule, "SCHEDULE", "Override the schedules");
  }
  if (action == "get" || action == "create" || action == "update") {
    flags.choice("-o,--output", into.output, {"name", "json", "yaml", "wide"}, "Output format");
  }
  into.common.add_to(flags);
}

}  // namespace

int cron_command(const Arguments& arguments) {
  const std::vector<std::string> actions(std::begin(kActions), std::end(kActions));
  const std::string action = arguments.empty() ? "--help" : arguments.front();
  const std::string usage = fmt::format("Usage:\n  tiphys cron {} [flags]\n", join(actions, "|"));
  if (action == "--list-flags" || action == "--list-values") return kSucceeded;
  if (action == "--help" || action == "-h") {
    print(usage);
    return kSucceeded;
  }
  const Arguments rest(arguments.begin() + 1, arguments.end());
  if (std::ranges::find(actions, action) == actions.end()) {
    print_error(fmt::format("tiphys cron: unknown command \"{}\"{}\n{}", action, did_you_mean(action, actions), usage));
    return kBadUsage;
  }
  if (action == "lint") return lint_kind("cron lint", cluster::kCronWorkflows.plural, rest);
  if (action == "backfill") return cron_backfill_command(rest);
  const std::string name = "cron " + action;
  CronFlags into;
  Flags flags(name, fmt::format("{} cron workflows", action));
  add_flags(flags, action, into);
  const auto parsed = flags.parse(rest);
  if (!parsed) return report(name, parsed.error());
  if (!*parsed) return kSucceeded;
  const auto code = run_action(action, into);
  return code ? *code : report(name, code.error());
}

}  // namespace tiphys::cli
