#include "artifact/argon2.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <vector>

#include "base/check.h"

namespace tiphys::artifact {
namespace {

static_assert(std::endian::native == std::endian::little);

using Words = std::array<std::uint64_t, 16>;

/// BLAKE2b (RFC 7693) without a key.
class Blake2b {
 public:
  explicit Blake2b(std::uint32_t bytes) : bytes_(bytes), state_(kStart) { state_[0] ^= 0x01010000 ^ bytes; }
  std::string of(std::string_view text) {
    do {
      const std::string_view block = text.substr(0, sizeof(Words));
      text.remove_prefix(block.size());
      done_ += block.size();
      Words message{};
      std::memcpy(message.data(), block.data(), block.size());
      compress(message, text.empty());
    } while (!text.empty());
    return {reinterpret_cast<const char*>(state_.data()), bytes_};
  }

 private:
  static constexpr std::array<std::uint64_t, 8> kStart = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                                                          0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                                                          0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
  static constexpr std::uint8_t kOrder[10][16] = {
      {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
      {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
      {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
      {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
      {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

  void compress(const Words& message, bool last) {
    Words v;
    std::ranges::copy(state_, v.begin());
    std::ranges::copy(kStart, v.begin() + 8);
    v[12] ^= done_;
    if (last) v[14] = ~v[14];
    const auto mix = [&](std::size_t a, std::size_t b, std::size_t c, std::size_t d, std::uint64_t x, std::uint64_t y) {
      v[a] += v[b] + x;
      v[d] = std::rotr(v[d] ^ v[a], 32);
      v[c] += v[d];
      v[b] = std::rotr(v[b] ^ v[c], 24);
      v[a] += v[b] + y;
      v[d] = std::rotr(v[d] ^ v[a], 16);
      v[c] += v[d];
      v[b] = std::rotr(v[b] ^ v[c], 63);
    };
    for (int round = 0; round < 12; ++round) {
      const auto& order = kOrder[round % 10];
      for (std::size_t i = 0; i < 4; ++i) {
        mix(i, i + 4, i + 8, i + 12, message[order[2 * i]], message[order[2 * i + 1]]);
      }
      for (std::size_t i = 0; i < 4; ++i) {
        mix(i, (i + 1) % 4 + 4, (i + 2) % 4 + 8, (i + 3) % 4 + 12, message[order[2 * i + 8]],
            message[order[2 * i + 9]]);
      }
    }
    for (std::size_t i = 0; i < 8; ++i) state_[i] ^= v[i] ^ v[i + 8];
  }

  const std::uint32_t bytes_;
  std::array<std::uint64_t, 8> state_;
  std::uint64_t done_ = 0;
};

std::string number(std::uint32_t value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

/// H', a hash of any length.
std::string long_hash(std::string_view text, std::uint32_t bytes) {
  std::string piece = number(bytes).append(text), made;
  if (bytes <= 64) return Blake2b(bytes).of(piece);
  std::uint32_t left = bytes;
  for (; left > 64; left -= 32) {
    piece = Blake2b(64).of(piece);
    made += piece.substr(0, 32);
  }
  return made + Blake2b(left).of(piece);
}

using Block = std::array<std::uint64_t, 128>;

/// BLAKE2b's round with products, on the sixteen words of the block that begin at `at`, in pairs `step` apart.
void permute(Block& block, std::size_t at, std::size_t step) {
  Words v;
  const auto word = [&](std::size_t i) -> std::uint64_t& { return block[at + i / 2 * step + i % 2]; };
  for (std::size_t i = 0; i < 16; ++i) v[i] = word(i);
  const auto add = [](std::uint64_t x, std::uint64_t y) { return x + y + 2 * (x & 0xffffffff) * (y & 0xffffffff); };
  const auto mix = [&](std::size_t a, std::size_t b, std::size_t c, std::size_t d) {
    v[a] = add(v[a], v[b]);
    v[d] = std::rotr(v[d] ^ v[a], 32);
    v[c] = add(v[c], v[d]);
    v[b] = std::rotr(v[b] ^ v[c], 24);
    v[a] = add(v[a], v[b]);
    v[d] = std::rotr(v[d] ^ v[a], 16);
    v[c] = add(v[c], v[d]);
    v[b] = std::rotr(v[b] ^ v[c], 63);
  };
  for (std::size_t i = 0; i < 4; ++i) mix(i, i + 4, i + 8, i + 12);
  for (std::size_t i = 0; i < 4; ++i) mix(i, (i + 1) % 4 + 4, (i + 2) % 4 + 8, (i + 3) % 4 + 12);
  for (std::size_t i = 0; i < 16; ++i) word(i) = v[i];
}

/// G, the compression of two blocks.
Block compress(const Block& x, const Block& y) {
  Block mixed;
  for (std::size_t i = 0; i < mixed.size(); ++i) mixed[i] = x[i] ^ y[i];
  Block made = mixed;
  for (std::size_t row = 0; row < 8; ++row) permute(made, 16 * row, 2);
  for (std::size_t column = 0; column < 8; ++column) permute(made, 2 * column, 16);
  for (std::size_t i = 0; i < mixed.size(); ++i) made[i] ^= mixed[i];
  return made;
}

/// The blocks of all lanes, four slices each.
class Memory {
 public:
  explicit Memory(const Argon2& cost)
      : cost_(cost), columns_(cost.kibibytes / (4 * cost.lanes) * 4), segment_(columns_ / 4) {
    blocks_.resize(std::size_t{columns_} * cost.lanes);
  }

  void start(const std::string& seed) {
    for (std::uint32_t lane = 0; lane < cost_.lanes; ++lane) {
      for (std::uint32_t column = 0; column < 2; ++column) {
        const std::string made = long_hash(seed + number(column) + number(lane), sizeof(Block));
        std::memcpy(at(lane, column).data(), made.data(), made.size());
      }
    }
  }

  void fill(std::uint32_t pass, std::uint32_t slice, std::uint32_t lane) {
    // The first half of the first pass looks where no password tells; the rest where the blocks say.
    const bool independent = pass == 0 && slice < 2;
    Block input{pass, lane, slice, blocks_.size(), cost_.passes, 2}, addresses{};
    for (std::uint32_t i = 0; i < segment_; ++i) {
      if (independent && i % addresses.size() == 0) {
        ++input[6];
        addresses = compress({}, compress({}, input));
      }
      if (pass == 0 && slice == 0 && i < 2) continue;
      const std::uint32_t column = slice * segment_ + i;
      const Block& before = at(lane, (column + columns_ - 1) % columns_);
      const std::uint64_t random = independent ? addresses[i % addresses.size()] : before[0];
      const Block made = compress(before, reference(pass, slice, lane, i, random));
      Block& block = at(lane, column);
      for (std::size_t word = 0; word < block.size(); ++word) {
        block[word] = made[word] ^ (pass == 0 ? 0 : block[word]);
      }
    }
  }

  std::string end() {
    Block sum{};
    for (std::uint32_t lane = 0; lane < cost_.lanes; ++lane) {
      const Block& last = at(lane, columns_ - 1);
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] ^= last[i];
    }
    return long_hash({reinterpret_cast<const char*>(sum.data()), sizeof sum}, cost_.bytes);
  }

 private:
  Block& at(std::uint32_t lane, std::uint32_t column) { return blocks_[std::size_t{lane} * columns_ + column]; }

  /// The block that goes into block `i` of the segment: section 3.4.1.3 of the RFC.
  const Block& reference(std::uint32_t pass, std::uint32_t slice, std::uint32_t lane, std::uint32_t i,
                         std::uint64_t random) {
    const bool first = pass == 0 && slice == 0;
    const auto other = first ? lane : static_cast<std::uint32_t>((random >> 32) % cost_.lanes);
    const bool same = other == lane;
    std::uint64_t area = pass == 0 ? std::uint64_t{slice} * segment_ : std::uint64_t{columns_} - segment_;
    if (same) area += i;
    if (same || i == 0) --area;
    const std::uint64_t low = random & 0xffffffff;
    const std::uint64_t distance = area - 1 - ((area * ((low * low) >> 32)) >> 32);
    const std::uint64_t start = pass == 0 ? 0 : (slice + 1) % 4 * std::uint64_t{segment_};
    return at(other, static_cast<std::uint32_t>((start + distance) % columns_));
  }

  const Argon2 cost_;
  const std::uint32_t columns_;  ///< of a lane
  const std::uint32_t segment_;  ///< columns of a slice
  std::vector<Block> blocks_;
};

}  // namespace

std::string argon2id(std::string_view password, std::string_view salt, const Argon2& cost) {
  TIPHYS_CHECK(cost.bytes <= 64 && cost.kibibytes >= 8 * cost.lanes, "such a cost is none");
  constexpr std::uint32_t kVersion = 0x13, kArgon2id = 2;
  std::string seed;
  for (const std::uint32_t value : {cost.lanes, cost.bytes, cost.kibibytes, cost.passes, kVersion, kArgon2id}) {
    seed += number(value);
  }
  // Neither a secret nor data beside password and salt.
  for (const std::string_view text : {password, salt, std::string_view(), std::string_view()}) {
    seed.append(number(static_cast<std::uint32_t>(text.size()))).append(text);
  }
  Memory memory(cost);
  memory.start(Blake2b(64).of(seed));
  for (std::uint32_t pass = 0; pass < cost.passes; ++pass) {
    for (std::uint32_t slice = 0; slice < 4; ++slice) {
      for (std::uint32_t lane = 0; lane < cost.lanes; ++lane) memory.fill(pass, slice, lane);
    }
  }
  return memory.end();
}

}  // namespace tiphys::artifact
