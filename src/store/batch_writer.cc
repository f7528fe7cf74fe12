#include "store/batch_writer.h"

#include <fmt/format.h>

#include <tuple>

namespace tiphys::store {
namespace {

// Reserved at once, so that the counter is not a row more in each transaction.
constexpr std::uint64_t kVersionBlock = 1000;
constexpr int kMostPurgedRows = 2000;

std::string labels_text(const Revision& revision) {
  const doc::Shared base = revision.base();
  const doc::Value* labels = doc::find(*base, "metadata", "labels");
  return labels ? doc::to_json(*labels) : "";
}

}  // namespace

Result<std::unique_ptr<BatchWriter>> BatchWriter::make(Database& database, Vault& vault, bool archived_elsewhere,
                                                       std::function<Status()> before_commit) {
  std::unique_ptr<BatchWriter> writer(new BatchWriter(database, vault, archived_elsewhere, std::move(before_commit)));
  TIPHYS_TRY(const auto limit, database.value("SELECT value FROM meta WHERE name = 'version_limit'"));
  TIPHYS_TRY(writer->last_sequence_, database.value("SELECT max(sequence) FROM journal"));
  writer->version_limit_ = static_cast<std::uint64_t>(limit);
  return writer;
}

Status BatchWriter::write(Batch& batch) {
  const std::uint64_t limit_before = version_limit_;
  const std::int64_t sequence_before = last_sequence_;
  const Status written = write_changes(batch);
  if (written) return written;
  version_limit_ = limit_before;
  last_sequence_ = sequence_before;
  // Some errors have rolled back already.
  if (database_.in_transaction()) {
    if (const Status undone = database_.execute("ROLLBACK"); !undone) {
      return fail(written.error().code,
                  fmt::format("{}; undoing it: {}", written.error().message, undone.error().message));
    }
  }
  return written;
}

Status BatchWriter::write_changes(Batch& batch) {
  TIPHYS_CHECK_OK(database_.query("BEGIN IMMEDIATE").run());
  Nets nets;
  for (Write& write : batch.writes) {
    for (Change& change : write.changes) TIPHYS_CHECK_OK(write_rows(change, nets));
    for (const std::string& uid : write.unarchived) TIPHYS_CHECK_OK(archive_.remove(uid));
    if (write.purge) TIPHYS_CHECK_OK(write_purge(*write.purge));
  }
  for (const auto& [first, net] : nets) TIPHYS_CHECK_OK(write_net(net));
  if (batch.last_version >= version_limit_) {
    version_limit_ = batch.last_version + kVersionBlock;
    TIPHYS_CHECK_OK(
        database_.query("UPDATE meta SET value = ? WHERE name = 'version_limit'").bind(version_limit_).run());
  }
  if (before_commit_) TIPHYS_CHECK_OK(before_commit_());
  return database_.query("COMMIT").run();
}

bool BatchWriter::ByName::operator()(const Change* a, const Change* b) const {
  return std::tie(a->resource, a->name) < std::tie(b->resource, b->name);
}

Status BatchWriter::write_rows(Change& change, Nets& nets) {
  if (change.object_changed) {
    Net& net = nets[&change];
    if (net.changes.empty()) net.before = change.before;
    net.changes.push_back(&change);
  }
  if (change.leaves_garbage) return remember_garbage(change);
  TIPHYS_CHECK_OK(write_nodes(change));
  if (change.status_fields.is_null()) return {};
  return append_journal(change, fmt::format("{{\"status\":{}}}", doc::to_json(change.status_fields)));
}

Status BatchWriter::write_net(const Net& net) {
  const Change& last = *net.changes.back();
  const Revision* before = net.before.get();
  TIPHYS_CHECK_OK(write_gone(net));
  if (!last.after) {
    return database_.query("DELETE FROM objects WHERE resource = ? AND namespace = ? AND name = ?")
        .bind(last.resource->qualified)
        .bind(last.name.ns)
        .bind(last.name.name)
        .run();
  }
  std::string body = doc::to_json(*last.after->base());
  if (vault_.covers(*last.resource)) {
    TIPHYS_TRY(body, vault_.seal(body, last.after->uid()));
  }
  TIPHYS_CHECK_OK(write_object(last, before, body));
  TIPHYS_TRY(const std::size_t part_bytes, write_parts(*last.after, before));
  if (last.resource == &cluster::kWorkflows) {
    const bool same = before && before->uid() == last.after->uid();
    TIPHYS_CHECK_OK(archive_.follow(*last.after, same ? before : nullptr, last.name));
  }
  for (Change* change : net.changes) change->bytes = body.size() + part_bytes;
  if (packs_well(*last.resource)) {
    // A copy: the text that grew as it was written has room for half as much again.
    net.changes.back()->text = std::make_shared<const std::string>(body);
  }
  return {};
}

/// What becomes of the objects of this name that the batch deletes, those included that it has made itself.
Status BatchWriter::write_gone(const Net& net) {
  const Revision* before = net.before.get();
  for (const Change* change : net.changes) {
    if (change->after) continue;
    const Revision& gone = *change->before;
    const Revision* on_disk = before && before->uid() == gone.uid() ? before : nullptr;
    if (change->resource == &cluster::kWorkflows && archive_keeps(gone, archived_elsewhere_)) {
      TIPHYS_TRY([[maybe_unused]] const std::size_t bytes, write_parts(gone, on_disk));
      TIPHYS_CHECK_OK(archive_.keep(gone, change->name));
      continue;
    }
    if (!on_disk) continue;
    TIPHYS_CHECK_OK(delete_parts(*on_disk));
    if (change->resource == &cluster::kWorkflows && !on_disk->live()) TIPHYS_CHECK_OK(archive_.forget(gone.uid()));
  }
  return {};
}

Status BatchWriter::write_object(const Change& change, const Revision* before, std::string_view body) {
  const Revision& after = *change.after;
  const std::string labels = labels_text(after);
  const std::string_view resource = change.resource->qualified;
  // SQLite rewrites the index of every column that is set, equal or not.
  const bool same_keys = before && before->uid() == after.uid() && before->owner() == after.owner() &&
                         before->workflow() == after.workflow();
  const bool same_live = same_keys && before->live() == after.live();
  const char* sql = same_live   ? "UPDATE objects SET resource_version = ?, labels = ?, body = ? "
                                  "WHERE resource = ? AND namespace = ? AND name = ?"
                    : same_keys ? "UPDATE objects SET live = ?, resource_version = ?, labels = ?, body = ? "
                                  "WHERE resource = ? AND namespace = ? AND name = ?"
                    : before    ? "UPDATE objects SET uid = ?, owner = ?, workflow = ?, live = ?, "
                                  "resource_version = ?, labels = ?, body = ? "
                                  "WHERE resource = ? AND namespace = ? AND name = ?"
                                : "INSERT INTO objects(uid, owner, workflow, live, resource_version, labels, body, "
                                  "resource, namespace, name) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
  Query query = database_.query(sql);
  if (!same_keys) query.bind(after.uid()).bind_or_null(after.owner()).bind_or_null(after.workflow());
  if (!same_live) query.bind(after.live());
  return query.bind(change.version)
      .bind_or_null(labels)
      .bind(body)
      .bind(resource)
      .bind(change.name.ns)
      .bind(change.name.name)
      .run();
}

Result<std::size_t> BatchWriter::write_parts(const Revision& after, const Revision* before) {
  std::size_t bytes = 0;
  const bool same = before && before->uid() == after.uid();
  for (int i = 0; i < Revision::kParts; ++i) {
    const doc::Shared& part = after.parts()[i];
    const doc::Shared earlier = same ? before->parts()[i] : nullptr;
    if (part == earlier) continue;
    if (!part) {
      TIPHYS_CHECK_OK(database_.query("DELETE FROM parts WHERE uid = ? AND part = ?").bind(after.uid()).bind(i).run());
      continue;
    }
    const std::string body = doc::to_json(*part);
    bytes += body.size();
    TIPHYS_CHECK_OK(
        database_.query("INSERT OR REPLACE INTO parts VALUES(?, ?, ?)").bind(after.uid()).bind(i).bind(body).run());
  }
  return bytes;
}

Status BatchWriter::delete_parts(const Revision& revision) {
  if (revision.parts() == Revision::Parts{}) return {};
  return database_.query("DELETE FROM parts WHERE uid = ?").bind(revision.uid()).run();
}

Status BatchWriter::remember_garbage(const Change& change) {
  // A namespace takes along what is in it, any other object what it owns.
  const bool is_namespace = change.resource == &cluster::kNamespaces;
  return database_.query("INSERT OR REPLACE INTO garbage VALUES(?, ?)")
      .bind(change.before->uid())
      .bind(is_namespace ? std::string_view(change.name.name) : std::string_view())
      .run();
}

Status BatchWriter::write_nodes(const Change& change) {
  const std::string_view uid = change.workflow_uid();
  for (const auto& node : change.nodes) {
    if (node.json.empty()) {
      TIPHYS_CHECK_OK(
          database_.query("DELETE FROM nodes WHERE workflow_uid = ? AND node_id = ?").bind(uid).bind(node.id).run());
      TIPHYS_CHECK_OK(append_journal(change, fmt::format("{{\"deleted\":{}}}", doc::to_json(doc::Value(node.id)))));
      continue;
    }
    TIPHYS_CHECK_OK(database_
                        .query("INSERT INTO nodes VALUES(?, ?, ?, ?) ON CONFLICT(workflow_uid, node_id) "
                               "DO UPDATE SET version = excluded.version, body = excluded.body")
                        .bind(uid)
                        .bind(node.id)
                        .bind(change.version)
                        .bind(node.json)
                        .run());
    TIPHYS_CHECK_OK(append_journal(change, fmt::format("{{\"node\":{}}}", node.json)));
  }
  return {};
}

Status BatchWriter::append_journal(const Change& change, std::string_view body) {
  return database_.query("INSERT INTO journal VALUES(?, ?, ?, ?)")
      .bind(++last_sequence_)
      .bind(static_cast<std::int64_t>(change.at.time_since_epoch().count()))
      .bind(change.workflow_uid())
      .bind(body)
      .run();
}

Status BatchWriter::write_purge(Purge& purge) {
  TIPHYS_TRY(const bool archived, archive_.has_body(purge.uid));
  bool more = false;
  if (!archived) {
    TIPHYS_CHECK_OK(database_
                        .query("DELETE FROM nodes WHERE rowid IN "
                               "(SELECT rowid FROM nodes WHERE workflow_uid = ? LIMIT ?)")
                        .bind(purge.uid)
                        .bind(kMostPurgedRows)
                        .run());
    more = database_.changes() == kMostPurgedRows;
  }
  TIPHYS_CHECK_OK(database_
                      .query("DELETE FROM journal WHERE sequence IN "
                             "(SELECT sequence FROM journal WHERE workflow_uid = ? LIMIT ?)")
                      .bind(purge.uid)
                      .bind(kMostPurgedRows)
                      .run());
  more = more || database_.changes() == kMostPurgedRows;
  purge.finished = !more;
  if (more) return {};
  return database_.query("DELETE FROM garbage WHERE uid = ?").bind(purge.uid).run();
}

}  // namespace tiphys::store
