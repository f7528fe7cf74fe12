#include "server/client_streams.h"

#include <fmt/format.h>

#include <charconv>

#include "base/strings.h"
#include "cluster/api_request.h"
#include "cluster/api_status.h"
#include "http/line_stream.h"
#include "http/url.h"
#include "server/route.h"

namespace tiphys::server {
namespace {

std::uint64_t version_of(const doc::Value& object) {
  const std::string_view text = doc::find_string(object, "metadata", "resourceVersion");
  std::uint64_t version = 0;
  std::from_chars(text.data(), text.data() + text.size(), version);
  return version;
}

/// The error in an ERROR event's Status.
Error status_error(const doc::Value& status) {
  return cluster::error_of(500, doc::to_json(status));
}

class ObjectWatch final : public cluster::Watch {
 public:
  ObjectWatch(const http::Client& client, const cluster::Resource& resource, const cluster::WatchOptions& options,
              cluster::WatchSink sink)
      : client_(client),
        path_(cluster::api_path(resource, options.ns, "")),
        labels_(cluster::selector_text(options.labels)),
        fields_(cluster::selector_text(options.fields)),
        nodes_(options.with_nodes || &resource != &cluster::kWorkflows ? "" : "false"),
        newest_(options.resource_version),
        synced_(options.resource_version != 0),
        sink_(std::move(sink)) {
    start();
  }

 private:
  using Type = cluster::WatchEvent::Type;

  void start() {
    http::Query query;
    query.add("watch", "true");
    query.add("allowWatchBookmarks", "true");
    query.add("labelSelector", labels_);
    query.add("fieldSelector", fields_);
    query.add("nodes", nodes_);
    if (newest_ > 0) {
      query.add("resourceVersion", std::to_string(newest_));
    } else {
      query.add("sendInitialEvents", "true");
      query.add("resourceVersionMatch", "NotOlderThan");
    }
    heard_ = false;
    stream_.start(client_, {.target = path_ + query.text()},
                  {[this](std::string_view line) { on_line(line); },
                   [this](Status status) { on_stream_end(std::move(status)); }});
  }

  void on_line(std::string_view line) {
    auto event = doc::parse_json(line);
    doc::Object* fields = event ? event->if_object() : nullptr;
    doc::Value* object = fields ? fields->if_contains("object") : nullptr;
    if (!object) return end({Code::kInternal, "the server's watch sent no event"});
    heard_ = true;
    const std::string_view type = doc::find_string(*event, "type");
    if (type == "ERROR") return end(status_error(*object));
    newest_ = std::max(newest_, version_of(*object));
    if (type == "BOOKMARK") {
      if (!std::exchange(synced_, true)) sink_.on_event({Type::kSynced, nullptr});
      return;
    }
    const Type kind = type == "ADDED" ? Type::kAdded : type == "DELETED" ? Type::kDeleted : Type::kModified;
    sink_.on_event({kind, std::make_shared<const doc::Value>(std::move(*object))});
  }

  void on_stream_end(Status status) {
    // Where all objects are known and the version too, the watch goes on after it.
    const bool lost = status || status.error().code == Code::kUnavailable;
    if (lost && heard_ && synced_ && newest_ > 0) return start();
    end(status ? Error{Code::kUnavailable, "the server ended the watch"} : std::move(status).error());
  }

  void end(Error error) {
    auto on_end = std::exchange(sink_.on_end, nullptr);
    if (on_end) on_end(std::move(error));
  }

  http::Client client_;
  std::string path_, labels_, fields_, nodes_;
  std::uint64_t newest_;
  bool synced_;
  bool heard_ = false;  ///< on this connection
  cluster::WatchSink sink_;
  http::LineStream stream_{&cluster::error_of};
};

class NodeWatch final : public cluster::Watch {
 public:
  NodeWatch(const http::Client& client, const std::string& path, cluster::Cluster::NodeSink sink)
      : sink_(std::move(sink)) {
    stream_.start(client, {.target = path + "?watchNodes=true"},
                  {[this](std::string_view line) { on_line(line); },
                   [this](Status status) {
                     end(status ? Error{Code::kUnavailable, "the server ended the watch"} : std::move(status).error());
                   }});
  }

 private:
  void on_line(std::string_view line) {
    constexpr std::string_view kNode = R"({"type":"NODE","object":)";
    if (line.starts_with(kNode) && line.ends_with('}')) {
      line.remove_prefix(kNode.size());
      line.remove_suffix(1);
      return sink_.on_node(line);
    }
    const auto event = doc::parse_json(line);
    const std::string_view type = event ? doc::find_string(*event, "type") : std::string_view();
    if (type == "BOOKMARK") return sink_.on_synced();
    const doc::Value* status = event ? doc::find(*event, "object") : nullptr;
    end(type == "ERROR" && status ? status_error(*status) : Error{Code::kInternal, "the server's watch sent no event"});
  }

  void end(Error error) {
    auto on_end = std::exchange(sink_.on_end, nullptr);
    if (on_end) on_end(std::move(error));
  }

  cluster::Cluster::NodeSink sink_;
  http::LineStream stream_{&cluster::error_of};
};

class LogReading final : public cluster::Watch {
 public:
  LogReading(const http::Client& client, const std::string& target, cluster::LogSink sink) : sink_(std::move(sink)) {
    stream_.start(
        client, {.target = target},
        {[this](std::string_view line) { on_line(line); }, [this](Status status) { end(std::move(status)); }});
  }

 private:
  /// "TIME STREAM F TEXT"
  void on_line(std::string_view line) {
    const auto time_end = line.find(' ');
    const auto stream_end = time_end == std::string_view::npos ? time_end : line.find(' ', time_end + 1);
    if (stream_end == std::string_view::npos || line.substr(stream_end, 3) != " F ") {
      return end(fail(Code::kInternal, "the server's log has a malformed line"));
    }
    const std::string_view stream = line.substr(time_end + 1, stream_end - time_end - 1);
    const std::string_view text = line.substr(stream_end + 3);
    if (stream == "error") return end(fail(Code::kInternal, std::string(text)));
    sink_.on_line(text, parse_rfc3339(line.substr(0, time_end)).value_or(Time{}), stream);
  }

  void end(Status status) {
    auto on_end = std::exchange(sink_.on_end, nullptr);
    if (on_end) on_end(std::move(status));
  }

  cluster::LogSink sink_;
  http::LineStream stream_{&cluster::error_of};
};

}  // namespace

std::unique_ptr<cluster::Watch> watch_objects(const http::Client& client, const cluster::Resource& resource,
                                              const cluster::WatchOptions& options, cluster::WatchSink sink) {
  return std::make_unique<ObjectWatch>(client, resource, options, std::move(sink));
}

std::unique_ptr<cluster::Watch> watch_workflow_nodes(const http::Client& client, const std::string& path,
                                                     cluster::Cluster::NodeSink sink) {
  return std::make_unique<NodeWatch>(client, path, std::move(sink));
}

std::unique_ptr<cluster::Watch> read_pod_log(const http::Client& client, const std::string& path,
                                             const cluster::LogOptions& options, cluster::LogSink sink) {
  http::Query query;
  query.add("format", "cri");
  query.add("container", options.container);
  if (options.follow) query.add("follow", "true");
  if (options.previous) query.add("previous", "true");
  if (options.tail >= 0) query.add("tailLines", std::to_string(options.tail));
  if (options.since != Time{}) query.add("sinceTime", format_rfc3339_micro(options.since));
  return std::make_unique<LogReading>(client, path + "/log" + query.text(), std::move(sink));
}

}  // namespace tiphys::server
