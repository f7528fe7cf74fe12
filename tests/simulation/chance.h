// Draws from a seeded source, by name of what is decided.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/random.h"
#include "base/time.h"

namespace tiphys::simulation {

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : random_(seed) {}

  Random& source() { return random_; }
  /// 0 to count - 1.
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(random_.next() % count); }
  bool percent(std::size_t percent) { return below(100) < percent; }
  Duration up_to(Duration most) {
    return Duration(static_cast<Duration::rep>(random_.next() % static_cast<std::uint64_t>(most.count() + 1)));
  }

 private:
  SeededRandom random_;
};

/// A number that depends on the seed and the words alone, whatever happens when.
constexpr std::uint64_t fixed_by(std::uint64_t seed, std::string_view words) {
  std::uint64_t hash = 1469598103934665603ULL ^ (seed * 0x9E3779B97F4A7C15ULL);
  for (const char c : words) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1099511628211ULL;
  }
  return hash ^ (hash >> 29);
}

}  // namespace tiphys::simulation
