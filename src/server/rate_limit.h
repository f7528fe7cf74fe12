// How many requests of Argo's API an address may make.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/time.h"

namespace tiphys::server {

/// So many a second, counted anew a second after an address's first, as in the original.
class RateLimit {
 public:
  explicit RateLimit(std::uint64_t per_second) : per_second_(per_second) {}

  bool take(std::string_view address, Time now);
  /// Addresses that are remembered.
  std::size_t size() const { return windows_.size(); }

 private:
  struct Window {
    Time begin{};
    std::uint64_t taken = 0;
  };
  void forget_old(Time now);

  std::uint64_t per_second_;
  std::map<std::string, Window, std::less<>> windows_;
  std::size_t forget_at_ = 1024;  ///< so many that old ones are looked for
};

}  // namespace tiphys::server
