// Inits that have no step and wait for one, so that it finds its namespaces and mounts made.
#pragma once

#include <sys/types.h>

#include <list>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/error.h"
#include "node/supervisor/root_pool.h"
#include "node/supervisor/step_starter.h"

namespace tiphys::node {

class WarmInits {
 public:
  WarmInits(StepStarter& starter, RootPool& roots, HeldFolders& held, StepMemory& memory)
      : starter_(starter), roots_(roots), held_(held), memory_(memory), can_begin_(starter.can_warm()) {}

  struct Init {
    pid_t pid = -1;
    StepMemory::Area area;
    std::string held;  ///< its folder of held files, which only a step with such files gets; "": none
  };

  /// Begins one, unless one that never had a step waits already.
  void begin();
  /// Gives the step to an init. `owner` is for its slot. None when there is no init for it.
  std::optional<Init> take(PlannedStep& step, void* owner);
  /// Takes an init whose step has ended, with its root: in the pool, or, with `root` empty, in the step's folder `dir`
  /// until pooled() names it.
  void give(Init init, std::string root, const std::string& dir);
  /// A root is empty and in the pool; it may be one that an init here has.
  void pooled(std::string name);
  /// Ends the oldest until at most so many are left.
  void limit(std::size_t most);
  std::size_t size() const { return warms_.size(); }
  /// A slot without an owner has told kWarm.
  void ready(const StepSlot* slot);
  /// A process has been reaped.
  void ended(pid_t pid);

 private:
  struct Warm {
    Init init;
    std::string root;       ///< in the pool; "": the last step's files are still looked at
    ino_t root_inode = 0;   ///< of one that is not in the pool
    std::string root_path;  ///< of a new one
    RootPlan plan{};        ///< of a new one
    bool had_step = false;
    bool told = false;  ///< kWarm
    bool ready() const { return told && !root.empty(); }
  };

  void give_root(const Init& init, std::string root);

  StepStarter& starter_;
  RootPool& roots_;
  HeldFolders& held_;
  StepMemory& memory_;
  bool can_begin_;
  std::list<Warm> warms_;                  ///< the oldest first
  std::unordered_map<pid_t, Init> inits_;  ///< all that are not reaped, those told to end too
};

}  // namespace tiphys::node
