// expr-lang's functions of strings, and Argo's jsonpath and toJson.
#include <algorithm>

#include "base/encoding.h"
#include "expr/arguments.h"
#include "expr/go_json.h"
#include "expr/go_strings.h"
#include "expr/go_text.h"
#include "expr/json_path.h"
#include "expr/unicode.h"

namespace tiphys::expr {
namespace {

using Value = Result<doc::Value>;

Value trim(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_argument(arguments, 0));
  if (arguments.size() == 1) return doc::Value(trim_space(text));
  TIPHYS_TRY(const auto set, text_argument(arguments, 1));
  return doc::Value(go_trim(text, set));
}

Value trim_prefix(Arguments arguments) {
  TIPHYS_TRY(auto text, text_argument(arguments, 0));
  std::string_view prefix = " ";
  if (arguments.size() == 2) {
    TIPHYS_TRY(prefix, text_argument(arguments, 1));
  }
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  return doc::Value(text);
}

Value trim_suffix(Arguments arguments) {
  TIPHYS_TRY(auto text, text_argument(arguments, 0));
  std::string_view suffix = " ";
  if (arguments.size() == 2) {
    TIPHYS_TRY(suffix, text_argument(arguments, 1));
  }
  if (text.ends_with(suffix)) text.remove_suffix(suffix.size());
  return doc::Value(text);
}

Value upper(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_argument(arguments, 0));
  return doc::Value(to_upper(text));
}

Value lower(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_argument(arguments, 0));
  return doc::Value(to_lower(text));
}

template <bool keep>
Value split(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_argument(arguments, 0));
  TIPHYS_TRY(const auto separator, text_argument(arguments, 1));
  std::int64_t most = -1;
  if (arguments.size() == 3) {
    TIPHYS_TRY(most, int_argument(arguments, 2));
  }
  return texts(go_split(text, separator, most, keep));
}

Value replace(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_argument(arguments, 0));
  TIPHYS_TRY(const auto from, text_argument(arguments, 1));
  TIPHYS_TRY(const auto to, text_argument(arguments, 2));
  std::int64_t most = -1;
  if (arguments.size() == 4) {
    TIPHYS_TRY(most, int_argument(arguments, 3));
  }
  const std::size_t matches = text.size() / std::max<std::size_t>(from.size(), 1) + 1;
  if (!to.empty() && matches > kMostText / to.size()) return fail(Code::kResourceExhausted, "memory budget exceeded");
  return doc::Value(go_replace(text, from, to, most));
}

Value repeat(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_argument(arguments, 0));
  const doc::Value& times = *arguments[1];
  TIPHYS_TRY(const std::int64_t count,
             times.is_double() ? truncate_to_int(times.get_double()) : int_argument(arguments, 1));
  if (count < 0) {
    return bad_argument("invalid argument for repeat (expected positive integer, got " + std::to_string(count) + ")");
  }
  constexpr std::int64_t kMostCopies = 1'000'000;
  if (count > kMostCopies || (!text.empty() && static_cast<std::uint64_t>(count) > kMostText / text.size())) {
    return fail(Code::kResourceExhausted, "memory budget exceeded");
  }
  std::string result;
  result.reserve(text.size() * static_cast<std::size_t>(count));
  if (!text.empty()) {
    for (std::int64_t i = 0; i < count; ++i) result += text;
  }
  return doc::Value(result);
}

Value join(Arguments arguments) {
  TIPHYS_TRY(const auto* array, array_argument(arguments, 0));
  std::string_view glue;
  if (arguments.size() == 2) {
    TIPHYS_TRY(glue, text_argument(arguments, 1));
  }
  std::string result;
  for (std::size_t i = 0; i < array->size(); ++i) {
    const auto* part = (*array)[i].if_string();
    if (!part) return bad_argument("join needs strings, not " + std::string(go_type((*array)[i])));
    if (i) result += glue;
    result += std::string_view(*part);
  }
  return doc::Value(result);
}

doc::Value position(std::size_t at) {
  return at == std::string_view::npos ? doc::Value(-1) : doc::Value(static_cast<std::int64_t>(at));
}

Value index_of(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_argument(arguments, 0));
  TIPHYS_TRY(const auto part, text_argument(arguments, 1));
  return position(text.find(part));
}

Value last_index_of(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_argument(arguments, 0));
  TIPHYS_TRY(const auto part, text_argument(arguments, 1));
  return position(text.rfind(part));
}

Value has_prefix(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_argument(arguments, 0));
  TIPHYS_TRY(const auto prefix, text_argument(arguments, 1));
  return doc::Value(text.starts_with(prefix));
}

Value has_suffix(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_argument(arguments, 0));
  TIPHYS_TRY(const auto suffix, text_argument(arguments, 1));
  return doc::Value(text.ends_with(suffix));
}

Value to_json(Arguments arguments) {
  TIPHYS_CHECK_OK(check_go_json(*arguments[0]));
  return doc::Value(go_json_indented(*arguments[0], "  "));
}

Value to_compact_json(Arguments arguments) {
  TIPHYS_CHECK_OK(check_go_json(*arguments[0]));
  std::string text;
  append_go_json(*arguments[0], text);
  return doc::Value(text);
}

Value from_json(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_argument(arguments, 0));
  return parse_go_json(text);
}

Value to_base64(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_argument(arguments, 0));
  return doc::Value(encode_base64(text));
}

Value from_base64(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_argument(arguments, 0));
  TIPHYS_TRY(const std::string bytes, decode_base64(text));
  return doc::Value(bytes);
}

Value to_text(Arguments arguments) {
  return doc::Value(go_text(*arguments[0]));
}

Value json_path(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_argument(arguments, 0));
  TIPHYS_TRY(const auto path, text_argument(arguments, 1));
  TIPHYS_TRY(const doc::Value root, parse_go_json(text));
  return query_json_path(path, root);
}

constexpr Function kFunctions[] = {
    {"trim", 1, 2, trim, StaticKind::kString},
    {"trimPrefix", 1, 2, trim_prefix, StaticKind::kString},
    {"trimSuffix", 1, 2, trim_suffix, StaticKind::kString},
    {"upper", 1, 1, upper, StaticKind::kString},
    {"lower", 1, 1, lower, StaticKind::kString},
    {"split", 2, 3, split<false>, StaticKind::kArray},
    {"splitAfter", 2, 3, split<true>, StaticKind::kArray},
    {"replace", 3, 4, replace, StaticKind::kString},
    {"repeat", 2, 2, repeat, StaticKind::kString},
    {"join", 1, 2, join, StaticKind::kString},
    {"indexOf", 2, 2, index_of, StaticKind::kInt},
    {"lastIndexOf", 2, 2, last_index_of, StaticKind::kInt},
    {"hasPrefix", 2, 2, has_prefix, StaticKind::kBool},
    {"hasSuffix", 2, 2, has_suffix, StaticKind::kBool},
    {"toJSON", 1, 1, to_json, StaticKind::kString},
    {"fromJSON", 1, 1, from_json},
    {"toBase64", 1, 1, to_base64, StaticKind::kString},
    {"fromBase64", 1, 1, from_base64, StaticKind::kString},
    {"string", 1, 1, to_text, StaticKind::kString},
    {"toJson", 1, 1, to_compact_json, StaticKind::kString},
    {"jsonpath", 2, 2, json_path},
};

}  // namespace

std::span<const Function> text_functions() {
  return kFunctions;
}

}  // namespace tiphys::expr
