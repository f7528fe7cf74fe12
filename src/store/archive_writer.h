// The archive's rows, written along with the objects that they are of. Runs on the writer's thread.
//
// A workflow that has ended has a row of `archive` with its labels beside it. When its object is deleted and the
// archive keeps it, the object's body moves to `archive_bodies`; its parts and nodes stay where they are.
#pragma once

#include "store/archive_index.h"
#include "store/change.h"
#include "store/sqlite.h"

namespace tiphys::store {

/// Whether a workflow stays when its object is deleted in this state: for ever, or, when the archive is elsewhere,
/// until it is there.
bool archive_keeps(const Revision& workflow, bool elsewhere);

class ArchiveWriter {
 public:
  ArchiveWriter(Database& database, bool elsewhere) : database_(database), index_(database), elsewhere_(elsewhere) {}

  /// Brings the row of an object up to date. `before` is what is on disk of the same workflow, or null.
  Status follow(const Revision& after, const Revision* before, const Name& name);
  /// The object is deleted, and the archive keeps it.
  Status keep(const Revision& gone, const Name& name);
  /// The object is deleted, and nothing is left of it.
  Status forget(std::string_view uid);
  /// Takes a workflow without an object out of the archive; its nodes become garbage. Of any other nothing is done.
  Status remove(std::string_view uid);
  /// Whether the archive has a workflow whose object is gone.
  Result<bool> has_body(std::string_view uid);

 private:
  Result<std::int64_t> write_row(const doc::Value& workflow, const Name& name, bool kept);
  Status write_labels(std::int64_t id, const doc::Value& workflow, const Name& name);
  Status delete_labels(std::int64_t id);
  Status delete_row(std::int64_t id);

  Database& database_;
  ArchiveIndex index_;
  const bool elsewhere_;
};

}  // namespace tiphys::store
