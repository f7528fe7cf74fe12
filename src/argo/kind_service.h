// What the services of templates and CronWorkflows have in common. For services alone.
#pragma once

#include "argo/work.h"

namespace tiphys::argo {

struct KindService {
  const cluster::Resource& resource;
  std::string_view member;     ///< of requests: where the object is
  std::string_view list_kind;  ///< "WorkflowTemplateList"
  bool holds_workflow = true;  ///< which is judged, and remembers its creator
};

void create(const WorkPtr& work, const KindService& kind);
void get(const WorkPtr& work, const KindService& kind);
void list(const WorkPtr& work, const KindService& kind);
void update(const WorkPtr& work, const KindService& kind);
void remove(const WorkPtr& work, const KindService& kind);
void lint(const WorkPtr& work, const KindService& kind);

}  // namespace tiphys::argo
