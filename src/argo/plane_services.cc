#include "argo/plane_services.h"

#include <fmt/format.h>

#include <map>

#include "argo/work.h"

namespace tiphys::argo {
namespace {

class PlaneServices final : public Services {
 public:
  explicit PlaneServices(ServedPlane plane) : plane_(complete(std::move(plane))) {
    const std::pair<const char*, const Methods&> services[] = {
        {"workflow.WorkflowService", workflow_methods()},
        {"workflowtemplate.WorkflowTemplateService", template_methods()},
        {"clusterworkflowtemplate.ClusterWorkflowTemplateService", cluster_template_methods()},
        {"cronworkflow.CronWorkflowService", cron_methods()},
        {"workflowarchive.ArchivedWorkflowService", archive_methods()},
        {"info.InfoService", info_methods()},
        {"sync.SyncService", sync_methods()},
        {"event.EventService", event_methods()},
        {"eventsource.EventSourceService", event_source_methods()},
        {"sensor.SensorService", sensor_methods()}};
    for (const auto& [service, methods] : services) {
      for (const auto& [name, method] : methods) methods_.emplace(fmt::format("{}/{}", service, name), method);
    }
  }

  void call(Call call) override {
    const auto found = methods_.find(fmt::format("{}/{}", call.method.service, call.method.name));
    if (found == methods_.end()) {
      return call.answer->refuse(
          {Code::kUnimplemented, fmt::format("{}/{} is not served", call.method.service, call.method.name)});
    }
    found->second(std::make_shared<Work>(plane_, std::move(call)));
  }

 private:
  static ServedPlane complete(ServedPlane plane) {
    if (!plane.recorder) {
      plane.recorder = std::make_shared<controllers::EventRecorder>(plane.executor, plane.api.store());
    }
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
