#include "controllers/workloads/mirror.h"

#include <charconv>

#include "base/log.h"
#include "controllers/workloads/fields.h"
#include "controllers/workloads/owner.h"

namespace tiphys::controllers::workloads {
namespace {

constexpr Duration kWatchAgainAfter = std::chrono::seconds(1);

std::uint64_t version_of(const doc::Value& object) {
  const auto text = doc::find_string(object, "metadata", "resourceVersion");
  std::uint64_t version = 0;
  std::from_chars(text.data(), text.data() + text.size(), version);
  return version;
}

}  // namespace

Mirror::Mirror(Executor& executor, cluster::Cluster& cluster, const cluster::Resource& resource,
               cluster::Selector labels, cluster::Selector fields, std::string ns)
    : executor_(executor),
      cluster_(cluster),
      resource_(resource),
      labels_(std::move(labels)),
      fields_(std::move(fields)),
      ns_(std::move(ns)) {}

void Mirror::start() {
  synced_ = false;
  removed_.clear();
  unseen_.clear();
  for (const auto& [name, object] : objects_) unseen_.insert(name);
  cluster::WatchOptions options;
  options.labels = labels_;
  options.fields = fields_;
  options.ns = ns_;
  cluster::WatchSink sink;
  sink.on_event = [this](const cluster::WatchEvent& event) { on_event(event); };
  sink.on_end = [this](const Error& error) {
    log::warn("the watch of {} ended and begins anew: {}", resource_.plural, error.message);
    synced_ = false;
    executor_.schedule(executor_.now() + kWatchAgainAfter, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->start();
    });
  };
  watch_ = cluster_.watch(resource_, std::move(options), std::move(sink));
}

void Mirror::on_event(const cluster::WatchEvent& event) {
  using Type = cluster::WatchEvent::Type;
  if (event.type == Type::kSynced) {
    for (const Name& name : std::exchange(unseen_, {})) erase(name);
    synced_ = true;
    for (const auto& then : synced_listeners_) then();
    return;
  }
  const Name name{namespace_of(*event.object), name_of(*event.object)};
  unseen_.erase(name);
  if (event.type == Type::kDeleted) {
    removed_.erase(uid_of(*event.object));
    const auto known = objects_.find(name);
    if (known != objects_.end() && uid_of(*known->second) == uid_of(*event.object)) erase(name);
  } else {
    put(event.object);
  }
}

void Mirror::put(const cluster::Object& object) {
  if (removed_.contains(uid_of(*object))) return;
  const Name name{namespace_of(*object), name_of(*object)};
  cluster::Object& known = objects_[name];
  if (known && version_of(*known) >= version_of(*object)) return;
  const cluster::Object before = std::exchange(known, object);
  if (before) by_controller_[std::string(controller_uid(*before))].erase(name);
  by_controller_[std::string(controller_uid(*object))].insert(name);
  tell(before, object);
}

void Mirror::erase(const Name& name) {
  auto known = objects_.extract(name);
  if (known.empty()) return;
  const cluster::Object before = known.mapped();
  const auto of_controller = by_controller_.find(std::string(controller_uid(*before)));
  of_controller->second.erase(name);
  if (of_controller->second.empty()) by_controller_.erase(of_controller);
  tell(before, nullptr);
}

void Mirror::tell(const cluster::Object& before, const cluster::Object& after) {
  for (const Listener& listener : listeners_) listener(before, after);
}

cluster::Object Mirror::find(const std::string& ns, const std::string& name) const {
  const auto found = objects_.find({ns, name});
  return found == objects_.end() ? nullptr : found->second;
}

std::vector<cluster::Object> Mirror::controlled_by(const std::string& uid) const {
  std::vector<cluster::Object> found;
  const auto names = by_controller_.find(uid);
  if (names == by_controller_.end()) return found;
  for (const Name& name : names->second) found.push_back(objects_.at(name));
  return found;
}

std::vector<cluster::Object> Mirror::in_namespace(const std::string& ns) const {
  std::vector<cluster::Object> found;
  for (auto it = ns.empty() ? objects_.begin() : objects_.lower_bound({ns, ""}); it != objects_.end(); ++it) {
    if (!ns.empty() && it->first.first != ns) break;
    found.push_back(it->second);
  }
  return found;
}

void Mirror::learn(const cluster::Object& object) {
  if (labels_.matches_labels(*object)) put(object);
}

void Mirror::learn_removed(const cluster::Object& object) {
  const Name name{namespace_of(*object), name_of(*object)};
  const auto known = objects_.find(name);
  if (known == objects_.end() || uid_of(*known->second) != uid_of(*object)) return;
  if (is_deleting(*object) && !list_at(*object, "metadata", "finalizers").empty()) return put(object);
  if (is_deleting(*object) && number_at(*object, "metadata", "deletionGracePeriodSeconds").value_or(0) > 0)
    return put(object);
  removed_.insert(uid_of(*object));
  erase(name);
}

}  // namespace tiphys::controllers::workloads
