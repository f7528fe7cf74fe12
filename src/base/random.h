// Randomness by interface: the program draws it from the system, the simulation from a seed.
#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace tiphys {

class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;
};

/// Cryptographic randomness of the system (getrandom).
class SystemRandom final : public Random {
 public:
  std::uint64_t next() override;
};

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t next() override { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

/// A random UUID (version 4) in its usual text form.
std::string make_uid(Random& random);
/// `length` letters of Kubernetes' generateName alphabet, "bcdfghjklmnpqrstvwxz2456789".
std::string make_name_suffix(Random& random, int length = 5);

}  // namespace tiphys
