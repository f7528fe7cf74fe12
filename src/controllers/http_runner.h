// http templates: the request, and what the answer means for the node. Original: workflow/executor/agent.go, which an
// agent pod runs; here the plane itself asks.
#pragma once

#include <memory>

#include "base/executor.h"
#include "cluster/cluster.h"
#include "controllers/action_runner.h"
#include "web/http_client.h"

namespace tiphys::controllers {

class HttpRunner final : public ActionRunner {
 public:
  /// `client` null: this plane makes no requests, and their nodes fail.
  HttpRunner(Executor& executor, cluster::Cluster& cluster, web::HttpClient* client)
      : executor_(executor), cluster_(cluster), client_(client) {}

  /// After a crash the request is made again.
  std::unique_ptr<RunningAction> run(ActionRequest request, Changed changed) override;

 private:
  Executor& executor_;
  cluster::Cluster& cluster_;
  web::HttpClient* client_;
};

/// The node's end by the answer to what the `http` document asked: successCondition, or a status of 2xx.
engine::ActionChanged judge_answer(const doc::Value& http, web::HttpAnswer answer);

}  // namespace tiphys::controllers
