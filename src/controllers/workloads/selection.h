// Which pods a controller takes for its own (controller.PodControllerRefManager).
#pragma once

#include <optional>
#include <vector>

#include "cluster/cluster.h"
#include "controllers/workloads/plane_view.h"

namespace tiphys::controllers::workloads {

/// metav1.LabelSelector.
bool selects(const doc::Value& label_selector, const doc::Value& labels);

/// The objects of one kind that belong to an owner, by reference and selector.
struct Belongings {
  std::vector<cluster::Object> mine{};  ///< its own, and they match
  std::vector<doc::Value> adopted{};    ///< nobody's, and they match: with a reference to it
  std::vector<doc::Value> let_go{};     ///< its own no longer: without it
};

/// `mirror` holds what may belong to `owner`; `selector` is its label selector. One that is being deleted adopts
/// nothing.
Belongings belongings_of(const Mirror& mirror, const cluster::Resource& owner_kind, const doc::Value& owner,
                         const doc::Value& selector);
/// Writes adoptions and releases. False when there are none.
bool settle(PlaneView& view, const cluster::Resource& resource, Belongings& belongings,
            std::move_only_function<void(Status)> done);

}  // namespace tiphys::controllers::workloads
