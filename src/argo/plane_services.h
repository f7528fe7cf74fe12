// Argo's services over the objects of a plane.
#pragma once

#include <memory>
#include <string>

#include "argo/call.h"
#include "argo/page_marks.h"
#include "base/executor.h"
#include "base/random.h"
#include "controllers/event_recorder.h"
#include "objects/object_api.h"

namespace tiphys::argo {

/// What the services work on; outlives them and all calls. Either a plane's objects, with callers' rights, archive and
/// all; or any Cluster, whose server knows who asks and what they may: then what needs a plane's store is not served.
struct ServedPlane {
  Executor& executor;
  objects::ObjectApi* api = nullptr;
  cluster::Cluster* cluster = nullptr;  ///< without `api`
  Random& random;
  store::Archive* archive = nullptr;  ///< null: the own of the store of `api`, if any
  doc::Shared workflow_defaults{};    ///< null: none
  doc::Shared artifact_repository{};  ///< of the configuration; null: the plane's own
  doc::Array links{}, columns{};      ///< of the configuration, for InfoService
  std::string nav_color{};
  doc::Object version{};                                   ///< the message Version
  std::shared_ptr<controllers::EventRecorder> recorder{};  ///< made where there is none
  std::shared_ptr<PageMarks> marks{};                      ///< the same
};

/// Methods that are not served are answered with kUnimplemented.
std::unique_ptr<Services> make_services(ServedPlane plane);

}  // namespace tiphys::argo
