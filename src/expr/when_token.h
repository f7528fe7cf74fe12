// The tokens of `when` conditions (Knetic/govaluate) and which may follow which.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "doc/value.h"

namespace re2 {
class RE2;
}

namespace tiphys::expr {

struct WhenToken {
  enum class Kind {
    kStart,  ///< before the first token
    kPrefix,
    kNumeric,
    kBoolean,
    kString,
    kPattern,
    kTime,
    kVariable,
    kAccessor,
    kSeparator,
    kComparator,
    kLogical,
    kModifier,
    kOpen,
    kClose,
    kTernary,
  };
  Kind kind = Kind::kStart;
  std::string text;  ///< the operator, the name, or the value as messages show it
  doc::Value value;  ///< of numbers, booleans and strings; seconds of the epoch of times
  std::shared_ptr<const re2::RE2> pattern;
};

/// Reads all tokens. Errors are govaluate's.
Result<std::vector<WhenToken>> read_when_tokens(std::string_view text);
/// Checks that each token may follow the one before it, and the end the last.
Status check_when_tokens(const std::vector<WhenToken>& tokens);
/// Turns the constant strings after =~ and !~ into patterns.
Status compile_when_patterns(std::vector<WhenToken>& tokens);

/// The seconds of the epoch of a text in one of the date formats that govaluate takes quoted strings for; no zone means
/// UTC.
std::optional<double> parse_when_time(std::string_view text);

}  // namespace tiphys::expr
