// Bytes and numbers from a source of chance, each as likely as every other.
#pragma once

#include <string>
#include <string_view>

#include "base/random.h"

namespace tiphys::expr {

class Chance {
 public:
  explicit Chance(Random& random) : random_(random) {}

  unsigned char byte() {
    if (left_ == 0) {
      bits_ = random_.next();
      left_ = sizeof bits_;
    }
    --left_;
    const auto byte = static_cast<unsigned char>(bits_);
    bits_ >>= 8;
    return byte;
  }

  std::string bytes(std::size_t count) {
    std::string text(count, '\0');
    for (char& c : text) c = static_cast<char>(byte());
    return text;
  }

  /// One of the alphabet's, which has 256 letters at most.
  char letter(std::string_view alphabet) {
    const std::size_t fair = 256 - 256 % alphabet.size();
    std::size_t drawn = byte();
    while (drawn >= fair) drawn = byte();
    return alphabet[drawn % alphabet.size()];
  }

  /// From 0 to limit - 1.
  std::uint64_t below(std::uint64_t limit) {
    const std::uint64_t unfair = (0 - limit) % limit;  // 2^64 mod limit
    std::uint64_t drawn = random_.next();
    while (drawn < unfair) drawn = random_.next();
    return drawn % limit;
  }

 private:
  Random& random_;
  std::uint64_t bits_ = 0;
  std::size_t left_ = 0;  ///< bytes of bits_ that nobody has had
};

}  // namespace tiphys::expr
