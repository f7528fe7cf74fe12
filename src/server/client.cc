#include "server/client.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <unordered_map>

#include "cluster/api_request.h"
#include "cluster/api_status.h"
#include "cluster/list_head.h"
#include "cluster/patch.h"
#include "http/url.h"
#include "server/client_streams.h"
#include "server/route.h"

namespace tiphys::server {
namespace {

namespace asio = boost::asio;

Result<cluster::Object> read_object(const std::string& body) {
  TIPHYS_TRY(doc::Value value, doc::parse_json(body));
  return std::make_shared<const doc::Value>(std::move(value));
}

Result<cluster::List> read_list(const std::string& body) {
  TIPHYS_TRY(doc::Value value, doc::parse_json(body));
  cluster::List list;
  doc::Value* items = cluster::read_list_head(value, list);
  if (!items || !items->is_array()) return fail(Code::kInternal, "the server's list has no items");
  for (auto& item : items->get_array()) list.items.push_back(std::make_shared<const doc::Value>(std::move(item)));
  return list;
}

class RemoteCluster final : public cluster::Cluster {
 public:
  RemoteCluster(asio::io_context& context, http::Endpoint endpoint)
      : context_(context), client_(context, std::move(endpoint)) {}

  void get(const cluster::Key& key, cluster::Done<cluster::Object> done) override {
    call({.method = "GET", .target = path(key)}, object_reader(std::move(done)));
  }

  void list(const cluster::Resource& resource, cluster::ListOptions options,
            cluster::Done<cluster::List> done) override {
    http::Query query;
    query.add("labelSelector", cluster::selector_text(options.labels));
    query.add("fieldSelector", cluster::selector_text(options.fields));
    if (options.limit > 0) query.add("limit", std::to_string(options.limit));
    query.add("continue", options.continue_token);
    if (&resource == &cluster::kWorkflows && !options.with_nodes) query.add("nodes", "false");
    call({.method = "GET", .target = cluster::api_path(resource, options.ns, "") + query.text()},
         [done = std::move(done)](Result<std::string> body) mutable {
           done(body ? read_list(*body) : std::unexpected(std::move(body).error()));
         });
  }

  void create(const cluster::Resource& resource, doc::Value object, cluster::Done<cluster::Object> done) override {
    const std::string ns(resource.namespaced ? doc::find_string(object, "metadata", "namespace") : "");
    call({.method = "POST",
          .target = cluster::api_path(resource, ns, "") + (ns.empty() ? "" : "?ensureNamespace=true"),
          .content_type = "application/json",
          .body = doc::to_json(object)},
         object_reader(std::move(done)));
  }

  void update(const cluster::Key& key, doc::Value object, cluster::Done<cluster::Object> done) override {
    call({.method = "PUT", .target = path(key), .content_type = "application/json", .body = doc::to_json(object)},
         object_reader(std::move(done)));
  }

  void patch(const cluster::Key& key, cluster::PatchType type, doc::Value patch,
             cluster::Done<cluster::Object> done) override {
    call({.method = "PATCH",
          .target = path(key),
          .content_type = std::string(cluster::media_type(type)),
          .body = doc::to_json(patch)},
         object_reader(std::move(done)));
  }

  void remove(const cluster::Key& key, cluster::DeleteOptions options, cluster::Done<cluster::Object> done) override {
    doc::Object body{{"kind", "DeleteOptions"}, {"apiVersion", "v1"}};
    doc::Object preconditions;
    if (!options.uid.empty()) preconditions["uid"] = options.uid;
    if (!options.resource_version.empty()) preconditions["resourceVersion"] = options.resource_version;
    if (!preconditions.empty()) body["preconditions"] = std::move(preconditions);
    if (options.dry_run) body["dryRun"] = doc::Array{"All"};
    if (options.grace_seconds >= 0) body["gracePeriodSeconds"] = options.grace_seconds;
    call({.method = "DELETE", .target = path(key), .content_type = "application/json", .body = doc::to_json(body)},
         object_reader(std::move(done)));
  }

  void update_workflow_status(const cluster::Key&, cluster::WorkflowStatusUpdate, cluster::Done<void> done) override {
    asio::post(context_, [done = std::move(done)]() mutable {
      done(fail(Code::kUnimplemented, "the status of a workflow is its plane's own business"));
    });
  }

  std::unique_ptr<cluster::Watch> watch(const cluster::Resource& resource, cluster::WatchOptions options,
                                        cluster::WatchSink sink) override {
    return watch_objects(client_, resource, options, std::move(sink));
  }

  std::unique_ptr<cluster::Watch> watch_nodes(const cluster::Key& workflow, NodeSink sink) override {
    return watch_workflow_nodes(client_, path(workflow), std::move(sink));
  }

  std::unique_ptr<cluster::Watch> read_log(const cluster::Key& pod, cluster::LogOptions options,
                                           cluster::LogSink sink) override {
    return read_pod_log(client_, path(pod), options, std::move(sink));
  }

  /// A page that is a document.
  void read_page(std::string target, cluster::Done<cluster::Object> done) {
    call({.method = "GET", .target = std::move(target)}, object_reader(std::move(done)));
  }

 private:
  static std::string path(const cluster::Key& key) { return cluster::api_path(key); }

  static cluster::Done<std::string> object_reader(cluster::Done<cluster::Object> done) {
    return [done = std::move(done)](Result<std::string> body) mutable {
      done(body ? read_object(*body) : std::unexpected(std::move(body).error()));
    };
  }

  void call(http::Request request, cluster::Done<std::string> done) {
    struct Answer {
      unsigned code = 0;
      std::string body;
      cluster::Done<std::string> done;
    };
    const auto answer = std::make_shared<Answer>();
    answer->done = std::move(done);
    const std::uint64_t id = ++last_call_;
    http::Sink sink;
    sink.on_head = [answer](const http::Head& head) { answer->code = head.code; };
    sink.on_body = [answer](std::string_view part) { answer->body += part; };
    sink.on_end = [this, id, answer](Status status) {
      // The callback may destroy this cluster: nothing of it is touched afterwards.
      const auto finished = calls_.extract(id);
      if (!status) return answer->done(std::unexpected(std::move(status).error()));
      if (answer->code >= 300) return answer->done(std::unexpected(cluster::error_of(answer->code, answer->body)));
      answer->done(std::move(answer->body));
    };
    calls_.emplace(id, client_.call(std::move(request), std::move(sink)));
  }

  asio::io_context& context_;
  http::Client client_;
  std::uint64_t last_call_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<http::Call>> calls_;
};

}  // namespace

std::unique_ptr<cluster::Cluster> make_remote_cluster(asio::io_context& context, http::Endpoint endpoint) {
  return std::make_unique<RemoteCluster>(context, std::move(endpoint));
}

void read_config(asio::io_context& context, http::Endpoint endpoint, cluster::Done<cluster::Object> done) {
  auto cluster = std::make_shared<RemoteCluster>(context, std::move(endpoint));
  RemoteCluster& asked = *cluster;
  asked.read_page("/configz", [cluster = std::move(cluster), done = std::move(done)](
                                  Result<cluster::Object> page) mutable { done(std::move(page)); });
}

}  // namespace tiphys::server
