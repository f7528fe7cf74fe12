// What an Executor of virtual time is beside: there Workers have no threads, and each of their jobs is a turn of it.
#pragma once

#include "base/time.h"

namespace tiphys {

class BlockingTime {
 public:
  virtual ~BlockingTime() = default;
  /// How long a job takes that comes now.
  virtual Duration time_of_blocking() = 0;
};

}  // namespace tiphys
