// sprig's functions of chance.
#include "base/encoding.h"
#include "expr/arguments.h"
#include "expr/chance.h"
#include "expr/unicode.h"

namespace tiphys::expr {
namespace {

using Value = Result<doc::Value>;

constexpr std::int64_t kMostDrawn = 1 << 20;

constexpr char kDigits[] = "0123456789";
constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr char kLettersAndDigits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr char kPrintable[] =
    " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";

Result<std::int64_t> count_argument(Arguments arguments) {
  TIPHYS_TRY(const auto count, int_or_zero(arguments, 0));
  if (count > kMostDrawn) return fail(Code::kResourceExhausted, "memory budget exceeded");
  return count;
}

template <const char* letters_of>
Value letters(Arguments arguments, const Ambient& ambient) {
  constexpr std::string_view alphabet = letters_of;
  TIPHYS_TRY(const auto count, count_argument(arguments));
  Chance chance(*ambient.random);
  std::string text;
  for (std::int64_t i = 0; i < count; ++i) text += chance.letter(alphabet);
  return doc::Value(text);
}

Value bytes(Arguments arguments, const Ambient& ambient) {
  TIPHYS_TRY(const auto count, count_argument(arguments));
  if (count < 0) return bad_argument("makeslice: len out of range");
  return doc::Value(encode_base64(Chance(*ambient.random).bytes(static_cast<std::size_t>(count))));
}

/// From the first to below the second; their distance wraps as Go's.
Value number(Arguments arguments, const Ambient& ambient) {
  TIPHYS_TRY(const auto least, int_or_zero(arguments, 0));
  TIPHYS_TRY(const auto limit, int_or_zero(arguments, 1));
  const std::uint64_t distance = static_cast<std::uint64_t>(limit) - static_cast<std::uint64_t>(least);
  if (static_cast<std::int64_t>(distance) <= 0) return bad_argument("invalid argument to Intn");
  const std::uint64_t drawn = Chance(*ambient.random).below(distance);
  return doc::Value(static_cast<std::int64_t>(static_cast<std::uint64_t>(least) + drawn));
}

Value uuid(Arguments, const Ambient& ambient) {
  return doc::Value(make_uid(*ambient.random));
}

Value shuffle(Arguments arguments, const Ambient& ambient) {
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 0));
  if (static_cast<std::int64_t>(text.size()) > kMostDrawn) {
    return fail(Code::kResourceExhausted, "memory budget exceeded");
  }
  Chance chance(*ambient.random);
  std::u32string points = code_points(text);
  for (std::size_t left = points.size(); left > 1; --left) std::swap(points[left - 1], points[chance.below(left)]);
  std::string shuffled;
  for (const char32_t point : points) append_utf8(point, shuffled);
  return doc::Value(shuffled);
}

constexpr Function kFunctions[] = {
    {"randAlpha", 1, 1, nullptr, StaticKind::kUnknown, 0, letters<kLetters>},
    {"randAlphaNum", 1, 1, nullptr, StaticKind::kUnknown, 0, letters<kLettersAndDigits>},
    {"randAscii", 1, 1, nullptr, StaticKind::kUnknown, 0, letters<kPrintable>},
    {"randNumeric", 1, 1, nullptr, StaticKind::kUnknown, 0, letters<kDigits>},
    {"randBytes", 1, 1, nullptr, StaticKind::kUnknown, 0, bytes},
    {"randInt", 2, 2, nullptr, StaticKind::kUnknown, 0, number},
    {"uuidv4", 0, 0, nullptr, StaticKind::kUnknown, 0, uuid},
    {"shuffle", 1, 1, nullptr, StaticKind::kUnknown, 0, shuffle},
};

}  // namespace

std::span<const Function> sprig_random_functions() {
  return kFunctions;
}

}  // namespace tiphys::expr
