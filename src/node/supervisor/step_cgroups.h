// Limits of memory and processor time by control groups, version 1 or 2, where this process may make some.
#pragma once

#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace tiphys::node {

class StepCgroups {
 public:
  /// `root` is an open /sys/fs/cgroup (or -1), `own` the text of /proc/self/cgroup. Looks at nothing before the first
  /// call of prepare().
  StepCgroups(UniqueFd root, std::string own);

  /// Finds out once which limits can be set here.
  void prepare();
  bool limits_memory() const { return memory_.can; }
  bool limits_cpu() const { return cpu_.can; }

  struct Limits {
    UniqueFd memory_procs, cpu_procs;  ///< cgroup.procs, open for writing; none where no limit is asked for or possible
  };
  /// Makes the groups of a step. 0 asks for no limit. `name` is a file name, not used by another step that runs.
  Result<Limits> make(const std::string& name, std::int64_t memory_bytes, double cpus);
  /// True when the kernel killed a process of the step for want of memory.
  bool out_of_memory(const std::string& name) const;
  /// The step's processes have ended.
  void remove(const std::string& name);

 private:
  struct Controller {
    UniqueFd parent;  ///< the folder in which steps' groups are made
    bool can = false;
  };
  void prepare_v1(const std::string& controller, Controller& into);
  void prepare_v2();
  Status set(const Controller& controller, const std::string& name, const char* file, const std::string& value,
             bool required) const;

  UniqueFd root_;
  std::string own_;
  bool prepared_ = false;
  bool v2_ = false;
  Controller memory_, cpu_;
};

}  // namespace tiphys::node
