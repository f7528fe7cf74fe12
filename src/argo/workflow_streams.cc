// WorkflowService: what goes on: watches and logs.
#include <algorithm>

#include "argo/archive.h"
#include "argo/field_filter.h"
#include "argo/find_workflow.h"
#include "argo/streams.h"
#include "argo/workflow_service.h"
#include "base/strings.h"
#include "doc/utf8.h"

namespace tiphys::argo {
namespace {

/// The name that a watch is of alone; "": it is of all that match.
std::string watched_name(const cluster::Selector& fields) {
  for (const cluster::Requirement& one : fields.requirements()) {
    if (one.key == "metadata.name" && one.op == cluster::Requirement::Op::kEquals) return one.values.front();
  }
  return "";
}

void watch(const WorkPtr& work, cluster::WatchOptions options) {
  FieldFilter filter(work->text("fields"), "result.object.");
  options.with_nodes = !filter.leaves_out("status.nodes");
  options.as_json = filter.wants_all();
  stream_changes(work, cluster::kWorkflows, std::move(options), [filter](const cluster::WatchEvent& event) {
    if (!event.text) return watch_event(event, filter);
    auto filled = workflow_with_empty_structs(*event.text);
    if (!filled) return watch_event(event);
    cluster::WatchEvent whole = event;
    whole.text = std::make_shared<const std::string>(std::move(*filled));
    return watch_event(whole);
  });
}

void watch_latest(const WorkPtr& work, cluster::WatchOptions options) {
  find_latest(work->cluster(), options.ns,
              work->then<cluster::Object>([work, options = std::move(options)](const cluster::Object& latest) mutable {
                const std::string name(doc::find_string(*latest, "metadata", "name"));
                options.fields = *cluster::Selector::parse_fields("metadata.name=" + name);
                watch(work, std::move(options));
              }));
}

/// Clients, the web UI among them, derive a pod's name from its template's, which may have capitals. Names of pods have
/// none: what the engine makes of those is small.
std::string to_pod_name(std::string_view derived) {
  std::string name(derived);
  std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return name;
}

/// The same in a field selector of a pod's events.
std::string with_pod_name(std::string_view selector) {
  constexpr std::string_view kOfPod = "involvedObject.kind=Pod", kName = "involvedObject.name=";
  const std::vector<std::string_view> parts = split(selector, ',');
  if (std::ranges::find(parts, kOfPod) == parts.end()) return std::string(selector);
  std::vector<std::string> small;
  for (const std::string_view part : parts) {
    small.push_back(part.starts_with(kName) ? std::string(kName) + to_pod_name(part.substr(kName.size()))
                                            : std::string(part));
  }
  return join(small, ",");
}

/// Nothing happens any more to a workflow that only the archive has: it is told once.
void tell_archived(const WorkPtr& work, const cluster::Key& key, const Error& missing) {
  get_archived(work, {.ns = key.ns, .name = key.name}, [work, missing](const Result<cluster::Object>& found) {
    if (!found) return work->refuse(is_absent(found.error()) ? missing : found.error());
    const FieldFilter filter(work->text("fields"), "result.object.");
    work->answer().send(watch_event({.type = cluster::WatchEvent::Type::kAdded, .object = *found}, filter));
    work->answer().end();
  });
}

}  // namespace

void watch_workflows(const WorkPtr& work) {
  auto options = watch_options(*work);
  if (!options) return work->refuse(options.error());
  const std::string name = watched_name(options->fields);
  if (name.empty()) return watch(work, std::move(*options));
  if (name == kLatest) return watch_latest(work, std::move(*options));
  // As in the original: who waits for what is not there would wait for ever.
  const cluster::Key key{&cluster::kWorkflows, options->ns, name};
  work->cluster().get(key, [work, key, options = std::move(*options)](const Result<cluster::Object>& there) mutable {
    if (there) return watch(work, std::move(options));
    if (there.error().code != Code::kNotFound) return work->refuse(there.error());
    tell_archived(work, key, there.error());
  });
}

void watch_events(const WorkPtr& work) {
  auto options = watch_options(*work);
  if (!options) return work->refuse(options.error());
  auto fields =
      cluster::Selector::parse_fields(with_pod_name(doc::find_string(work->member("listOptions"), "fieldSelector")));
  if (!fields) return work->refuse(fields.error());
  options->fields = std::move(*fields);
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
                   .pod = to_pod_name(work->text("podName")),
                   .selector = work->text("selector"),
                   .grep = work->text("grep"),
                   .options = options},
                  [](const LogLine& line) {
                    return doc::to_json(doc::Object{{"content", doc::to_utf8(line.content)},
                                                    {"podName", doc::find_string(*line.pod, "metadata", "name")}});
                  });
    }));
  });
}

}  // namespace tiphys::argo
