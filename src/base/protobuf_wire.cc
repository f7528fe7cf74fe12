#include "base/protobuf_wire.h"

namespace tiphys {
namespace {

std::unexpected<Error> cut_short() {
  return fail(Code::kInvalidArgument, "the protobuf message ends in the middle of a field");
}

}  // namespace

Result<std::optional<WireField>> WireReader::next() {
  if (rest_.empty()) return std::nullopt;
  TIPHYS_TRY(const std::uint64_t tag, varint());
  WireField field;
  field.number = static_cast<std::uint32_t>(tag >> 3);
  if (field.number == 0) return fail(Code::kInvalidArgument, "a protobuf field has number 0");
  switch (tag & 7U) {
    case 0: {
      TIPHYS_TRY(field.value, varint());
      return field;
    }
    case 1: {
      TIPHYS_TRY(field.value, fixed(8));
      return field;
    }
    case 2: {
      TIPHYS_TRY(const std::uint64_t size, varint());
      TIPHYS_TRY(field.bytes, take(size));
      field.is_bytes = true;
      return field;
    }
    case 5: {
      TIPHYS_TRY(field.value, fixed(4));
      return field;
    }
    default:
      return fail(Code::kInvalidArgument, "a protobuf field has an unknown wire type");
  }
}

Result<std::uint64_t> WireReader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) return cut_short();
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if ((byte & 0x80U) == 0) return value;
  }
  return fail(Code::kInvalidArgument, "a protobuf number is longer than ten bytes");
}

Result<std::uint64_t> WireReader::fixed(int bytes) {
  TIPHYS_TRY(const std::string_view text, take(static_cast<std::uint64_t>(bytes)));
  std::uint64_t value = 0;
  for (std::size_t i = text.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(text[i]);
  return value;
}

Result<std::string_view> WireReader::take(std::uint64_t count) {
  if (count > rest_.size()) return cut_short();
  const std::string_view taken = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return taken;
}

void WireWriter::varint(std::uint32_t number, std::uint64_t value) {
  append(std::uint64_t{number} << 3);
  append(value);
}

void WireWriter::fixed64(std::uint32_t number, std::uint64_t value) {
  append(std::uint64_t{number} << 3 | 1U);
  for (int i = 0; i < 8; ++i) message_ += static_cast<char>(value >> 8 * i & 0xFFU);
}

void WireWriter::bytes(std::uint32_t number, std::string_view value) {
  append(std::uint64_t{number} << 3 | 2U);
  append(value.size());
  message_ += value;
}

void WireWriter::append(std::uint64_t value) {
  for (; value > 0x7F; value >>= 7) message_ += static_cast<char>((value & 0x7FU) | 0x80U);
  message_ += static_cast<char>(value);
}

}  // namespace tiphys
