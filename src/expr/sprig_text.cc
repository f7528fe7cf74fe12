// sprig's functions of strings and paths.
#include <algorithm>

#include "expr/arguments.h"
#include "expr/go_json.h"
#include "expr/go_strings.h"
#include "expr/go_text.h"
#include "expr/sprig_cast.h"
#include "expr/unicode.h"
#include "expr/word_case.h"

namespace tiphys::expr {
namespace {

using Value = Result<doc::Value>;

template <std::string (*function)(std::string_view)>
Value of_text(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 0));
  return doc::Value(function(text));
}

std::string trim(std::string_view text) {
  return std::string(trim_space(text));
}
std::string upper(std::string_view text) {
  return to_upper(text);
}
std::string lower(std::string_view text) {
  return to_lower(text);
}
std::string snake_case(std::string_view text) {
  return connect_words(text, '_');
}
std::string kebab_case(std::string_view text) {
  return connect_words(text, '-');
}
std::string abbreviate(std::string_view text, std::int64_t offset, std::int64_t width) {
  const auto size = static_cast<std::int64_t>(text.size());
  const auto part = [&](std::int64_t begin, std::int64_t length) {
    return std::string(text.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(length)));
  };
  if (size <= width) return std::string(text);
  offset = std::min(offset, size);
  if (size - offset < width - 3) offset = size - (width - 3);
  if (offset <= 4) return part(0, width - 3) + "...";
  if (offset + width - 3 < size) return "..." + abbreviate(text.substr(static_cast<std::size_t>(offset)), 0, width - 3);
  return "..." + part(size - (width - 3), width - 3);
}

Value abbrev(Arguments arguments) {
  TIPHYS_TRY(const auto width, int_or_zero(arguments, 0));
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 1));
  return doc::Value(width < 4 ? std::string(text) : abbreviate(text, 0, width));
}

Value abbrev_both(Arguments arguments) {
  TIPHYS_TRY(const auto left, int_or_zero(arguments, 0));
  TIPHYS_TRY(const auto right, int_or_zero(arguments, 1));
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 2));
  if (right < 4 || (left > 0 && right < 7)) return doc::Value(text);
  return doc::Value(abbreviate(text, left, right));
}

Value trunc(Arguments arguments) {
  TIPHYS_TRY(const auto count, int_or_zero(arguments, 0));
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 1));
  const auto size = static_cast<std::int64_t>(text.size());
  if (count < 0 && count > -size) return doc::Value(text.substr(static_cast<std::size_t>(size + count)));
  if (count >= 0 && size > count) return doc::Value(text.substr(0, static_cast<std::size_t>(count)));
  return doc::Value(text);
}

Value substr(Arguments arguments) {
  TIPHYS_TRY(std::int64_t start, int_or_zero(arguments, 0));
  TIPHYS_TRY(std::int64_t end, int_or_zero(arguments, 1));
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 2));
  const auto size = static_cast<std::int64_t>(text.size());
  if (start < 0) {
    start = 0;
  } else if (end < 0 || end > size) {
    end = size;
  }
  if (end < start || end > size) return bad_argument("slice bounds out of range");
  return doc::Value(text.substr(static_cast<std::size_t>(start), static_cast<std::size_t>(end - start)));
}

Value repeat(Arguments arguments) {
  TIPHYS_TRY(const doc::Value count, int_argument(arguments, 0));
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 1));
  const doc::Value copied(text);
  const doc::Value* const swapped[] = {&copied, &count};
  return find_function("repeat")->call(Arguments(swapped, std::size(swapped)));
}

Value trim_all(Arguments arguments) {
  TIPHYS_TRY(const auto set, text_or_empty(arguments, 0));
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 1));
  return doc::Value(go_trim(text, set));
}

Value trim_prefix(Arguments arguments) {
  TIPHYS_TRY(const auto prefix, text_or_empty(arguments, 0));
  TIPHYS_TRY(auto text, text_or_empty(arguments, 1));
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  return doc::Value(text);
}

Value trim_suffix(Arguments arguments) {
  TIPHYS_TRY(const auto suffix, text_or_empty(arguments, 0));
  TIPHYS_TRY(auto text, text_or_empty(arguments, 1));
  if (text.ends_with(suffix)) text.remove_suffix(suffix.size());
  return doc::Value(text);
}

enum class Where { kAnywhere, kBeginning, kEnd };
template <Where where>
Value has_part(Arguments arguments) {
  TIPHYS_TRY(const auto part, text_or_empty(arguments, 0));
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 1));
  if (where == Where::kBeginning) return doc::Value(text.starts_with(part));
  if (where == Where::kEnd) return doc::Value(text.ends_with(part));
  return doc::Value(text.find(part) != std::string_view::npos);
}

template <bool double_quotes>
Value quote(Arguments arguments) {
  std::string out;
  for (const doc::Value* argument : arguments) {
    if (argument->is_null()) continue;
    if (!out.empty()) out += ' ';
    out += double_quotes ? go_quote(sprig_string(*argument)) : "'" + go_text(*argument) + "'";
  }
  return doc::Value(out);
}

Value cat(Arguments arguments) {
  std::string out;
  bool first = true;
  for (const doc::Value* argument : arguments) {
    if (argument->is_null()) continue;
    if (!first) out += ' ';
    first = false;
    out += go_text(*argument);
  }
  return doc::Value(out);
}

Value wrap(std::string_view text, std::int64_t width, std::string_view line_end, bool cut_words) {
  const auto bytes = static_cast<std::size_t>(std::max<std::int64_t>(width, 1));
  if (text.size() / bytes * line_end.size() > kMostText)
    return fail(Code::kResourceExhausted, "memory budget exceeded");
  return doc::Value(wrap_words(text, bytes, line_end, cut_words));
}

Value wrap_lines(Arguments arguments) {
  TIPHYS_TRY(const auto width, int_or_zero(arguments, 0));
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 1));
  return wrap(text, width, "\n", false);
}

Value wrap_with(Arguments arguments) {
  TIPHYS_TRY(const auto width, int_or_zero(arguments, 0));
  TIPHYS_TRY(const auto line_end, text_or_empty(arguments, 1));
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 2));
  return wrap(text, width, line_end.empty() ? "\n" : line_end, true);
}

template <bool new_line>
Value indent(Arguments arguments) {
  constexpr std::int64_t kMost = 1000;
  TIPHYS_TRY(const auto spaces, int_or_zero(arguments, 0));
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 1));
  if (spaces < 0 || spaces > kMost) return bad_argument("the indentation must be between 0 and 1000");
  const std::string pad(static_cast<std::size_t>(spaces), ' ');
  return doc::Value((new_line ? "\n" : "") + pad + go_replace(text, "\n", "\n" + pad));
}

Value replace(Arguments arguments) {
  TIPHYS_TRY(const auto from, text_or_empty(arguments, 0));
  TIPHYS_TRY(const auto to, text_or_empty(arguments, 1));
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 2));
  const doc::Value values[] = {doc::Value(text), doc::Value(from), doc::Value(to)};
  const doc::Value* const reordered[] = {&values[0], &values[1], &values[2]};
  return find_function("replace")->call(Arguments(reordered, std::size(reordered)));
}

Value plural(Arguments arguments) {
  TIPHYS_TRY(const auto one, text_or_empty(arguments, 0));
  TIPHYS_TRY(const auto many, text_or_empty(arguments, 1));
  TIPHYS_TRY(const auto count, int_or_zero(arguments, 2));
  return doc::Value(count == 1 ? one : many);
}

Value to_text(Arguments arguments) {
  return doc::Value(sprig_string(*arguments[0]));
}

std::string path_clean(std::string_view path) {
  const bool rooted = path.starts_with('/');
  std::vector<std::string_view> kept;
  for (const std::string_view part : go_split(path, "/")) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      kept.push_back(part);
    } else if (!kept.empty() && kept.back() != "..") {
      kept.pop_back();
    } else if (!rooted) {
      kept.push_back(part);
    }
  }
  std::string out = rooted ? "/" : "";
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (i) out += '/';
    out += kept[i];
  }
  return out.empty() ? "." : out;
}

std::string path_base(std::string_view path) {
  if (path.empty()) return ".";
  while (path.ends_with('/')) path.remove_suffix(1);
  if (path.empty()) return "/";
  return std::string(path.substr(path.rfind('/') + 1));
}

std::string path_dir(std::string_view path) {
  return path_clean(path.substr(0, path.rfind('/') + 1));
}

std::string path_ext(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const auto dot = name.rfind('.');
  return dot == std::string_view::npos ? "" : std::string(name.substr(dot));
}

Value is_absolute(Arguments arguments) {
  TIPHYS_TRY(const auto path, text_or_empty(arguments, 0));
  return doc::Value(path.starts_with('/'));
}

constexpr Function kFunctions[] = {
    {"abbrev", 2, 2, abbrev},
    {"abbrevboth", 3, 3, abbrev_both},
    {"trunc", 2, 2, trunc},
    {"trim", 1, 1, of_text<trim>},
    {"upper", 1, 1, of_text<upper>},
    {"lower", 1, 1, of_text<lower>},
    {"title", 1, 1, of_text<title_case>},
    {"untitle", 1, 1, of_text<untitle_case>},
    {"substr", 3, 3, substr},
    {"repeat", 2, 2, repeat},
    {"trimall", 2, 2, trim_all},
    {"trimAll", 2, 2, trim_all},
    {"trimSuffix", 2, 2, trim_suffix},
    {"trimPrefix", 2, 2, trim_prefix},
    {"nospace", 1, 1, of_text<without_space>},
    {"initials", 1, 1, of_text<initials>},
    {"wrap", 2, 2, wrap_lines},
    {"wrapWith", 3, 3, wrap_with},
    {"swapcase", 1, 1, of_text<swap_case>},
    {"snakecase", 1, 1, of_text<snake_case>},
    {"camelcase", 1, 1, of_text<pascal_case>},
    {"kebabcase", 1, 1, of_text<kebab_case>},
    {"contains", 2, 2, has_part<Where::kAnywhere>},
    {"hasPrefix", 2, 2, has_part<Where::kBeginning>},
    {"hasSuffix", 2, 2, has_part<Where::kEnd>},
    {"quote", 0, Function::kAny, quote<true>},
    {"squote", 0, Function::kAny, quote<false>},
    {"cat", 0, Function::kAny, cat},
    {"indent", 2, 2, indent<false>},
    {"nindent", 2, 2, indent<true>},
    {"replace", 3, 3, replace},
    {"plural", 3, 3, plural},
    {"toString", 1, 1, to_text},
    {"base", 1, 1, of_text<path_base>},
    {"dir", 1, 1, of_text<path_dir>},
    {"clean", 1, 1, of_text<path_clean>},
    {"ext", 1, 1, of_text<path_ext>},
    {"isAbs", 1, 1, is_absolute},
    {"osBase", 1, 1, of_text<path_base>},
    {"osDir", 1, 1, of_text<path_dir>},
    {"osClean", 1, 1, of_text<path_clean>},
    {"osExt", 1, 1, of_text<path_ext>},
    {"osIsAbs", 1, 1, is_absolute},
};

}  // namespace

std::span<const Function> sprig_text_functions() {
  return kFunctions;
}

}  // namespace tiphys::expr
