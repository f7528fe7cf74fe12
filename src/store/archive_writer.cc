#include "store/archive_writer.h"

#include "store/archive.h"

namespace tiphys::store {
namespace {

constexpr const char* kMeta = "metadata";

/// Seconds since 1970; 0: there is no such time.
std::int64_t seconds_of(const doc::Value& workflow, std::string_view section, std::string_view field) {
  const auto time = parse_rfc3339(doc::find_string(workflow, section, field));
  return time ? std::chrono::floor<std::chrono::seconds>(time->time_since_epoch()).count() : 0;
}

/// What has not begun counts from its creation.
std::int64_t started_of(const doc::Value& workflow) {
  const std::int64_t started = seconds_of(workflow, "status", "startedAt");
  return started != 0 ? started : seconds_of(workflow, kMeta, "creationTimestamp");
}

const doc::Value* labels_of(const doc::Value& workflow) {
  const doc::Value* labels = doc::find(workflow, kMeta, "labels");
  return labels && labels->is_object() ? labels : nullptr;
}

/// Whether the rows of two states of a workflow are the same.
bool same_rows(const doc::Value& a, const doc::Value& b) {
  const auto same = [&](const auto&... path) { return doc::find_string(a, path...) == doc::find_string(b, path...); };
  const doc::Value* left = labels_of(a);
  const doc::Value* right = labels_of(b);
  return (left && right ? *left == *right : left == right) && same("status", "phase") && same("status", "startedAt") &&
         same("status", "finishedAt");
}

bool is_kept(const doc::Value& workflow, bool elsewhere) {
  const std::string_view status = doc::find_string(workflow, kMeta, "labels", kArchivingStatusLabel);
  return status == kPendingStatus || (status == kArchivedStatus && !elsewhere);
}

}  // namespace

bool archive_keeps(const Revision& workflow, bool elsewhere) {
  return !workflow.live() && is_kept(*workflow.base(), elsewhere);
}

Status ArchiveWriter::follow(const Revision& after, const Revision* before, const Name& name) {
  const bool had_row = before && !before->live();
  if (after.live()) return had_row ? forget(after.uid()) : Status();
  const doc::Shared workflow = after.base();
  if (had_row && same_rows(*before->base(), *workflow)) return {};
  TIPHYS_TRY(const std::int64_t id, write_row(*workflow, name, is_kept(*workflow, elsewhere_)));
  if (had_row) TIPHYS_CHECK_OK(delete_labels(id));
  return write_labels(id, *workflow, name);
}

Status ArchiveWriter::keep(const Revision& gone, const Name& name) {
  doc::Value workflow = *gone.base();
  doc::ensure_object(doc::ensure_object(workflow.as_object(), kMeta), "labels")[kArchivingStatusLabel] =
      kPersistedStatus;
  TIPHYS_TRY(const std::int64_t id, write_row(workflow, name, true));
  TIPHYS_CHECK_OK(delete_labels(id));
  TIPHYS_CHECK_OK(write_labels(id, workflow, name));
  const std::string body = doc::to_json(workflow);
  return database_.query("INSERT OR REPLACE INTO archive_bodies VALUES(?, ?, ?)")
      .bind(id)
      .bind(seconds_of(workflow, "status", "finishedAt"))
      .bind(body)
      .run();
}

Status ArchiveWriter::forget(std::string_view uid) {
  TIPHYS_TRY(const auto id, index_.id_of(uid));
  return id ? delete_row(*id) : Status();
}

Status ArchiveWriter::remove(std::string_view uid) {
  TIPHYS_TRY(const auto id, index_.id_of(uid));
  if (!id) return {};
  Query body = database_.query("DELETE FROM archive_bodies WHERE id = ? RETURNING id");
  body.bind(*id);
  TIPHYS_TRY(const bool had_body, body.next());
  if (!had_body) return {};
  TIPHYS_CHECK_OK(body.run());
  TIPHYS_CHECK_OK(delete_row(*id));
  TIPHYS_CHECK_OK(database_.query("DELETE FROM parts WHERE uid = ?").bind(uid).run());
  return database_.query("INSERT OR REPLACE INTO garbage VALUES(?, '')").bind(uid).run();
}

Result<bool> ArchiveWriter::has_body(std::string_view uid) {
  Query rows = database_.query("SELECT 1 FROM archive JOIN archive_bodies USING(id) WHERE uid = ?");
  rows.bind(uid);
  return rows.next();
}

Result<std::int64_t> ArchiveWriter::write_row(const doc::Value& workflow, const Name& name, bool kept) {
  Query row = database_.query(
      "INSERT INTO archive(uid, namespace, name, phase, created, started, finished, kept) VALUES(?, ?, ?, ?, ?, ?, ?, "
      "?) ON CONFLICT(uid) DO UPDATE SET phase = excluded.phase, started = excluded.started, finished = "
      "excluded.finished, kept = excluded.kept RETURNING id");
  row.bind(doc::find_string(workflow, kMeta, "uid"))
      .bind(name.ns)
      .bind(name.name)
      .bind(doc::find_string(workflow, "status", "phase"))
      .bind(seconds_of(workflow, kMeta, "creationTimestamp"))
      .bind(started_of(workflow))
      .bind(seconds_of(workflow, "status", "finishedAt"))
      .bind(kept);
  TIPHYS_TRY(const bool written, row.next());
  if (!written) return fail(Code::kInternal, "a row of the archive was not written");
  const std::int64_t id = row.integer(0);
  TIPHYS_CHECK_OK(row.run());
  return id;
}

Status ArchiveWriter::write_labels(std::int64_t id, const doc::Value& workflow, const Name& name) {
  const doc::Value* labels = labels_of(workflow);
  if (!labels) return {};
  const std::int64_t started = started_of(workflow);
  for (const auto& [key, value] : labels->get_object()) {
    const std::string text = doc::scalar_text(value);
    TIPHYS_CHECK_OK(database_
                        .query("INSERT INTO archive_labels(key, value, namespace, started, id) "
                               "VALUES(?, ?, ?, ?, ?)")
                        .bind(std::string_view(key))
                        .bind(text)
                        .bind(name.ns)
                        .bind(started)
                        .bind(id)
                        .run());
  }
  return {};
}

Status ArchiveWriter::delete_labels(std::int64_t id) {
  return database_
      .query(
          "DELETE FROM archive_labels WHERE (key, value, namespace, started, id) IN "
          "(SELECT key, value, namespace, started, id FROM archive_labels INDEXED BY archive_labels_of WHERE id = ?)")
      .bind(id)
      .run();
}

Status ArchiveWriter::delete_row(std::int64_t id) {
  TIPHYS_CHECK_OK(delete_labels(id));
  return database_.query("DELETE FROM archive WHERE id = ?").bind(id).run();
}

}  // namespace tiphys::store
