// The objects in memory: those that are live, and those that a pending write is about.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "store/revision.h"

namespace tiphys::store {

struct Entry {
  RevisionPtr committed;  ///< what is on disk and readers see; null: there is no such object
  RevisionPtr current;    ///< what it will be once all pending writes are on disk; writes are checked against this
  std::size_t pending = 0;
  std::uint64_t last_ticket = 0;    ///< of the newest pending write
  std::uint64_t nodes_version = 0;  ///< of a workflow's newest change of nodes alone since it is in memory
};

/// Names one object of any resource.
struct Address {
  const cluster::Resource* resource = nullptr;
  Name name;
  auto operator<=>(const Address&) const = default;
  bool operator==(const Address&) const = default;
};

class Memory {
 public:
  using Table = std::map<Name, Entry>;

  Table& table(const cluster::Resource& resource) { return tables_[&resource]; }
  /// Null when the object is not in memory.
  Entry* find(const cluster::Resource& resource, const Name& name);
  /// Puts an object into memory as the disk has it.
  Entry& load(const Address& address, RevisionPtr committed);
  void set_current(const Address& address, Entry& entry, RevisionPtr current);
  /// Drops the entry unless it is live or written to.
  void drop_if_idle(const Address& address);
  /// Objects in memory whose first owner is `uid`, in order, beyond `after`.
  std::vector<Address> owned_by(std::string_view uid, const Address& after, std::size_t most) const;
  bool owns_anything(std::string_view uid) const { return owned_.contains(uid); }
  std::vector<Address> in_namespace(std::string_view ns, const Address& after, std::size_t most) const;

 private:
  void index_owner(const Address& address, const RevisionPtr& revision, bool present);

  std::map<const cluster::Resource*, Table> tables_;
  std::map<std::string, std::set<Address>, std::less<>> owned_;
};

}  // namespace tiphys::store
