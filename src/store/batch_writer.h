// Writes batches into the database, each in one transaction. Runs on the writer's thread.
#pragma once

#include <functional>
#include <map>

#include "store/archive_writer.h"
#include "store/change.h"
#include "store/sqlite.h"
#include "store/vault.h"

namespace tiphys::store {

class BatchWriter {
 public:
  /// `archived_elsewhere`: StoreOptions. `before_commit` (may be empty) can fail a batch; for fault injection.
  static Result<std::unique_ptr<BatchWriter>> make(Database& database, Vault& vault, bool archived_elsewhere,
                                                   std::function<Status()> before_commit);

  /// All of the batch is on disk, or an error and nothing of it is.
  Status write(Batch& batch);

  /// Versions below this were or may have been given out.
  std::uint64_t version_limit() const { return version_limit_; }

 private:
  BatchWriter(Database& database, Vault& vault, bool archived_elsewhere, std::function<Status()> before_commit)
      : database_(database),
        archived_elsewhere_(archived_elsewhere),
        archive_(database, archived_elsewhere),
        vault_(vault),
        before_commit_(std::move(before_commit)) {}

  /// All object changes of one object in a batch: only the last state is written.
  struct Net {
    RevisionPtr before;  ///< what is on disk
    std::vector<Change*> changes;
  };
  struct ByName {
    bool operator()(const Change* a, const Change* b) const;
  };
  using Nets = std::map<const Change*, Net, ByName>;

  Status write_changes(Batch& batch);
  Status write_rows(Change& change, Nets& nets);
  Status write_net(const Net& net);
  Status write_gone(const Net& net);
  Status write_object(const Change& change, const Revision* before, std::string_view body);
  Result<std::size_t> write_parts(const Revision& after, const Revision* before);
  Status delete_parts(const Revision& revision);
  Status remember_garbage(const Change& change);
  Status write_nodes(const Change& change);
  Status append_journal(const Change& change, std::string_view body);
  Status write_purge(Purge& purge);

  Database& database_;
  const bool archived_elsewhere_;
  ArchiveWriter archive_;
  Vault& vault_;
  std::function<Status()> before_commit_;
  std::uint64_t version_limit_ = 0;
  std::int64_t last_sequence_ = 0;
};

}  // namespace tiphys::store
