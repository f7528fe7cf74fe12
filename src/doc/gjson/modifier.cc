#include "doc/gjson/modifier.h"

#include <algorithm>
#include <unordered_map>

#include "doc/gjson/layout.h"
#include "doc/gjson/search.h"
#include "doc/go_json_string.h"
#include "doc/utf8.h"

namespace tiphys::doc::gjson {
namespace {

/// The outermost brackets taken off, whatever the last one is.
std::string_view unwrap(std::string_view json) {
  json = trim_blanks(json);
  if (json.size() >= 2 && (json[0] == '[' || json[0] == '{')) json = json.substr(1, json.size() - 2);
  return json;
}

/// The last boolean under `name` in an argument such as {"deep":true}.
bool flag(Workspace& work, std::string_view argument, std::string_view name) {
  bool set = false;
  for_each(work, parse(work, argument), [&](const Found& key, const Found& value) {
    if (text_of(key) == name) set = bool_of(value);
  });
  return set;
}

/// Texts with commas between, in brackets.
class List {
 public:
  List(Workspace& work, char open) : work_(work), text_(1, open), close_(open == '[' ? ']' : '}') {}

  void add(std::string_view text) {
    if (count_++ > 0) text_ += ',';
    append(text);
  }
  void add(const Found& key, const Found& value) {
    add(key.raw);
    text_ += ':';
    append(value.raw);
  }
  std::string_view close() { return work_.keep(std::move(text_) + close_); }

 private:
  void append(std::string_view text) {
    if (work_.charge(text.size())) text_ += text;
  }
  Workspace& work_;
  std::string text_;
  char close_;
  std::size_t count_ = 0;
};

std::string_view modify_this(Workspace&, std::string_view json, std::string_view) {
  return json;
}

std::string_view modify_valid(Workspace& work, std::string_view json, std::string_view) {
  return is_valid(work, json) ? json : std::string_view();
}

std::string_view modify_pretty(Workspace& work, std::string_view json, std::string_view argument) {
  Layout layout;
  const auto blanks_of = [](const Found& value) {
    std::string text = text_of(value);
    std::erase_if(text, [](char c) { return c != ' ' && c != '\t' && c != '\n' && c != '\r'; });
    return text;
  };
  for_each(work, parse(work, argument), [&](const Found& key, const Found& value) {
    const std::string name = text_of(key);
    if (name == "sortKeys") layout.sort_keys = bool_of(value);
    if (name == "indent") layout.indent = blanks_of(value);
    if (name == "prefix") layout.prefix = blanks_of(value);
    if (name == "width") layout.width = int_of(value);
  });
  return work.keep(lay_out(work, json, layout));
}

std::string_view modify_ugly(Workspace& work, std::string_view json, std::string_view) {
  return work.keep(without_blanks(json));
}

std::string_view modify_reverse(Workspace& work, std::string_view json, std::string_view) {
  const Found found = parse(work, json);
  if (found.type != GjsonType::kJson) return json;
  std::vector<std::pair<Found, Found>> members;
  for_each(work, found, [&](const Found& key, const Found& value) { members.emplace_back(key, value); });
  std::ranges::reverse(members);
  List list(work, found.raw[0]);
  for (const auto& [key, value] : members) {
    if (found.is_object()) {
      list.add(key, value);
    } else {
      list.add(value.raw);
    }
  }
  return list.close();
}

std::string_view modify_flatten(Workspace& work, std::string_view json, std::string_view argument) {
  const Level level(work);
  const Found found = parse(work, json);
  if (!found.is_array() || !work.charge(json.size())) return json;
  const bool deep = flag(work, argument, "deep");
  List list(work, '[');
  for_each(work, found, [&](const Found&, const Found& value) {
    std::string_view raw = value.raw;
    if (value.is_array()) raw = unwrap(deep ? modify_flatten(work, raw, argument) : raw);
    raw = trim_space(raw);
    if (!raw.empty()) list.add(raw);
  });
  return list.close();
}

std::string_view modify_join(Workspace& work, std::string_view json, std::string_view argument) {
  const Found found = parse(work, json);
  if (!found.is_array()) return json;
  List list(work, '{');
  if (flag(work, argument, "preserve")) {
    for_each(work, found, [&](const Found&, const Found& value) {
      if (value.is_object()) list.add(unwrap(value.raw));
    });
    return list.close();
  }
  // The first place of a key, with its last value.
  std::vector<std::pair<Found, Found>> members;
  std::unordered_map<std::string_view, std::size_t> places;
  for_each(work, found, [&](const Found&, const Found& object) {
    if (!object.is_object()) return;
    for_each(work, object, [&](const Found& key, const Found& value) {
      const auto [place, is_new] = places.emplace(key.str, members.size());
      if (is_new) {
        members.emplace_back(key, value);
      } else {
        members[place->second].second = value;
      }
    });
  });
  for (const auto& [key, value] : members) list.add(key, value);
  return list.close();
}

std::string_view modify_keys(Workspace& work, std::string_view json, std::string_view) {
  const Found found = parse(work, json);
  List list(work, '[');
  for_each(work, found, [&](const Found& key, const Found&) { list.add(found.is_object() ? key.raw : "null"); });
  return list.close();
}

std::string_view modify_values(Workspace& work, std::string_view json, std::string_view) {
  const Found found = parse(work, json);
  if (found.is_array()) return json;
  List list(work, '[');
  for_each(work, found, [&](const Found&, const Found& value) { list.add(value.raw); });
  return list.close();
}

std::string_view modify_tostr(Workspace& work, std::string_view json, std::string_view) {
  std::string text;
  append_go_json_string(json, true, text);
  return work.keep(std::move(text));
}

std::string_view modify_fromstr(Workspace& work, std::string_view json, std::string_view) {
  return is_valid(work, json) ? work.keep(text_of(parse(work, json))) : std::string_view();
}

/// {"a":[1,2],"b":[3,4]} -> [{"a":1,"b":3},{"a":2,"b":4}]
std::string_view modify_group(Workspace& work, std::string_view json, std::string_view) {
  const Found found = parse(work, json);
  if (!found.is_object()) return {};
  std::vector<List> groups;
  for_each(work, found, [&](const Found& key, const Found& array) {
    if (!array.is_array()) return;
    std::size_t place = 0;
    for_each(work, array, [&](const Found&, const Found& value) {
      if (place == groups.size()) groups.emplace_back(work, '{');
      groups[place++].add(key, value);
    });
  });
  List list(work, '[');
  for (List& group : groups) list.add(group.close());
  return list.close();
}

void dig(Workspace& work, const Found& parent, std::string_view path, List& list) {
  const Level level(work);
  if (work.is_exhausted()) return;
  if (const Found found = get_in(work, parent, path); found.exists()) list.add(found.raw);
  if (parent.type != GjsonType::kJson) return;
  for_each(work, parent, [&](const Found&, const Found& value) { dig(work, value, path, list); });
}

/// What the path finds in the value and in all values below it.
std::string_view modify_dig(Workspace& work, std::string_view json, std::string_view argument) {
  List list(work, '[');
  dig(work, parse(work, json), argument, list);
  return list.close();
}

struct NamedModifier {
  std::string_view name;
  Modifier modifier;
};

constexpr NamedModifier kModifiers[] = {
    {"pretty", modify_pretty},   {"ugly", modify_ugly},   {"reverse", modify_reverse}, {"this", modify_this},
    {"flatten", modify_flatten}, {"join", modify_join},   {"valid", modify_valid},     {"keys", modify_keys},
    {"values", modify_values},   {"tostr", modify_tostr}, {"fromstr", modify_fromstr}, {"group", modify_group},
    {"dig", modify_dig},
};

}  // namespace

Modifier find_modifier(std::string_view name) {
  const auto* const found = std::ranges::find(kModifiers, name, &NamedModifier::name);
  return found == std::end(kModifiers) ? nullptr : found->modifier;
}

}  // namespace tiphys::doc::gjson
