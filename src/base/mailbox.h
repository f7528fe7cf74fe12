// Tasks for an executor that may be waited for where that one does not run any more: at the end of a program.
#pragma once

#include <memory>

#include "base/executor.h"

namespace tiphys {

/// An executor before another one, for those who post from threads of their own. Must not outlive that one.
class Mailbox final : public Executor {
 public:
  explicit Mailbox(Executor& executor);

  Time now() override { return executor_.now(); }
  void post(Task task) override;
  TimerId schedule(Time when, Task task) override { return executor_.schedule(when, std::move(task)); }
  void cancel(TimerId timer) override { executor_.cancel(timer); }

  /// Runs here what is posted, and no timers, until `done` holds, or for so long. Executor's thread only.
  void run_until(const std::function<bool()>& done, Duration most);

 private:
  struct Posted;

  Executor& executor_;
  const std::shared_ptr<Posted> posted_;
};

}  // namespace tiphys
