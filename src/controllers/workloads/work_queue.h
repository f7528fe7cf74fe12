// Which objects a controller has to look at: each by itself, one look at a time, again when something has changed.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/executor.h"

namespace tiphys::controllers::workloads {

/// An object's namespace and name.
using Name = std::pair<std::string, std::string>;

class WorkQueue : public std::enable_shared_from_this<WorkQueue> {
 public:
  /// Called once, when all that a look has begun is answered; after an error the object is looked at again later.
  using Finish = std::function<void(Status)>;
  using Look = std::function<void(const Name& name, Finish finish)>;

  /// `what` names the kind in the log.
  WorkQueue(Executor& executor, std::string what, Look look)
      : executor_(executor), what_(std::move(what)), look_(std::move(look)) {}
  ~WorkQueue();
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  /// Looks at it in a later turn.
  void add(const Name& name);
  /// Looks at it at this time, if nothing makes it sooner.
  void add_at(const Name& name, Time when);

 private:
  struct Work {
    bool waiting = false;  ///< a turn is posted
    bool busy = false;     ///< it is looked at
    bool again = false;    ///< something has changed meanwhile
    int failures = 0;      ///< in a row
    Time due{};            ///< of the timer
    Executor::TimerId timer = 0;
  };

  void post(const Name& name);
  void look(const Name& name);
  void finished(const Name& name, const Status& outcome);
  void forget_if_idle(const Name& name);

  Executor& executor_;
  const std::string what_;
  const Look look_;
  std::map<Name, Work> works_;
};

}  // namespace tiphys::controllers::workloads
