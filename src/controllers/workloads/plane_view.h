// What the workload controllers know of a plane, and how they write to it: what they have written they know at once,
// so that nobody makes a pod twice because its watch is late.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string_view>

#include "controllers/workloads/mirror.h"

namespace tiphys::controllers::workloads {

class PlaneView : public std::enable_shared_from_this<PlaneView> {
 public:
  PlaneView(Executor& executor, cluster::Cluster& cluster) : executor_(executor), cluster_(cluster) {}
  PlaneView(const PlaneView&) = delete;
  PlaneView& operator=(const PlaneView&) = delete;

  Executor& executor() { return executor_; }
  cluster::Cluster& cluster() { return cluster_; }
  /// Made when it is first asked for; before start().
  Mirror& of(const cluster::Resource& resource);
  void start();
  /// Whether all copies are complete; that of pods counts once something is there that may own pods.
  bool synced() const;

  void create(const cluster::Resource& resource, doc::Value object, cluster::Done<cluster::Object> done);
  /// `object` has the resourceVersion that it was made from.
  void update(const cluster::Resource& resource, doc::Value object, cluster::Done<cluster::Object> done);
  void patch(const cluster::Key& key, cluster::PatchType type, doc::Value patch, cluster::Done<cluster::Object> done);
  /// That one object, no namesake.
  void remove(const cluster::Resource& resource, const doc::Value& object, cluster::Done<cluster::Object> done);
  /// Writes an Event about it. One that cannot be written is told in the log.
  void record(const cluster::Resource& resource, const doc::Value& about, std::string_view type,
              std::string_view reason, std::string_view message);

 private:
  /// Pods are copied once something is there that may own some, or a pod that its Job has left: on most planes there
  /// are many pods and no such thing.
  void follow_pods();
  void follow_what_jobs_left();
  cluster::Done<cluster::Object> learning(const cluster::Resource& resource, cluster::Done<cluster::Object> done);

  Executor& executor_;
  cluster::Cluster& cluster_;
  std::map<const cluster::Resource*, std::shared_ptr<Mirror>> mirrors_;
  bool follows_pods_ = false;
};

/// Waits for the answers of several writes.
class Answers {
 public:
  /// `then` is called once all are in, with the first error, in the turn of the last answer; at once in `close` when
  /// there are none.
  explicit Answers(std::move_only_function<void(Status)> then) : state_(std::make_shared<State>(std::move(then))) {}
  cluster::Done<cluster::Object> one();
  /// The same; that there is no such object is fine.
  cluster::Done<cluster::Object> one_unless_gone();
  /// No more will be asked for.
  void close();

 private:
  struct State {
    explicit State(std::move_only_function<void(Status)> wanted) : then(std::move(wanted)) {}
    void came(Status outcome);
    std::move_only_function<void(Status)> then;
    std::size_t open = 1;
    Status outcome{};
  };
  std::shared_ptr<State> state_;
};

}  // namespace tiphys::controllers::workloads
