// Locks that a workflow or template asks for, and what a workflow's status says of those that it has and waits for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "doc/value.h"

namespace tiphys::api {

/// At most as many holders as a limit says, which stands in a ConfigMap or in the plane's database.
struct SemaphoreRef {
  struct ConfigMapKey {
    std::string name, key;
  };
  std::optional<ConfigMapKey> config_map_key;
  std::optional<std::string> database_key;
  std::string ns;  ///< "": the workflow's

  bool operator==(const SemaphoreRef& other) const;
};

/// One holder at a time.
struct Mutex {
  std::string name;
  std::string ns;  ///< "": the workflow's
  bool database = false;

  bool operator==(const Mutex&) const = default;
};

/// All are taken at once, or none.
struct Synchronization {
  std::vector<SemaphoreRef> semaphores;
  std::vector<Mutex> mutexes;
};

/// `status.synchronization` of a workflow. Holders are "NAMESPACE/WORKFLOW" or "NAMESPACE/WORKFLOW/NODE".
struct SynchronizationStatus {
  struct Semaphore {
    std::string name;
    std::vector<std::string> holders;
    bool operator==(const Semaphore&) const = default;
  };
  struct Mutex {
    std::string name;
    std::string holder;
    bool operator==(const Mutex&) const = default;
  };
  std::vector<Semaphore> semaphores_held;     ///< with the holders that are of this workflow
  std::vector<Semaphore> semaphores_awaited;  ///< with all that hold them
  std::vector<Mutex> mutexes_held, mutexes_awaited;

  bool empty() const {
    return semaphores_held.empty() && semaphores_awaited.empty() && mutexes_held.empty() && mutexes_awaited.empty();
  }
  bool operator==(const SynchronizationStatus&) const = default;
};

doc::Value to_document(const SynchronizationStatus& status);
Result<SynchronizationStatus> parse_synchronization_status(const doc::Value& value);

}  // namespace tiphys::api
