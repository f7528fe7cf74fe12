#include "server/streams.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "server/api_status.h"

namespace tiphys::server {
namespace {

constexpr std::string_view kJsonLines = "application/json;stream=watch";
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

std::string event_line(std::string_view type, std::string_view object) {
  return fmt::format("{{\"type\":\"{}\",\"object\":{}}}\n", type, object);
}

std::uint64_t version_of(const doc::Value& object) {
  const std::string_view text = doc::find_string(object, "metadata", "resourceVersion");
  std::uint64_t version = 0;
  std::from_chars(text.data(), text.data() + text.size(), version);
  return version;
}

/// The peer may go while its source still has something to say: sources know it only weakly.
using Peer = std::weak_ptr<Responder>;

void end_with_error(const Peer& peer, const Error& error) {
  if (const auto to = peer.lock()) {
    to->write(event_line("ERROR", status_json(error)));
    to->end_stream();
  }
}

}  // namespace

void stream_objects(cluster::Cluster& cluster, const cluster::Resource& resource, cluster::WatchOptions options,
                    const std::shared_ptr<Responder>& responder) {
  responder->begin_stream(kJsonLines);
  if (options.resource_version != 0) responder->bound_lag();
  const Peer peer = responder;
  cluster::WatchSink sink;
  sink.on_event = [peer, &resource, newest = options.resource_version](const cluster::WatchEvent& event) mutable {
    const auto to = peer.lock();
    if (!to) return;
    if (event.type != cluster::WatchEvent::Type::kSynced) {
      newest = std::max(newest, version_of(*event.object));
      to->write(event_line(type_name(event.type), doc::to_json(*event.object)));
      return;
    }
    to->write(
        event_line("BOOKMARK", fmt::format(R"({{"kind":"{}","apiVersion":"{}","metadata":{{"resourceVersion":"{}",)"
                                           R"("annotations":{{"k8s.io/initial-events-end":"true"}}}}}})",
                                           resource.kind, resource.api_version(), newest)));
    to->bound_lag();
  };
  sink.on_end = [peer](const Error& error) { end_with_error(peer, error); };
  responder->hold(cluster.watch(resource, std::move(options), std::move(sink)));
}

void stream_nodes(cluster::Cluster& cluster, const cluster::Key& workflow,
                  const std::shared_ptr<Responder>& responder) {
  responder->begin_stream(kJsonLines);
  const Peer peer = responder;
  cluster::Cluster::NodeSink sink;
  sink.on_node = [peer](std::string_view json) {
    if (const auto to = peer.lock()) to->write(event_line("NODE", json));
  };
  sink.on_synced = [peer] {
    if (const auto to = peer.lock()) {
      to->write(event_line("BOOKMARK", "{}"));
      to->bound_lag();
    }
  };
  sink.on_end = [peer](const Error& error) { end_with_error(peer, error); };
  responder->hold(cluster.watch_nodes(workflow, std::move(sink)));
}

void stream_log(cluster::Cluster& cluster, const cluster::Key& pod, cluster::LogOptions options, bool cri,
                const std::shared_ptr<Responder>& responder) {
  const auto begun = std::make_shared<bool>(false);
  const Peer peer = responder;
  cluster::LogSink sink;
  const auto begin = [begun](Responder& to) {
    if (std::exchange(*begun, true)) return;
    to.begin_stream(kText);
    to.bound_lag();
  };
  const bool timestamps = options.timestamps;
  sink.on_line = [peer, begin, cri, timestamps](std::string_view line, Time at, std::string_view stream) {
    const auto to = peer.lock();
    if (!to) return;
    begin(*to);
    if (cri) {
      to->write(fmt::format("{} {} F {}\n", format_rfc3339_micro(at), stream, line));
    } else if (timestamps) {
      to->write(fmt::format("{} {}\n", format_rfc3339_micro(at), line));
    } else {
      to->write(fmt::format("{}\n", line));
    }
  };
  sink.on_end = [peer, begin, begun, cri](const Status& status) {
    const auto to = peer.lock();
    if (!to) return;
    if (!status && !*begun)
      return to->reply(http_code(status.error().code), "application/json", status_json(status.error()));
    begin(*to);
    if (!status && cri) to->write(fmt::format("0 error F {}\n", status.error().message));
    to->end_stream();
  };
  responder->hold(cluster.read_log(pod, std::move(options), std::move(sink)));
}

}  // namespace tiphys::server
