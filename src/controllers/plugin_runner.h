// plugin templates: the executor plugins of a workflow are asked one after the other, until one has done it. Original:
// executePluginTemplate in workflow/executor/agent.go, workflow/util/plugin/plugin.go.
#pragma once

#include <memory>

#include "base/executor.h"
#include "controllers/action_runner.h"
#include "web/http_client.h"

namespace tiphys::controllers {

class PluginRunner final : public ActionRunner {
 public:
  /// `client` null: this plane makes no requests, and their nodes fail.
  PluginRunner(Executor& executor, web::HttpClient* client) : executor_(executor), client_(client) {}

  /// After a crash the plugins are asked again.
  std::unique_ptr<RunningAction> run(ActionRequest request, Changed changed) override;

 private:
  Executor& executor_;
  web::HttpClient* client_;
};

}  // namespace tiphys::controllers
