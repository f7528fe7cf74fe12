#include "kube/cluster.h"

#include <fmt/format.h>

#include "cluster/api_request.h"
#include "cluster/patch.h"
#include "doc/patch.h"
#include "http/url.h"
#include "kube/api.h"
#include "kube/edit.h"
#include "kube/node_watch.h"
#include "kube/object_list.h"
#include "kube/object_watch.h"
#include "kube/pod_log.h"
#include "kube/workflow_nodes.h"

namespace tiphys::kube {
namespace {

using cluster::Done;
using cluster::Key;
using cluster::Object;

constexpr std::string_view kJson = "application/json";

/// Kubernetes' own groups have no dot, or end so.
bool is_custom(const cluster::Resource& resource) {
  return resource.group.find('.') != std::string_view::npos && !resource.group.ends_with(".k8s.io");
}

Result<Object> read_object(const std::string& body) {
  TIPHYS_TRY(doc::Value value, doc::parse_json(body));
  return std::make_shared<const doc::Value>(std::move(value));
}

Done<std::string> object_reader(Done<Object> done) {
  return [done = std::move(done)](Result<std::string> body) mutable {
    done(body ? read_object(*body) : std::unexpected(std::move(body).error()));
  };
}

class Kubernetes final : public KubeCluster {
 public:
  explicit Kubernetes(std::shared_ptr<Api> api) : api_(std::move(api)), statuses_(api_) {}
  ~Kubernetes() override { api_->stop(); }

  void get(const Key& key, Done<Object> done) override {
    const bool workflow = is_workflow(*key.resource);
    api_->call({.target = api_path(key)}, [workflow, done = std::move(done)](Result<std::string> body) mutable {
      Result<doc::Value> object = body ? doc::parse_json(*body) : std::unexpected(std::move(body).error());
      if (!object) return done(std::unexpected(std::move(object).error()));
      if (workflow) {
        if (const Status unpacked = unpack_nodes(*object); !unpacked) return done(std::unexpected(unpacked.error()));
      }
      done(std::make_shared<const doc::Value>(std::move(*object)));
    });
  }

  void list(const cluster::Resource& resource, cluster::ListOptions options, Done<cluster::List> done) override {
    list_objects(api_, resource, std::move(options), std::move(done));
  }

  void create(const cluster::Resource& resource, doc::Value object, Done<Object> done) override {
    const std::string ns(resource.namespaced ? doc::find_string(object, "metadata", "namespace") : "");
    write("POST", cluster::api_path(resource, ns, ""), kJson, object, std::move(done));
  }

  void update(const Key& key, doc::Value object, Done<Object> done) override {
    if (!is_workflow(*key.resource)) return write("PUT", api_path(key), kJson, object, std::move(done));
    // The nodes are in the object, and are not to be touched.
    std::string version(doc::find_string(object, "metadata", "resourceVersion"));
    edit(
        api_, key,
        [wanted = std::move(object)](doc::Value& workflow) {
          replace(workflow, wanted);
          return Status();
        },
        std::move(version), std::move(done));
  }

  void patch(const Key& key, cluster::PatchType type, doc::Value patch, Done<Object> done) override {
    if (type != cluster::PatchType::kStrategic || !is_custom(*key.resource)) {
      return write("PATCH", api_path(key), cluster::media_type(type), patch, std::move(done));
    }
    edit(
        api_, key,
        [patch = std::move(patch), kind = key.resource->kind](doc::Value& object) {
          return doc::apply_strategic_merge_patch(object, patch, kind);
        },
        "", std::move(done));
  }

  void apply(const Key& key, doc::Value object, ApplyOptions options, Done<Object> done) override {
    http::Query query;
    query.add("fieldManager", options.field_manager);
    if (options.force) query.add("force", "true");
    // JSON is YAML.
    write("PATCH", api_path(key) + query.text(), "application/apply-patch+yaml", object, std::move(done));
  }

  void remove(const Key& key, cluster::DeleteOptions options, Done<Object> done) override {
    doc::Object body{{"kind", "DeleteOptions"}, {"apiVersion", "v1"}, {"propagationPolicy", "Background"}};
    if (!options.uid.empty()) body["preconditions"] = doc::Object{{"uid", options.uid}};
    if (options.grace_seconds >= 0) body["gracePeriodSeconds"] = options.grace_seconds;
    write("DELETE", api_path(key), kJson, std::move(body), std::move(done));
  }

  void update_workflow_status(const Key& key, cluster::WorkflowStatusUpdate update, Done<void> done) override {
    statuses_.write(key, std::move(update), std::move(done));
  }

  std::unique_ptr<cluster::Watch> watch(const cluster::Resource& resource, cluster::WatchOptions options,
                                        cluster::WatchSink sink) override {
    ObjectWatchOptions wanted{.watch = std::move(options)};
    if (is_workflow(resource)) {
      if (wanted.watch.without_status_updates) {
        wanted.own_change = [statuses = statuses_](const doc::Value& workflow) { return statuses.wrote(workflow); };
      }
      sink.on_event = [statuses = statuses_,
                       tell = std::move(sink.on_event)](const cluster::WatchEvent& event) mutable {
        if (event.type == cluster::WatchEvent::Type::kDeleted) statuses.forget(*event.object);
        tell(event);
      };
    }
    return watch_objects(api_, resource, std::move(wanted), std::move(sink));
  }

  std::unique_ptr<cluster::Watch> watch_nodes(const Key& workflow, NodeSink sink) override {
    return kube::watch_nodes(api_, workflow, std::move(sink));
  }

  std::unique_ptr<cluster::Watch> read_log(const Key& pod, cluster::LogOptions options,
                                           cluster::LogSink sink) override {
    return read_pod_log(api_, pod, options, std::move(sink));
  }

  void server_version(Done<std::string> done) override {
    api_->call({.target = "/version"}, [done = std::move(done)](Result<std::string> body) mutable {
      Result<doc::Value> version = body ? doc::parse_json(*body) : std::unexpected(std::move(body).error());
      if (!version) return done(std::unexpected(std::move(version).error()));
      done(std::string(doc::find_string(*version, "gitVersion")));
    });
  }

 private:
  static std::string api_path(const Key& key) { return cluster::api_path(key); }

  /// The object as `wanted`, but for what only the server sets.
  static void replace(doc::Value& object, const doc::Value& wanted) {
    doc::Value next = wanted;
    doc::Object& metadata = doc::ensure_object(next.as_object(), "metadata");
    for (const std::string_view field : {"managedFields", "resourceVersion", "generation"}) {
      const doc::Value* own = doc::find(object, "metadata", field);
      metadata.erase(field);
      if (own) metadata[field] = *own;
    }
    object = std::move(next);
  }

  void write(std::string_view method, std::string target, std::string_view type, const doc::Value& body,
             Done<Object> done) {
    api_->call({.method = std::string(method),
                .target = std::move(target),
                .content_type = std::string(type),
                .body = doc::to_json(body)},
               object_reader(std::move(done)));
  }

  std::shared_ptr<Api> api_;
  StatusWriter statuses_;
};

}  // namespace

Result<std::unique_ptr<KubeCluster>> make_kube_cluster(boost::asio::io_context& context, Executor& executor,
                                                       Random& random, const Access& access) {
  TIPHYS_TRY(auto api, Api::make(context, executor, random, access));
  return std::make_unique<Kubernetes>(std::move(api));
}

}  // namespace tiphys::kube
