// What a plane has when its archive is in a database: composed from the configuration.
#pragma once

#include <memory>
#include <string>

#include "api/controller_config.h"
#include "persist/archiver.h"

namespace tiphys::persist {

class DatabaseArchive {
 public:
  /// `config.persistence.database` is there. Secrets are of the namespace `ns`, and are read whenever the database is
  /// asked, so that they may be made, and changed, later. `store` is opened with archived_elsewhere.
  DatabaseArchive(Executor& executor, store::Store& store, const api::ControllerConfig& config, std::string ns);

  store::Archive& archive() { return archive_; }
  /// Begins to write: what waits, and then whatever ends.
  void start();

 private:
  Result<Credentials> credentials() const;

  store::Store& store_;
  const api::PersistenceConfig config_;
  const std::string ns_;
  ConnectionPool pool_;
  ArchiveDatabase database_;
  SharedArchive archive_;
  Archiver archiver_;
  RowExpiry expiry_;
};

}  // namespace tiphys::persist
