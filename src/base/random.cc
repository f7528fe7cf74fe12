#include "base/random.h"

#include <fmt/format.h>
#include <sys/random.h>

#include "base/check.h"

namespace tiphys {

std::uint64_t SystemRandom::next() {
  std::uint64_t value = 0;
  TIPHYS_CHECK(::getrandom(&value, sizeof value, 0) == sizeof value,
               "getrandom gives eight bytes once the kernel has booted");
  return value;
}

std::string make_uid(Random& random) {
  const std::uint64_t high = (random.next() & ~0xF000ULL) | 0x4000ULL;
  const std::uint64_t low = (random.next() & ~(3ULL << 62)) | (1ULL << 63);
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xFFFF, high & 0xFFFF, low >> 48,
                     low & 0xFFFFFFFFFFFFULL);
}

std::string make_name_suffix(Random& random, int length) {
  constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
  std::string text;
  for (int i = 0; i < length; ++i) text += kAlphabet[random.next() % kAlphabet.size()];
  return text;
}

}  // namespace tiphys
