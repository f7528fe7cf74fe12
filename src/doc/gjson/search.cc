#include "doc/gjson/search.h"

#include <cstdint>

#include "doc/gjson/modifier.h"
#include "doc/gjson/path.h"
#include "doc/gjson/query.h"
#include "doc/go_json_string.h"

namespace tiphys::doc::gjson {
namespace {

/// One walk along the parts of a path, in one text. Members that match the last part end it.
class Walk {
 public:
  Walk(Workspace& work, std::string_view json) : work_(work), json_(json) {}

  Found follow(std::string_view path) {
    if (path.starts_with("..")) {
      walk_array(0, path.substr(2));
    } else if (const auto start = json_.find_first_of("{["); start != std::string_view::npos) {
      walk(start, path);
    }
    if (piped_) {
      Found found = get_in(work_, value_, pipe_);
      found.index = 0;
      return found;
    }
    if (!value_.raw.empty() && !calculated_) value_.index = offset_of(value_.raw);
    return std::move(value_);
  }

 private:
  /// Where the reader goes on, and whether the path has found its value.
  struct Step {
    std::size_t end = 0;
    bool hit = false;
  };

  Step walk(std::size_t at, std::string_view path) {
    return json_[at] == '{' ? walk_object(at + 1, path) : walk_array(at + 1, path);
  }
  bool is_bracket(std::size_t at) const { return json_[at] == '{' || json_[at] == '['; }

  std::size_t offset_of(std::string_view raw) const {
    const std::uintptr_t offset =
        reinterpret_cast<std::uintptr_t>(raw.data()) - reinterpret_cast<std::uintptr_t>(json_.data());
    return offset < json_.size() ? offset : 0;
  }

  void set_pipe(std::string_view path) {
    pipe_ = path;
    piped_ = true;
  }

  /// What an earlier array of the walk left in the other members stays.
  void take(const Found& found) {
    value_.type = found.type;
    value_.raw = found.raw;
    if (found.type == GjsonType::kString) value_.str = found.str;
    if (found.type == GjsonType::kNumber) value_.num = found.num;
  }

  Step walk_object(std::size_t i, std::string_view path) {
    const Level level(work_);
    if (work_.is_exhausted()) return {json_.size(), false};
    const KeyPart part = read_key_part(path);
    if (part.rest.piped) set_pipe(part.rest.pipe);
    while (i < json_.size()) {
      while (i < json_.size() && json_[i] != '"' && json_[i] != '}') ++i;
      if (i == json_.size()) break;
      if (json_[i] == '}') return {i + 1, false};
      const StringPiece key = scan_string(json_, i + 1);
      if (!key.closed) return {key.end, false};
      const bool match = matches_key(key, part);
      const bool hit = match && !part.rest.more;
      i = key.end;
      while (i < json_.size() && !starts_value(json_[i])) ++i;
      if (i == json_.size()) break;
      if (match && !hit && is_bracket(i)) {
        const Step step = walk(i, part.rest.path);
        if (step.hit) return step;
        i = step.end;
        continue;
      }
      const Next next = read_value(work_, json_, i, hit);
      i = next.end;
      if (!next.ok) break;
      if (hit) {
        take(next.value);
        return {i, true};
      }
    }
    return {i, false};
  }

  bool matches_key(const StringPiece& key, const KeyPart& part) {
    const std::string_view inside = key.text.substr(1, key.text.size() - 2);
    const std::string plain = key.escaped ? unescape(inside) : std::string();
    const std::string_view name = key.escaped ? plain : inside;
    return part.wild ? matches_glob(work_, name, part.key) : name == part.key;
  }

  /// What the elements of one array have given so far.
  struct Elements {
    ElementPart part;
    std::int64_t count = 0;
    std::vector<std::size_t> starts = {};  ///< where to look for each element, for `#.PATH`
    std::string matches = {};              ///< of a query for all
    std::vector<std::size_t> indexes = {};
  };

  Step walk_array(std::size_t i, std::string_view path) {
    const Level level(work_);
    Elements elements{.part = read_element_part(path)};
    ElementPart& part = elements.part;
    if (part.rest.piped) set_pipe(part.rest.pipe);
    const auto wanted = part.counts ? std::nullopt : parse_digits(part.text);
    while (i <= json_.size() && !work_.is_exhausted()) {
      const bool match = wanted && static_cast<std::int64_t>(*wanted) == elements.count;
      const bool hit = match && !part.rest.more;
      ++elements.count;
      if (part.each) elements.starts.push_back(i);
      while (i < json_.size() && !starts_value(json_[i]) && json_[i] != ']') ++i;
      if (i == json_.size() || json_[i] == ']') return {i + 1, end_array(elements)};
      if (match && !hit && is_bracket(i)) {
        const Step step = walk(i, part.rest.path);
        if (step.hit) return step;
        i = step.end;
        continue;
      }
      Next next = read_value(work_, json_, i, hit || part.query);
      if (!next.ok) return {next.end, false};
      const std::size_t start = i;
      i = next.end;
      if (part.query) {
        next.value.index = 0;
        if (query_element(elements, next.value, start)) return {i, true};
      } else if (hit) {
        take(next.value);
        return {i, true};
      }
    }
    return {i, false};
  }

  /// True when the element is what the path looks for.
  bool query_element(Elements& elements, const Found& element, std::size_t start) {
    const Query& query = *elements.part.query;
    if (query.all && elements.matches.empty()) elements.matches += '[';
    if (element.type != GjsonType::kJson && !query.path.empty()) return false;
    const bool inside = element.type == GjsonType::kJson;
    if (!matches_query(work_, query, inside ? get_in(work_, element, query.path) : element)) return false;
    PathRest& rest = elements.part.rest;
    if (rest.more) {
      if (const auto parts = split_pipe(rest.path)) {
        rest.path = parts->first;
        set_pipe(parts->second);
      }
    }
    Found found = rest.more ? get_in(work_, element, rest.path) : element;
    if (!query.all) {
      value_ = std::move(found);
      return true;
    }
    if (found.raw.empty() && text_of(found).empty()) return false;
    if (elements.matches.size() > 1) elements.matches += ',';
    append_raw(work_, found, elements.matches);
    elements.indexes.push_back(found.index + start);
    return false;
  }

  /// True when the array as a whole is what the path looks for.
  bool end_array(Elements& elements) {
    const ElementPart& part = elements.part;
    if (part.counts && part.text == "#") {
      if (part.each) {
        collect_each(elements);
      } else {
        const std::int64_t size = elements.count - 1;
        value_.type = GjsonType::kNumber;
        value_.num = static_cast<double>(size);
        value_.raw = work_.keep(std::to_string(size));
        calculated_ = true;
      }
      return true;
    }
    if (value_.exists()) return false;
    if (!elements.matches.empty()) {
      value_ = {GjsonType::kJson, work_.keep(elements.matches + ']')};
      if (!elements.indexes.empty()) value_.indexes = std::move(elements.indexes);
    } else if (part.query && part.query->all) {
      value_ = {GjsonType::kJson, "[]"};
    }
    return false;
  }

  void collect_each(Elements& elements) {
    std::string_view path = *elements.part.each;
    if (const auto parts = split_pipe(path)) {
      path = parts->first;
      set_pipe(parts->second);
    }
    std::string out = "[";
    std::vector<std::size_t> indexes;
    for (std::size_t start : elements.starts) {
      if (work_.is_exhausted()) return;
      start = std::min(json_.find_first_not_of(" \t\r\n", start), json_.size());
      if (start == json_.size() || json_[start] == ']') continue;
      const Next next = scan_value(work_, json_, start);
      if (!next.ok) continue;
      const Found found = get_in(work_, next.value, path);
      if (!found.exists()) continue;
      if (!indexes.empty()) out += ',';
      append_raw(work_, found, out);
      indexes.push_back(found.index);
    }
    value_.type = GjsonType::kJson;
    value_.raw = work_.keep(out + ']');
    value_.indexes = std::move(indexes);
  }

  Workspace& work_;
  std::string_view json_;
  Found value_;
  std::string_view pipe_;
  bool piped_ = false;
  bool calculated_ = false;  ///< the raw text is not from the document
};

/// Goes on after a modifier, a literal or a multipath, whose result has no place in the document.
Found go_on(Workspace& work, std::string_view json, std::string_view rest) {
  if (!rest.starts_with('|') && !rest.starts_with('.')) return parse(work, json);
  const Found found = get(work, json, rest.substr(1));
  return {found.type, found.raw, found.str, found.num};
}

void append_name(Workspace& work, const Selector& selector, std::string& out) {
  if (selector.name.empty()) {
    append_go_json_string(default_name(selector.path), true, out);
  } else if (selector.name[0] == '"' && is_valid(work, selector.name)) {
    out += selector.name;
  } else {
    append_go_json_string(selector.name, true, out);
  }
  out += ':';
}

Found select_members(Workspace& work, std::string_view json, bool object, const Selectors& selectors) {
  std::string out = object ? "{" : "[";
  for (const Selector& selector : selectors.members) {
    const Found found = get(work, json, selector.path);
    if (work.is_exhausted()) return {};
    if (!found.exists()) continue;
    if (out.size() > 1) out += ',';
    if (object) append_name(work, selector, out);
    if (found.raw.empty() && text_of(found).empty()) {
      out += "null";
    } else {
      append_raw(work, found, out);
    }
  }
  Found all{GjsonType::kJson, work.keep(out + (object ? '}' : ']'))};
  if (selectors.rest.empty()) return all;
  all = get_in(work, all, selectors.rest.substr(1));
  all.index = 0;
  return all;
}

}  // namespace

Found get(Workspace& work, std::string_view json, std::string_view path) {
  const Level level(work);
  if (!work.charge(json.size() + path.size() + 1)) return {};
  if (path.size() > 1 && path[0] == '@') {
    if (const auto call = read_modifier(path)) {
      return go_on(work, find_modifier(call->name)(work, json, call->argument), call->rest);
    }
  } else if (path.size() > 1 && path[0] == '!') {
    if (const auto literal = read_literal(path)) return go_on(work, literal->json, literal->rest);
  } else if (path.size() > 1 && (path[0] == '[' || path[0] == '{')) {
    const auto selectors = read_selectors(path);
    const std::string_view rest = selectors ? selectors->rest : std::string_view();
    if (selectors && (rest.empty() || rest[0] == '|' || rest[0] == '.')) {
      return select_members(work, json, path[0] == '{', *selectors);
    }
    path = rest;
  }
  return Walk(work, json).follow(path);
}

Found get_in(Workspace& work, const Found& found, std::string_view path) {
  Found inside = get(work, found.raw, path);
  if (inside.indexes) {
    for (std::size_t& index : *inside.indexes) index += found.index;
  } else {
    inside.index += found.index;
  }
  return inside;
}

void append_raw(Workspace& work, const Found& found, std::string& out) {
  const std::string text = found.raw.empty() ? text_of(found) : std::string();
  const std::string_view raw = found.raw.empty() ? text : found.raw;
  if (work.charge(raw.size())) out += raw;
}

}  // namespace tiphys::doc::gjson
