// Manifests of earlier versions of Argo in the form of today's. Original: workflow/convert.
#pragma once

#include "doc/value.h"

namespace tiphys::api {

/// Workflows, templates and CronWorkflows whose fields "schedule", "mutex" and "semaphore" (3.5 and before) become
/// lists, as 4.0 alone knows them; other documents stay as they are. A "schedule" takes the place of "schedules"; locks
/// come behind those that are listed.
void convert_to_current(doc::Value& document);

}  // namespace tiphys::api
