// data templates: a list of artifacts, transformed by expressions. Original: workflow/executor/data.go, which a pod
// runs; here the plane itself looks.
#pragma once

#include <memory>

#include "artifact/repository.h"
#include "base/executor.h"
#include "base/workers.h"
#include "controllers/action_runner.h"

namespace tiphys::controllers {

class DataRunner final : public ActionRunner {
 public:
  /// `repository` null: this plane has none, and their nodes fail.
  DataRunner(Workers& workers, artifact::Repository* repository) : workers_(workers), repository_(repository) {}

  std::unique_ptr<RunningAction> run(ActionRequest request, Changed changed) override;

 private:
  Workers& workers_;
  artifact::Repository* repository_;
};

/// What the `data` document's template gives as outputs.result. Blocking. An error's message is the original's.
Result<std::string> process_data(const doc::Value& tmpl, artifact::Repository* repository);

}  // namespace tiphys::controllers
