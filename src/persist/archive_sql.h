// The statements that the archive's tables are read and written with, as the original has them (persist/sqldb):
// argo_archived_workflows, argo_archived_workflows_labels.
#pragma once

#include <string>
#include <vector>

#include "persist/sql.h"
#include "store/archive.h"

namespace tiphys::persist {

/// What a row has beside the workflow itself.
struct RowFacts {
  std::string uid{}, name{}, ns{}, phase{};
  Time started{}, finished{}, created{};
  std::vector<std::pair<std::string, std::string>> labels{};
};

/// A row's place in the order of lists, which goes from high to low.
struct RowKey {
  std::string started{};  ///< as the database writes it: "2026-11-29 20:06:44.000000"
  std::string uid{};      ///< "": before all
  bool operator==(const RowKey&) const = default;
};

class ArchiveSql {
 public:
  /// `cluster` and `instance` are those of all rows that are read and written.
  ArchiveSql(Dialect dialect, std::string cluster, std::string instance)
      : dialect_(dialect), cluster_(std::move(cluster)), instance_(std::move(instance)) {}

  Dialect dialect() const { return dialect_; }

  /// In one transaction; in place of what there may be. `workflow` is the column of this name.
  std::vector<Statement> write(const RowFacts& facts, std::string workflow) const;

  /// started, uid of what comes behind `after`, in order. Pages and marks of the query are left aside, as in count().
  Statement keys(const store::ArchiveQuery& query, const RowKey& after, std::size_t most) const;
  Statement count(const store::ArchiveQuery& query, const RowKey& after) const;
  /// uid, workflow, with or without its nodes, in no order.
  Statement workflows(const std::vector<std::string>& uids, bool with_nodes) const;
  /// workflow: the one of the uid, or of the name the one that began last.
  Statement workflow(const store::ArchivedName& which) const;

  Statement remove(std::string uid) const;
  /// Some that finished before.
  Statement remove_older(Time finished_before, std::size_t most) const;

  /// As Archive::archive_labels: of all clusters and instances without a namespace, as in the original.
  Statement labels(const std::string& ns, const std::string& key, std::size_t most, std::size_t most_rows) const;

 private:
  void add_scope(Sql& sql) const;
  void add_conditions(Sql& sql, const store::ArchiveQuery& query, const RowKey& after) const;

  Dialect dialect_;
  std::string cluster_, instance_;
};

/// "2026-11-29 20:06:44": UTC, as the original writes it.
std::string sql_time(Time time);
/// Seconds since 1970 of RowKey::started.
std::int64_t seconds_of(const RowKey& key);

}  // namespace tiphys::persist
