#include "store/commit_thread.h"

#include <chrono>

#include "base/check.h"
#include "base/log.h"

namespace tiphys::store {
Checkpointer::Checkpointer(Database& database) : database_(database) {
  sqlite3_wal_hook(
      database.get(),
      [](void* self, sqlite3*, const char*, int pages) {
        auto* checkpointer = static_cast<Checkpointer*>(self);
        checkpointer->pages_ = checkpointer->length_ = pages;
        return SQLITE_OK;
      },
      this);
}

Checkpointer::~Checkpointer() {
  int keeps = 1;
  sqlite3_file_control(database_.get(), "main", SQLITE_FCNTL_PERSIST_WAL, &keeps);
  if (length_ >= kLeftPages) return;
  sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

void Checkpointer::run() {
  const int result = sqlite3_wal_checkpoint_v2(database_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  // Counted anew by the next commit: a log that could not be copied is due again then.
  pages_ = 0;
  if (result != SQLITE_OK && result != SQLITE_BUSY) log::warn("{}", database_.last_error().error().message);
}

CommitThread::CommitThread(Database& database, BatchWriter& writer, std::function<void(Batch)> done)
    : writer_(writer), checkpointer_(database), done_(std::move(done)), thread_([this] { run(); }) {}

CommitThread::~CommitThread() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
  if (failed_) log::error("the last writes to the store are lost");
}

void CommitThread::submit(Batch batch) {
  {
    const std::scoped_lock lock(mutex_);
    queued_.append(std::move(batch));
  }
  changed_.notify_one();
}

Batch CommitThread::recover() {
  const std::scoped_lock lock(mutex_);
  failed_ = false;
  return std::exchange(queued_, {});
}

bool CommitThread::try_write(Batch& batch) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || writing_ || failed_ || stopping_ || !queued_.writes.empty()) return false;
  batch.outcome = writer_.write(batch);
  if (!batch.outcome) failed_ = true;
  if (checkpointer_.due()) changed_.notify_one();
  return true;
}

std::optional<Batch> CommitThread::wait_for_batch() {
  // A lull this long is worth a checkpoint, which delays a commit by some milliseconds.
  constexpr std::chrono::milliseconds kLull{20};
  std::unique_lock lock(mutex_);
  writing_ = false;
  const auto ready = [this] { return stopping_ || (!failed_ && !queued_.writes.empty()); };
  for (;;) {
    changed_.wait(lock, [&] { return ready() || checkpointer_.due(); });
    if (ready() || changed_.wait_for(lock, kLull, ready)) break;
    checkpoint(lock);
  }
  if (failed_ || queued_.writes.empty()) return std::nullopt;
  writing_ = true;
  return std::exchange(queued_, {});
}

void CommitThread::checkpoint(std::unique_lock<std::mutex>& lock) {
  writing_ = true;
  lock.unlock();
  checkpointer_.run();
  lock.lock();
  writing_ = false;
}

void CommitThread::run() {
  while (auto batch = wait_for_batch()) {
    batch->outcome = writer_.write(*batch);
    if (!batch->outcome) {
      const std::scoped_lock lock(mutex_);
      failed_ = true;
    }
    done_(std::move(*batch));
    if (checkpointer_.urgent()) checkpointer_.run();
  }
}

}  // namespace tiphys::store
