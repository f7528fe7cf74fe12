// How long to wait before another attempt.
#pragma once

#include <string_view>

#include "base/random.h"
#include "base/time.h"

namespace tiphys::kube {

/// Doubles from `first` to `longest`; half of each delay is by chance, so that clients do not come all at once.
class Backoff {
 public:
  explicit Backoff(Random& random, Duration first = std::chrono::milliseconds(200),
                   Duration longest = std::chrono::seconds(30))
      : random_(random), first_(first), longest_(longest) {}

  void reset() { last_ = Duration::zero(); }
  /// At least as long as a server has asked for with a Retry-After header: seconds; other forms do not count.
  Duration next(std::string_view retry_after);

 private:
  Random& random_;
  Duration first_, longest_;
  Duration last_{};
};

}  // namespace tiphys::kube
