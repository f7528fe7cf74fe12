// WorkflowService: what goes on: watches and logs.
#include "argo/field_filter.h"
#include "argo/find_workflow.h"
#include "argo/streams.h"
#include "argo/workflow_service.h"

namespace tiphys::argo {
namespace {

/// "metadata.name=@latest" names the newest.
bool names_latest(const cluster::Selector& fields) {
  for (const cluster::Requirement& one : fields.requirements()) {
    if (one.key == "metadata.name" && one.op == cluster::Requirement::Op::kEquals && one.values.front() == kLatest) {
      return true;
    }
  }
  return false;
}

void watch(const WorkPtr& work, cluster::WatchOptions options) {
  FieldFilter filter(work->text("fields"), "result.object.");
  options.with_nodes = !filter.leaves_out("status.nodes");
  options.as_json = filter.wants_all();
  stream_changes(work, cluster::kWorkflows, std::move(options),
                 [filter](const cluster::WatchEvent& event) { return watch_event(event, filter); });
}

}  // namespace

void watch_workflows(const WorkPtr& work) {
  auto options = watch_options(*work);
  if (!options) return work->refuse(options.error());
  if (!names_latest(options->fields)) return watch(work, std::move(*options));
  find_latest(work->cluster(), options->ns,
              work->then<cluster::Object>([work, options = std::move(*options)](const cluster::Object& latest) mutable {
                const std::string name(doc::find_string(*latest, "metadata", "name"));
                options.fields = *cluster::Selector::parse_fields("metadata.name=" + name);
                watch(work, std::move(options));
              }));
}

void watch_events(const WorkPtr& work) {
  auto options = watch_options(*work);
  if (!options) return work->refuse(options.error());
  options->as_json = true;
  stream_changes(work, cluster::kEvents, std::move(*options), [](const cluster::WatchEvent& event) {
    return event.text ? *event.text : doc::to_json(*event.object);
  });
}

void workflow_logs(const WorkPtr& work) {
  auto options = log_options(*work, "logOptions");
  if (!options) return work->refuse({Code::kInvalidArgument, options.error().message});
  with_workflow(work, [work, options = std::move(*options)](const cluster::Key& key) {
    // What is not there is told before the stream begins.
    work->cluster().get(key, work->then<cluster::Object>([work, key, options](const cluster::Object&) {
      stream_logs(work,
                  {.workflow = key,
                   .pod = work->text("podName"),
                   .selector = work->text("selector"),
                   .grep = work->text("grep"),
                   .options = options},
                  [](const LogLine& line) {
                    return doc::to_json(doc::Object{{"content", line.content},
                                                    {"podName", doc::find_string(*line.pod, "metadata", "name")}});
                  });
    }));
  });
}

}  // namespace tiphys::argo
