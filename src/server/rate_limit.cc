#include "server/rate_limit.h"

#include <algorithm>

namespace tiphys::server {
namespace {

constexpr Duration kWindow = std::chrono::seconds(1);

}  // namespace

bool RateLimit::take(std::string_view address, Time now) {
  auto found = windows_.find(address);
  if (found == windows_.end()) {
    if (windows_.size() >= forget_at_) forget_old(now);
    found = windows_.emplace(address, Window{now, 0}).first;
  }
  Window& window = found->second;
  if (now - window.begin >= kWindow) window = {now, 0};
  if (window.taken >= per_second_) return false;
  ++window.taken;
  return true;
}

void RateLimit::forget_old(Time now) {
  std::erase_if(windows_, [&](const auto& each) { return now - each.second.begin >= kWindow; });
  forget_at_ = std::max<std::size_t>(1024, 2 * windows_.size());
}

}  // namespace tiphys::server
