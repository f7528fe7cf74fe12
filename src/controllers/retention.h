// How many finished workflows are kept, by how they ended: retentionPolicy of the controller's configuration. Original:
// workflow/gccontroller/gc_controller.go.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "api/controller_config.h"
#include "cluster/resource.h"

namespace tiphys::controllers {

/// Remembers as many as are kept. A call costs the logarithm of that.
class Retention {
 public:
  explicit Retention(api::ControllerConfig::Retention most) : most_(most) {}

  struct Ended {
    cluster::Key key;
    std::string uid;
  };
  /// One has ended: those that are too many now, the oldest of the same phase.
  std::vector<Ended> ended(const doc::Value& workflow);
  /// One has been deleted, or goes on.
  void forget(const cluster::Key& key);

 private:
  struct Place {
    Time created{};
    cluster::Key key;
    std::string uid;
    auto operator<=>(const Place&) const = default;
  };

  std::size_t most(std::string_view phase) const;

  api::ControllerConfig::Retention most_;
  std::map<std::string, std::set<Place>, std::less<>> kept_;      ///< by phase, the oldest first
  std::map<cluster::Key, std::pair<std::string, Place>> places_;  ///< phase and place
};

}  // namespace tiphys::controllers
