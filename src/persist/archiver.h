// Brings what has to be archived into the database: finished workflows that the store has marked, and those that it
// keeps although their objects are gone.
//
// Each is written in one transaction and marked as archived once that is committed. Whatever fails is tried again, with
// longer and longer pauses: what waits is in the store, so that nothing is lost by a restart, and no queue grows here.
#pragma once

#include <string>
#include <vector>

#include "persist/shared_archive.h"

namespace tiphys::persist {

class Archiver {
 public:
  /// All outlive it.
  Archiver(Executor& executor, store::Store& store, ArchiveDatabase& database);
  ~Archiver();
  Archiver(const Archiver&) = delete;
  Archiver& operator=(const Archiver&) = delete;

  void start();

 private:
  void look();
  void next_page(std::string after);
  void next_item();
  void mark_again(const doc::Value& workflow);
  void read(const doc::Value& workflow);
  void write(cluster::Object workflow, std::string resource_version);
  void confirm(const doc::Value& workflow, std::string resource_version);
  /// An error that is no one workflow's ends the round.
  void failed(const doc::Value& workflow, const Error& error);
  void end_round();

  Executor& executor_;
  store::Store& store_;
  ArchiveDatabase& database_;
  bool busy_ = false;
  bool again_ = false;   ///< there is more since the round began
  bool failed_ = false;  ///< something in this round
  Duration pause_{};     ///< before the next round, after one that has failed
  Executor::TimerId timer_ = 0;
  store::ArchivePage page_;
  std::size_t at_ = 0;
};

/// Deletes what has been in the archive for its time: at once, and then every hour.
class RowExpiry {
 public:
  RowExpiry(Executor& executor, ArchiveDatabase& database, Duration ttl);
  ~RowExpiry();
  RowExpiry(const RowExpiry&) = delete;
  RowExpiry& operator=(const RowExpiry&) = delete;

  void look();

 private:
  void look_later(Duration pause);

  Executor& executor_;
  ArchiveDatabase& database_;
  const Duration ttl_;
  Executor::TimerId timer_ = 0;
};

}  // namespace tiphys::persist
