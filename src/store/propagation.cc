// Foreground and orphan propagation of deletions, of all kinds but those whose controllers do it
// (cluster/propagating_kinds.h): an owner that is being deleted has a finalizer until its dependents are gone, or let
// go. A row in `garbage`, written as its deletion begins, brings the work back after a crash.
#include <algorithm>

#include "base/log.h"
#include "cluster/propagating_kinds.h"
#include "store/local_store.h"
#include "store/metadata.h"

namespace tiphys::store {
namespace {

const doc::Array& list_at(const doc::Value& object, std::string_view member) {
  static const doc::Array kNone;
  const doc::Value* found = doc::find(object, "metadata", member);
  return found && found->is_array() ? found->get_array() : kNone;
}

bool has_finalizer(const doc::Value& object, std::string_view finalizer) {
  return std::ranges::any_of(list_at(object, "finalizers"),
                             [&](const doc::Value& one) { return one == doc::Value(finalizer); });
}

bool is_going(const doc::Value& object) {
  return !doc::find_string(object, "metadata", "deletionTimestamp").empty();
}

/// Whether the first owner waits for it.
bool blocks(const doc::Value& object) {
  const doc::Array& references = list_at(object, "ownerReferences");
  const doc::Value* said = references.empty() ? nullptr : doc::find(references.front(), "blockOwnerDeletion");
  return said && said->is_bool() && said->get_bool();
}

void put_list(doc::Value& object, std::string_view member, doc::Array list) {
  doc::Object& metadata = doc::ensure_object(object.as_object(), "metadata");
  if (list.empty()) {
    metadata.erase(member);
  } else {
    metadata[member] = std::move(list);
  }
}

}  // namespace

bool LocalStore::propagates(const cluster::Resource& resource, const Revision& revision) const {
  if (&resource == &cluster::kNamespaces || cluster::carries_out(resource)) return false;
  const doc::Shared base = revision.base();
  return is_going(*base) &&
         (has_finalizer(*base, cluster::kForegroundFinalizer) || has_finalizer(*base, cluster::kOrphanFinalizer));
}

void LocalStore::propagate(const Address& owner, const std::string& uid) {
  waiting_owners_.insert_or_assign(uid, owner);
  const auto known = std::ranges::find_if(
      garbage_, [&](const Garbage& garbage) { return garbage.owner.resource && garbage.uid == uid; });
  if (known != garbage_.end()) {
    known->again = true;
  } else {
    collect({.uid = uid, .ns = {}, .after = {}, .owner = owner});
  }
}

void LocalStore::follow_dependents(const Change& change) {
  if (change.after && propagates(*change.resource, *change.after)) {
    propagate({change.resource, change.name}, std::string(change.after->uid()));
  }
  if (waiting_owners_.empty() || !change.before) return;
  // It may be the one that its owner waits for.
  if (!change.after || change.after->owner() != change.before->owner()) {
    const auto owner = waiting_owners_.find(change.before->owner());
    if (owner != waiting_owners_.end()) propagate(Address(owner->second), std::string(owner->first));
  }
  if (change.after || waiting_owners_.erase(std::string(change.before->uid())) == 0) return;
  // Of its row of garbage.
  if (!change.leaves_garbage) collect(std::string(change.before->uid()), "");
}

Result<std::optional<Change>> LocalStore::make_propagation(const Address& address, Garbage& garbage) {
  TIPHYS_TRY(RevisionPtr before, current(*address.resource, address.name));
  TIPHYS_TRY(const RevisionPtr owner, current(*garbage.owner.resource, garbage.owner.name));
  // An owner that is gone leaves garbage of its own.
  if (!before || before->owner() != garbage.uid || !owner || owner->uid() != garbage.uid) return std::nullopt;
  if (!propagates(*garbage.owner.resource, *owner)) return std::nullopt;
  const doc::Shared base = before->base();
  if (has_finalizer(*owner->base(), cluster::kOrphanFinalizer)) {
    doc::Value object = before->copy();
    doc::Array left = list_at(object, "ownerReferences");
    left.erase(left.begin());
    put_list(object, "ownerReferences", std::move(left));
    return make_update(*address.resource, address.name, std::move(before), std::move(object));
  }
  TIPHYS_TRY(auto disowned, make_disowned(address, before));
  if (disowned) return disowned;
  if (is_going(*base)) {
    garbage.blocked = garbage.blocked || blocks(*base);
    return std::nullopt;
  }
  // What owns others has them go first, too.
  if (owns_anything(*before) && !has_finalizer(*base, cluster::kForegroundFinalizer)) {
    garbage.again = true;
    doc::Value object = before->copy();
    doc::Array finalizers = list_at(object, "finalizers");
    finalizers.emplace_back(cluster::kForegroundFinalizer);
    put_list(object, "finalizers", std::move(finalizers));
    return make_update(*address.resource, address.name, std::move(before), std::move(object));
  }
  TIPHYS_TRY(Change change, make_remove(*address.resource, address.name, {}));
  garbage.blocked = garbage.blocked || (change.after && blocks(*base));
  if (change.before == change.after) return std::nullopt;
  return change;
}

void LocalStore::end_propagation() {
  collecting_ = false;
  Garbage garbage = std::move(garbage_.front());
  garbage_.pop_front();
  if (garbage.again) {
    garbage.start_over();
    return collect(std::move(garbage));
  }
  // The end of a dependent brings it back.
  if (garbage.blocked) return collect_step();
  auto change = make_release(garbage.owner);
  if (!change) {
    log::error("what waits for its dependents cannot go: {}", change.error().message);
  } else if (change->before != change->after) {
    Write write;
    write.changes.push_back(std::move(*change));
    write.answer = [](const Status&, const auto&) {};
    enqueue(std::move(write));
  }
  collect_step();
}

Result<Change> LocalStore::make_release(const Address& owner) {
  TIPHYS_TRY(RevisionPtr before, current(*owner.resource, owner.name));
  if (!before) return Change{.resource = owner.resource, .name = owner.name};
  doc::Value object = before->copy();
  doc::Array left;
  for (const doc::Value& one : list_at(object, "finalizers")) {
    const bool done = one == doc::Value(cluster::kForegroundFinalizer) || one == doc::Value(cluster::kOrphanFinalizer);
    if (!done) left.push_back(one);
  }
  put_list(object, "finalizers", std::move(left));
  return make_update(*owner.resource, owner.name, std::move(before), std::move(object));
}

}  // namespace tiphys::store
