#include "kube/backoff.h"

#include <algorithm>
#include <charconv>

namespace tiphys::kube {

Duration Backoff::next(std::string_view retry_after) {
  last_ = last_ == Duration::zero() ? first_ : std::min(last_ * 2, longest_);
  const auto half = static_cast<std::uint64_t>(last_.count() / 2);
  const Duration delay = last_ / 2 + Duration(static_cast<std::int64_t>(random_.next() % (half + 1)));
  int seconds = 0;
  std::from_chars(retry_after.data(), retry_after.data() + retry_after.size(), seconds);
  return std::max<Duration>(delay, std::chrono::seconds(std::clamp(seconds, 0, 600)));
}

}  // namespace tiphys::kube
