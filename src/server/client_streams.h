// The client's side of watches and logs.
#pragma once

#include <memory>

#include "cluster/cluster.h"
#include "server/http_client.h"

namespace tiphys::server {

/// A query string, built up.
class Query {
 public:
  /// Nothing for an empty value.
  void add(std::string_view name, std::string_view value);
  /// "?a=b&c=d" or "".
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// A selector in the form that parses to the same.
std::string to_text(const cluster::Selector& selector);

std::unique_ptr<cluster::Watch> watch_objects(boost::asio::io_context& context, const Endpoint& endpoint,
                                              const cluster::Resource& resource, const cluster::WatchOptions& options,
                                              cluster::WatchSink sink);
std::unique_ptr<cluster::Watch> watch_workflow_nodes(boost::asio::io_context& context, const Endpoint& endpoint,
                                                     const std::string& path, cluster::Cluster::NodeSink sink);
std::unique_ptr<cluster::Watch> read_pod_log(boost::asio::io_context& context, const Endpoint& endpoint,
                                             const std::string& path, const cluster::LogOptions& options,
                                             cluster::LogSink sink);

}  // namespace tiphys::server
