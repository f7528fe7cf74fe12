// The archive in a database that others share, with what has ended here and is not there yet: one list of both.
//
// What the plane's own store shows of a workflow goes before the row of the same uid, so that each is shown once.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "persist/archive_sql.h"
#include "persist/connection_pool.h"
#include "store/store.h"

namespace tiphys::persist {

/// The database, as whoever asks it sees it. All outlive what uses it.
struct ArchiveDatabase {
  ConnectionPool& pool;
  ArchiveSql sql;
  /// Who connects at present, on the executor's thread; an error says what is missing.
  std::function<Result<Credentials>()> credentials;

  /// Answers with an error, later, where there are no credentials.
  template <typename T>
  void run(Executor& executor, std::function<Result<T>(Connection&)> work, cluster::Done<T> done) {
    auto who = credentials();
    if (who) return pool.run<T>(std::move(*who), std::move(work), std::move(done));
    executor.post([error = std::move(who.error()), done = std::move(done)]() mutable {
      done(std::unexpected(std::move(error)));
    });
  }
};

class SharedArchive final : public store::Archive {
 public:
  /// `local` is opened with archived_elsewhere. All outlive the archive.
  SharedArchive(Executor& executor, store::Store& local, ArchiveDatabase& database)
      : executor_(executor), local_(local), database_(database) {}

  /// With `kept_only` of the database alone.
  void list_archive(store::ArchiveQuery query, cluster::Done<store::ArchivePage> done) override;
  /// What is on its way into the database is found, too.
  void get_archived(store::ArchivedName which, cluster::Done<cluster::Object> done) override;
  void remove_archived(std::string uid, cluster::Done<void> done) override;
  void archive_labels(std::string ns, std::string key, cluster::Done<std::vector<std::string>> done) override;

 private:
  Executor& executor_;
  store::Store& local_;
  ArchiveDatabase& database_;
};

}  // namespace tiphys::persist
