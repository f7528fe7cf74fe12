// Starts steps: turns a request into a plan, clones an init for it and says what went wrong.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "node/init/step_plan.h"
#include "node/supervisor/held_folders.h"
#include "node/supervisor/root_pool.h"
#include "node/supervisor/step_cgroups.h"
#include "node/supervisor/step_namespaces.h"
#include "node/supervisor/supervisor_protocol.h"

namespace tiphys::node {

/// Memory of one init: its slot, shared with it in every build, and its stack and output buffer.
class StepMemory {
 public:
  StepMemory() = default;
  StepMemory(const StepMemory&) = delete;
  StepMemory& operator=(const StepMemory&) = delete;
  ~StepMemory();

  struct Area {
    StepSlot* slot = nullptr;
    char* memory = nullptr;
    char* stack_top() const;
    char* buffer() const;
  };
  Result<Area> take();
  /// The init has been reaped.
  void give_back(Area area);
  bool has_spare() const;
  /// Frees what is spare.
  void shrink();
  /// Takes all slots that have something to tell; follow StepSlot::next after reading the state.
  StepSlot* take_queue() { return queue_ ? queue_->head.exchange(nullptr) : nullptr; }

 private:
  Status add_slots();

  StepQueue* queue_ = nullptr;
  std::vector<StepSlot*> free_slots_;
  std::vector<char*> free_areas_;
};

/// A start that an init works on; it must live until the init runs the program or has failed.
struct PlannedStep {
  StartRequest request;
  StepPlan plan{};
  std::string dir;   ///< as the plan points to it
  std::string root;  ///< in the pool, as long as the root lies there; "" when it is `<dir>/root`
  std::string root_path;
  std::string held;  ///< its folder of held files; "": none
  std::vector<std::string> held_sources;
  std::vector<char*> argv, envp;
  std::vector<std::string> programs;
  std::vector<const char*> candidates;
  std::vector<StepMount> mounts;
  StepCgroups::Limits limits;
  std::string python_socket;  ///< of the interpreter that forks for it; "": none
  std::string python_request;
  PythonFork python{};
};

class StepStarter {
 public:
  /// `data_dir` is canonical. `available` says why no step can be started at all, if so.
  StepStarter(std::string data_dir, const HostView& view, RootPool& roots, HeldFolders& held,
              StepNamespaces& namespaces, StepCgroups& cgroups, Status available);

  /// Clones the init. `group` is the name of the step's control groups.
  Result<pid_t> start(PlannedStep& step, const StepMemory::Area& area, const std::string& group);
  /// Clones an init that waits for a step, with the root `root_path`. `plan` must live until it tells kWarm or kFailed.
  Result<pid_t> start_warm(RootPlan& plan, const StepMemory::Area& area, const char* root_path);
  /// Becomes an interpreter of the step's one program, which listens at `listener`; its code is read from `source`. The
  /// step, with a root in the pool, and the area are free again.
  Result<pid_t> start_zygote(PlannedStep& step, const StepMemory::Area& area, int listener, int source);
  /// A path in the data directory.
  std::string absolute(const std::string& relative) const { return data_dir_ + "/" + relative; }
  /// False when an init's memory is not shared here, so that it cannot be told of a step.
  bool can_warm() const;
  /// Plans a step for an init that waits and has the folder `held`. False when the step needs one of its own.
  bool plan_warm(PlannedStep& step, const std::string& held);
  /// What a failed slot means. kNotFound and kPermissionDenied: the program; others: the rest.
  Error describe(const PlannedStep& step, const StepSlot& slot) const;
  /// After a failure: true when starting once more may help.
  bool try_otherwise(const StepSlot& slot);
  /// Sentences for the user that have come up since the last call.
  std::vector<std::string> take_notices() { return std::exchange(notices_, {}); }

 private:
  Result<std::string> dir_of(const StartRequest& request) const;
  Status prepare_root(PlannedStep& step);
  RootPlan root_plan(const StepMemory::Area& area, const char* path) const;
  Result<pid_t> clone_init(int (*init)(void*), const StepMemory::Area& area, void* plan) const;
  Result<pid_t> clone_zygote(ZygotePlan& zygote, const StepMemory::Area& area) const;
  void plan_python(PlannedStep& step);
  Status plan_limits(PlannedStep& step, const std::string& group);
  Status plan_user(PlannedStep& step);
  void plan_program(PlannedStep& step);
  Status plan_held(PlannedStep& step);
  bool needs_host_mounts(const StartRequest& request) const;
  bool fits_any_init(const PlannedStep& step) const;
  void notice_once(bool& told, std::string text);

  std::string data_dir_;
  std::vector<std::string> own_folders_;
  std::vector<const char*> own_folder_pointers_;
  std::vector<std::string> account_parents_;
  std::vector<const char*> account_folder_pointers_;  ///< the same, and those on the way to what is held
  RootPool& roots_;
  HeldFolders& held_;
  StepNamespaces& namespaces_;
  StepCgroups& cgroups_;
  Status available_;
  std::vector<std::string> notices_;
  bool fresh_proc_ = true;
  bool told_memory_ = false;
  bool told_cpu_ = false;
  bool told_privileged_ = false;
};

}  // namespace tiphys::node
