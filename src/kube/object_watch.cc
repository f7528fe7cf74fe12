#include "kube/object_watch.h"

#include <charconv>

#include "base/log.h"
#include "cluster/api_request.h"
#include "cluster/api_status.h"
#include "cluster/pod_phase.h"
#include "http/url.h"
#include "kube/object_list.h"
#include "kube/workflow_nodes.h"

namespace tiphys::kube {
namespace {

using Type = cluster::WatchEvent::Type;

/// A watch is asked for this long and half as long again by chance, as client-go does; a server that does not keep to
/// it is given up.
constexpr std::chrono::seconds kShortestWatch{300};
constexpr std::chrono::seconds kGrace{30};

std::uint64_t version_of(const doc::Value& object) {
  const std::string_view text = doc::find_string(object, "metadata", "resourceVersion");
  std::uint64_t version = 0;
  std::from_chars(text.data(), text.data() + text.size(), version);
  return version;
}

/// Errors that another attempt may better.
bool passing(Code code) {
  return code == Code::kUnavailable || code == Code::kDeadlineExceeded || code == Code::kResourceExhausted ||
         code == Code::kInternal;
}

bool is_over(const doc::Value& object, const cluster::Resource& resource) {
  if (is_workflow(resource)) {
    return doc::find_string(object, "metadata", "labels", "workflows.argoproj.io/completed") == "true";
  }
  return &resource == &cluster::kPods && cluster::pod_over(object);
}

class ObjectWatch final : public cluster::Watch {
 public:
  ObjectWatch(std::shared_ptr<Api> api, const cluster::Resource& resource, ObjectWatchOptions options,
              cluster::WatchSink sink)
      : api_(std::move(api)),
        resource_(resource),
        options_(std::move(options)),
        newest_(options_.watch.resource_version),
        sink_(std::move(sink)),
        backoff_(api_->random()) {
    newest_ == 0 ? list() : watch();
  }
  ~ObjectWatch() override { api_->executor().cancel(timer_); }

 private:
  template <typename F>
  auto guarded(F task) {
    return [this, alive = std::weak_ptr(alive_), task = std::move(task)](auto&&... args) mutable {
      if (!alive.expired()) task(std::forward<decltype(args)>(args)...);
    };
  }

  void list() {
    cluster::ListOptions options;
    options.ns = options_.watch.ns;
    options.labels = options_.watch.labels;
    options.fields = options_.watch.fields;
    options.with_nodes = options_.with_nodes;
    list_objects(api_, resource_, std::move(options),
                 guarded([this](Result<cluster::List> list) { listed(std::move(list)); }));
  }

  void listed(Result<cluster::List> list) {
    if (!list && passing(list.error().code)) return try_later(list.error(), "", &ObjectWatch::list);
    if (!list) return end(std::move(list).error());
    backoff_.reset();
    newest_ = list->resource_version;
    const std::weak_ptr<bool> alive = alive_;
    for (const cluster::Object& object : list->items) {
      if (options_.watch.live_at_first && is_over(*object, resource_)) continue;
      sink_.on_event({Type::kAdded, object});
      if (alive.expired()) return;
    }
    sink_.on_event({Type::kSynced, nullptr});
    if (!alive.expired()) watch();
  }

  void watch() {
    const std::chrono::seconds time = kShortestWatch + std::chrono::seconds(api_->random().next() % 150);
    http::Query query;
    query.add("watch", "true");
    query.add("allowWatchBookmarks", "true");
    query.add("resourceVersion", std::to_string(newest_));
    query.add("timeoutSeconds", std::to_string(time.count()));
    query.add("labelSelector", cluster::selector_text(options_.watch.labels));
    query.add("fieldSelector", cluster::selector_text(options_.watch.fields));
    heard_ = false;
    http::Request request{.target = cluster::api_path(resource_, options_.watch.ns, "") + query.text()};
    request.longest = time + kGrace;
    api_->stream(stream_, std::move(request),
                 {[this](std::string_view line) { on_line(line); },
                  [this](Status status) { on_stream_end(std::move(status)); }});
  }

  void on_line(std::string_view line) {
    if (!sink_.on_end) return;
    auto event = doc::parse_json(line);
    doc::Object* fields = event ? event->if_object() : nullptr;
    doc::Value* object = fields ? fields->if_contains("object") : nullptr;
    if (!object) return on_error({Code::kInternal, "the server's watch has sent no event"});
    const std::string_view type = doc::find_string(*event, "type");
    if (type == "ERROR") return on_error(cluster::error_of(500, doc::to_json(*object)));
    heard_ = true;
    newest_ = std::max(newest_, version_of(*object));
    if (type == "BOOKMARK") return;
    const Type kind = type == "ADDED" ? Type::kAdded : type == "DELETED" ? Type::kDeleted : Type::kModified;
    if (kind == Type::kModified && options_.own_change && options_.own_change(*object)) return;
    if (is_workflow(resource_)) {
      if (!options_.with_nodes) strip_nodes(*object);
      const Status unpacked = options_.with_nodes ? unpack_nodes(*object) : Status();
      if (!unpacked) return end(unpacked.error());
    }
    sink_.on_event({kind, std::make_shared<const doc::Value>(std::move(*object))});
  }

  /// Told within the stream, which then ends.
  void on_error(Error error) {
    if (passing(error.code)) {
      told_ = std::move(error);
    } else {
      end(std::move(error));
    }
  }

  void on_stream_end(Status status) {
    if (!sink_.on_end) return;
    if (auto told = std::exchange(told_, std::nullopt)) status = std::unexpected(std::move(*told));
    if (status && heard_) {
      backoff_.reset();
      return watch();
    }
    Error error = status ? Error{Code::kUnavailable, "the server has ended the watch"} : std::move(status).error();
    if (error.code == Code::kUnauthenticated) api_->forget_identity();
    if (!passing(error.code)) return end(std::move(error));
    if (heard_) backoff_.reset();
    try_later(error, stream_.head().retry_after, &ObjectWatch::watch);
  }

  void try_later(const Error& error, std::string_view retry_after, void (ObjectWatch::*task)()) {
    const Duration delay = backoff_.next(retry_after);
    log::debug("the watch of {} goes on in {}: {}", resource_.plural, format_go_duration(delay), error.message);
    Executor& executor = api_->executor();
    timer_ = executor.schedule(executor.now() + delay, guarded([this, task] { (this->*task)(); }));
  }

  void end(Error error) {
    auto on_end = std::exchange(sink_.on_end, nullptr);
    if (on_end) on_end(std::move(error));
  }

  std::shared_ptr<Api> api_;
  const cluster::Resource& resource_;
  ObjectWatchOptions options_;
  std::uint64_t newest_;
  cluster::WatchSink sink_;
  Backoff backoff_;
  bool heard_ = false;         ///< on this connection
  std::optional<Error> told_;  ///< on this connection
  Executor::TimerId timer_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  http::LineStream stream_{&cluster::error_of};
};

}  // namespace

std::unique_ptr<cluster::Watch> watch_objects(const std::shared_ptr<Api>& api, const cluster::Resource& resource,
                                              ObjectWatchOptions options, cluster::WatchSink sink) {
  return std::make_unique<ObjectWatch>(api, resource, std::move(options), std::move(sink));
}

}  // namespace tiphys::kube
