// Reads the database on the executor's thread. It sees what the writer has committed.
#pragma once

#include <functional>
#include <vector>

#include "store/revision.h"
#include "store/sqlite.h"
#include "store/vault.h"

namespace tiphys::store {

/// The rows of a scan: those of one resource that are not live, in order of namespace, name.
struct DiskRange {
  const cluster::Resource* resource = nullptr;
  std::string ns;  ///< "" for all
  Name after;      ///< exclusive; empty: from the beginning
  /// Only those with one of these, none of them "", as the label workflows.argoproj.io/workflow; empty for all.
  std::vector<std::string> workflows;
  bool expiring = false;  ///< only those that have the label tiphys.io/expires
  std::string name;       ///< only this one; needs `ns`
  int most = 256;
};

struct DiskRow {
  Name name;
  RevisionPtr revision;  ///< null: the row's labels do not match
};

class DiskReader {
 public:
  DiskReader(Database& database, Vault& vault) : database_(database), vault_(vault) {}

  /// A workflow whose body is at hand, with the parts that the disk has of it.
  Result<RevisionPtr> workflow(std::string_view uid, std::string_view body) {
    return revision(cluster::kWorkflows, uid, body);
  }
  /// Null when there is no such object.
  Result<RevisionPtr> find(const cluster::Resource& resource, const Name& name);
  Result<std::vector<DiskRow>> live(const cluster::Resource& resource);
  Result<std::vector<DiskRow>> scan(const DiskRange& range, const cluster::Selector& labels);

  /// Of a namespace's workflows in this phase (its label) with this value of the label, the one created last; null:
  /// there is none. The label is workflows.argoproj.io/workflow-template, cluster-workflow-template or cron-workflow.
  Result<RevisionPtr> newest(std::string_view ns, std::string_view label, std::string_view value,
                             std::string_view phase);

  struct Owned {
    std::int64_t id = 0;  ///< to go on from
    const cluster::Resource* resource = nullptr;
    Name name;
  };
  /// Objects whose first owner is `uid`, beyond `after_id`.
  Result<std::vector<Owned>> owned_by(std::string_view uid, std::int64_t after_id, int most);
  Result<std::vector<Owned>> in_namespace(std::string_view ns, std::int64_t after_id, int most);

  /// Objects of kind Event, those that were written first, with when each was told of last, until `visit` says false.
  Status visit_oldest_events(const std::function<bool(Name, Time)>& visit);
  Result<std::int64_t> count_events();

  struct Garbage {
    std::string uid;
    std::string ns;
  };
  Result<std::vector<Garbage>> garbage();
  /// Where the object with a uid is; nullopt: there is none. Looks at all of them.
  Result<std::optional<Owned>> place_of(std::string_view uid);

  using NodeVisitor = std::function<void(std::string_view id, std::uint64_t version, std::string_view json)>;
  Status nodes(std::string_view workflow_uid, const NodeVisitor& visit);
  Result<std::vector<cluster::JournalEntry>> journal(std::string_view workflow_uid, std::uint64_t from, int most);

 private:
  Result<RevisionPtr> revision(const cluster::Resource& resource, std::string_view uid, std::string_view body);
  Result<std::vector<Owned>> read_owned(Query rows);

  Database& database_;
  Vault& vault_;
};

}  // namespace tiphys::store
