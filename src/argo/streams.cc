#include "argo/streams.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace tiphys::argo {
namespace {

std::string_view type_name(cluster::WatchEvent::Type type) {
  using Type = cluster::WatchEvent::Type;
  return type == Type::kAdded ? "ADDED" : type == Type::kModified ? "MODIFIED" : "DELETED";
}

}  // namespace

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

std::string watch_event(const cluster::WatchEvent& event, const FieldFilter& filter) {
  std::string text = fmt::format(R"({{"type":"{}","object":)", type_name(event.type));
  if (event.text) return text + *event.text + "}";
  if (filter.wants_all()) {
    doc::append_json(text, *with_empty_structs(event.object));
  } else {
    doc::append_json(text, filter.of_object(*event.object));
  }
  return text + "}";
}

void stream_changes(const WorkPtr& work, const cluster::Resource& resource, cluster::WatchOptions options,
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

Result<cluster::LogOptions> log_options(const Work& work, std::string_view field) {
  const doc::Value& asked = work.member(field);
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
    options.since = work.plane().executor.now() - std::chrono::seconds(std::clamp<std::int64_t>(*seconds, 0, kCentury));
  }
  if (const auto since = doc::find_string(asked, "sinceTime"); !since.empty()) {
    TIPHYS_TRY(options.since, parse_rfc3339(since));
  }
  return options;
}

void stream_logs(const WorkPtr& work, PodLogRequest request,
                 std::move_only_function<std::string(const LogLine&)> show) {
  const std::weak_ptr<Answer> answer = work->shared_answer();
  PodLogSink sink;
  sink.on_lines = [answer, show = std::move(show)](const std::vector<LogLine>& lines) mutable {
    const auto to = answer.lock();
    for (const LogLine& line : lines) {
      std::string text = to ? show(line) : "";
      if (!text.empty()) to->send(std::move(text));
    }
  };
  sink.on_trouble = [](std::string_view, const Error&) {};
  sink.on_end = [answer, cluster = work->shared_cluster()](const Status& status) {
    const auto to = answer.lock();
    if (to && status) to->end();
    if (to && !status) to->refuse(status.error());
  };
  work->answer().hold(read_pod_logs(work->plane().executor, work->cluster(), std::move(request), std::move(sink)));
}

}  // namespace tiphys::argo
