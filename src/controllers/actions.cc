#include "controllers/actions.h"

namespace tiphys::controllers {
namespace {

/// A store that does not answer keeps others waiting no sooner than this many do.
constexpr int kListings = 4;

}  // namespace

Actions::Actions(Executor& executor, cluster::Cluster& cluster, web::HttpClient* http, artifact::Stores* stores)
    : blocking_(executor, 1),
      listing_(executor, kListings),
      resources_(executor, cluster,
                 [this](auto job) {
                   blocking_.run(
                       [job = std::move(job)]() mutable {
                         job();
                         return 0;
                       },
                       [](int) {});
                 }),
      requests_(executor, cluster, http),
      plugins_(executor, http),
      data_(cluster, listing_, stores) {}

std::unique_ptr<RunningAction> Actions::run(ActionRequest request, Changed done) {
  if (doc::find(*request.run.template_document, "http")) return requests_.run(std::move(request), std::move(done));
  if (doc::find(*request.run.template_document, "data")) return data_.run(std::move(request), std::move(done));
  if (doc::find(*request.run.template_document, "plugin")) return plugins_.run(std::move(request), std::move(done));
  return resources_.run(std::move(request), std::move(done));
}

}  // namespace tiphys::controllers
