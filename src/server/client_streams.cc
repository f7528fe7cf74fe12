#include "server/client_streams.h"

#include <fmt/format.h>

#include <charconv>

#include "base/strings.h"
#include "cluster/api_status.h"
#include "server/route.h"

namespace tiphys::server {
namespace {

/// One line of a stream at most; a longer one breaks it off.
constexpr std::size_t kMostLineBytes = 64 * 1024 * 1024;

/// The lines of one streamed answer.
class LineStream {
 public:
  struct Sink {
    std::move_only_function<void(std::string_view line)> on_line;
    std::move_only_function<void(Status)> on_end;
  };

  void start(boost::asio::io_context& context, const Endpoint& endpoint, std::string target, Sink sink) {
    sink_ = std::move(sink);
    code_ = 0;
    rest_.clear();
    HttpSink http;
    http.on_head = [this](unsigned code) { code_ = code; };
    http.on_body = [this](std::string_view part) { take(part); };
    http.on_end = [this](Status status) { end(std::move(status)); };
    call_ =
        http_call(context, endpoint, {.method = "GET", .target = std::move(target), .endless = true}, std::move(http));
  }

 private:
  void take(std::string_view part) {
    if (code_ != 200) {
      rest_ += part;
      return;
    }
    const std::weak_ptr<bool> alive = alive_;  // a line's reader may destroy this
    for (auto newline = part.find('\n'); newline != std::string_view::npos; newline = part.find('\n')) {
      if (rest_.empty()) {
        sink_.on_line(part.substr(0, newline));
      } else {
        rest_ += part.substr(0, newline);
        const std::string line = std::exchange(rest_, {});
        sink_.on_line(line);
      }
      if (alive.expired()) return;
      part.remove_prefix(newline + 1);
    }
    rest_ += part;
    if (rest_.size() > kMostLineBytes) end(fail(Code::kResourceExhausted, "a line of the server's stream has no end"));
  }

  void end(Status status) {
    // The sink may start or destroy this anew.
    auto on_end = std::move(sink_.on_end);
    if (!on_end) return;
    sink_.on_end = nullptr;
    if (status && code_ != 200) status = std::unexpected(cluster::error_of(code_, rest_));
    on_end(std::move(status));
  }

  Sink sink_;
  unsigned code_ = 0;
  std::string rest_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<HttpCall> call_;
};

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
  ObjectWatch(boost::asio::io_context& context, const Endpoint& endpoint, const cluster::Resource& resource,
              const cluster::WatchOptions& options, cluster::WatchSink sink)
      : context_(context),
        endpoint_(endpoint),
        path_(route_path(resource, options.ns, "")),
        labels_(to_text(options.labels)),
        fields_(to_text(options.fields)),
        newest_(options.resource_version),
        synced_(options.resource_version != 0),
        sink_(std::move(sink)) {
    start();
  }

 private:
  using Type = cluster::WatchEvent::Type;

  void start() {
    Query query;
    query.add("watch", "true");
    query.add("allowWatchBookmarks", "true");
    query.add("labelSelector", labels_);
    query.add("fieldSelector", fields_);
    if (newest_ > 0) {
      query.add("resourceVersion", std::to_string(newest_));
    } else {
      query.add("sendInitialEvents", "true");
      query.add("resourceVersionMatch", "NotOlderThan");
    }
    heard_ = false;
    stream_.start(context_, endpoint_, path_ + query.text(),
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

  boost::asio::io_context& context_;
  Endpoint endpoint_;
  std::string path_, labels_, fields_;
  std::uint64_t newest_;
  bool synced_;
  bool heard_ = false;  ///< on this connection
  cluster::WatchSink sink_;
  LineStream stream_;
};

class NodeWatch final : public cluster::Watch {
 public:
  NodeWatch(boost::asio::io_context& context, const Endpoint& endpoint, const std::string& path,
            cluster::Cluster::NodeSink sink)
      : sink_(std::move(sink)) {
    stream_.start(context, endpoint, path + "?watchNodes=true",
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
  LineStream stream_;
};

class LogReading final : public cluster::Watch {
 public:
  LogReading(boost::asio::io_context& context, const Endpoint& endpoint, const std::string& target,
             cluster::LogSink sink)
      : sink_(std::move(sink)) {
    stream_.start(
        context, endpoint, target,
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
  LineStream stream_;
};

std::string requirement_text(const cluster::Requirement& requirement) {
  using Op = cluster::Requirement::Op;
  const std::string first = requirement.values.empty() ? "" : requirement.values.front();
  switch (requirement.op) {
    case Op::kEquals:
      return requirement.key + "=" + first;
    case Op::kNotEquals:
      return requirement.key + "!=" + first;
    case Op::kIn:
      return fmt::format("{} in ({})", requirement.key, join(requirement.values, ","));
    case Op::kNotIn:
      return fmt::format("{} notin ({})", requirement.key, join(requirement.values, ","));
    case Op::kExists:
      return requirement.key;
    case Op::kNotExists:
      return "!" + requirement.key;
    case Op::kGreater:
      return requirement.key + ">" + first;
    case Op::kLess:
      return requirement.key + "<" + first;
  }
  return {};
}

}  // namespace

void Query::add(std::string_view name, std::string_view value) {
  if (value.empty()) return;
  text_ += text_.empty() ? '?' : '&';
  text_ += name;
  text_ += '=';
  text_ += percent_encode(value);
}

std::string to_text(const cluster::Selector& selector) {
  std::vector<std::string> parts;
  for (const auto& requirement : selector.requirements()) parts.push_back(requirement_text(requirement));
  return join(parts, ",");
}

std::unique_ptr<cluster::Watch> watch_objects(boost::asio::io_context& context, const Endpoint& endpoint,
                                              const cluster::Resource& resource, const cluster::WatchOptions& options,
                                              cluster::WatchSink sink) {
  return std::make_unique<ObjectWatch>(context, endpoint, resource, options, std::move(sink));
}

std::unique_ptr<cluster::Watch> watch_workflow_nodes(boost::asio::io_context& context, const Endpoint& endpoint,
                                                     const std::string& path, cluster::Cluster::NodeSink sink) {
  return std::make_unique<NodeWatch>(context, endpoint, path, std::move(sink));
}

std::unique_ptr<cluster::Watch> read_pod_log(boost::asio::io_context& context, const Endpoint& endpoint,
                                             const std::string& path, const cluster::LogOptions& options,
                                             cluster::LogSink sink) {
  Query query;
  query.add("format", "cri");
  query.add("container", options.container);
  if (options.follow) query.add("follow", "true");
  if (options.previous) query.add("previous", "true");
  if (options.tail >= 0) query.add("tailLines", std::to_string(options.tail));
  if (options.since != Time{}) query.add("sinceTime", format_rfc3339_micro(options.since));
  return std::make_unique<LogReading>(context, endpoint, path + "/log" + query.text(), std::move(sink));
}

}  // namespace tiphys::server
