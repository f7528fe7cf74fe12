#include "controllers/fetch_references.h"

#include <memory>
#include <utility>

namespace tiphys::controllers {
namespace {

struct Fetch {
  cluster::Cluster& cluster;
  std::string ns;
  api::References references;
  cluster::Done<api::References> done;
};

void go_on(const std::shared_ptr<Fetch>& fetch) {
  if (fetch->references.wanted().empty()) return fetch->done(std::move(fetch->references));
  const api::TemplateHolder holder = *fetch->references.wanted().begin();
  fetch->cluster.get(key_of(holder, fetch->ns), [fetch, holder](Result<cluster::Object> object) {
    if (!object && object.error().code != Code::kNotFound) return fetch->done(std::unexpected(object.error()));
    fetch->references.add(holder, object ? *object : nullptr);
    go_on(fetch);
  });
}

}  // namespace

cluster::Key key_of(const api::TemplateHolder& holder, const std::string& ns) {
  if (holder.cluster_scope) return {&cluster::kClusterWorkflowTemplates, "", holder.name};
  return {&cluster::kWorkflowTemplates, ns, holder.name};
}

void fetch_references(cluster::Cluster& cluster, const api::Workflow& workflow, doc::Shared defaults,
                      cluster::Done<api::References> done) {
  go_on(std::make_shared<Fetch>(cluster, workflow.ns, api::References(workflow, std::move(defaults)), std::move(done)));
}

void fetch_reference(cluster::Cluster& cluster, const api::Workflow& workflow, const api::TemplateRef& ref,
                     cluster::Done<api::References> done) {
  go_on(std::make_shared<Fetch>(cluster, workflow.ns, api::References(workflow, ref), std::move(done)));
}

}  // namespace tiphys::controllers
