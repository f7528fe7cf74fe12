#include "server/streams.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "cluster/api_status.h"
#include "server/event_writer.h"

namespace tiphys::server {
namespace {

constexpr std::string_view kJsonLines = "application/json";
constexpr std::string_view kText = "text/plain; charset=utf-8";

std::string_view type_name(cluster::WatchEvent::Type type) {
  switch (type) {
    case cluster::WatchEvent::Type::kAdded:
      return "ADDED";
    case cluster::WatchEvent::Type::kModified:
      return "MODIFIED";
    case cluster::WatchEvent::Type::kDeleted:
      return "DELETED";
    case cluster::WatchEvent::Type::kSynced:
      return "BOOKMARK";
  }
  return "ERROR";
}

std::uint64_t version_of(const doc::Value& object) {
  const std::string_view text = doc::find_string(object, "metadata", "resourceVersion");
  std::uint64_t version = 0;
  std::from_chars(text.data(), text.data() + text.size(), version);
  return version;
}

/// The peer may go while its source still has something to say: sources know it only weakly.
using Peer = std::weak_ptr<Responder>;

void end(EventWriter& writer, const Peer& peer) {
  writer.flush();
  if (const auto to = peer.lock()) to->end_stream();
}

void end_with_error(EventWriter& writer, const Peer& peer, const Error& error) {
  writer.write("ERROR", cluster::status_json(error));
  end(writer, peer);
}

constexpr auto kBetweenBookmarks = std::chrono::minutes(1);

/// A watch on its way to a client, and what ends it or speaks up in between.
class ObjectStream final : public cluster::Watch {
 public:
  ObjectStream(const Exchange& exchange, const objects::Target& target, StreamOptions options, std::uint64_t from)
      : executor_(exchange.served.executor),
        peer_(exchange.responder),
        writer_(executor_, peer_),
        kind_(target.kind),
        options_(std::move(options)),
        newest_(from) {}
  ~ObjectStream() override {
    executor_.cancel(end_timer_);
    executor_.cancel(bookmark_timer_);
  }

  void start(objects::ObjectApi& api, const objects::Target& target, cluster::WatchOptions options) {
    if (options_.timeout > Duration::zero()) {
      end_timer_ = executor_.schedule(executor_.now() + options_.timeout, [this] { end(writer_, peer_); });
    }
    if (options_.bookmarks) wait_to_bookmark();
    cluster::WatchSink sink;
    sink.on_event = [this](const cluster::WatchEvent& event) { tell(event); };
    sink.on_end = [this](const Error& error) { end_with_error(writer_, peer_, error); };
    source_ = api.watch(target, std::move(options), std::move(sink));
  }

  void pause(bool paused) override { source_->pause(paused); }

 private:
  void tell(const cluster::WatchEvent& event) {
    if (event.type == cluster::WatchEvent::Type::kSynced) {
      if (options_.tells_synced) bookmark({{"k8s.io/initial-events-end", "true"}});
      writer_.flush();
      if (const auto to = peer_.lock()) to->bound_lag();
      return;
    }
    newest_ = std::max(newest_, event.text ? event.version : version_of(*event.object));
    writer_.write(type_name(event.type), event.text ? *event.text : options_.show(event.object));
  }

  void bookmark(doc::Object annotations) {
    doc::Object metadata{{"resourceVersion", std::to_string(newest_)}};
    if (!annotations.empty()) metadata["annotations"] = std::move(annotations);
    const auto object = std::make_shared<const doc::Value>(doc::Object{
        {"kind", kind_->resource->kind}, {"apiVersion", kind_->api_version()}, {"metadata", std::move(metadata)}});
    writer_.write("BOOKMARK", options_.show(object));
  }

  void wait_to_bookmark() {
    bookmark_timer_ = executor_.schedule(executor_.now() + kBetweenBookmarks, [this] {
      bookmark({});
      wait_to_bookmark();
    });
  }

  Executor& executor_;
  const Peer peer_;
  EventWriter writer_;
  const objects::KindPtr kind_;
  StreamOptions options_;
  std::uint64_t newest_;  ///< all up to this version has been told
  Executor::TimerId end_timer_ = 0;
  Executor::TimerId bookmark_timer_ = 0;
  std::unique_ptr<cluster::Watch> source_;
};

/// A log on its way to a reader.
class LogText {
 public:
  LogText(Peer peer, const LogForm& form, bool timestamps)
      : peer_(std::move(peer)), form_(form), timestamps_(timestamps) {}

  void line(std::string_view line, Time at, std::string_view stream) {
    const auto to = peer_.lock();
    if (!to || ended_) return;
    begin(*to);
    if (form_.cri) {
      write(*to, fmt::format("{} {} F {}\n", format_rfc3339_micro(at), stream, line));
    } else if (timestamps_) {
      write(*to, fmt::format("{} {}\n", format_rfc3339_micro(at), line));
    } else {
      write(*to, fmt::format("{}\n", line));
    }
  }

  void end(const Status& status) {
    const auto to = peer_.lock();
    if (!to || ended_) return;
    if (!status && !begun_) {
      return to->reply(cluster::http_code(status.error().code), "application/json",
                       cluster::status_json(status.error()));
    }
    begin(*to);
    if (!status && form_.cri) to->write(fmt::format("0 error F {}\n", status.error().message));
    to->end_stream();
  }

 private:
  void begin(Responder& to) {
    if (std::exchange(begun_, true)) return;
    to.begin_stream(kText);
    to.bound_lag();
  }

  void write(Responder& to, std::string text) {
    if (!form_.most_bytes) return to.write(std::move(text));
    const auto room = static_cast<std::size_t>(*form_.most_bytes);
    text.resize(std::min(text.size(), room));
    *form_.most_bytes -= static_cast<std::int64_t>(text.size());
    to.write(std::move(text));
    if (*form_.most_bytes > 0) return;
    ended_ = true;
    to.end_stream();
  }

  const Peer peer_;
  LogForm form_;
  const bool timestamps_;
  bool begun_ = false;
  bool ended_ = false;
};

}  // namespace

void stream_objects(const Exchange& exchange, const objects::Target& target, cluster::WatchOptions options,
                    StreamOptions stream) {
  const auto& responder = exchange.responder;
  responder->begin_stream(head_of(exchange, 200, kJsonLines));
  std::uint64_t from = options.resource_version;
  if (from != 0) {
    responder->bound_lag();
  } else {
    from = exchange.api().store().resource_version();
  }
  auto source = std::make_unique<ObjectStream>(exchange, target, std::move(stream), from);
  source->start(exchange.api(), target, std::move(options));
  responder->hold(std::move(source));
}

void stream_nodes(const Exchange& exchange, const cluster::Key& workflow) {
  const auto& responder = exchange.responder;
  responder->begin_stream(kJsonLines);
  const Peer peer = responder;
  const auto writer = std::make_shared<EventWriter>(exchange.served.executor, peer);
  cluster::Cluster::NodeSink sink;
  sink.on_node = [writer](std::string_view json) { writer->write("NODE", json); };
  sink.on_synced = [writer, peer] {
    writer->write("BOOKMARK", "{}");
    writer->flush();
    if (const auto to = peer.lock()) to->bound_lag();
  };
  sink.on_end = [writer, peer](const Error& error) { end_with_error(*writer, peer, error); };
  responder->hold(exchange.api().store().watch_nodes(workflow, std::move(sink)));
}

void stream_log(cluster::Cluster& cluster, const cluster::Key& pod, cluster::LogOptions options, const LogForm& form,
                const std::shared_ptr<Responder>& responder) {
  auto text = std::make_shared<LogText>(responder, form, options.timestamps);
  cluster::LogSink sink;
  sink.on_line = [text](std::string_view line, Time at, std::string_view stream) { text->line(line, at, stream); };
  sink.on_end = [text](const Status& status) { text->end(status); };
  responder->hold(cluster.read_log(pod, std::move(options), std::move(sink)));
}

}  // namespace tiphys::server
