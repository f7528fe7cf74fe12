#include "node/init/leftovers.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <time.h>

#include "node/init/raw_syscall.h"

namespace tiphys::node {
namespace {

bool is_empty(long folder) {
  alignas(8) char entries[256];
  constexpr long kDotsOnly = 2 * 24;  // "." and ".."
  return raw(SYS_getdents64, folder, entries, sizeof entries) == kDotsOnly;
}

bool shared_memory_is_empty() {
  const long folder = raw(SYS_openat, AT_FDCWD, "/dev/shm", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (folder < 0) return false;
  struct statx about;
  const bool empty = is_empty(folder) &&
                     raw(SYS_statx, folder, "", AT_EMPTY_PATH, STATX_MODE | STATX_UID, &about) == 0 &&
                     (about.stx_mode & 07777) == 01777;
  raw(SYS_close, folder);
  return empty;
}

/// What has an identifier of System V, and what POSIX calls a message queue.
bool ipc_is_empty(int queues) {
  seminfo semaphores;
  msginfo messages;
  shm_info memory;
  return raw(SYS_shmctl, 0, SHM_INFO, &memory) >= 0 && memory.used_ids == 0 &&
         raw(SYS_semctl, 0, 0, SEM_INFO, &semaphores) >= 0 && semaphores.semusz == 0 &&
         raw(SYS_msgctl, 0, MSG_INFO, &messages) >= 0 && messages.msgpool == 0 &&
         raw(SYS_lseek, queues, 0, SEEK_SET) == 0 && is_empty(queues);
}

bool look(const char* folder, statx_timestamp& changed) {
  struct statx about;
  if (raw(SYS_statx, AT_FDCWD, folder, AT_SYMLINK_NOFOLLOW, STATX_CTIME, &about) < 0) return false;
  changed.tv_sec = about.stx_ctime.tv_sec;
  changed.tv_nsec = about.stx_ctime.tv_nsec;
  return true;
}

}  // namespace

bool open_queues(int fd) {
  const long context = raw(SYS_fsopen, "mqueue", FSOPEN_CLOEXEC);
  if (context < 0) return false;
  long mount = raw(SYS_fsconfig, context, static_cast<int>(FSCONFIG_CMD_CREATE), nullptr, nullptr, 0);
  if (mount >= 0) mount = raw(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
  raw(SYS_close, context);
  if (mount < 0) return false;
  const long folder = raw(SYS_openat, mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  raw(SYS_close, mount);
  if (folder >= 0) raw(SYS_dup3, folder, fd, O_CLOEXEC);
  raw(SYS_close, folder);
  return folder >= 0;
}

bool nothing_left(int queues) {
  return shared_memory_is_empty() && ipc_is_empty(queues);
}

ShownFolder::ShownFolder(const char* path) : path_(path) {
  if (path_) raw(SYS_statx, AT_FDCWD, path_, AT_SYMLINK_NOFOLLOW, STATX_INO, &seen_);
}

bool ShownFolder::is_there() const {
  if (!path_) return true;
  struct statx now;
  return raw(SYS_statx, AT_FDCWD, path_, AT_SYMLINK_NOFOLLOW, STATX_INO, &now) >= 0 && now.stx_ino == seen_.stx_ino &&
         now.stx_dev_major == seen_.stx_dev_major && now.stx_dev_minor == seen_.stx_dev_minor;
}

void RootWatch::before_step() {
  timespec tick;
  certain_ = raw(SYS_clock_gettime, CLOCK_REALTIME_COARSE, &tick) >= 0;
  for (std::size_t i = 0; folders_[i] && certain_; ++i) {
    if (i == kMostOwnFolders) {
      certain_ = false;
      break;
    }
    // A change in this very tick, or where a file system knows only seconds, would not show.
    certain_ = look(folders_[i], seen_[i]) && seen_[i].tv_nsec != 0 &&
               (seen_[i].tv_sec != tick.tv_sec || seen_[i].tv_nsec != static_cast<std::uint32_t>(tick.tv_nsec));
  }
}

bool RootWatch::is_touched() const {
  bool same = certain_;
  for (std::size_t i = 0; folders_[i] && same; ++i) {
    statx_timestamp now;
    same = look(folders_[i], now) && now.tv_sec == seen_[i].tv_sec && now.tv_nsec == seen_[i].tv_nsec;
  }
  return !same;
}

}  // namespace tiphys::node
