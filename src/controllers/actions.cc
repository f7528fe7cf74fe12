#include "controllers/actions.h"

namespace tiphys::controllers {
namespace {

/// A store that does not answer keeps others waiting no sooner than this many do.
constexpr int kAtStores = 4;

}  // namespace

Actions::Actions(Executor& executor, cluster::Cluster& cluster, web::HttpClient* http, artifact::Stores* stores)
    : blocking_(executor, 1),
      at_stores_(executor, kAtStores),
      resources_(executor, cluster,
                 [this](auto job) {
                   blocking_.run(
                       [job = std::move(job)]() mutable {
                         job();
                         return 0;
                       },
                       [](int) {});
                 }),
      manifests_(cluster, at_stores_, stores, resources_),
      requests_(executor, cluster, http),
      plugins_(executor, http),
      data_(cluster, at_stores_, stores) {}

std::unique_ptr<RunningAction> Actions::run(ActionRequest request, Changed done) {
  if (doc::find(*request.run.template_document, "http")) return requests_.run(std::move(request), std::move(done));
  if (doc::find(*request.run.template_document, "data")) return data_.run(std::move(request), std::move(done));
  if (doc::find(*request.run.template_document, "plugin")) return plugins_.run(std::move(request), std::move(done));
  if (doc::find(*request.run.template_document, "resource", "manifestFrom")) {
    return manifests_.run(std::move(request), std::move(done));
  }
  return resources_.run(std::move(request), std::move(done));
}

}  // namespace tiphys::controllers
