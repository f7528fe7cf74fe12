// Starts steps: turns a request into a plan, clones an init for it and says what went wrong.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "node/init/step_plan.h"
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

/// An init that waits for a step: a new one with its root, or one whose step has ended.
struct WarmStep {
  pid_t pid = -1;
  StepMemory::Area area;
  std::string root;  ///< its name in kRootPool; "": the last step's files are still looked at
  ino_t root_inode = 0;
  std::string root_path;  ///< absolute, of a new one
  RootPlan plan{};
  bool told = false;  ///< kWarm
  bool ready() const { return told && !root.empty(); }
};

/// A start that an init works on; it must live until the slot tells that it runs or has failed.
struct PlannedStep {
  StartRequest request;
  StepPlan plan{};
  std::string dir, root;  ///< as the plan points to them
  ino_t root_inode = 0;   ///< 0 when the plan is not reusable
  std::vector<char*> argv, envp;
  std::vector<std::string> programs;
  std::vector<const char*> candidates;
  std::vector<StepMount> mounts;
  StepCgroups::Limits limits;
};

class StepStarter {
 public:
  /// `data_dir` is canonical. `unavailable` is why no step can be started at all, if so.
  StepStarter(std::string data_dir, HostView view, StepNamespaces& namespaces, StepCgroups& cgroups, Status available);

  /// Clones the init. `group` is the name of the step's control groups.
  Result<pid_t> start(PlannedStep& step, const StepMemory::Area& area, const std::string& group);
  /// False when no init that waits for a step is to be had here.
  bool can_warm() const { return can_warm_; }
  void warm_failed() { can_warm_ = false; }
  /// Clones an init that waits for a step. False, and never again, when that fails.
  bool start_warm(WarmStep& warm, const StepMemory::Area& area);
  /// Gives a step to a ready init. False, and the init waits on, when the step needs one of its own. After an error the
  /// init is of no use.
  Result<bool> hand_over(PlannedStep& step, WarmStep& warm);
  /// What a failed slot means. kNotFound and kPermissionDenied: the program; others: the rest.
  Error describe(const PlannedStep& step, const StepSlot& slot) const;
  /// After a failure: true when starting once more may help.
  bool try_otherwise(const StepSlot& slot);
  /// What tells one root from another, whatever its name is; 0 when there is none.
  ino_t pooled_inode(const std::string& name) const;
  /// Takes `name` in kRootPool into use.
  void add_root(std::string name) { roots_.push_back(std::move(name)); }
  /// Sentences for the user that have come up since the last call.
  std::vector<std::string> take_notices() { return std::exchange(notices_, {}); }

 private:
  void open_links();
  Status make_dir(const std::string& dir);
  Result<std::string> folder_of(const StartRequest& request);
  Status prepare_root(const std::string& dir);
  Result<pid_t> clone_init(int (*init)(void*), const StepMemory::Area& area, void* plan) const;
  Status plan_limits(PlannedStep& step, const std::string& group);
  Status plan_user(PlannedStep& step);
  void plan_program(PlannedStep& step);
  bool needs_host_mounts(const StartRequest& request) const;
  bool fits_any_init(const PlannedStep& step) const;
  void notice_once(bool& told, std::string text);

  std::string data_dir_;
  HostView view_;
  StepNamespaces& namespaces_;
  StepCgroups& cgroups_;
  Status available_;
  std::vector<std::string> roots_;
  UniqueFd links_;  ///< kRootLinks
  std::vector<std::string> notices_;
  bool fresh_proc_ = true;
  bool can_warm_;
  std::uint64_t last_root_ = 0;
  bool told_memory_ = false;
  bool told_cpu_ = false;
  bool told_privileged_ = false;
};

}  // namespace tiphys::node
