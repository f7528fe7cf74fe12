#include "controllers/actions.h"

namespace tiphys::controllers {

Actions::Actions(Executor& executor, cluster::Cluster& cluster, web::HttpClient* http, artifact::Repository* repository)
    : blocking_(executor, 1),
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
      data_(blocking_, repository) {}

std::unique_ptr<RunningAction> Actions::run(ActionRequest request, Changed done) {
  if (doc::find(*request.run.template_document, "http")) return requests_.run(std::move(request), std::move(done));
  if (doc::find(*request.run.template_document, "data")) return data_.run(std::move(request), std::move(done));
  if (doc::find(*request.run.template_document, "plugin")) return plugins_.run(std::move(request), std::move(done));
  return resources_.run(std::move(request), std::move(done));
}

}  // namespace tiphys::controllers
