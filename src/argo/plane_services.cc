#include "argo/plane_services.h"

#include <fmt/format.h>

#include <map>

#include "argo/work.h"
#include "base/check.h"

namespace tiphys::argo {
namespace {

class PlaneServices final : public Services {
 public:
  explicit PlaneServices(ServedPlane plane) : plane_(complete(std::move(plane))) {
    const std::pair<const char*, const Methods&> services[] = {
        {"workflow.WorkflowService", workflow_methods()},
        {"workflowtemplate.WorkflowTemplateService", template_methods()},
        {"clusterworkflowtemplate.ClusterWorkflowTemplateService", cluster_template_methods()},
        {"cronworkflow.CronWorkflowService", cron_methods()}};
    const std::pair<const char*, const Methods&> with_store[] = {
        {"workflowarchive.ArchivedWorkflowService", archive_methods()},
        {"info.InfoService", info_methods()},
        {"sync.SyncService", sync_methods()},
        {"event.EventService", event_methods()},
        {"eventsource.EventSourceService", event_source_methods()},
        {"sensor.SensorService", sensor_methods()}};
    for (const auto& [service, methods] : services) add(service, methods);
    if (!plane_.api) return;
    for (const auto& [service, methods] : with_store) add(service, methods);
  }

  void call(Call call) override {
    const auto found = methods_.find(fmt::format("{}/{}", call.method.service, call.method.name));
    if (found == methods_.end()) {
      return call.answer->refuse({Code::kUnimplemented, not_served(call.method)});
    }
    found->second(std::make_shared<Work>(plane_, std::move(call)));
  }

 private:
  void add(const char* service, const Methods& methods) {
    for (const auto& [name, method] : methods) methods_.emplace(fmt::format("{}/{}", service, name), method);
  }
  std::string not_served(const Method& method) const {
    if (plane_.api) return fmt::format("{}/{} is not served", method.service, method.name);
    return fmt::format("{} needs a server of Argo's API: a Kubernetes cluster alone does not have it", method.name);
  }

  static ServedPlane complete(ServedPlane plane) {
    TIPHYS_CHECK(plane.api || plane.cluster, "services have something to work on");
    if (!plane.recorder && plane.api) {
      plane.recorder = std::make_shared<controllers::EventRecorder>(plane.executor, plane.api->store());
    }
    if (!plane.archive && plane.api) plane.archive = &plane.api->store();
    if (!plane.marks) plane.marks = std::make_shared<PageMarks>();
    return plane;
  }

  const ServedPlane plane_;
  std::map<std::string, void (*)(const WorkPtr&), std::less<>> methods_;
};

}  // namespace

std::unique_ptr<Services> make_services(ServedPlane plane) {
  return std::make_unique<PlaneServices>(std::move(plane));
}

}  // namespace tiphys::argo
