// WorkflowService: what goes on: watches and logs.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "argo/field_filter.h"
#include "argo/find_workflow.h"
#include "argo/workflow_logs.h"
#include "argo/workflow_service.h"

namespace tiphys::argo {
namespace {

std::string_view type_name(cluster::WatchEvent::Type type) {
  using Type = cluster::WatchEvent::Type;
  return type == Type::kAdded ? "ADDED" : type == Type::kModified ? "MODIFIED" : "DELETED";
}

/// What the call may still be told after its answer is gone.
using AnswerPtr = std::shared_ptr<Answer>;

Result<cluster::WatchOptions> watch_options(const Work& work) {
  const doc::Value& asked = work.member("listOptions");
  cluster::WatchOptions options;
  options.ns = work.text("namespace");
  TIPHYS_TRY(options.labels, cluster::Selector::parse(doc::find_string(asked, "labelSelector")));
  TIPHYS_TRY(options.fields, cluster::Selector::parse_fields(doc::find_string(asked, "fieldSelector")));
  const std::string version(doc::find_string(asked, "resourceVersion"));
  if (version.empty()) return options;
  const auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), options.resource_version);
  if (error != std::errc() || end != version.data() + version.size()) {
    return fail(Code::kInvalidArgument, fmt::format("listOptions.resourceVersion: \"{}\" is no version", version));
  }
  return options;
}

/// Sends what `show` makes of each event, "" for nothing.
void stream(const WorkPtr& work, const cluster::Resource& resource, cluster::WatchOptions options,
            std::move_only_function<std::string(const cluster::WatchEvent&)> show) {
  const std::weak_ptr<Answer> answer = work->shared_answer();
  cluster::WatchSink sink;
  sink.on_event = [answer, show = std::move(show)](const cluster::WatchEvent& event) mutable {
    const auto to = answer.lock();
    if (!to) return;
    if (event.type == cluster::WatchEvent::Type::kSynced) return to->caught_up();
    to->send(show(event));
  };
  sink.on_end = [answer](Error error) {
    if (const auto to = answer.lock()) to->refuse(std::move(error));
  };
  if (auto watch = work->cluster().watch(resource, std::move(options), std::move(sink))) {
    work->answer().hold(std::move(watch));
  }
}

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
  stream(work, cluster::kWorkflows, std::move(options), [filter](const cluster::WatchEvent& event) {
    std::string text = fmt::format(R"({{"type":"{}","object":)", type_name(event.type));
    if (event.text) return text + *event.text + "}";
    if (filter.wants_all()) {
      doc::append_json(text, *Work::with_status(event.object));
    } else {
      doc::append_json(text, filter.of_object(*event.object));
    }
    return text + "}";
  });
}

/// Logs as Kubernetes asks for them.
Result<cluster::LogOptions> log_options(const Work& work, Time now) {
  const doc::Value& asked = work.member("logOptions");
  cluster::LogOptions options;
  if (const auto container = doc::find_string(asked, "container"); !container.empty()) options.container = container;
  const auto flag = [&](std::string_view name) {
    const doc::Value* value = doc::find(asked, name);
    return value && value->is_bool() && value->get_bool();
  };
  const auto number = [&](std::string_view name) -> std::optional<std::int64_t> {
    const doc::Value* value = doc::find(asked, name);
    return value && value->is_int64() ? std::optional(value->get_int64()) : std::nullopt;
  };
  options.follow = flag("follow");
  options.previous = flag("previous");
  options.timestamps = flag("timestamps");
  options.tail = number("tailLines").value_or(-1);
  if (const auto seconds = number("sinceSeconds")) {
    constexpr std::int64_t kCentury = 100LL * 366 * 24 * 3600;
    options.since = now - std::chrono::seconds(std::clamp<std::int64_t>(*seconds, 0, kCentury));
  }
  if (const auto since = doc::find_string(asked, "sinceTime"); !since.empty()) {
    TIPHYS_TRY(options.since, parse_rfc3339(since));
  }
  return options;
}

std::string log_entry(const LogLine& line) {
  return doc::to_json(doc::Object{{"content", line.content}, {"podName", line.pod}});
}

void read_logs(const WorkPtr& work, LogRequest request) {
  const std::weak_ptr<Answer> answer = work->shared_answer();
  WorkflowLogSink sink;
  sink.on_lines = [answer](const std::vector<LogLine>& lines) {
    const auto to = answer.lock();
    for (const LogLine& line : lines) {
      if (to) to->send(log_entry(line));
    }
  };
  sink.on_trouble = [](std::string_view, const Error&) {};
  sink.on_end = [answer, cluster = work->shared_cluster()](const Status& status) {
    const auto to = answer.lock();
    if (to && status) to->end();
    if (to && !status) to->refuse(status.error());
  };
  work->answer().hold(read_workflow_logs(work->plane().executor, work->cluster(), std::move(request), std::move(sink)));
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
  stream(work, cluster::kEvents, std::move(*options),
         [](const cluster::WatchEvent& event) { return event.text ? *event.text : doc::to_json(*event.object); });
}

void workflow_logs(const WorkPtr& work) {
  auto options = log_options(*work, work->plane().executor.now());
  if (!options) return work->refuse({Code::kInvalidArgument, options.error().message});
  with_workflow(work, [work, options = std::move(*options)](const cluster::Key& key) {
    // What is not there is told before the stream begins.
    work->cluster().get(key, work->then<cluster::Object>([work, key, options](const cluster::Object&) {
      read_logs(work, {.workflow = key,
                       .pod = work->text("podName"),
                       .selector = work->text("selector"),
                       .grep = work->text("grep"),
                       .options = options});
    }));
  });
}

}  // namespace tiphys::argo
