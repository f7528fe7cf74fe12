// WorkflowService: what is read at once.
#include "argo/field_filter.h"
#include "argo/find_workflow.h"
#include "argo/workflow_query.h"
#include "argo/workflow_service.h"

namespace tiphys::argo {
namespace {

void reply_fields(const WorkPtr& work, const cluster::Object& workflow) {
  const FieldFilter filter(work->text("fields"));
  if (filter.wants_all()) return work->reply(*Work::with_status(workflow));
  work->reply(filter.of_object(*workflow));
}

}  // namespace

void get_workflow(const WorkPtr& work) {
  with_workflow(work, [work](const cluster::Key& key) {
    work->cluster().get(key, work->then<cluster::Object>([work, key](const cluster::Object& workflow) {
      const std::string uid = work->text("uid");
      if (!uid.empty() && doc::find_string(*workflow, "metadata", "uid") != uid) {
        return work->refuse({Code::kNotFound, "workflows.argoproj.io \"" + key.name + "\" not found"});
      }
      reply_fields(work, workflow);
    }));
  });
}

void list_workflows(const WorkPtr& work) {
  auto query = WorkflowQuery::read(*work);
  if (!query) return work->refuse(query.error());
  cluster::ListOptions options = query->options;
  options.with_nodes = !FieldFilter(work->text("fields")).leaves_out("items.status.nodes");
  work->cluster().list(cluster::kWorkflows, std::move(options),
                       work->then<cluster::List>([work, query = std::move(*query)](cluster::List list) {
                         const Page page = page_of(std::move(list.items), query, list.resource_version);
                         work->reply_list("WorkflowList", page.metadata, page.items, FieldFilter(work->text("fields")));
                       }));
}

}  // namespace tiphys::argo
