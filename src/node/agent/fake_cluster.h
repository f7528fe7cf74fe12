// A plane in memory for the agent's tests: objects, watches, merge patches.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "cluster/cluster.h"
#include "doc/patch.h"

namespace tiphys::node::testing {

class FakeCluster final : public cluster::Cluster {
 public:
  explicit FakeCluster(Executor& executor) : executor_(executor) {}

  /// Puts an object in place and tells the watchers, as a client would.
  void put(const cluster::Resource& resource, doc::Value object) {
    const cluster::Key key{&resource, std::string(doc::find_string(object, "metadata", "namespace")),
                           std::string(doc::find_string(object, "metadata", "name"))};
    const bool known = objects_.contains(key);
    objects_[key] = std::make_shared<const doc::Value>(std::move(object));
    tell(key, known ? cluster::WatchEvent::Type::kModified : cluster::WatchEvent::Type::kAdded, objects_[key]);
  }
  /// What the plane makes of a client's deletion of a pod.
  void mark_deleted(const cluster::Key& key, int grace_seconds) {
    doc::Value object = *objects_.at(key);
    object.at("metadata").as_object()["deletionTimestamp"] = "2026-01-01T00:00:00Z";
    object.at("metadata").as_object()["deletionGracePeriodSeconds"] = grace_seconds;
    put(*key.resource, std::move(object));
  }
  const doc::Value* find(const cluster::Key& key) const {
    const auto found = objects_.find(key);
    return found == objects_.end() ? nullptr : found->second.get();
  }

  /// Ends the watches of a kind, as a store that cannot go on with them.
  void end_watches(const cluster::Resource& resource) {
    for (const auto& entry : std::vector(watches_)) {
      if (entry->resource != &resource || !std::exchange(entry->open, false)) continue;
      entry->sink.on_end({Code::kOutOfRange, "too old"});
    }
  }

  /// Patches of status so far, by pod name: the phase each wrote.
  std::map<std::string, std::vector<std::string>> phases;
  /// So many patches fail before one works.
  int failing_patches = 0;
  /// Watchers are told of the state before a patch once more, after it is answered and before that of its own.
  bool lags = false;

  void get(const cluster::Key& key, cluster::Done<cluster::Object> done) override {
    const auto found = objects_.find(key);
    answer(std::move(done), found == objects_.end() ? missing(key) : Result<cluster::Object>(found->second));
  }
  void patch(const cluster::Key& key, cluster::PatchType, doc::Value patch,
             cluster::Done<cluster::Object> done) override {
    const auto found = objects_.find(key);
    if (failing_patches > 0) {
      --failing_patches;
      return answer(std::move(done), fail(Code::kUnavailable, "the disk is full"));
    }
    if (found == objects_.end()) return answer(std::move(done), missing(key));
    phases[key.name].emplace_back(doc::find_string(patch, "status", "phase"));
    doc::Value object = *found->second;
    if (Status done_so = doc::apply_merge_patch(object, patch); !done_so) {
      return answer(std::move(done), std::unexpected(done_so.error()));
    }
    const cluster::Object before = std::exchange(found->second, std::make_shared<const doc::Value>(std::move(object)));
    answer(std::move(done), found->second);
    if (lags) tell(key, cluster::WatchEvent::Type::kModified, before);
    tell(key, cluster::WatchEvent::Type::kModified, found->second);
  }
  void remove(const cluster::Key& key, cluster::DeleteOptions, cluster::Done<cluster::Object> done) override {
    const auto found = objects_.find(key);
    if (found == objects_.end()) return answer(std::move(done), missing(key));
    const cluster::Object last = found->second;
    objects_.erase(found);
    answer(std::move(done), last);
    tell(key, cluster::WatchEvent::Type::kDeleted, last);
  }
  std::unique_ptr<cluster::Watch> watch(const cluster::Resource& resource, cluster::WatchOptions,
                                        cluster::WatchSink sink) override {
    auto entry = std::make_shared<Entry>(&resource, std::move(sink));
    watches_.push_back(entry);
    for (const auto& [key, object] : objects_) {
      if (key.resource == &resource) post(entry, {cluster::WatchEvent::Type::kAdded, object});
    }
    post(entry, {cluster::WatchEvent::Type::kSynced, nullptr});
    struct Handle final : cluster::Watch {
      explicit Handle(std::shared_ptr<Entry> watched) : watched_(std::move(watched)) {}
      ~Handle() override { watched_->open = false; }

     private:
      std::shared_ptr<Entry> watched_;
    };
    return std::make_unique<Handle>(entry);
  }

  void list(const cluster::Resource&, cluster::ListOptions, cluster::Done<cluster::List> done) override {
    done(unused());
  }
  void create(const cluster::Resource&, doc::Value, cluster::Done<cluster::Object> done) override { done(unused()); }
  void update(const cluster::Key&, doc::Value, cluster::Done<cluster::Object> done) override { done(unused()); }
  void update_workflow_status(const cluster::Key&, cluster::WorkflowStatusUpdate, cluster::Done<void> done) override {
    done(unused());
  }
  std::unique_ptr<cluster::Watch> watch_nodes(const cluster::Key&, NodeSink) override { return nullptr; }
  std::unique_ptr<cluster::Watch> read_log(const cluster::Key&, cluster::LogOptions, cluster::LogSink) override {
    return nullptr;
  }

 private:
  struct Entry {
    Entry(const cluster::Resource* of, cluster::WatchSink to) : resource(of), sink(std::move(to)) {}
    const cluster::Resource* resource;
    cluster::WatchSink sink;
    bool open = true;
  };

  static std::unexpected<Error> unused() { return fail(Code::kUnimplemented, "the agent does not do this"); }
  static std::unexpected<Error> missing(const cluster::Key& key) {
    return fail(Code::kNotFound, fmt::format("{} \"{}\" not found", key.resource->plural, key.name));
  }
  void answer(cluster::Done<cluster::Object> done, Result<cluster::Object> result) {
    executor_.post([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
  }
  void post(const std::shared_ptr<Entry>& entry, cluster::WatchEvent event) {
    executor_.post([entry, event = std::move(event)] {
      if (entry->open) entry->sink.on_event(event);
    });
  }
  void tell(const cluster::Key& key, cluster::WatchEvent::Type type, const cluster::Object& object) {
    for (const auto& entry : watches_) {
      if (entry->open && entry->resource == key.resource) post(entry, {type, object});
    }
  }

  Executor& executor_;
  std::map<cluster::Key, cluster::Object> objects_;
  std::vector<std::shared_ptr<Entry>> watches_;
};

}  // namespace tiphys::node::testing
