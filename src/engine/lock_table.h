// Who holds which mutex and semaphore, and who waits for them, over all workflows. A pure object: those who own it tell
// it what is asked for, given back and allowed, and pass on what it decides. Nothing in it is persisted: it is made
// anew from what the workflows' status says they hold, and those that wait ask again.
//
// A lock is given to the head of its queue: higher priority first, then the older workflow, then its name, then where
// the node stands in its manifest. Several locks are given at once or not at all. Nodes of the workflow at the head may
// go before one another, as in the original (workflow/sync). Costs are logarithmic in holders and waiters, but for the
// other waiters of the workflow at the head.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace tiphys::engine {

struct LockName {
  enum class Kind { kMutex, kConfigMap, kDatabase };
  Kind kind = Kind::kMutex;
  bool semaphore = false;
  std::string ns;
  std::string resource;  ///< the mutex, the ConfigMap or the key in the database
  std::string key;       ///< in the ConfigMap

  /// As status and messages name it: "default/Mutex/deploy", "default/ConfigMap/limits/gpu", "default/Database/gpu".
  std::string text() const;
  /// The same, but for mutexes and semaphores of one name in the database: "mtx/default/gpu", "sem/default/gpu".
  std::string id() const;
  /// The reverse of text().
  static std::optional<LockName> parse(std::string_view text, bool semaphore);
};

/// A wish to hold all of some locks.
struct LockRequest {
  std::string holder;  ///< "NAMESPACE/WORKFLOW" or "NAMESPACE/WORKFLOW/NODE"
  std::vector<LockName> locks;
  std::int64_t priority = 0;
  Time created{};                   ///< of the workflow
  std::vector<std::uint32_t> rank;  ///< of the node in its workflow
};

/// What has become of a request.
struct LockDecision {
  std::string holder;
  bool granted = false;
  std::string awaited = {};  ///< the first lock that stands in the way
  std::string message = {};  ///< what to tell of it
};

class LockTable {
 public:
  /// The holder has it already, whatever the limit.
  void restore(const LockName& lock, const std::string& holder);
  /// Requests wait silently as long as the limit of a semaphore among their locks is unknown. False: nobody asks for
  /// the lock.
  bool set_limit(const std::string& lock_id, std::int64_t limit);
  bool knows_limit(const std::string& lock_id) const;
  /// Decided by the next decide(). Who holds or awaits the locks already is answered again.
  void request(LockRequest request);
  /// All that waits of a workflow, "NAMESPACE/NAME", waits with this priority from now on.
  void set_priority(const std::string& workflow, std::int64_t priority);
  /// Whatever it holds or waits for.
  void release(const std::string& holder);
  /// All that is held or awaited by a workflow, "NAMESPACE/NAME", and by its nodes.
  void release_workflow(const std::string& workflow);
  /// Grants what can be granted. What was granted, what was asked for and has to wait, and what waits under another
  /// limit than before.
  std::vector<LockDecision> decide();

  std::vector<std::string> holders(const std::string& lock_id) const;
  std::vector<std::string> waiters(const std::string& lock_id) const;
  /// Those that hold or await anything: "NAMESPACE/NAME".
  std::set<std::string> workflows() const;
  /// Locks that somebody holds or waits for.
  std::size_t size() const { return locks_.size(); }
  bool contains(const std::string& lock_id) const { return locks_.contains(lock_id); }

 private:
  struct Lock;
  struct Claim {
    LockRequest request;
    std::string workflow;  ///< of the holder
    std::vector<Lock*> locks;
    bool granted = false;
  };
  struct InOrder {
    bool operator()(const Claim* a, const Claim* b) const;
  };
  struct Lock {
    LockName name;
    std::optional<std::int64_t> limit;
    std::set<std::string> holders;
    std::set<Claim*, InOrder> queue;
    bool full() const { return static_cast<std::int64_t>(holders.size()) >= *limit; }
  };

  Lock& lock(const LockName& name);
  /// The claims of a workflow and its nodes.
  std::vector<Claim*> claims_of(const std::string& workflow) const;
  void forget(Claim& claim);
  Claim* next_of(const Lock& lock) const;
  void grant_all(std::vector<LockDecision>& decisions);
  void grant(Claim& claim);
  bool undecided(const Claim& claim) const;
  /// The first of its locks that the claim cannot have; null when it can have all.
  const Lock* obstacle(const Claim& claim) const;
  static LockDecision waiting(const Claim& claim, const Lock& obstacle);

  std::map<std::string, std::unique_ptr<Lock>> locks_;    ///< by id
  std::map<std::string, std::unique_ptr<Claim>> claims_;  ///< by holder
  std::set<std::string> touched_;                         ///< locks with room or a head that they had not before
  std::set<std::string> untold_;                          ///< holders that wait and have not been told
};

}  // namespace tiphys::engine
