// What a step may have left behind once all its processes are dead. Inside its root, by raw system calls.
#pragma once

#include <linux/stat.h>

#include "node/init/step_plan.h"

namespace tiphys::node {

/// Opens at `fd` the folder of the POSIX message queues of this IPC namespace, by a mount that nobody else sees.
bool open_queues(int fd);
/// True when outside its root nothing of a step is left: no shared memory, and no IPC object. `queues` is the folder
/// of open_queues().
bool nothing_left(int queues);

/// Tells whether what is bound at a path is there still: a step may move the folder above it.
class ShownFolder {
 public:
  /// `path` nullptr: nothing is.
  explicit ShownFolder(const char* path);
  bool is_there() const;

 private:
  const char* path_;
  struct statx seen_;
};

/// Tells whether a step has changed its root: each change of a folder moves the time of its status, to the tick.
class RootWatch {
 public:
  explicit RootWatch(const RootPlan& plan) : folders_(plan.own_folders) {}
  void before_step();
  /// True also when it cannot be told.
  bool is_touched() const;

 private:
  const char* const* folders_;
  bool certain_ = false;
  statx_timestamp seen_[kMostOwnFolders];
};

}  // namespace tiphys::node
