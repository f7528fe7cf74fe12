// A copy of all objects of one kind, kept up by a watch, and told at once of what its own side has written.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/executor.h"
#include "cluster/cluster.h"

namespace tiphys::controllers::workloads {

class Mirror : public std::enable_shared_from_this<Mirror> {
 public:
  /// Null before: the object is new; null after: it is gone.
  using Listener = std::function<void(const cluster::Object& before, const cluster::Object& after)>;

  /// With `fields` it knows what a watch tells alone. "" is all namespaces.
  Mirror(Executor& executor, cluster::Cluster& cluster, const cluster::Resource& resource, cluster::Selector labels,
         cluster::Selector fields = {}, std::string ns = {});

  const cluster::Resource& resource() const { return resource_; }
  void listen(Listener listener) { listeners_.push_back(std::move(listener)); }
  /// Called each time the copy has become complete.
  void when_synced(std::function<void()> then) { synced_listeners_.push_back(std::move(then)); }
  void start();
  /// Whether the copy is complete; while a lost watch begins anew it is not.
  bool synced() const { return synced_; }

  /// Null when there is none.
  cluster::Object find(const std::string& ns, const std::string& name) const;
  /// Those whose controller has this uid, in order; "": those that nobody controls.
  std::vector<cluster::Object> controlled_by(const std::string& uid) const;
  /// All of a namespace; "": all.
  std::vector<cluster::Object> in_namespace(const std::string& ns) const;

  /// An answer to a write, which may come before the watch tells it.
  void learn(const cluster::Object& object);
  /// The answer to a removal.
  void learn_removed(const cluster::Object& object);

 private:
  using Name = std::pair<std::string, std::string>;

  void on_event(const cluster::WatchEvent& event);
  void put(const cluster::Object& object);
  void erase(const Name& name);
  void tell(const cluster::Object& before, const cluster::Object& after);

  Executor& executor_;
  cluster::Cluster& cluster_;
  const cluster::Resource& resource_;
  cluster::Selector labels_, fields_;
  const std::string ns_;
  std::map<Name, cluster::Object> objects_;
  std::map<std::string, std::set<Name>> by_controller_;
  std::set<std::string> removed_;  ///< uids of objects whose removal was answered and not told yet
  std::set<Name> unseen_;          ///< while a watch begins: what was known and has not been told again
  bool synced_ = false;
  std::vector<Listener> listeners_;
  std::vector<std::function<void()>> synced_listeners_;
  std::unique_ptr<cluster::Watch> watch_;
};

}  // namespace tiphys::controllers::workloads
