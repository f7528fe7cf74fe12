// Which owners have to be looked at when something that they own, or could own, has changed.
#pragma once

#include <functional>

#include "controllers/workloads/plane_view.h"
#include "controllers/workloads/work_queue.h"

namespace tiphys::controllers::workloads {

/// Every object of the kind.
void queue_all(PlaneView& view, const cluster::Resource& owners, WorkQueue& queue);

/// The owner of this kind that controls `part`; where nobody does, those whose selector takes it and that `may_adopt`,
/// empty: all.
void queue_owners(PlaneView& view, const cluster::Resource& owners, const doc::Value& part, WorkQueue& queue,
                  const std::function<bool(const doc::Value& owner)>& may_adopt = {});

/// Tells an object as it was and as it is: one that has changed hands is news to both.
Mirror::Listener each_state(std::function<void(const doc::Value& object)> tell);

}  // namespace tiphys::controllers::workloads
