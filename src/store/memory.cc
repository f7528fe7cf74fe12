#include "store/memory.h"

namespace tiphys::store {

Entry* Memory::find(const cluster::Resource& resource, const Name& name) {
  Table& objects = table(resource);
  const auto found = objects.find(name);
  return found == objects.end() ? nullptr : &found->second;
}

Entry& Memory::load(const Address& address, RevisionPtr committed) {
  Entry& entry = table(*address.resource)[address.name];
  entry.committed = committed;
  set_current(address, entry, std::move(committed));
  return entry;
}

void Memory::set_current(const Address& address, Entry& entry, RevisionPtr current) {
  index_owner(address, entry.current, false);
  entry.current = std::move(current);
  index_owner(address, entry.current, true);
}

void Memory::drop_if_idle(const Address& address) {
  Table& objects = table(*address.resource);
  const auto found = objects.find(address.name);
  if (found == objects.end()) return;
  Entry& entry = found->second;
  if (entry.pending > 0 || (entry.current && entry.current->live())) return;
  index_owner(address, entry.current, false);
  objects.erase(found);
}

std::vector<Address> Memory::owned_by(std::string_view uid, const Address& after, std::size_t most) const {
  std::vector<Address> some;
  const auto found = owned_.find(uid);
  if (found == owned_.end()) return some;
  const auto& all = found->second;
  for (auto next = all.upper_bound(after); next != all.end() && some.size() < most; ++next) some.push_back(*next);
  return some;
}

std::vector<Address> Memory::in_namespace(std::string_view ns, const Address& after, std::size_t most) const {
  std::vector<Address> some;
  for (const auto& [resource, objects] : tables_) {
    for (auto next = objects.lower_bound({std::string(ns), ""}); next != objects.end() && next->first.ns == ns;
         ++next) {
      if (some.size() == most) return some;
      if (Address address{resource, next->first}; address > after) some.push_back(std::move(address));
    }
  }
  return some;
}

void Memory::index_owner(const Address& address, const RevisionPtr& revision, bool present) {
  if (!revision || revision->owner().empty()) return;
  if (present) {
    owned_[std::string(revision->owner())].insert(address);
    return;
  }
  const auto found = owned_.find(revision->owner());
  if (found == owned_.end()) return;
  found->second.erase(address);
  if (found->second.empty()) owned_.erase(found);
}

}  // namespace tiphys::store
