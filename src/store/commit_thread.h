// The one thread that commits what is queued, all of it in one transaction, and checkpoints the write-ahead log when it
// is idle.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "store/batch_writer.h"

namespace tiphys::store {

/// Pages of the write-ahead log after which it is copied into the database: 4 MiB at the next lull, 32 MiB at once.
inline constexpr int kCheckpointPages = 1000;
inline constexpr int kUrgentCheckpointPages = 8000;
/// A log of fewer is left behind at the end: the next start reads it in less time than copying, syncing and making a
/// new one takes.
inline constexpr int kLeftPages = 100;

/// Follows the length of the write-ahead log.
class Checkpointer {
 public:
  explicit Checkpointer(Database& database);
  /// Leaves a short log as it is when the database is closed.
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  bool due() const { return pages_ >= kCheckpointPages; }
  bool urgent() const { return pages_ >= kUrgentCheckpointPages; }
  /// Copies what no reader holds back. A failure loses nothing: the log goes on growing until it succeeds.
  void run();

 private:
  Database& database_;
  int pages_ = 0;   ///< that a checkpoint would copy
  int length_ = 0;  ///< of the log, copied or not
};

class CommitThread {
 public:
  /// `done` gets each transaction's batch back with its outcome, on this thread. After a failure nothing more is
  /// written until recover(): what came later was checked against what has now failed.
  CommitThread(Database& database, BatchWriter& writer, std::function<void(Batch)> done);
  /// Waits until all that was submitted is written.
  ~CommitThread();

  void submit(Batch batch);
  /// Writes the batch on the caller's thread and sets its outcome, when this one has nothing to do: on a fast disk the
  /// way to another thread and back takes longer than the commit. False: it was not written.
  bool try_write(Batch& batch);
  /// Gives back what is queued behind a failure.
  Batch recover();

 private:
  void run();
  std::optional<Batch> wait_for_batch();
  void checkpoint(std::unique_lock<std::mutex>& lock);

  BatchWriter& writer_;
  Checkpointer checkpointer_;
  std::function<void(Batch)> done_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Batch queued_;
  bool writing_ = false;  ///< or checkpointing
  bool failed_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tiphys::store
