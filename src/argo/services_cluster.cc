#include "argo/services_cluster.h"

#include <fmt/format.h>

#include <algorithm>

#include "argo/ask.h"
#include "cluster/api_request.h"
#include "cluster/list_head.h"
#include "cluster/node_teller.h"

namespace tiphys::argo {
namespace {

/// How a service names what it is about.
struct ServedKind {
  const cluster::Resource& resource;
  const char* service;
  const char* one;   ///< in "GetWorkflow"
  const char* many;  ///< in "ListWorkflows"
  const char* member;
};

const ServedKind kKinds[] = {
    {cluster::kWorkflows, kWorkflowService, "Workflow", "Workflows", "workflow"},
    {cluster::kWorkflowTemplates, kTemplateService, "WorkflowTemplate", "WorkflowTemplates", "template"},
    {cluster::kClusterWorkflowTemplates, kClusterTemplateService, "ClusterWorkflowTemplate", "ClusterWorkflowTemplates",
     "template"},
    {cluster::kCronWorkflows, kCronService, "CronWorkflow", "CronWorkflows", "cronWorkflow"},
};

Error not_served(std::string_view what) {
  return {Code::kUnimplemented, fmt::format("Argo's API, which is all that this server has, does not serve {}", what)};
}

/// nullptr after it has told that there is no such kind.
template <typename T>
const ServedKind* find_kind(const cluster::Resource& resource, cluster::Done<T>& done) {
  const auto* found = std::ranges::find_if(kKinds, [&](const ServedKind& kind) { return &kind.resource == &resource; });
  if (found != std::end(kKinds)) return found;
  done(std::unexpected(not_served(resource.plural)));
  return nullptr;
}

doc::Object named(const cluster::Key& key) {
  doc::Object request{{"name", key.name}};
  if (key.resource->namespaced) request["namespace"] = key.ns;
  return request;
}

/// The original's server leaves out what its objects are.
void name_kind(const cluster::Resource& resource, doc::Value& object) {
  doc::Object* fields = object.if_object();
  if (!fields || fields->contains("kind") || !fields->contains("metadata")) return;
  doc::Object named{{"apiVersion", resource.api_version()}, {"kind", resource.kind}};
  for (auto& [key, value] : *fields) named[key] = std::move(value);
  object = std::move(named);
}

cluster::Done<doc::Value> object_reader(const cluster::Resource& resource, cluster::Done<cluster::Object> done) {
  return [&resource, done = std::move(done)](Result<doc::Value> message) mutable {
    if (!message) return done(std::unexpected(std::move(message.error())));
    name_kind(resource, *message);
    done(std::make_shared<const doc::Value>(std::move(*message)));
  };
}

cluster::List read_list(const cluster::Resource& resource, doc::Value message) {
  cluster::List list;
  doc::Value* items = cluster::read_list_head(message, list);
  if (!items || !items->is_array()) return list;  // of nothing there is null
  for (doc::Value& item : items->get_array()) {
    name_kind(resource, item);
    list.items.push_back(std::make_shared<const doc::Value>(std::move(item)));
  }
  return list;
}

/// One workflow: as it is, then as it changes. The stream begins anew when the server ends it.
class WorkflowWatch final : public cluster::Watch {
 public:
  WorkflowWatch(Services& services, cluster::Key key, bool with_nodes, cluster::WatchSink sink)
      : services_(services), key_(std::move(key)), with_nodes_(with_nodes), sink_(std::move(sink)) {
    begin();
  }

 private:
  using Type = cluster::WatchEvent::Type;

  void begin() {
    doc::Object request = named(key_);
    if (!with_nodes_) request["fields"] = "-status.nodes";
    ask(services_, kWorkflowService, "GetWorkflow", std::move(request),
        [this, alive = std::weak_ptr(alive_)](Result<doc::Value> workflow) {
          if (!alive.expired()) take(std::move(workflow));
        });
  }

  void take(Result<doc::Value> workflow) {
    const std::weak_ptr<bool> alive = alive_;
    const bool gone = !workflow && workflow.error().code == Code::kNotFound;
    if (gone && newest_) return tell(Type::kDeleted, newest_);
    if (!workflow && !gone) return sink_.on_end(std::move(workflow.error()));
    if (workflow) tell(Type::kAdded, std::make_shared<const doc::Value>(std::move(*workflow)));
    if (!alive.expired()) tell(Type::kSynced, nullptr);
    if (!alive.expired() && !gone) follow();
  }

  void follow() {
    doc::Object request{{"namespace", key_.ns},
                        {"listOptions", doc::Object{{"fieldSelector", "metadata.name=" + key_.name}}}};
    if (!with_nodes_) request["fields"] = "-result.object.status.nodes";
    heard_ = false;
    stream_ = listen(services_, kWorkflowService, "WatchWorkflows", std::move(request),
                     {[this](const doc::Value& message) { take_message(message); },
                      [this](Status status) { end(std::move(status)); }});
  }

  void take_message(const doc::Value& message) {
    const std::string_view type = doc::find_string(message, "type");
    const doc::Value* object = doc::find(message, "object");
    if (!object || !object->is_object()) return;
    heard_ = true;
    tell(type == "DELETED" ? Type::kDeleted : Type::kModified, std::make_shared<const doc::Value>(*object));
  }

  void end(Status status) {
    // Servers and what is before them end streams after a while.
    if (status && heard_) return begin();
    sink_.on_end(status ? Error{Code::kUnavailable, "the server has ended the watch of the workflow"}
                        : std::move(status.error()));
  }

  void tell(Type type, const cluster::Object& object) {
    if (object) newest_ = object;
    sink_.on_event({.type = type, .object = object});
  }

  Services& services_;
  const cluster::Key key_;
  const bool with_nodes_;
  cluster::WatchSink sink_;
  cluster::Object newest_;
  bool heard_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<cluster::Watch> stream_;
};

class NodeWatch final : public cluster::Watch {
 public:
  NodeWatch(Services& services, const cluster::Key& workflow, cluster::Cluster::NodeSink sink)
      : teller_(workflow.name, std::move(sink)),
        watch_(services, workflow, true,
               {[this](const cluster::WatchEvent& event) { teller_.take(event); },
                [this](Error error) { teller_.end(std::move(error)); }}) {}

 private:
  cluster::NodeTeller teller_;
  WorkflowWatch watch_;
};

/// The name that a selector means alone.
std::string selected_name(const cluster::Selector& fields) {
  for (const cluster::Requirement& one : fields.requirements()) {
    if (one.key == "metadata.name" && one.op == cluster::Requirement::Op::kEquals) return one.values.front();
  }
  return "";
}

class ServicesCluster final : public cluster::Cluster {
 public:
  explicit ServicesCluster(Services& services) : services_(services) {}

  void get(const cluster::Key& key, cluster::Done<cluster::Object> done) override {
    const ServedKind* kind = find_kind(*key.resource, done);
    if (kind)
      ask(services_, kind->service, fmt::format("Get{}", kind->one), named(key),
          object_reader(kind->resource, std::move(done)));
  }

  void list(const cluster::Resource& resource, cluster::ListOptions options,
            cluster::Done<cluster::List> done) override {
    const ServedKind* kind = find_kind(resource, done);
    if (!kind) return;
    doc::Object asked;
    if (!options.labels.empty()) asked["labelSelector"] = cluster::selector_text(options.labels);
    if (!options.fields.empty()) asked["fieldSelector"] = cluster::selector_text(options.fields);
    if (options.limit > 0) asked["limit"] = static_cast<std::int64_t>(options.limit);
    if (!options.continue_token.empty()) asked["continue"] = options.continue_token;
    doc::Object request;
    if (!asked.empty()) request["listOptions"] = std::move(asked);
    if (resource.namespaced) request["namespace"] = options.ns;
    if (&resource == &cluster::kWorkflows && !options.with_nodes) request["fields"] = "-items.status.nodes";
    ask(services_, kind->service, fmt::format("List{}", kind->many), std::move(request),
        [&resource, done = std::move(done)](Result<doc::Value> message) mutable {
          message ? done(read_list(resource, std::move(*message))) : done(std::unexpected(std::move(message.error())));
        });
  }

  void create(const cluster::Resource& resource, doc::Value object, cluster::Done<cluster::Object> done) override {
    const ServedKind* kind = find_kind(resource, done);
    if (!kind) return;
    doc::Object request;
    if (resource.namespaced) request["namespace"] = doc::find_string(object, "metadata", "namespace");
    request[kind->member] = std::move(object);
    ask(services_, kind->service, fmt::format("Create{}", kind->one), std::move(request),
        object_reader(kind->resource, std::move(done)));
  }

  void update(const cluster::Key& key, doc::Value object, cluster::Done<cluster::Object> done) override {
    const ServedKind* kind = find_kind(*key.resource, done);
    if (!kind) return;
    if (key.resource == &cluster::kWorkflows) return done(std::unexpected(not_served("updates of workflows")));
    doc::Object request = named(key);
    request[kind->member] = std::move(object);
    ask(services_, kind->service, fmt::format("Update{}", kind->one), std::move(request),
        object_reader(kind->resource, std::move(done)));
  }

  void patch(const cluster::Key&, cluster::PatchType, doc::Value, cluster::Done<cluster::Object> done) override {
    done(std::unexpected(not_served("patches")));
  }

  /// Gives an empty object: that is what the methods answer with.
  void remove(const cluster::Key& key, cluster::DeleteOptions, cluster::Done<cluster::Object> done) override {
    const ServedKind* kind = find_kind(*key.resource, done);
    if (!kind) return;
    ask(services_, kind->service, fmt::format("Delete{}", kind->one), named(key),
        object_reader(kind->resource, std::move(done)));
  }

  void update_workflow_status(const cluster::Key&, cluster::WorkflowStatusUpdate, cluster::Done<void> done) override {
    done(std::unexpected(not_served("statuses of workflows")));
  }

  std::unique_ptr<cluster::Watch> watch(const cluster::Resource& resource, cluster::WatchOptions options,
                                        cluster::WatchSink sink) override {
    cluster::Key key{&resource, options.ns, selected_name(options.fields)};
    if (&resource == &cluster::kWorkflows && !key.name.empty()) {
      return std::make_unique<WorkflowWatch>(services_, std::move(key), options.with_nodes, std::move(sink));
    }
    sink.on_end(not_served("such a watch"));
    return nullptr;
  }

  std::unique_ptr<cluster::Watch> watch_nodes(const cluster::Key& workflow, NodeSink sink) override {
    return std::make_unique<NodeWatch>(services_, workflow, std::move(sink));
  }

  std::unique_ptr<cluster::Watch> read_log(const cluster::Key&, cluster::LogOptions, cluster::LogSink sink) override {
    sink.on_end(std::unexpected(not_served("logs of pods by themselves")));
    return nullptr;
  }

 private:
  Services& services_;
};

}  // namespace

std::unique_ptr<cluster::Cluster> make_services_cluster(Services& services) {
  return std::make_unique<ServicesCluster>(services);
}

}  // namespace tiphys::argo
