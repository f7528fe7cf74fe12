#include "expr/json_path.h"

#include <algorithm>

#include "expr/go_text.h"
#include "expr/operators.h"
#include "expr/unicode.h"

namespace tiphys::expr {
namespace json_path {
namespace {

using Kind = Step::Kind;

constexpr std::uint64_t kMostSteps = 1'000'000;
constexpr int kDeepest = 20;
constexpr std::size_t kMostParts = 100;

std::unexpected<Error> invalid(std::string message) {
  return fail(Code::kInvalidArgument, std::move(message));
}
std::unexpected<Error> bad_format(std::string_view token) {
  return invalid("invalid token. '" + std::string(token) + "' does not match any token format");
}

/// Where the bracket that opens at 0 closes; npos when it does not. Quotes and inner brackets are passed over.
std::size_t closing(std::string_view text) {
  int depth = 0;
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote) {
      if (c == '\\') {
        ++i;
      } else if (c == quote) {
        quote = '\0';
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '[' || c == '(') {
      ++depth;
    } else if ((c == ']' || c == ')') && --depth == 0) {
      return i;
    }
  }
  return std::string_view::npos;
}

/// The parts of a subscript between separators that stand outside quotes.
std::vector<std::string_view> split_subscript(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  char quote = '\0';
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quote) {
      if (text[i] == '\\') {
        ++i;
      } else if (text[i] == quote) {
        quote = '\0';
      }
    } else if (text[i] == '\'' || text[i] == '"') {
      quote = text[i];
    } else if (text[i] == separator) {
      parts.push_back(trim_space(text.substr(begin, i - begin)));
      begin = i + 1;
    }
  }
  parts.push_back(trim_space(text.substr(begin)));
  return parts;
}

std::optional<std::string> quoted(std::string_view text) {
  if (text.size() < 2 || (text[0] != '\'' && text[0] != '"') || text.back() != text[0]) return std::nullopt;
  std::string key;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] == '\\' && text[i + 1] == text[0]) continue;
    key += text[i];
  }
  return key;
}

Result<Step> parse_range(const std::vector<std::string_view>& parts, std::string_view whole) {
  Step step;
  step.kind = Kind::kRange;
  if (parts.size() > 3) return bad_format(whole);
  std::optional<std::int64_t>* const targets[] = {&step.from, &step.to, &step.step};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].empty()) continue;
    *targets[i] = parse_go_int(parts[i]);
    if (!*targets[i]) return bad_format(whole);
  }
  return step;
}

Result<Step> parse_subscript(std::string_view whole, int depth) {
  const std::string_view text = trim_space(whole.substr(1, whole.size() - 2));
  Step step;
  if (text == "*") {
    step.kind = Kind::kWildcard;
    return step;
  }
  if (text.starts_with('?')) {
    if (!text.starts_with("?(") || !text.ends_with(')')) return bad_format(whole);
    step.kind = Kind::kFilter;
    TIPHYS_TRY(step.filter, parse_filter(text.substr(2, text.size() - 3), depth + 1));
    return step;
  }
  if (text.starts_with('('))
    return fail(Code::kUnimplemented, "scripts in JSONPath are not supported: " + std::string(whole));
  const auto ranges = split_subscript(text, ':');
  if (ranges.size() > 1) return parse_range(ranges, whole);
  for (const std::string_view part : split_subscript(text, ',')) {
    if (auto key = quoted(part)) {
      step.keys.push_back(std::move(*key));
    } else if (const auto index = parse_go_int(part)) {
      step.indices.push_back(*index);
    } else {
      return bad_format(whole);
    }
  }
  if (!step.keys.empty() && !step.indices.empty()) return bad_format(whole);
  if (step.keys.empty()) {
    step.kind = step.indices.size() == 1 ? Kind::kIndex : Kind::kIndices;
  } else {
    step.kind = step.keys.size() == 1 ? Kind::kKey : Kind::kKeys;
  }
  return step;
}

Step named(std::string_view name) {
  Step step;
  step.kind = name == "*" ? Kind::kWildcard : name == "length" ? Kind::kLength : Kind::kKey;
  step.keys.emplace_back(name);
  return step;
}

std::vector<const doc::Object::value_type*> sorted_members(const doc::Object& object) {
  std::vector<const doc::Object::value_type*> members;
  for (const auto& member : object) members.push_back(&member);
  std::ranges::sort(members, {}, [](const auto* member) { return std::string_view(member->key()); });
  return members;
}

std::vector<const doc::Value*> elements_of(const doc::Value& value) {
  std::vector<const doc::Value*> elements;
  if (const auto* array = value.if_array()) {
    for (const auto& element : *array) elements.push_back(&element);
  } else if (const auto* object = value.if_object()) {
    for (const auto* member : sorted_members(*object)) elements.push_back(&member->value());
  }
  return elements;
}

std::unexpected<Error> wrong_target(std::string_view step, const doc::Value& value) {
  return invalid(std::string(step) + ": invalid token target. got [" + std::string(type_word(value)) + "]");
}

/// The next step applied to each element; what fails or is null is left out.
Result<doc::Value> apply_each(Query& query, const std::vector<const doc::Value*>& elements, const Step* next,
                              const Step* end) {
  doc::Array results;
  for (const doc::Value* element : elements) {
    auto result = query.apply(*element, next, end);
    if (!result && result.error().code == Code::kResourceExhausted) return result;
    if (result && (next == end || !result->is_null())) results.push_back(std::move(*result));
  }
  return doc::Value(std::move(results));
}

/// As apply_each, but an index after it picks from the elements.
Result<doc::Value> apply_to_list(Query& query, const std::vector<const doc::Value*>& elements, const Step* next,
                                 const Step* end) {
  if (next == end || next->kind != Kind::kIndex) return apply_each(query, elements, next, end);
  doc::Array list;
  for (const doc::Value* element : elements) list.push_back(*element);
  return query.apply(doc::Value(std::move(list)), next, end);
}

Result<const doc::Value*> element_at(const doc::Array& array, std::int64_t index) {
  if (index < 0) index += static_cast<std::int64_t>(array.size());
  if (index < 0 || index >= static_cast<std::int64_t>(array.size()))
    return invalid("index: invalid token out of range");
  return &array[static_cast<std::size_t>(index)];
}

Result<doc::Value> apply_range(Query& query, const doc::Value& current, const Step* step, const Step* end) {
  const auto* array = current.if_array();
  if (!array) return wrong_target("range", current);
  const auto size = static_cast<std::int64_t>(array->size());
  const std::int64_t stride = step->step.value_or(1);
  if (stride == 0) return invalid("range: invalid token out of range");
  const auto place = [&](std::int64_t index) {
    if (index < 0) index = std::max<std::int64_t>(index, -size - 1) + size;
    return std::clamp<std::int64_t>(index, stride < 0 ? -1 : 0, stride < 0 ? size - 1 : size);
  };
  std::int64_t from = step->from ? place(*step->from) : stride < 0 ? size - 1 : 0;
  const std::int64_t to = step->to ? place(*step->to) : stride < 0 ? -1 : size;
  std::vector<const doc::Value*> elements;
  for (; stride > 0 ? from < to : from > to; from += std::clamp<std::int64_t>(stride, -size - 1, size + 1)) {
    elements.push_back(&(*array)[static_cast<std::size_t>(from)]);
  }
  return apply_to_list(query, elements, step + 1, end);
}

Result<doc::Value> apply_union(Query& query, const doc::Value& current, const Step* step, const Step* end) {
  std::vector<const doc::Value*> elements;
  if (step->kind == Kind::kKeys) {
    const auto* object = current.if_object();
    if (!object) return wrong_target("union", current);
    for (const std::string& key : step->keys) {
      if (const auto* member = object->if_contains(key)) elements.push_back(member);
    }
  } else {
    const auto* array = current.if_array();
    if (!array) return wrong_target("union", current);
    for (const std::int64_t index : step->indices) {
      if (const auto element = element_at(*array, index)) elements.push_back(*element);
    }
  }
  return apply_to_list(query, elements, step + 1, end);
}

Status apply_recursive(Query& query, const doc::Value& current, const Step* next, const Step* end, int depth,
                       doc::Array& results) {
  constexpr int kDeepestValue = 200;
  if (current.is_null()) return {};
  if (depth > kDeepestValue) return invalid("the document is nested too deeply");
  auto found = query.apply(current, next, end);
  if (!found && found.error().code == Code::kResourceExhausted) return std::unexpected(found.error());
  if (found && found->is_array() && next != end) {
    for (doc::Value& element : found->get_array()) results.push_back(std::move(element));
  } else if (found && !found->is_null()) {
    results.push_back(std::move(*found));
  }
  for (const doc::Value* element : elements_of(current)) {
    TIPHYS_CHECK_OK(apply_recursive(query, *element, next, end, depth + 1, results));
  }
  return {};
}

Result<doc::Value> apply_length(Query& query, const doc::Value& current, const Step* step, const Step* end) {
  doc::Value length;
  if (const auto* object = current.if_object()) {
    const auto* member = object->if_contains("length");
    length = member ? *member : doc::Value(static_cast<std::int64_t>(object->size()));
  } else if (const auto* array = current.if_array()) {
    length = static_cast<std::int64_t>(array->size());
  } else if (const auto* string = current.if_string()) {
    length = static_cast<std::int64_t>(string->size());
  } else {
    return wrong_target("length", current);
  }
  return query.apply(length, step + 1, end);
}

}  // namespace

Result<Path> parse_steps(std::string_view text, int depth) {
  if (depth > kDeepest) return invalid("the path is nested too deeply");
  Path path;
  while (!text.empty()) {
    if (path.size() > kMostParts) return invalid("the path has too many steps");
    if (text.starts_with("..")) {
      path.emplace_back().kind = Kind::kRecursive;
      text.remove_prefix(2);
      if (text.empty()) break;
    } else if (text[0] == '.') {
      text.remove_prefix(1);
      if (text.empty()) return invalid("invalid token. token string is empty");
    } else if (text[0] != '[') {
      return invalid("unexpected token '" + std::string(text.substr(0, 1)) + "'");
    }
    if (text[0] == '[') {
      const std::size_t close = closing(text);
      if (close == std::string_view::npos) return bad_format(text);
      TIPHYS_TRY(Step step, parse_subscript(text.substr(0, close + 1), depth));
      path.push_back(std::move(step));
      text.remove_prefix(close + 1);
      continue;
    }
    const std::size_t end = std::min(text.find_first_of(".["), text.size());
    const std::string_view name = trim_space(text.substr(0, end));
    if (name.empty()) return invalid("invalid token. token string is empty");
    path.push_back(named(name));
    text.remove_prefix(end);
  }
  return path;
}

std::size_t path_length(std::string_view text) {
  std::size_t at = 1;
  while (at < text.size()) {
    if (text[at] == '[') {
      const std::size_t close = closing(text.substr(at));
      if (close == std::string_view::npos) return text.size();
      at += close + 1;
      continue;
    }
    if (std::string_view(" \t\r\n=!<>&|()+*/%,]~").find(text[at]) != std::string_view::npos &&
        text.substr(at - 1, 2) != ".*") {
      break;
    }
    ++at;
  }
  return at;
}

Result<doc::Value> Query::apply(const doc::Value& current, const Step* next, const Step* end) {
  if (++steps > kMostSteps) return fail(Code::kResourceExhausted, "the JSONPath takes too many steps");
  if (next == end) return current;
  switch (next->kind) {
    case Kind::kKey: {
      const auto* object = current.if_object();
      if (!object) return wrong_target("key", current);
      const auto* member = object->if_contains(next->keys[0]);
      if (!member) return invalid("key: invalid token key '" + next->keys[0] + "' not found");
      return apply(*member, next + 1, end);
    }
    case Kind::kIndex: {
      const auto* array = current.if_array();
      if (!array) return wrong_target("index", current);
      TIPHYS_TRY(const auto* element, element_at(*array, next->indices[0]));
      return apply(*element, next + 1, end);
    }
    case Kind::kRange:
      return apply_range(*this, current, next, end);
    case Kind::kKeys:
    case Kind::kIndices:
      return apply_union(*this, current, next, end);
    case Kind::kWildcard:
      if (!current.is_object() && !current.is_array()) return wrong_target("wildcard", current);
      return apply_each(*this, elements_of(current), next + 1, end);
    case Kind::kRecursive: {
      doc::Array results;
      TIPHYS_CHECK_OK(apply_recursive(*this, current, next + 1, end, 0, results));
      return doc::Value(std::move(results));
    }
    case Kind::kLength:
      return apply_length(*this, current, next, end);
    case Kind::kFilter: {
      if (!current.is_object() && !current.is_array()) return wrong_target("filter", current);
      std::vector<const doc::Value*> kept;
      for (const doc::Value* element : elements_of(current)) {
        if (holds(*next->filter, *this, *element)) kept.push_back(element);
      }
      return apply_to_list(*this, kept, next + 1, end);
    }
  }
  return doc::Value();
}

}  // namespace json_path

Result<doc::Value> query_json_path(std::string_view path, const doc::Value& root) {
  if (!path.starts_with('$') && !path.starts_with('@')) {
    return fail(Code::kInvalidArgument, "the JSONPath '" + std::string(path) + "' does not begin with $");
  }
  TIPHYS_TRY(const json_path::Path steps, json_path::parse_steps(path.substr(1), 0));
  json_path::Query query{root};
  return query.apply(root, steps.data(), steps.data() + steps.size());
}

}  // namespace tiphys::expr
