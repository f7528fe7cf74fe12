#include "objects/caller_cluster.h"

#include "base/check.h"
#include "cluster/api_status.h"

namespace tiphys::objects {
namespace {

/// Objects that clients make come with what they own; who may not make namespaces is told that one is missing.
const WriteOptions kWrites{.validation = FieldValidation::kIgnore, .field_manager = "argo", .ensure_namespace = true};

Reply<Written> written_to(cluster::Done<cluster::Object> done) {
  return [done = std::move(done)](Outcome<Written> written) mutable {
    if (!written) return done(std::unexpected(error_of(written.error())));
    done(std::move(written->object));
  };
}

template <typename T>
Reply<T> told_to(cluster::Done<T> done) {
  return [done = std::move(done)](Outcome<T> result) mutable {
    if (!result) return done(std::unexpected(error_of(result.error())));
    done(std::move(*result));
  };
}

}  // namespace

Error error_of(const Refusal& refusal) {
  Error error = cluster::error_of(refusal.code, doc::to_json(status_of(refusal)));
  // An object that breaks its kind's rules is what was asked for; preconditions fail otherwise.
  if (refusal.reason == "Invalid") error.code = Code::kInvalidArgument;
  return error;
}

Target CallerCluster::target(const cluster::Resource& resource, const std::string& ns, const std::string& name) const {
  const KindPtr kind = api_.kinds().find(resource.group, resource.version, resource.plural);
  TIPHYS_CHECK(kind, "code asks for kinds that are served");
  return {.kind = kind, .ns = resource.namespaced ? ns : "", .name = name, .caller = caller_};
}

void CallerCluster::get(const cluster::Key& key, cluster::Done<cluster::Object> done) {
  api_.get(target(key), told_to<cluster::Object>(std::move(done)));
}

void CallerCluster::list(const cluster::Resource& resource, cluster::ListOptions options,
                         cluster::Done<cluster::List> done) {
  const Target all = target(resource, options.ns);
  api_.list(all, std::move(options), told_to<cluster::List>(std::move(done)));
}

void CallerCluster::create(const cluster::Resource& resource, doc::Value object, cluster::Done<cluster::Object> done) {
  const std::string ns(doc::find_string(object, "metadata", "namespace"));
  api_.create(target(resource, ns), std::move(object), kWrites, written_to(std::move(done)));
}

void CallerCluster::try_create(const cluster::Resource& resource, doc::Value object,
                               cluster::Done<cluster::Object> done) {
  const std::string ns(doc::find_string(object, "metadata", "namespace"));
  WriteOptions options = kWrites;
  options.dry_run = true;
  api_.create(target(resource, ns), std::move(object), options, written_to(std::move(done)));
}

void CallerCluster::update(const cluster::Key& key, doc::Value object, cluster::Done<cluster::Object> done) {
  api_.update(target(key), std::move(object), kWrites, written_to(std::move(done)));
}

void CallerCluster::patch(const cluster::Key& key, cluster::PatchType type, doc::Value patch,
                          cluster::Done<cluster::Object> done) {
  api_.patch(target(key), type, std::move(patch), kWrites, written_to(std::move(done)));
}

void CallerCluster::remove(const cluster::Key& key, cluster::DeleteOptions options,
                           cluster::Done<cluster::Object> done) {
  RemoveOptions removal;
  static_cast<cluster::DeleteOptions&>(removal) = std::move(options);
  removal.propagation = cluster::Propagation::kBackground;
  api_.remove(target(key), std::move(removal), [done = std::move(done)](Outcome<Removed> removed) mutable {
    if (!removed) return done(std::unexpected(error_of(removed.error())));
    done(std::move(removed->object));
  });
}

void CallerCluster::update_workflow_status(const cluster::Key&, cluster::WorkflowStatusUpdate,
                                           cluster::Done<void> done) {
  done(fail(Code::kUnimplemented, "statuses of workflows are written by their controller alone"));
}

std::unique_ptr<cluster::Watch> CallerCluster::watch(const cluster::Resource& resource, cluster::WatchOptions options,
                                                     cluster::WatchSink sink) {
  const Target all = target(resource, options.ns);
  if (auto allowed = api_.allow(all, "watch"); !allowed) {
    sink.on_end(error_of(allowed.error()));
    return nullptr;
  }
  return api_.watch(all, std::move(options), std::move(sink));
}

std::unique_ptr<cluster::Watch> CallerCluster::watch_nodes(const cluster::Key& workflow, NodeSink sink) {
  if (auto allowed = api_.allow(target(workflow), "watch"); !allowed) {
    sink.on_end(error_of(allowed.error()));
    return nullptr;
  }
  return api_.store().watch_nodes(workflow, std::move(sink));
}

std::unique_ptr<cluster::Watch> CallerCluster::read_log(const cluster::Key& pod, cluster::LogOptions options,
                                                        cluster::LogSink sink) {
  Target log = target(pod);
  log.subresource = "log";
  if (auto allowed = api_.allow(log, "get"); !allowed) {
    sink.on_end(std::unexpected(error_of(allowed.error())));
    return nullptr;
  }
  return api_.store().read_log(pod, std::move(options), std::move(sink));
}

}  // namespace tiphys::objects
