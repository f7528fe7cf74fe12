#include "persist/shared_archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "persist/archive_rows.h"
#include "persist/shared_list.h"

namespace tiphys::persist {
namespace {

constexpr std::size_t kMostLabels = 10'000;

Error no_such_workflow(const store::ArchivedName& which) {
  return {Code::kNotFound, which.uid.empty()
                               ? fmt::format("the archive has no workflow {} of namespace {}", which.name, which.ns)
                               : fmt::format("the archive has no workflow with the UID {}", which.uid)};
}

}  // namespace

void SharedArchive::list_archive(store::ArchiveQuery query, cluster::Done<store::ArchivePage> done) {
  std::make_shared<SharedList>(executor_, local_, database_, std::move(query), std::move(done))->start();
}

void SharedArchive::get_archived(store::ArchivedName which, cluster::Done<cluster::Object> done) {
  local_.get_archived(which, [this, which, done = std::move(done)](Result<cluster::Object> found) mutable {
    if (found || found.error().code != Code::kNotFound) return done(std::move(found));
    database_.run<cluster::Object>(
        executor_,
        [statement = database_.sql.workflow(which), dialect = database_.sql.dialect()](Connection& connection) {
          return read_workflow(connection, statement, dialect);
        },
        [which, done = std::move(done)](Result<cluster::Object> row) mutable {
          if (row && !*row) row = std::unexpected(no_such_workflow(which));
          done(std::move(row));
        });
  });
}

/// The row first: when that fails nothing has happened.
void SharedArchive::remove_archived(std::string uid, cluster::Done<void> done) {
  auto remove = [statement = database_.sql.remove(uid)](Connection& connection) -> Result<bool> {
    TIPHYS_TRY(const SqlResult removed, connection.run(statement));
    return removed.affected > 0;
  };
  database_.run<bool>(executor_, std::move(remove), [this, uid, done = std::move(done)](Result<bool> removed) mutable {
    if (!removed) return done(std::unexpected(std::move(removed.error())));
    local_.remove_archived(uid, [removed = *removed, done = std::move(done)](Status unmarked) mutable {
      const bool absent = !unmarked && unmarked.error().code == Code::kNotFound;
      done(removed && absent ? Status() : std::move(unmarked));
    });
  });
}

void SharedArchive::archive_labels(std::string ns, std::string key, cluster::Done<std::vector<std::string>> done) {
  using Texts = std::vector<std::string>;
  auto statement = database_.sql.labels(ns, key, kMostLabels, kMostLabels);
  local_.archive_labels(
      ns, key, [this, statement = std::move(statement), done = std::move(done)](Result<Texts> local) mutable {
        if (!local) return done(std::move(local));
        database_.run<Texts>(
            executor_,
            [statement = std::move(statement)](Connection& connection) { return read_texts(connection, statement); },
            [local = std::move(*local), done = std::move(done)](Result<Texts> rows) mutable {
              if (!rows) return done(std::move(rows));
              // Databases have orders of their own.
              std::ranges::sort(*rows);
              Texts all;
              std::ranges::set_union(local, *rows, std::back_inserter(all));
              all.resize(std::min(all.size(), kMostLabels));
              done(std::move(all));
            });
      });
}

}  // namespace tiphys::persist
