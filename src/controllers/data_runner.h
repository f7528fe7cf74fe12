// data templates: a list of artifacts, transformed by expressions. Original: workflow/executor/data.go, which a pod
// runs; here the plane itself looks.
#pragma once

#include <memory>

#include "artifact/stores.h"
#include "base/executor.h"
#include "base/workers.h"
#include "controllers/action_runner.h"

namespace tiphys::controllers {

class DataRunner final : public ActionRunner {
 public:
  /// `stores` null: this plane has none, and their nodes fail.
  DataRunner(cluster::Cluster& cluster, Workers& workers, artifact::Stores* stores)
      : cluster_(cluster), workers_(workers), stores_(stores) {}

  std::unique_ptr<RunningAction> run(ActionRequest request, Changed changed) override;

 private:
  cluster::Cluster& cluster_;
  Workers& workers_;
  artifact::Stores* stores_;
};

/// Where the `data` document's template looks.
Result<doc::Value> data_location(const doc::Value& tmpl, const doc::Object& archive);
/// What it gives as outputs.result. Blocking. An error's message is the original's.
Result<std::string> process_data(const doc::Value& tmpl, Result<std::unique_ptr<artifact::Place>> place);

}  // namespace tiphys::controllers
