#include "argo/archive.h"

namespace tiphys::argo {
namespace {

/// Copies the members of `from` with these names.
void take(const doc::Value& from, std::string_view section, std::initializer_list<std::string_view> names,
          doc::Object& out) {
  const doc::Value* found = doc::find(from, section);
  const doc::Object* members = found ? found->if_object() : nullptr;
  doc::Object taken;
  for (const std::string_view name : names) {
    if (const doc::Value* value = members ? members->if_contains(name) : nullptr) taken[name] = *value;
  }
  out[section] = std::move(taken);
}

}  // namespace

store::ArchiveQuery archive_query(const WorkflowQuery& query) {
  return {.ns = query.options.ns,
          .other_than_ns = query.other_than_namespace,
          .name = query.name,
          .name_match = query.name_filter,
          .name_prefix = query.name_prefix,
          .labels = query.options.labels,
          .started_after = query.started_after,
          .started_before = query.started_before,
          .created_after = query.created_after,
          .finished_before = query.finished_before,
          .offset = query.offset,
          .limit = query.limit,
          .counts_rest = query.counts_rest};
}

void list_archive(const WorkPtr& work, store::ArchiveQuery query, cluster::Done<store::ArchivePage> done) {
  if (Status allowed = work->may("list", query.ns); !allowed) return done(std::unexpected(std::move(allowed.error())));
  if (!work->plane().archive) return done(fail(Code::kUnimplemented, "a Kubernetes cluster alone has no archive"));
  work->plane().archive->list_archive(std::move(query), std::move(done));
}

void get_archived(const WorkPtr& work, store::ArchivedName which, cluster::Done<cluster::Object> done) {
  if (!work->plane().archive) return done(fail(Code::kNotFound, "a Kubernetes cluster alone has no archive"));
  get_archived(*work->plane().api, *work->plane().archive, work->shared_caller(), std::move(which), std::move(done));
}

void get_archived(objects::ObjectApi& api, store::Archive& archive, std::shared_ptr<const objects::Caller> caller,
                  store::ArchivedName which, cluster::Done<cluster::Object> done) {
  archive.get_archived(std::move(which), [&api, caller = std::move(caller),
                                          done = std::move(done)](Result<cluster::Object> found) mutable {
    if (found) {
      const Status allowed = may(&api, caller.get(), "get", doc::find_string(**found, "metadata", "namespace"),
                                 doc::find_string(**found, "metadata", "name"));
      if (!allowed) found = std::unexpected(allowed.error());
    }
    done(std::move(found));
  });
}

cluster::Object archived_summary(const doc::Value& workflow) {
  doc::Object summary{{"apiVersion", cluster::kWorkflows.api_version()}, {"kind", "Workflow"}};
  take(workflow, "metadata", {"name", "namespace", "uid", "creationTimestamp", "labels", "annotations"}, summary);
  doc::ensure_object(doc::ensure_object(summary, "metadata"), "labels")[store::kArchivingStatusLabel] =
      store::kPersistedStatus;
  take(workflow, "spec", {"arguments", "suspend"}, summary);
  take(workflow, "status",
       {"phase", "startedAt", "finishedAt", "progress", "message", "estimatedDuration", "resourcesDuration"}, summary);
  return std::make_shared<const doc::Value>(std::move(summary));
}

}  // namespace tiphys::argo
