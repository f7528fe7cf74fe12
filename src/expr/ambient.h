// What expressions may take from outside their variables. Who evaluates gives it, so that a simulation can repeat a
// run.
#pragma once

#include "base/random.h"
#include "base/time.h"

namespace tiphys::expr {

struct Ambient {
  Time now;
  Random* random;
};

}  // namespace tiphys::expr
