// The tokens of expr-lang.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tiphys::expr {

struct ExprToken {
  enum class Kind : std::uint8_t { kEnd, kIdentifier, kNumber, kString, kBytes, kOperator, kBracket };
  Kind kind = Kind::kEnd;
  std::uint32_t offset = 0;  ///< of its first byte
  std::uint32_t end = 0;     ///< after its last one
  std::string text;          ///< of a string or bytes: their content

  /// `Identifier("foo")`, as expr-lang writes tokens in messages.
  std::string describe() const;
  bool is(Kind wanted) const { return kind == wanted; }
  bool is(Kind wanted, std::string_view value) const { return kind == wanted && text == value; }
  bool is_operator(std::string_view value) const { return is(Kind::kOperator, value); }
  bool is_bracket(std::string_view value) const { return is(Kind::kBracket, value); }
};

/// All tokens, the last one kEnd. An error has the place and a caret.
Result<std::vector<ExprToken>> read_expr_tokens(std::string_view text);
/// Letters, digits, `_` and `$`.
bool is_expr_name(char32_t c);

}  // namespace tiphys::expr
