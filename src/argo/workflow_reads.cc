// WorkflowService: what is read at once.
#include "argo/archive.h"
#include "argo/field_filter.h"
#include "argo/find_workflow.h"
#include "argo/workflow_service.h"

namespace tiphys::argo {
namespace {

void reply_fields(const WorkPtr& work, const cluster::Object& workflow) {
  const FieldFilter filter(work->text("fields"));
  if (filter.wants_all()) return work->reply(*with_empty_structs(workflow));
  work->reply(filter.of_object(*workflow));
}

/// Where there is no such object; `missing` says so.
void look_in_archive(const WorkPtr& work, const cluster::Key& key, const std::string& uid, Error missing) {
  store::ArchivedName which{.uid = uid, .ns = key.ns, .name = key.name};
  get_archived(work, std::move(which), [work, missing = std::move(missing)](Result<cluster::Object> found) mutable {
    if (found) return reply_fields(work, *found);
    work->refuse(is_absent(found.error()) ? std::move(missing) : std::move(found.error()));
  });
}

}  // namespace

void get_workflow(const WorkPtr& work) {
  with_workflow(work, [work](const cluster::Key& key) {
    work->cluster().get(key, [work, key](Result<cluster::Object> workflow) {
      const std::string uid = work->text("uid");
      if (workflow && !uid.empty() && doc::find_string(**workflow, "metadata", "uid") != uid) {
        workflow = fail(Code::kNotFound, "workflows.argoproj.io \"" + key.name + "\" not found");
      }
      if (workflow) return reply_fields(work, *workflow);
      if (workflow.error().code != Code::kNotFound) return work->refuse(std::move(workflow.error()));
      look_in_archive(work, key, uid, std::move(workflow.error()));
    });
  });
}

}  // namespace tiphys::argo
