// tiphys delete.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "cli/commands/common.h"
#include "cli/terminal.h"
#include "controllers/artifact_gc.h"
#include "controllers/names.h"

namespace tiphys::cli {
namespace {

struct DeleteFlags {
  CommonFlags common;
  std::vector<std::string> names;
  WorkflowFilter filter;
  bool all = false, all_namespaces = false, dry_run = false, force = false;

  void add_to(Flags& flags) {
    flags.positional("WORKFLOW", names, 0, 1000);
    flags.flag("--all", all, "Delete all workflows of the namespace");
    flags.flag("-A,--all-namespaces", all_namespaces, "Delete workflows from all namespaces");
    flags.flag("--completed", filter.completed, "Delete completed workflows");
    flags.flag("--resubmitted", filter.resubmitted, "Delete resubmitted workflows");
    flags.text("--prefix", filter.prefix, "TEXT", "Delete workflows whose names begin with this");
    flags.text("-l,--selector", filter.labels, "LABELS", "Delete workflows with these labels (a=b,c!=d)");
    flags.text("--field-selector", filter.fields, "FIELDS", "Delete workflows with these fields (metadata.name=x)");
    flags.text("--older", filter.older, "DURATION",
               "Delete completed workflows that finished before this time ago (10m, 3h, 1d)");
    flags.list("--status", filter.status, "PHASE,...", "Delete workflows in these phases");
    flags.number("--query-chunk-size", filter.chunk_size, "N", "Ask for long lists in parts of this size");
    flags.flag("--dry-run", dry_run, "Only print what would be deleted");
    flags.flag("--force", force, "Delete workflows that finalizers hold, by removing these");
    common.add_to(flags);
  }
  bool filters() const { return all || all_namespaces || filter.chooses(); }
};

bool has_gc_error(const doc::Value& workflow) {
  const doc::Value* list = doc::find(workflow, "status", "conditions");
  return list && list->is_array() && std::ranges::any_of(list->get_array(), [](const doc::Value& condition) {
           return doc::find_string(condition, "type") == "ArtifactGCError";
         });
}

/// It has been deleted, and what keeps it are artifacts that go now, or have just gone.
bool goes_once_artifacts_have(const doc::Value& removed) {
  const bool ended = doc::find_string(removed, "metadata", "labels", controllers::kCompletedLabel) == "true";
  return ended && !doc::find_string(removed, "metadata", "deletionTimestamp").empty() &&
         controllers::has_gc_finalizer(removed) && (controllers::awaits_artifact_gc(removed) || !has_gc_error(removed));
}

/// Its artifacts go first. The plane that deletes them may be this process.
Status await_artifact_gc(Session& session, const cluster::Key& key) {
  std::optional<Status> outcome;
  cluster::WatchOptions options;
  options.ns = key.ns;
  TIPHYS_TRY(options.fields, cluster::Selector::parse_fields("metadata.name=" + key.name));
  cluster::WatchSink sink;
  bool seen = false;
  sink.on_event = [&](const cluster::WatchEvent& event) {
    using Type = cluster::WatchEvent::Type;
    if (event.type == Type::kDeleted || (event.type == Type::kSynced && !seen)) outcome = Status();
    if (!event.object) return;
    seen = true;
    if (controllers::awaits_artifact_gc(*event.object) || !has_gc_error(*event.object)) return;
    outcome = fail(
        Code::kFailedPrecondition,
        fmt::format("workflow '{}' stays until its artifacts can be deleted, as its condition ArtifactGCError tells; "
                    "--force deletes it without them",
                    key.name));
  };
  sink.on_end = [&](Error error) { outcome = std::unexpected(std::move(error)); };
  const auto watch = session.cluster().watch(cluster::kWorkflows, std::move(options), std::move(sink));
  session.loop().run_until([&] { return outcome.has_value(); });
  return *outcome;
}

Status delete_one(Session& session, const cluster::Key& key, bool force) {
  if (session.only_argo_api()) {
    doc::Object request;
    if (force) request["force"] = true;
    TIPHYS_TRY([[maybe_unused]] const auto answer, ask_of_workflow(session, "DeleteWorkflow", key, std::move(request)));
    return {};
  }
  if (force) {
    doc::Value patch = doc::Object{{"metadata", doc::Object{{"finalizers", nullptr}}}};
    TIPHYS_TRY([[maybe_unused]] const auto patched,
               patch_object(session, key, cluster::PatchType::kMerge, std::move(patch)));
  }
  TIPHYS_TRY(const auto removed, await<cluster::Object>(session.loop(), [&](auto done) {
               session.cluster().remove(key, {}, std::move(done));
             }));
  return goes_once_artifacts_have(*removed) ? await_artifact_gc(session, key) : Status();
}

Status delete_workflows(DeleteFlags& flags) {
  if (flags.names.empty() && !flags.filters())
    return fail(Code::kInvalidArgument, "requires either a workflow or other argument");
  flags.filter.status = split_commas(flags.filter.status);
  const std::string ns = flags.common.chosen_namespace();
  if (!flags.all_namespaces) flags.filter.ns = ns;
  Loop loop;
  TIPHYS_TRY(const auto session, open_session(loop, flags.common.session, Need::kRun));
  TIPHYS_TRY(auto keys, find_workflows(*session, ns, flags.names));
  if (flags.filters()) {
    TIPHYS_TRY(const auto listed, list_workflows(*session, flags.filter));
    for (const auto& workflow : listed) {
      keys.push_back(workflow_key(*workflow));
    }
  }
  if (keys.empty()) print("No resources found\n");
  for (const auto& key : keys) {
    if (flags.dry_run) {
      print(fmt::format("Workflow '{}' deleted (dry-run)\n", key.name));
      continue;
    }
    const Status status = delete_one(*session, key, flags.force);
    if (!status && status.error().code != Code::kNotFound) return status;
    print(fmt::format(fmt::runtime(status ? "Workflow '{}' deleted\n" : "Workflow '{}' not found\n"), key.name));
  }
  return {};
}

}  // namespace

int delete_command(const Arguments& arguments) {
  Flags flags("delete", "Delete workflows",
              "  tiphys delete my-wf\n  tiphys delete @latest\n  tiphys delete --older 7d\n");
  DeleteFlags delete_flags;
  delete_flags.add_to(flags);
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("delete", parsed.error());
  if (!*parsed) return kSucceeded;
  const Status status = delete_workflows(delete_flags);
  return status ? kSucceeded : report("delete", status.error());
}

}  // namespace tiphys::cli
