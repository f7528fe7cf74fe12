// The wire format of protocol buffers (protobuf.dev/programming-guides/encoding), read and written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tiphys {

/// One field of a message.
struct WireField {
  std::uint32_t number = 0;
  bool is_bytes = false;
  std::uint64_t value = 0;   ///< of a varint or a fixed 32 or 64 bits
  std::string_view bytes{};  ///< of a string, bytes or a message
};

class WireReader {
 public:
  explicit WireReader(std::string_view message) : rest_(message) {}

  /// nullopt at the end. kInvalidArgument: cut short, or a wire type of none.
  Result<std::optional<WireField>> next();

  /// For packed numbers.
  bool at_end() const { return rest_.empty(); }
  Result<std::uint64_t> varint();

 private:
  Result<std::uint64_t> fixed(int bytes);
  Result<std::string_view> take(std::uint64_t count);

  std::string_view rest_;
};

/// Appends fields to a message.
class WireWriter {
 public:
  explicit WireWriter(std::string& message) : message_(message) {}

  void varint(std::uint32_t number, std::uint64_t value);
  void fixed64(std::uint32_t number, std::uint64_t value);
  void bytes(std::uint32_t number, std::string_view value);

 private:
  void append(std::uint64_t value);

  std::string& message_;
};

}  // namespace tiphys
