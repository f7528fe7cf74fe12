// Empties one namespace that is being deleted, and tells when there is something new to do there.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cluster/cluster.h"

namespace tiphys::controllers {

class NamespaceContents : public std::enable_shared_from_this<NamespaceContents> {
 public:
  struct Remains {
    std::map<std::string, std::size_t> resources{};   ///< "pods." and "jobs.batch" with their numbers
    std::map<std::string, std::size_t> finalizers{};  ///< of objects
    std::vector<std::string> errors{};                ///< why kinds could not be deleted
    bool removed_any = false;                         ///< so that less may remain than that
  };

  /// `changed` is called when kinds that had objects have none any more, or have got new ones.
  NamespaceContents(cluster::Cluster& cluster, std::string ns, std::function<void()> changed)
      : cluster_(cluster), ns_(std::move(ns)), changed_(std::move(changed)) {}

  /// Removes the objects of these resources, and tells what there was. One call at a time.
  void sweep(std::vector<const cluster::Resource*> resources, std::move_only_function<void(Remains)> done);

 private:
  struct Sweep;
  struct Followed {
    std::unique_ptr<cluster::Watch> watch;
    std::set<std::string> names;
    bool synced = false;
  };

  void next_page(const std::shared_ptr<Sweep>& sweep);
  void remove(const std::shared_ptr<Sweep>& sweep, const cluster::Resource& resource, const cluster::List& page);
  void follow(const cluster::Resource& resource);
  void on_event(const cluster::Resource& resource, const cluster::WatchEvent& event);

  cluster::Cluster& cluster_;
  const std::string ns_;
  const std::function<void()> changed_;
  std::map<const cluster::Resource*, Followed> followed_;
};

}  // namespace tiphys::controllers
