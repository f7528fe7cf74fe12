// Numbers and strings as bytes, for the supervisor's protocol and journal: little endian, strings led by their length.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::node {

static_assert(std::endian::native == std::endian::little, "the journal is read by the machine that wrote it");

class ByteWriter {
 public:
  template <typename T>
    requires std::is_arithmetic_v<T>
  ByteWriter& put(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  ByteWriter& put(std::string_view text) {
    put(static_cast<std::uint32_t>(text.size()));
    bytes_.append(text);
    return *this;
  }
  ByteWriter& put(const std::vector<std::string>& list) {
    put(static_cast<std::uint32_t>(list.size()));
    for (const std::string& text : list) put(std::string_view(text));
    return *this;
  }
  const std::string& bytes() const { return bytes_; }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Reads what ByteWriter wrote. After a read beyond the end everything reads as empty and ok() is false.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  template <typename T>
    requires std::is_arithmetic_v<T>
  ByteReader& get(T& value) {
    value = T{};
    if (rest_.size() < sizeof value) return spoil();
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return *this;
  }
  ByteReader& get(std::string& text) {
    std::uint32_t size = 0;
    get(size);
    text.clear();
    if (rest_.size() < size) return spoil();
    text.assign(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return *this;
  }
  ByteReader& get(std::vector<std::string>& list) {
    std::uint32_t count = 0;
    get(count);
    list.clear();
    for (; count != 0 && ok_; --count) get(list.emplace_back());
    return *this;
  }
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && rest_.empty(); }

 private:
  ByteReader& spoil() {
    ok_ = false;
    rest_ = {};
    return *this;
  }
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace tiphys::node
