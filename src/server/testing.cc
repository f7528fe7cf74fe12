#include "server/testing.h"

#include <fmt/format.h>

#include <optional>

#include "cluster/patch.h"
#include "doc/patch.h"

namespace tiphys::server {

using cluster::Key;
using cluster::Object;
using Type = cluster::WatchEvent::Type;

struct FakeCluster::ObjectWatch final : cluster::Watch {
  ObjectWatch(FakeCluster& fake_cluster, const cluster::Resource& watched, cluster::WatchOptions wanted,
              cluster::WatchSink to)
      : fake(fake_cluster), resource(watched), options(std::move(wanted)), sink(std::move(to)) {
    fake.watches_.insert(this);
  }
  ~ObjectWatch() override { fake.watches_.erase(this); }
  bool wants(const Key& key, const doc::Value& object) const {
    return key.resource == &resource && (options.ns.empty() || options.ns == key.ns) &&
           options.labels.matches_labels(object) && options.fields.matches_fields(object);
  }
  FakeCluster& fake;
  const cluster::Resource& resource;
  cluster::WatchOptions options;
  cluster::WatchSink sink;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

struct FakeCluster::NodeWatch final : cluster::Watch {
  NodeWatch(FakeCluster& fake_cluster, Key watched, NodeSink to)
      : fake(fake_cluster), key(std::move(watched)), sink(std::move(to)) {
    fake.node_watches_.insert(this);
  }
  ~NodeWatch() override { fake.node_watches_.erase(this); }
  FakeCluster& fake;
  Key key;
  NodeSink sink;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

struct FakeCluster::LogReading final : cluster::Watch {
  LogReading(FakeCluster& fake_cluster, cluster::LogSink to) : fake(fake_cluster), sink(std::move(to)) {
    fake.log_readings_.insert(this);
  }
  ~LogReading() override { fake.log_readings_.erase(this); }
  void pause(bool paused) override { ++(paused ? fake.pauses : fake.resumptions); }
  FakeCluster& fake;
  cluster::LogSink sink;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);

  /// Told once.
  void end(const Status& status) {
    if (!std::exchange(ended, true)) sink.on_end(status);
  }
  bool ended = false;
};

FakeCluster::FakeCluster(Executor& executor) : executor_(executor) {
  const doc::Object metadata{{"name", "default"}, {"resourceVersion", "1"}};
  objects_[{&cluster::kNamespaces, "", "default"}] = std::make_shared<const doc::Value>(
      doc::Object{{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", metadata}});
}

template <typename T>
void FakeCluster::answer(cluster::Done<T> done, Result<T> result) {
  if (broken) result = std::unexpected(*broken);
  executor_.post([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
}

const doc::Value* FakeCluster::find(const Key& key) const {
  const auto it = objects_.find(key);
  return it == objects_.end() ? nullptr : it->second.get();
}

Object FakeCluster::store(const Key& key, doc::Value object) {
  doc::Object& metadata = doc::ensure_object(object.get_object(), "metadata");
  metadata["resourceVersion"] = std::to_string(++version_);
  auto shared = std::make_shared<const doc::Value>(std::move(object));
  objects_[key] = shared;
  return shared;
}

Object FakeCluster::with_nodes(const Key& key, const Object& object) const {
  const auto it = nodes_.find(key);
  if (it == nodes_.end()) return object;
  doc::Value copy = *object;
  doc::Object& nodes = doc::ensure_object(doc::ensure_object(copy.get_object(), "status"), "nodes");
  for (const auto& [id, json] : it->second) nodes[id] = doc::parse_json(json).value();
  return std::make_shared<const doc::Value>(std::move(copy));
}

void FakeCluster::tell(Type type, const Key& key, const Object& object) {
  for (ObjectWatch* watch : watches_) {
    if (!watch->wants(key, *object)) continue;
    executor_.post([watch, alive = std::weak_ptr(watch->alive), event = cluster::WatchEvent{type, object}] {
      if (!alive.expired()) watch->sink.on_event(event);
    });
  }
}

void FakeCluster::set_node(const Key& workflow, const std::string& id, const std::string& json) {
  nodes_[workflow][id] = json;
  for (NodeWatch* watch : node_watches_) {
    if (watch->key == workflow) {
      executor_.post([watch, alive = std::weak_ptr(watch->alive), json] {
        if (!alive.expired()) watch->sink.on_node(json);
      });
    }
  }
}

void FakeCluster::end_watches(const Error& error) {
  for (ObjectWatch* watch : watches_) {
    executor_.post([watch, alive = std::weak_ptr(watch->alive), error] {
      if (!alive.expired()) watch->sink.on_end(error);
    });
  }
}

void FakeCluster::end_logs() {
  for (LogReading* reading : log_readings_) {
    executor_.post([reading, alive = std::weak_ptr(reading->alive)] {
      if (!alive.expired()) reading->end({});
    });
  }
}

void FakeCluster::get(const Key& key, cluster::Done<Object> done) {
  const auto it = objects_.find(key);
  if (it == objects_.end()) {
    return answer<Object>(std::move(done),
                          fail(Code::kNotFound, fmt::format("{} \"{}\" not found", key.resource->plural, key.name)));
  }
  answer<Object>(std::move(done), with_nodes(key, it->second));
}

void FakeCluster::list(const cluster::Resource& resource, cluster::ListOptions options,
                       cluster::Done<cluster::List> done) {
  cluster::List list;
  list.resource_version = version_;
  for (const auto& [key, object] : objects_) {
    if (key.resource != &resource || (!options.ns.empty() && options.ns != key.ns)) continue;
    if (!options.labels.matches_labels(*object) || !options.fields.matches_fields(*object)) continue;
    if (!options.continue_token.empty() && key.name <= options.continue_token) continue;
    if (options.limit > 0 && list.items.size() == options.limit) {
      list.continue_token = doc::find_string(*list.items.back(), "metadata", "name");
      break;
    }
    list.items.push_back(options.with_nodes ? with_nodes(key, object) : object);
  }
  answer<cluster::List>(std::move(done), std::move(list));
}

void FakeCluster::modify(const Key& key, Make make, store::WriteOptions options, cluster::Done<Object> done) {
  const auto it = objects_.find(key);
  auto object = make(it == objects_.end() ? nullptr : it->second);
  if (!object) return answer<Object>(std::move(done), std::unexpected(object.error()));
  if (options.dry_run) return answer<Object>(std::move(done), std::make_shared<const doc::Value>(std::move(*object)));
  if (it == objects_.end()) return create(*key.resource, std::move(*object), options, std::move(done));
  update(key, std::move(*object), std::move(done));
}

void FakeCluster::create(const cluster::Resource& resource, doc::Value object, store::WriteOptions options,
                         cluster::Done<Object> done) {
  doc::Object& metadata = doc::ensure_object(object.get_object(), "metadata");
  std::string name(doc::find_string(object, "metadata", "name"));
  if (name.empty()) {
    name = std::string(doc::find_string(object, "metadata", "generateName")) + std::to_string(++names_);
    metadata["name"] = name;
  }
  Key key{&resource, std::string(doc::find_string(object, "metadata", "namespace")), name};
  if (objects_.contains(key)) {
    return answer<Object>(std::move(done),
                          fail(Code::kAlreadyExists, fmt::format("{} \"{}\" already exists", resource.plural, name)));
  }
  metadata["uid"] = "uid-" + name;
  metadata["creationTimestamp"] = format_rfc3339(executor_.now());
  if (options.dry_run) return answer<Object>(std::move(done), std::make_shared<const doc::Value>(std::move(object)));
  const Object stored = store(key, std::move(object));
  tell(Type::kAdded, key, stored);
  answer<Object>(std::move(done), stored);
}

void FakeCluster::update(const Key& key, doc::Value object, cluster::Done<Object> done) {
  const auto it = objects_.find(key);
  if (it == objects_.end()) return answer<Object>(std::move(done), fail(Code::kNotFound, key.name + " not found"));
  const std::string_view version = doc::find_string(object, "metadata", "resourceVersion");
  if (!version.empty() && version != doc::find_string(*it->second, "metadata", "resourceVersion")) {
    return answer<Object>(std::move(done), fail(Code::kAborted, "the object has been modified"));
  }
  const Object stored = store(key, std::move(object));
  tell(Type::kModified, key, stored);
  answer<Object>(std::move(done), stored);
}

void FakeCluster::patch(const Key& key, cluster::PatchType type, doc::Value patch, cluster::Done<Object> done) {
  const auto it = objects_.find(key);
  if (it == objects_.end()) return answer<Object>(std::move(done), fail(Code::kNotFound, key.name + " not found"));
  doc::Value object = *it->second;
  const Status status = cluster::apply_patch(object, type, patch);
  if (!status) return answer<Object>(std::move(done), std::unexpected(status.error()));
  update(key, std::move(object), std::move(done));
}

void FakeCluster::remove(const Key& key, cluster::DeleteOptions options, cluster::Done<Object> done) {
  const auto it = objects_.find(key);
  if (it == objects_.end()) return answer<Object>(std::move(done), fail(Code::kNotFound, key.name + " not found"));
  const Object object = it->second;
  if (!options.uid.empty() && options.uid != doc::find_string(*object, "metadata", "uid")) {
    return answer<Object>(std::move(done), fail(Code::kAborted, "the object has another uid"));
  }
  objects_.erase(it);
  nodes_.erase(key);
  tell(Type::kDeleted, key, object);
  answer<Object>(std::move(done), object);
}

void FakeCluster::update_workflow_status(const Key& key, cluster::WorkflowStatusUpdate update,
                                         cluster::Done<void> done) {
  const auto it = objects_.find(key);
  if (it == objects_.end()) return answer<void>(std::move(done), fail(Code::kNotFound, key.name + " not found"));
  for (const auto& node : update.nodes) set_node(key, node.id, node.json);
  doc::Value patch =
      doc::Object{{"status", update.fields},
                  {"metadata", doc::Object{{"labels", update.labels}, {"annotations", update.annotations}}}};
  doc::Value object = *it->second;
  if (Status merged = doc::apply_merge_patch(object, patch); !merged) return answer<void>(std::move(done), merged);
  tell(Type::kModified, key, store(key, std::move(object)));
  answer<void>(std::move(done), {});
}

std::unique_ptr<cluster::Watch> FakeCluster::watch(const cluster::Resource& resource, cluster::WatchOptions options,
                                                   cluster::WatchSink sink) {
  auto watch = std::make_unique<ObjectWatch>(*this, resource, std::move(options), std::move(sink));
  ObjectWatch* const raw = watch.get();
  if (broken || (raw->options.resource_version != 0 && raw->options.resource_version < 100)) {
    const Error error = broken.value_or(Error{Code::kOutOfRange, "too old resource version"});
    executor_.post([raw, alive = std::weak_ptr(raw->alive), error] {
      if (!alive.expired()) raw->sink.on_end(error);
    });
    return watch;
  }
  const std::uint64_t after = raw->options.resource_version;
  for (const auto& [key, object] : objects_) {
    const bool newer = std::stoull(std::string(doc::find_string(*object, "metadata", "resourceVersion"))) > after;
    if (!newer || !raw->wants(key, *object)) continue;
    executor_.post([raw, alive = std::weak_ptr(raw->alive), event = cluster::WatchEvent{Type::kAdded, object}] {
      if (!alive.expired()) raw->sink.on_event(event);
    });
  }
  if (after != 0) return watch;
  executor_.post([raw, alive = std::weak_ptr(raw->alive)] {
    if (!alive.expired()) raw->sink.on_event({Type::kSynced, nullptr});
  });
  return watch;
}

std::unique_ptr<cluster::Watch> FakeCluster::watch_nodes(const Key& workflow, NodeSink sink) {
  auto watch = std::make_unique<NodeWatch>(*this, workflow, std::move(sink));
  NodeWatch* const raw = watch.get();
  for (const auto& [id, json] : nodes_[workflow]) {
    executor_.post([raw, alive = std::weak_ptr(raw->alive), text = json] {
      if (!alive.expired()) raw->sink.on_node(text);
    });
  }
  executor_.post([raw, alive = std::weak_ptr(raw->alive)] {
    if (!alive.expired()) raw->sink.on_synced();
  });
  return watch;
}

std::unique_ptr<cluster::Watch> FakeCluster::read_log(const Key& pod, cluster::LogOptions options,
                                                      cluster::LogSink sink) {
  auto reading = std::make_unique<LogReading>(*this, std::move(sink));
  LogReading* const raw = reading.get();
  executor_.post([this, raw, alive = std::weak_ptr(raw->alive), name = pod.name, options = std::move(options)] {
    const auto it = logs.find(name);
    if (alive.expired()) return;
    if (it == logs.end()) return raw->end(fail(Code::kNotFound, fmt::format("pods \"{}\" not found", name)));
    std::size_t first = 0;
    if (options.tail >= 0 && static_cast<std::size_t>(options.tail) < it->second.size())
      first = it->second.size() - options.tail;
    for (std::size_t i = first; i < it->second.size(); ++i) {
      const LogLine& line = it->second[i];
      if (line.at >= options.since) raw->sink.on_line(line.text, line.at, line.stream);
      if (alive.expired()) return;
    }
    if (!options.follow || !open_logs.contains(name)) raw->end({});
  });
  return reading;
}

}  // namespace tiphys::server
