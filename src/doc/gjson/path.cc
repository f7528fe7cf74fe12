#include "doc/gjson/path.h"

#include "doc/gjson/modifier.h"
#include "doc/gjson/scan.h"

namespace tiphys::doc::gjson {
namespace {

constexpr auto kEnd = std::string_view::npos;

/// Where the quoted text that starts at `at` ends; the size of the path, or more, when it does not.
std::size_t skip_quoted(std::string_view path, std::size_t at, bool* escaped = nullptr) {
  for (++at; at < path.size() && path[at] != '"'; ++at) {
    if (path[at] != '\\') continue;
    if (escaped) *escaped = true;
    ++at;
  }
  return at;
}

/// A dot before a modifier or a multipath is a pipe.
bool starts_pipe(std::string_view rest) {
  if (rest.empty()) return false;
  if (rest[0] == '@') return find_modifier(rest.substr(1, rest.find_first_of(".|:") - 1)) != nullptr;
  return rest[0] == '[' || rest[0] == '{';
}

PathRest after_dot(std::string_view rest, bool may_pipe = true) {
  if (may_pipe && starts_pipe(rest)) return {.pipe = rest, .piped = true};
  return {.path = rest, .more = true};
}

PathRest after_separator(std::string_view path, std::size_t at) {
  const std::string_view rest = path.substr(at + 1);
  return path[at] == '|' ? PathRest{.pipe = rest, .piped = true} : after_dot(rest);
}

/// Parts "=VALUE" into operator and value.
void read_comparison(std::string_view text, Query& query) {
  if (text.starts_with("==")) text.remove_prefix(1);
  const bool pair = text.size() > 1 && (text.starts_with("!=") || text.starts_with("!%") || text.starts_with("<=") ||
                                        text.starts_with(">="));
  const bool lone_bang = text.size() > 1 && text[0] == '!' && !pair;
  query.op = text.substr(0, lone_bang ? 0 : pair ? 2 : 1);
  query.value = trim_blanks(text.substr(query.op.size()));
}

/// Reads the query at the start of a path and tells where it ends; nothing when its bracket is not closed.
std::optional<std::size_t> read_query(std::string_view path, Query& query) {
  std::size_t comparison = 0;
  bool escaped = false;
  int depth = 1;
  std::size_t i = 2;
  for (; i < path.size(); ++i) {
    const char c = path[i];
    if (depth == 1 && comparison == 0 && std::string_view("!=<>%").find(c) != kEnd) {
      comparison = i;
    } else if (c == '\\') {
      ++i;
    } else if (c == '[' || c == '(') {
      ++depth;
    } else if (c == ']' || c == ')') {
      if (--depth == 0) break;
    } else if (c == '"') {
      i = skip_quoted(path, i, &escaped);
    }
  }
  if (depth > 0) return std::nullopt;
  query.path = trim_blanks(path.substr(2, (comparison ? comparison : i) - 2));
  if (comparison) read_comparison(trim_blanks(path.substr(comparison, i - comparison)), query);
  std::string& value = query.value;
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
    if (escaped) value = unescape(value);
  }
  return i + 1;
}

/// Where the query whose bracket is at `at` is closed: only brackets of its own kind count.
std::size_t skip_query(std::string_view path, std::size_t at) {
  const char open = path[at];
  const char close = open == '[' ? ']' : ')';
  int depth = 1;
  for (++at; at < path.size(); ++at) {
    if (path[at] == '\\') {
      ++at;
    } else if (path[at] == open) {
      ++depth;
    } else if (path[at] == close) {
      if (--depth == 0) break;
    } else if (path[at] == '"') {
      at = skip_quoted(path, at);
    }
  }
  return at;
}

}  // namespace

KeyPart read_key_part(std::string_view path) {
  KeyPart part;
  for (std::size_t i = 0; i < path.size(); ++i) {
    char c = path[i];
    if (c == '|' || c == '.') {
      part.rest = after_separator(path, i);
      return part;
    }
    if (c == '\\') {
      if (++i == path.size()) break;
      c = path[i];
    } else if (c == '*' || c == '?') {
      part.wild = true;
    }
    part.key += c;
  }
  return part;
}

ElementPart read_element_part(std::string_view path) {
  ElementPart part{.text = path};
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '|' || path[i] == '.') {
      part.text = path.substr(0, i);
      const std::string_view rest = path.substr(i + 1);
      part.rest = path[i] == '|' ? PathRest{.pipe = rest, .piped = true} : after_dot(rest, !part.counts);
      return part;
    }
    if (path[i] != '#') continue;
    part.counts = true;
    if (i > 0 || path.size() < 2) continue;
    if (path[1] == '.') {
      part.each = path.substr(2);
    } else if (path[1] == '[' || path[1] == '(') {
      Query& query = part.query.emplace();
      const auto end = read_query(path, query);
      if (!end) {
        query = {};
        return part;
      }
      query.all = *end < path.size() && path[*end] == '#';
      i = *end - 1;
    }
  }
  return part;
}

std::optional<std::pair<std::string_view, std::string_view>> split_pipe(std::string_view path) {
  if (path.find('|') == kEnd) return std::nullopt;
  if (path[0] == '{') {
    // gjson measures from the second character, whatever it is.
    if (path.size() < 2) return std::nullopt;
    const std::size_t end = squash(path.substr(1)).size() + 1;
    if (end < path.size() && path[end] == '|') return std::pair(path.substr(0, end), path.substr(end + 1));
    return std::nullopt;
  }
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '\\') {
      ++i;
    } else if (path[i] == '|') {
      return std::pair(path.substr(0, i), path.substr(i + 1));
    } else if (path[i] == '.') {
      if (i + 1 == path.size()) return std::nullopt;
      if (path[i + 1] != '#') continue;
      i += 2;
      if (i == path.size()) return std::nullopt;
      if (path[i] == '[' || path[i] == '(') i = skip_query(path, i);
    }
  }
  return std::nullopt;
}

std::optional<Selectors> read_selectors(std::string_view path) {
  Selectors found;
  bool modifier = false;  // its argument may hold a colon
  std::size_t colon = 0;
  std::size_t start = 1;
  int depth = 1;
  const auto take_member = [&](std::size_t end) {
    const std::string_view text = path.substr(start, end - start);
    const bool named = colon != 0;
    const std::size_t name_size = named ? colon - start : 0;
    found.members.push_back({text.substr(0, name_size), text.substr(named ? name_size + 1 : 0)});
    colon = 0;
    modifier = false;
    start = end + 1;
  };
  for (std::size_t i = 1; i < path.size(); ++i) {
    switch (path[i]) {
      case '\\':
        ++i;
        break;
      case '@':
        modifier = modifier || path[i - 1] == '.' || path[i - 1] == '|';
        break;
      case ':':
        if (!modifier && colon == 0 && depth == 1) colon = i;
        break;
      case ',':
        if (depth == 1) take_member(i);
        break;
      case '"':
        i = skip_quoted(path, i);
        break;
      case '[':
      case '(':
      case '{':
        ++depth;
        break;
      case ']':
      case ')':
      case '}':
        if (--depth > 0) break;
        take_member(i);
        found.rest = path.substr(i + 1);
        return found;
      default:
        break;
    }
  }
  return std::nullopt;
}

std::string_view default_name(std::string_view path) {
  std::string_view name = path;
  for (std::size_t i = path.size(); i-- > 0;) {
    if ((path[i] == '|' || path[i] == '.') && (i == 0 || path[i - 1] != '\\')) {
      name = path.substr(i + 1);
      break;
    }
  }
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < ' ' || std::string_view("[]{}()#|!").find(c) != kEnd) return "_";
  }
  return name;
}

std::optional<Literal> read_literal(std::string_view path) {
  const std::string_view text = path.substr(1);
  if (!text.empty() && std::string_view("{[\"+-0123456789").find(text[0]) != kEnd) {
    const std::string_view json = scan_brackets(text, 0).text;
    return Literal{json, text.substr(json.size())};
  }
  const std::string_view name = text.substr(0, text.find_first_of(".|"));
  std::string word(name);
  for (char& c : word) {
    if (c >= 'A' && c <= 'Z') c |= 0x20;
  }
  if (word != "true" && word != "false" && word != "null" && word != "nan" && word != "inf") return std::nullopt;
  return Literal{name, text.substr(name.size())};
}

std::optional<ModifierCall> read_modifier(std::string_view path) {
  ModifierCall call;
  const std::string_view text = path.substr(1);
  call.name = text.substr(0, text.find_first_of(":|."));
  if (!find_modifier(call.name)) return std::nullopt;
  call.rest = text.substr(call.name.size());
  if (!call.rest.starts_with(':')) return call;
  call.rest.remove_prefix(1);
  std::size_t end = 0;
  if (const char c = call.rest.empty() ? '\0' : call.rest[0]; c == '{' || c == '[' || c == '"') {
    end = squash(call.rest).size();
  } else {
    for (; end < call.rest.size() && call.rest[end] != '|'; ++end) {
      if (std::string_view("{[\"(").find(call.rest[end]) != kEnd) end += squash(call.rest.substr(end)).size() - 1;
    }
  }
  call.argument = call.rest.substr(0, end);
  call.rest.remove_prefix(end);
  return call;
}

}  // namespace tiphys::doc::gjson
