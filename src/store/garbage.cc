// Background propagation of deletions: what belonged to a deleted object goes a bounded number at a time. A row in
// `garbage`, written with the deletion itself, brings the work back after a crash. propagation.cc has the other ways.
#include <algorithm>

#include "base/log.h"
#include "store/local_store.h"
#include "store/metadata.h"

namespace tiphys::store {
namespace {

constexpr int kMostPerStep = 64;

const doc::Array* owner_references(const doc::Value& object) {
  const doc::Value* references = doc::find(object, "metadata", "ownerReferences");
  return references ? references->if_array() : nullptr;
}

}  // namespace

bool LocalStore::owns_anything(const Revision& owner) {
  if (memory_.owns_anything(owner.uid())) return true;
  const auto found = disk_.owned_by(owner.uid(), 0, 1);
  // When in doubt there is a row of garbage too many.
  return !found || !found->empty();
}

Result<bool> LocalStore::owner_exists(const doc::Value& reference, const std::string& ns) {
  const auto* resource =
      cluster::find_resource(doc::find_string(reference, "apiVersion"), doc::find_string(reference, "kind"));
  // What this plane does not know it cannot miss.
  if (!resource) return true;
  const Name name{resource->namespaced ? ns : "", std::string(doc::find_string(reference, "name"))};
  TIPHYS_TRY(const RevisionPtr owner, current(*resource, name));
  return owner && owner->uid() == doc::find_string(reference, "uid");
}

void LocalStore::collect_orphan(const cluster::Resource& resource, const Name& name, const RevisionPtr& revision) {
  const doc::Shared object = revision->base();
  const doc::Array* references = owner_references(*object);
  if (!references) return;
  for (const doc::Value& reference : *references) {
    if (auto exists = owner_exists(reference, name.ns); !exists || *exists) return;
  }
  // Its owner went while it was being made.
  auto change = make_remove(resource, name, {});
  if (change && change->before != change->after) {
    Write write;
    write.changes.push_back(std::move(*change));
    write.answer = [](const Status&, const auto&) {};
    enqueue(std::move(write));
  }
}

void LocalStore::collect(std::string uid, std::string ns) {
  // What a namespace owns may be elsewhere, too.
  const bool owns_more = !ns.empty();
  collect({.uid = uid, .ns = std::move(ns), .after = {}});
  if (owns_more) collect({.uid = std::move(uid), .ns = {}, .after = {}});
}

void LocalStore::collect(Garbage garbage) {
  garbage_.push_back(std::move(garbage));
  if (collecting_) return;
  collecting_ = true;
  poster_.post([this] {
    collecting_ = false;
    collect_step();
  });
}

void LocalStore::collect_step() {
  if (collecting_ || garbage_.empty() || !admit()) return;
  collecting_ = true;
  const auto go_on = [this] {
    collecting_ = false;
    collect_step();
  };
  Garbage& garbage = garbage_.front();
  if (garbage.objects_done) return garbage.owner.resource ? end_propagation() : purge_rows();
  auto addresses = next_garbage(garbage);
  Write write;
  for (const Address& address : addresses ? *addresses : std::vector<Address>()) {
    auto change = make_collection(address, garbage);
    if (!change) {
      addresses = std::unexpected(change.error());
      break;
    }
    if (*change) write.changes.push_back(std::move(**change));
  }
  if (!addresses) {
    // The row of garbage stays: the next start of the plane tries again.
    log::error("what a deleted object left behind cannot be removed: {}", addresses.error().message);
    garbage_.pop_front();
  }
  if (write.changes.empty()) return poster_.post(go_on);
  write.answer = [this, go_on](const Status& outcome, const auto&) {
    if (!outcome) garbage_.front().start_over();
    go_on();
  };
  enqueue(std::move(write));
}

Result<std::vector<Address>> LocalStore::next_garbage(Garbage& garbage) {
  if (!garbage.memory_done) {
    auto found = garbage.ns.empty() ? memory_.owned_by(garbage.uid, garbage.after, kMostPerStep)
                                    : memory_.in_namespace(garbage.ns, garbage.after, kMostPerStep);
    garbage.memory_done = found.size() < kMostPerStep;
    if (!found.empty()) garbage.after = found.back();
    return found;
  }
  TIPHYS_TRY(const auto rows, garbage.ns.empty() ? disk_.owned_by(garbage.uid, garbage.after_id, kMostPerStep)
                                                 : disk_.in_namespace(garbage.ns, garbage.after_id, kMostPerStep));
  garbage.objects_done = rows.size() < kMostPerStep;
  std::vector<Address> found;
  for (const auto& row : rows) {
    garbage.after_id = row.id;
    found.push_back({row.resource, row.name});
  }
  return found;
}

Result<std::optional<Change>> LocalStore::make_disowned(const Address& address, const RevisionPtr& before) {
  const doc::Shared base = before->base();
  const doc::Array* references = owner_references(*base);
  for (std::size_t i = 1; i < references->size(); ++i) {
    TIPHYS_TRY(const bool exists, owner_exists((*references)[i], address.name.ns));
    if (!exists) continue;
    doc::Value object = before->copy();
    auto& list = object.at("metadata").at("ownerReferences").as_array();
    list.erase(list.begin());
    return make_update(*address.resource, address.name, before, std::move(object));
  }
  return std::nullopt;
}

Result<std::optional<Change>> LocalStore::make_collection(const Address& address, Garbage& garbage) {
  if (garbage.owner.resource) return make_propagation(address, garbage);
  TIPHYS_TRY(RevisionPtr before, current(*address.resource, address.name));
  if (!before) return std::nullopt;
  if (garbage.ns.empty()) {
    if (before->owner() != garbage.uid) return std::nullopt;
    // Another owner keeps it.
    TIPHYS_TRY(auto disowned, make_disowned(address, before));
    if (disowned) return disowned;
  }
  TIPHYS_TRY(Change change, make_remove(*address.resource, address.name, {}));
  if (change.before == change.after) return std::nullopt;
  return change;
}

void LocalStore::purge_rows() {
  Write write;
  write.purge = Purge{.uid = garbage_.front().uid};
  write.answer = [this](const Status& outcome, const std::optional<Purge>& purge) {
    collecting_ = false;
    if (outcome && purge->finished) garbage_.pop_front();
    collect_step();
  };
  enqueue(std::move(write));
}

}  // namespace tiphys::store
