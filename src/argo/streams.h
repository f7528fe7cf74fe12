// What goes on: watches and logs as streams of messages. For services alone.
#pragma once

#include <functional>
#include <string>

#include "argo/field_filter.h"
#include "argo/pod_logs.h"
#include "argo/work.h"

namespace tiphys::argo {

/// listOptions, with the request's namespace.
Result<cluster::WatchOptions> watch_options(const Work& work);
/// {"type", "object"} with the wanted fields.
std::string watch_event(const cluster::WatchEvent& event, const FieldFilter& filter = FieldFilter(""));
/// Sends what `show` makes of each change.
void stream_changes(const WorkPtr& work, const cluster::Resource& resource, cluster::WatchOptions options,
                    std::move_only_function<std::string(const cluster::WatchEvent&)> show);

/// Kubernetes' PodLogOptions in this field of the request.
Result<cluster::LogOptions> log_options(const Work& work, std::string_view field);
/// Sends what `show` makes of each line, "" for nothing.
void stream_logs(const WorkPtr& work, PodLogRequest request, std::move_only_function<std::string(const LogLine&)> show);

}  // namespace tiphys::argo
