#include "store/archive_index.h"

namespace tiphys::store {
namespace {

Result<std::vector<std::string>> all_texts(Query& rows) {
  std::vector<std::string> found;
  while (true) {
    TIPHYS_TRY(const bool more, rows.next());
    if (!more) return found;
    found.emplace_back(rows.text(0));
  }
}

}  // namespace

Query ArchiveIndex::start(const ArchiveStretch& stretch) {
  switch (stretch.by) {
    case ArchiveStretch::By::kKept:
      return std::move(database_
                           .query("SELECT started, id FROM archive INDEXED BY archive_started WHERE namespace = ? AND "
                                  "kept = ? AND (started, id) < (?, ?) ORDER BY started DESC, id DESC LIMIT ?")
                           .bind(stretch.ns)
                           .bind(stretch.kept));
    case ArchiveStretch::By::kLabel:
      return std::move(
          database_
              .query("SELECT started, id FROM archive_labels WHERE namespace = ? AND key = ? AND value = ? "
                     "AND (started, id) < (?, ?) ORDER BY started DESC, id DESC LIMIT ?")
              .bind(stretch.ns)
              .bind(stretch.key)
              .bind(stretch.value));
    case ArchiveStretch::By::kName:
      break;
  }
  return std::move(database_
                       .query("SELECT started, id FROM archive INDEXED BY archive_name WHERE namespace = ? AND "
                              "name = ? AND (started, id) < (?, ?) ORDER BY started DESC, id DESC LIMIT ?")
                       .bind(stretch.ns)
                       .bind(stretch.name));
}

Result<std::vector<ArchivePlace>> ArchiveIndex::places(const ArchiveStretch& stretch, const ArchivePlace& after,
                                                       int most) {
  std::vector<ArchivePlace> found;
  Query rows = start(stretch);
  rows.bind(after.started).bind(after.id).bind(most);
  while (true) {
    TIPHYS_TRY(const bool more, rows.next());
    if (!more) return found;
    found.push_back({rows.integer(0), rows.integer(1)});
  }
}

Result<std::size_t> ArchiveIndex::count(const ArchiveStretch& stretch, ArchivePlace& after, std::int64_t down_to,
                                        int most) {
  const bool labelled = stretch.by == ArchiveStretch::By::kLabel;
  const auto bind = [&](Query rows) {
    labelled ? rows.bind(stretch.ns).bind(stretch.key).bind(stretch.value) : rows.bind(stretch.ns).bind(stretch.kept);
    rows.bind(after.started).bind(after.id).bind(down_to);
    return rows;
  };
  {
    Query last = bind(database_.query(
        labelled ? "SELECT started, id FROM archive_labels WHERE namespace = ? AND key = ? AND value = ? AND "
                   "(started, id) < (?, ?) AND started > ? ORDER BY started DESC, id DESC LIMIT 1 OFFSET ?"
                 : "SELECT started, id FROM archive INDEXED BY archive_started WHERE namespace = ? AND kept = ? AND "
                   "(started, id) < (?, ?) AND started > ? ORDER BY started DESC, id DESC LIMIT 1 OFFSET ?"));
    last.bind(most - 1);
    TIPHYS_TRY(const bool full, last.next());
    if (full) {
      after = {last.integer(0), last.integer(1)};
      return static_cast<std::size_t>(most);
    }
  }
  Query rest = bind(database_.query(
      labelled
          ? "SELECT count(*) FROM archive_labels WHERE namespace = ? AND key = ? AND value = ? AND (started, id) < "
            "(?, ?) AND started > ?"
          : "SELECT count(*) FROM archive INDEXED BY archive_started WHERE namespace = ? AND kept = ? AND "
            "(started, id) < (?, ?) AND started > ?"));
  TIPHYS_TRY(const bool counted, rest.next());
  return counted ? static_cast<std::size_t>(rest.integer(0)) : 0;
}

Result<std::vector<ArchiveIndex::Named>> ArchiveIndex::names(std::string_view ns, const Named& after, int most) {
  std::vector<Named> found;
  Query rows = database_.query(
      "SELECT name, started, id FROM archive INDEXED BY archive_name WHERE namespace = ? AND (name, started, id) > "
      "(?, ?, ?) ORDER BY name, started, id LIMIT ?");
  rows.bind(ns).bind(after.name).bind(after.place.started).bind(after.place.id).bind(most);
  while (true) {
    TIPHYS_TRY(const bool more, rows.next());
    if (!more) return found;
    found.push_back({std::string(rows.text(0)), {rows.integer(1), rows.integer(2)}});
  }
}

Result<std::optional<ArchiveRow>> ArchiveIndex::row(std::int64_t id) {
  Query rows =
      database_.query("SELECT uid, namespace, name, phase, created, started, finished, kept FROM archive WHERE id = ?");
  rows.bind(id);
  TIPHYS_TRY(const bool found, rows.next());
  if (!found) return std::nullopt;
  return ArchiveRow{.id = id,
                    .uid = std::string(rows.text(0)),
                    .name = {std::string(rows.text(1)), std::string(rows.text(2))},
                    .phase = std::string(rows.text(3)),
                    .created = rows.integer(4),
                    .started = rows.integer(5),
                    .finished = rows.integer(6),
                    .kept = rows.integer(7) != 0};
}

Result<std::optional<std::int64_t>> ArchiveIndex::id_of(std::string_view uid) {
  Query rows = database_.query("SELECT id FROM archive WHERE uid = ?");
  rows.bind(uid);
  TIPHYS_TRY(const bool found, rows.next());
  if (!found) return std::nullopt;
  return rows.integer(0);
}

Result<doc::Object> ArchiveIndex::labels(std::int64_t id) {
  doc::Object labels;
  Query rows = database_.query("SELECT key, value FROM archive_labels INDEXED BY archive_labels_of WHERE id = ?");
  rows.bind(id);
  while (true) {
    TIPHYS_TRY(const bool more, rows.next());
    if (!more) return labels;
    labels[rows.text(0)] = rows.text(1);
  }
}

// From one value to the next by the index, whatever number of rows has each.

Result<std::vector<std::string>> ArchiveIndex::namespaces() {
  Query rows = database_.query(
      "WITH RECURSIVE found(ns) AS (SELECT min(namespace) FROM archive UNION ALL SELECT (SELECT min(namespace) FROM "
      "archive WHERE namespace > ns) FROM found WHERE ns IS NOT NULL) SELECT ns FROM found WHERE ns IS NOT NULL");
  return all_texts(rows);
}

Result<std::vector<std::string>> ArchiveIndex::label_keys(std::size_t most) {
  Query rows = database_.query(
      "WITH RECURSIVE found(label) AS (SELECT min(key) FROM archive_labels UNION ALL SELECT (SELECT min(key) FROM "
      "archive_labels WHERE key > label) FROM found WHERE label IS NOT NULL) "
      "SELECT label FROM found WHERE label IS NOT NULL LIMIT ?");
  rows.bind(static_cast<std::int64_t>(most));
  return all_texts(rows);
}

Result<std::vector<std::string>> ArchiveIndex::label_values(std::string_view key, std::size_t most) {
  Query rows = database_.query(
      "WITH RECURSIVE found(label) AS (SELECT min(value) FROM archive_labels WHERE key = ?1 UNION ALL SELECT (SELECT "
      "min(value) FROM archive_labels WHERE key = ?1 AND value > label) FROM found WHERE label IS NOT NULL) "
      "SELECT label FROM found WHERE label IS NOT NULL LIMIT ?2");
  rows.bind(key).bind(static_cast<std::int64_t>(most));
  return all_texts(rows);
}

Result<std::optional<std::string>> ArchiveIndex::body(std::int64_t id) {
  Query rows = database_.query("SELECT body FROM archive_bodies WHERE id = ?");
  rows.bind(id);
  TIPHYS_TRY(const bool found, rows.next());
  if (!found) return std::nullopt;
  return std::string(rows.text(0));
}

Result<std::vector<ArchiveIndex::Oldest>> ArchiveIndex::oldest(int most) {
  std::vector<Oldest> found;
  Query rows = database_.query(
      "SELECT uid, bodies.finished FROM archive_bodies AS bodies INDEXED BY archive_bodies_finished JOIN archive "
      "USING(id) ORDER BY bodies.finished LIMIT ?");
  rows.bind(most);
  while (true) {
    TIPHYS_TRY(const bool more, rows.next());
    if (!more) return found;
    found.push_back({std::string(rows.text(0)), rows.integer(1)});
  }
}

}  // namespace tiphys::store
