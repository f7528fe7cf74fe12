// sprig's functions of defaults, JSON, types and regular expressions.
#include <re2/re2.h>

#include <algorithm>

#include "expr/arguments.h"
#include "expr/go_json.h"
#include "expr/go_text.h"
#include "expr/go_value.h"
#include "expr/operators.h"
#include "expr/sprig_cast.h"
#include "expr/unicode.h"

namespace tiphys::expr {
namespace {

using Value = Result<doc::Value>;

Value default_value(Arguments arguments) {
  const bool given = arguments.size() > 1 && !sprig_empty(*arguments[1]);
  return given ? *arguments[1] : *arguments[0];
}

Value empty(Arguments arguments) {
  return doc::Value(sprig_empty(*arguments[0]));
}

bool filled(const doc::Value* value) {
  return !sprig_empty(*value);
}

Value coalesce(Arguments arguments) {
  const auto found = std::ranges::find_if(arguments, filled);
  return found == arguments.end() ? doc::Value() : **found;
}

Value all(Arguments arguments) {
  return doc::Value(std::ranges::all_of(arguments, filled));
}
Value any(Arguments arguments) {
  return doc::Value(std::ranges::any_of(arguments, filled));
}

Value ternary(Arguments arguments) {
  const doc::Value& decision = *arguments[2];
  if (!decision.is_bool() && !decision.is_null()) {
    return bad_argument("cannot use " + std::string(go_type(decision)) + " as argument (type bool)");
  }
  return *arguments[decision == true ? 0 : 1];
}

Value copy(Arguments arguments) {
  if (arguments[0]->is_null()) return bad_argument("nil cannot be copied");
  return *arguments[0];
}

Value fail_with(Arguments arguments) {
  TIPHYS_TRY(const auto message, text_or_empty(arguments, 0));
  return bad_argument(std::string(message));
}

Value from_json(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 0));
  auto value = parse_go_json(text);
  return value ? std::move(*value) : doc::Value();
}

Value must_from_json(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 0));
  return parse_go_json(text);
}

std::string compact_json(const doc::Value& value) {
  std::string text;
  append_go_json(value, text);
  return text;
}
std::string pretty_json(const doc::Value& value) {
  return go_json_indented(value, "  ");
}

template <std::string (*write)(const doc::Value&)>
Value must_to_json(Arguments arguments) {
  TIPHYS_CHECK_OK(check_go_json(*arguments[0]));
  return doc::Value(write(*arguments[0]));
}

/// What JSON cannot hold gives "".
template <std::string (*write)(const doc::Value&)>
Value to_json(Arguments arguments) {
  return doc::Value(check_go_json(*arguments[0]) ? write(*arguments[0]) : "");
}

Value type_of(Arguments arguments) {
  return doc::Value(go_type(*arguments[0]));
}

Value kind_of(Arguments arguments) {
  return doc::Value(go_kind_word(*arguments[0]));
}

Value type_is(Arguments arguments) {
  TIPHYS_TRY(const auto type, text_or_empty(arguments, 0));
  return doc::Value(type == go_type(*arguments[1]));
}

/// A pointer's type too, without its star.
Value type_is_like(Arguments arguments) {
  TIPHYS_TRY(const auto type, text_or_empty(arguments, 0));
  std::string_view given = go_type(*arguments[1]);
  if (given.starts_with('*') && !type.starts_with('*')) given.remove_prefix(1);
  return doc::Value(type == given);
}

Value kind_is(Arguments arguments) {
  TIPHYS_TRY(const auto wanted, text_or_empty(arguments, 0));
  return doc::Value(wanted == go_kind_word(*arguments[1]));
}

Value deep_equal(Arguments arguments) {
  return doc::Value(*arguments[0] == *arguments[1]);
}

// Regular expressions.

Result<std::unique_ptr<RE2>> compile(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 0));
  auto pattern = std::make_unique<RE2>(std::string(text), RE2::Quiet);
  if (!pattern->ok()) return bad_argument("error parsing regexp: " + pattern->error());
  return pattern;
}

/// All matches from the left, with their groups. An empty match right after another one does not count.
class Matches {
 public:
  Matches(const RE2& pattern, std::string_view text)
      : pattern_(pattern), text_(text), groups_(static_cast<std::size_t>(pattern.NumberOfCapturingGroups()) + 1) {}

  bool next() {
    while (at_ <= text_.size()) {
      if (!pattern_.Match(text_, at_, text_.size(), RE2::UNANCHORED, groups_.data(), static_cast<int>(groups_.size())))
        break;
      const std::size_t found = begin();
      const bool is_empty = groups_[0].empty();
      const bool counts = !(is_empty && found == last_end_);
      at_ = found + groups_[0].size();
      if (is_empty) at_ += at_ < text_.size() ? code_point_at(text_, at_).size : 1;
      if (!counts) continue;
      last_end_ = end();
      return true;
    }
    return false;
  }

  std::size_t begin() const { return static_cast<std::size_t>(groups_[0].data() - text_.data()); }
  std::size_t end() const { return begin() + groups_[0].size(); }
  std::string_view group(std::size_t index) const {
    if (index >= groups_.size() || !groups_[index].data()) return {};
    return {groups_[index].data(), groups_[index].size()};
  }

 private:
  const RE2& pattern_;
  std::string_view text_;
  std::vector<re2::StringPiece> groups_;
  std::size_t at_ = 0;
  std::size_t last_end_ = std::string_view::npos;
};

Value regex_match(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 1));
  auto pattern = compile(arguments);
  return doc::Value(pattern && RE2::PartialMatch(text, **pattern));
}

Value must_regex_match(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 1));
  TIPHYS_TRY(const auto pattern, compile(arguments));
  return doc::Value(RE2::PartialMatch(text, *pattern));
}

Value regex_find(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 1));
  TIPHYS_TRY(const auto pattern, compile(arguments));
  Matches matches(*pattern, text);
  return doc::Value(matches.next() ? matches.group(0) : std::string_view());
}

Value regex_find_all(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 1));
  TIPHYS_TRY(const auto most, int_or_zero(arguments, 2));
  TIPHYS_TRY(const auto pattern, compile(arguments));
  std::vector<std::string_view> found;
  Matches matches(*pattern, text);
  while ((most < 0 || static_cast<std::int64_t>(found.size()) < most) && matches.next()) {
    found.push_back(matches.group(0));
  }
  return texts(found);
}

Value regex_split(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 1));
  TIPHYS_TRY(const auto most, int_or_zero(arguments, 2));
  TIPHYS_TRY(const auto pattern, compile(arguments));
  std::vector<std::string_view> parts;
  if (most == 0) return doc::Value(doc::Array());
  std::size_t begin = 0;
  std::size_t end = 0;
  Matches matches(*pattern, text);
  while (matches.next()) {
    if (most > 0 && static_cast<std::int64_t>(parts.size()) == most - 1) break;
    end = matches.begin();
    if (matches.end() != 0) parts.push_back(text.substr(begin, end - begin));
    begin = matches.end();
  }
  if (end != text.size()) parts.push_back(text.substr(begin));
  const bool empty_pattern = text.empty() && pattern->pattern().empty();
  if (parts.empty() && !empty_pattern) parts.push_back(text);
  return texts(parts);
}

/// Appends a replacement with its $1, ${1}, $name and $$.
void expand(std::string_view replacement, const Matches& matches, const RE2& pattern, std::string& out) {
  while (!replacement.empty()) {
    const auto dollar = replacement.find('$');
    out += replacement.substr(0, dollar);
    if (dollar == std::string_view::npos) return;
    replacement.remove_prefix(dollar + 1);
    if (replacement.starts_with('$')) {
      out += '$';
      replacement.remove_prefix(1);
      continue;
    }
    const bool braces = replacement.starts_with('{');
    std::size_t end = braces ? 1 : 0;
    const auto is_word = [&](char c) {
      return c == '_' || is_letter(static_cast<unsigned char>(c)) || is_digit(static_cast<unsigned char>(c));
    };
    while (end < replacement.size() && is_word(replacement[end])) ++end;
    const std::string_view name = replacement.substr(braces ? 1 : 0, end - (braces ? 1 : 0));
    if (name.empty() || (braces && (end == replacement.size() || replacement[end] != '}'))) {
      out += '$';
      continue;
    }
    replacement.remove_prefix(end + (braces ? 1 : 0));
    // A number with a leading 0 is a name, as in Go.
    const bool numbered = name == "0" || !name.starts_with('0');
    if (const auto index = numbered ? parse_go_int(name) : std::nullopt) {
      out += matches.group(static_cast<std::size_t>(*index));
      continue;
    }
    const auto& names = pattern.NamedCapturingGroups();
    const auto named = names.find(std::string(name));
    if (named != names.end()) out += matches.group(static_cast<std::size_t>(named->second));
  }
}

template <bool literal>
Value regex_replace_all(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 1));
  TIPHYS_TRY(const auto replacement, text_or_empty(arguments, 2));
  TIPHYS_TRY(const auto pattern, compile(arguments));
  std::string out;
  std::size_t begin = 0;
  Matches matches(*pattern, text);
  while (matches.next()) {
    out += text.substr(begin, matches.begin() - begin);
    if (literal) {
      out += replacement;
    } else {
      expand(replacement, matches, *pattern, out);
    }
    begin = matches.end();
    if (out.size() > kMostText) return fail(Code::kResourceExhausted, "memory budget exceeded");
  }
  out += text.substr(begin);
  return doc::Value(out);
}

Value regex_quote_meta(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 0));
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return doc::Value(out);
}

Value hello(Arguments) {
  return doc::Value("Hello!");
}

constexpr Function kFunctions[] = {
    {"default", 1, Function::kAny, default_value},
    {"empty", 1, 1, empty},
    {"coalesce", 0, Function::kAny, coalesce},
    {"all", 0, Function::kAny, all},
    {"any", 0, Function::kAny, any},
    {"ternary", 3, 3, ternary},
    {"deepCopy", 1, 1, copy},
    {"mustDeepCopy", 1, 1, copy},
    {"fail", 1, 1, fail_with},
    {"fromJson", 1, 1, from_json},
    {"mustFromJson", 1, 1, must_from_json},
    {"toJson", 1, 1, to_json<compact_json>},
    {"mustToJson", 1, 1, must_to_json<compact_json>},
    {"toPrettyJson", 1, 1, to_json<pretty_json>},
    {"mustToPrettyJson", 1, 1, must_to_json<pretty_json>},
    {"toRawJson", 1, 1, must_to_json<go_json_raw>},
    {"mustToRawJson", 1, 1, must_to_json<go_json_raw>},
    {"typeOf", 1, 1, type_of},
    {"typeIs", 2, 2, type_is},
    {"typeIsLike", 2, 2, type_is_like},
    {"kindOf", 1, 1, kind_of},
    {"kindIs", 2, 2, kind_is},
    {"deepEqual", 2, 2, deep_equal},
    {"regexMatch", 2, 2, regex_match},
    {"mustRegexMatch", 2, 2, must_regex_match},
    {"regexFind", 2, 2, regex_find},
    {"mustRegexFind", 2, 2, regex_find},
    {"regexFindAll", 3, 3, regex_find_all},
    {"mustRegexFindAll", 3, 3, regex_find_all},
    {"regexSplit", 3, 3, regex_split},
    {"mustRegexSplit", 3, 3, regex_split},
    {"regexReplaceAll", 3, 3, regex_replace_all<false>},
    {"mustRegexReplaceAll", 3, 3, regex_replace_all<false>},
    {"regexReplaceAllLiteral", 3, 3, regex_replace_all<true>},
    {"mustRegexReplaceAllLiteral", 3, 3, regex_replace_all<true>},
    {"regexQuoteMeta", 1, 1, regex_quote_meta},
    {"hello", 0, 0, hello},
};

}  // namespace

std::string sprig_string(const doc::Value& value) {
  const auto bytes = go_bytes(value);
  return bytes ? std::string(*bytes) : go_text(value);
}

std::string_view go_kind_word(const doc::Value& value) {
  if (value.is_null()) return "invalid";
  if (value.is_array()) return "slice";
  if (!value.is_object()) return go_type(value);
  const auto kind = go_kind(value);
  if (!kind) return "map";
  switch (*kind) {
    case GoKind::kTime:
    case GoKind::kVersion:
      return "struct";
    case GoKind::kDuration:
      return "int64";
    case GoKind::kMonth:
    case GoKind::kWeekday:
      return "int";
    case GoKind::kBytes:
      return "slice";
    case GoKind::kStringMap:
      return "map";
    case GoKind::kLocation:
    case GoKind::kVersionPointer:
      return "ptr";
  }
  return "";
}

std::span<const Function> sprig_other_functions() {
  return kFunctions;
}

}  // namespace tiphys::expr
