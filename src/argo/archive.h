// The archive as a call's caller may use it.
#pragma once

#include <functional>

#include "argo/workflow_query.h"
#include "store/archive.h"

namespace tiphys::argo {

/// What a query means to the archive, from its offset on.
store::ArchiveQuery archive_query(const WorkflowQuery& query);

/// A page of the archive, its offset counted from the first that has ended. kPermissionDenied: the caller may not list
/// workflows there.
void list_archive(const WorkPtr& work, store::ArchiveQuery query, cluster::Done<store::ArchivePage> done);

/// The workflow that the archive keeps. kNotFound; kPermissionDenied: the caller may not get it.
void get_archived(objects::ObjectApi& api, store::Archive& archive, std::shared_ptr<const objects::Caller> caller,
                  store::ArchivedName which, cluster::Done<cluster::Object> done);
/// The same for a call; kNotFound where there is no archive.
void get_archived(const WorkPtr& work, store::ArchivedName which, cluster::Done<cluster::Object> done);

/// Whether the archive has no such workflow, as far as the caller may know.
inline bool is_absent(const Error& error) {
  return error.code == Code::kNotFound || error.code == Code::kPermissionDenied;
}

/// As lists of the original's archive show a workflow: what it is and how it ended, without its templates and nodes.
cluster::Object archived_summary(const doc::Value& workflow);

}  // namespace tiphys::argo
