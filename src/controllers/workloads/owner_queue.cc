#include "controllers/workloads/owner_queue.h"

#include "controllers/workloads/fields.h"
#include "controllers/workloads/owner.h"
#include "controllers/workloads/selection.h"

namespace tiphys::controllers::workloads {

void queue_all(PlaneView& view, const cluster::Resource& owners, WorkQueue& queue) {
  for (const auto& one : view.of(owners).in_namespace("")) queue.add({namespace_of(*one), name_of(*one)});
}

void queue_owners(PlaneView& view, const cluster::Resource& owners, const doc::Value& part, WorkQueue& queue,
                  const std::function<bool(const doc::Value& owner)>& may_adopt) {
  if (const doc::Value* owner = controller_of(part)) {
    if (doc::find_string(*owner, "kind") != owners.kind) return;
    return queue.add({namespace_of(part), std::string(doc::find_string(*owner, "name"))});
  }
  for (const auto& one : view.of(owners).in_namespace(namespace_of(part))) {
    if (may_adopt && !may_adopt(*one)) continue;
    if (selects(value_at(*one, "spec", "selector"), value_at(part, "metadata", "labels"))) {
      queue.add({namespace_of(*one), name_of(*one)});
    }
  }
}

Mirror::Listener each_state(std::function<void(const doc::Value& object)> tell) {
  return [tell = std::move(tell)](const cluster::Object& before, const cluster::Object& after) {
    if (before) tell(*before);
    if (after) tell(*after);
  };
}

}  // namespace tiphys::controllers::workloads
