// The runner of each type of template that is an action of the plane.
#pragma once

#include <memory>

#include "base/workers.h"
#include "controllers/action_runner.h"
#include "controllers/data_runner.h"
#include "controllers/http_runner.h"
#include "controllers/manifest_runner.h"
#include "controllers/plugin_runner.h"
#include "controllers/resource_runner.h"

namespace tiphys::controllers {

class Actions final : public ActionRunner {
 public:
  /// Nodes that need `http` or `stores` fail when it is null.
  Actions(Executor& executor, cluster::Cluster& cluster, web::HttpClient* http, artifact::Stores* stores);
  std::unique_ptr<RunningAction> run(ActionRequest request, Changed changed) override;

 private:
  Workers blocking_, at_stores_;
  ResourceRunner resources_;
  ManifestRunner manifests_;
  HttpRunner requests_;
  PluginRunner plugins_;
  DataRunner data_;
};

}  // namespace tiphys::controllers
