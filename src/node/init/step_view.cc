#include "node/init/step_view.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/stat.h>

#include "node/init/init_descriptors.h"
#include "node/init/raw_files.h"
#include "node/init/raw_syscall.h"

// glibc 2.36 has these in <sys/mount.h>, which excludes <linux/mount.h> on some versions.
#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif
#ifndef MS_NOSUID
#define MS_NOSUID 2
#define MS_NODEV 4
#define MS_NOEXEC 8
#endif

namespace tiphys::node {
namespace {

// Where the supervisor's own mount keeps the place for a step's root, and the host's folders.
constexpr char kRootPlace[] = "step";
constexpr unsigned kRecursive = 0x8000;  // AT_RECURSIVE
constexpr int kMostMounts = 256;

/// Joins two path parts in a buffer of kLongestPath; false when they are too long.
bool join_path(char* out, const char* first, const char* second) {
  std::size_t at = 0;
  for (; *first; ++first, ++at) {
    if (at == kLongestPath - 2) return false;
    out[at] = *first;
  }
  out[at++] = '/';
  for (; *second; ++second, ++at) {
    if (at == kLongestPath - 1) return false;
    out[at] = *second;
  }
  out[at] = 0;
  return true;
}

/// Submounts included with kRecursive.
long make_read_only(long tree, unsigned recursive) {
  mount_attr attributes;
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  attributes.attr_clr = attributes.propagation = attributes.userns_fd = 0;
  return raw(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | recursive, &attributes, sizeof attributes);
}

/// Opens a mount's source as a tree of its own. What the step may not write is made so here.
long clone_source(const StepMount& mount) {
  const long tree = raw(SYS_open_tree, AT_FDCWD, mount.source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | kRecursive);
  if (tree < 0 || !mount.read_only) return tree;
  const long result = make_read_only(tree, kRecursive);
  return result < 0 ? result : tree;
}

/// What in /proc is the whole machine's, as container engines show it.
long protect_proc() {
  constexpr const char* kOfTheMachine[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"};
  for (const char* path : kOfTheMachine) {
    const long tree = raw(SYS_open_tree, kRootFd, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (tree == -ENOENT) continue;
    long result = tree < 0 ? tree : make_read_only(tree, 0);
    if (result >= 0) result = raw(SYS_move_mount, tree, "", kRootFd, path, MOVE_MOUNT_F_EMPTY_PATH);
    if (tree >= 0) raw(SYS_close, tree);
    if (result < 0) return result;
  }
  return 0;
}

/// Puts an opened source in place. Within the new root already, so that no symbolic link of the step leads out of it.
bool attach_mount(const StepPlan& plan, std::size_t index, int source) {
  const StepMount& mount = plan.mounts[index];
  struct statx about;
  long result = raw(SYS_statx, source, "", AT_EMPTY_PATH, STATX_TYPE, &about);
  if (result >= 0) {
    const bool folder = (about.stx_mode & S_IFMT) == S_IFDIR;
    make_folders(AT_FDCWD, mount.target, folder);
    if (!folder) {
      const long file = raw(SYS_openat, AT_FDCWD, mount.target, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
      if (file >= 0) raw(SYS_close, file);
    }
    result = raw(SYS_move_mount, source, "", AT_FDCWD, mount.target, MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS);
  }
  raw(SYS_close, source);
  if (result < 0) fail_start(plan, StepStage::kMountTarget, result, index);
  return result >= 0;
}

}  // namespace

bool build_root(const RootPlan& plan) {
  long result = raw(SYS_open_tree, AT_FDCWD, plan.root, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  if (result >= 0) {
    raw(SYS_dup3, result, kRootFd, O_CLOEXEC);
    raw(SYS_close, result);
    result = raw(SYS_move_mount, kRootFd, "", AT_FDCWD, kRootPlace, MOVE_MOUNT_F_EMPTY_PATH);
  }
  if (result < 0) {
    fail_start(*plan.slot, StepStage::kRoot, result);
    return false;
  }
  char path[kLongestPath];
  for (std::size_t i = 0; plan.host_folders[i]; ++i) {
    result = join_path(path, "tree", plan.host_folders[i])
                 ? raw(SYS_move_mount, AT_FDCWD, path, kRootFd, plan.host_folders[i], 0)
                 : -ENAMETOOLONG;
    if (result < 0) {
      fail_start(*plan.slot, StepStage::kHostFolder, result, i);
      return false;
    }
  }
  result = plan.fresh_proc ? raw(SYS_mount, "proc", "step/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr)
                           : raw(SYS_move_mount, AT_FDCWD, "proc", kRootFd, "proc", 0);
  if (result >= 0 && !plan.writable_proc) result = protect_proc();
  if (result < 0) {
    fail_start(*plan.slot, StepStage::kProc, result);
    return false;
  }
  result = raw(SYS_mount, "shm", "step/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
  if (result < 0) {
    fail_start(*plan.slot, StepStage::kSharedMemory, result);
    return false;
  }
  return true;
}

bool enter_root(StepSlot& slot) {
  long result = raw(SYS_fchdir, kRootFd);
  if (result >= 0) result = raw(SYS_pivot_root, ".", ".");
  if (result >= 0) result = raw(SYS_umount2, ".", MNT_DETACH);
  if (result >= 0) result = raw(SYS_chdir, "/");
  if (result < 0) fail_start(slot, StepStage::kPivot, result);
  return result >= 0;
}

bool make_mounts_and_enter(const StepPlan& plan) {
  if (plan.mount_count > kMostMounts) {
    fail_start(plan, StepStage::kMountSource, -E2BIG, kMostMounts);
    return false;
  }
  int sources[kMostMounts];
  for (std::size_t i = 0; i < plan.mount_count; ++i) {
    const long source = clone_source(plan.mounts[i]);
    if (source < 0) {
      fail_start(plan, StepStage::kMountSource, source, i);
      return false;
    }
    sources[i] = static_cast<int>(source);
  }
  if (!enter_root(*plan.root.slot)) return false;
  for (std::size_t i = 0; i < plan.mount_count; ++i) {
    if (!attach_mount(plan, i, sources[i])) return false;
  }
  return true;
}

bool settle(const StepPlan& plan) {
  int length = 0;
  while (plan.hostname[length]) ++length;
  if (length != 0) raw(SYS_sethostname, plan.hostname, length);
  long result = raw(SYS_chdir, plan.working_dir);
  if (result == -ENOENT) {
    make_folders(AT_FDCWD, plan.working_dir, true);
    if (plan.set_user) raw(SYS_fchownat, AT_FDCWD, plan.working_dir, plan.uid, plan.gid, 0);
    result = raw(SYS_chdir, plan.working_dir);
  }
  if (result < 0) {
    fail_start(plan, StepStage::kWorkingDir, result);
    return false;
  }
  if (plan.read_only_root) {
    result = make_read_only(kRootFd, 0);
    if (result < 0) {
      fail_start(plan, StepStage::kRoot, result);
      return false;
    }
  }
  raw(SYS_close, kRootFd);
  return true;
}

}  // namespace tiphys::node
