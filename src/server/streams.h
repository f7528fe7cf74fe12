// Answers that go on: watches and logs.
#pragma once

#include <memory>
#include <optional>

#include "cluster/cluster.h"
#include "server/exchange.h"

namespace tiphys::server {

struct StreamOptions {
  Duration timeout{};         ///< after which the stream ends; zero: never
  bool bookmarks = false;     ///< told from time to time up to where the client has seen all
  bool tells_synced = false;  ///< a bookmark says when all that existed has come
  /// An object as the client wants to see it, as JSON.
  std::move_only_function<std::string(const cluster::Object& object)> show;
};

/// Changes as lines {"type", "object"}; a watch that the plane ends closes with {"type": "ERROR", "object": Status}.
void stream_objects(const Exchange& exchange, const objects::Target& target, cluster::WatchOptions options,
                    StreamOptions stream);
void stream_nodes(const Exchange& exchange, const cluster::Key& workflow);

struct LogForm {
  bool cri = false;                          ///< in CRI's form
  std::optional<std::int64_t> most_bytes{};  ///< after which it ends, within a line or not; at least 1
};
/// Lines as the container wrote them, led by their time when options.timestamps. An error before the first line is
/// answered as such, with its HTTP code.
void stream_log(cluster::Cluster& cluster, const cluster::Key& pod, cluster::LogOptions options, const LogForm& form,
                const std::shared_ptr<Responder>& responder);

}  // namespace tiphys::server
