#include "cli/remote_logs.h"

#include <algorithm>
#include <memory>

#include "argo/ask.h"

namespace tiphys::cli {
namespace {

doc::Object log_options(const cluster::LogOptions& options, Time now) {
  doc::Object asked;
  if (!options.container.empty()) asked["container"] = options.container;
  if (options.follow) asked["follow"] = true;
  if (options.previous) asked["previous"] = true;
  if (options.timestamps) asked["timestamps"] = true;
  if (options.tail >= 0) asked["tailLines"] = options.tail;
  if (options.since != Time{}) {
    // Not every server takes a time there; all take how long ago it is.
    const auto age = std::chrono::ceil<std::chrono::seconds>(now - options.since);
    asked["sinceSeconds"] = std::max<std::int64_t>(1, age.count());
  }
  return asked;
}

}  // namespace

std::unique_ptr<cluster::Watch> read_remote_logs(argo::Services& services, const argo::PodLogRequest& request, Time now,
                                                 argo::PodLogSink sink) {
  doc::Object asked{{"namespace", request.workflow.ns},
                    {"name", request.workflow.name},
                    {"logOptions", log_options(request.options, now)}};
  if (!request.pod.empty()) asked["podName"] = request.pod;
  if (!request.selector.empty()) asked["selector"] = request.selector;
  if (!request.grep.empty()) asked["grep"] = request.grep;
  const auto to = std::make_shared<argo::PodLogSink>(std::move(sink));
  return argo::listen(
      services, argo::kWorkflowService, "WorkflowLogs", std::move(asked),
      {[to](const doc::Value& line) {
         const auto pod = std::make_shared<const doc::Value>(
             doc::Object{{"metadata", doc::Object{{"name", doc::find_string(line, "podName")}}}});
         to->on_lines({{.at = {}, .pod = pod, .content = std::string(doc::find_string(line, "content"))}});
       },
       [to](Status status) { to->on_end(std::move(status)); }});
}

}  // namespace tiphys::cli
