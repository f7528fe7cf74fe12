#include "expr/variables.h"

#include <algorithm>
#include <set>

#include "base/strings.h"

namespace tiphys::expr {
namespace {

/// Puts `value` at the path `rest` below `map`. What is already there and is a map stays.
void put(doc::Object& map, std::string_view rest, doc::Value value) {
  constexpr int kDeepest = 32;  // beyond it the rest of the name is one key
  doc::Object* parent = &map;
  int depth = 0;
  for (auto dot = rest.find('.'); dot != std::string_view::npos && depth < kDeepest; dot = rest.find('.')) {
    ++depth;
    doc::Value& member = (*parent)[rest.substr(0, dot)];
    if (!member.is_object()) member.emplace_object();
    parent = &member.get_object();
    rest.remove_prefix(dot + 1);
  }
  const doc::Value* there = parent->if_contains(rest);
  if (!there || !there->is_object()) parent->insert_or_assign(rest, std::move(value));
}

/// The kind of a path's first part, as the checker knows it. `whole` is what the scope has under the whole path.
StaticKind root_kind(const TreeVariable& variable, const Scope::Found& whole, const Scope& scope) {
  const bool alone = variable.root.size() == variable.name.size();
  if (!alone && whole.text) return StaticKind::kMap;
  const Scope::Found root = alone ? whole : scope.find(variable.root);
  if (root.value) return static_kind(*root.value);
  // As find_variable has it: names below hide the name itself.
  if (scope.has_below(variable.root)) return StaticKind::kMap;
  return root.text ? StaticKind::kString : StaticKind::kMissing;
}

}  // namespace

FoundVariables find_variables(const Tree& tree, const Scope& scope) {
  FoundVariables found;
  found.reserve(tree.variables.size());
  for (const TreeVariable& variable : tree.variables) {
    FoundVariable& place = found.emplace_back();
    place.whole = scope.find(variable.name, variable.hash);
    place.root = root_kind(variable, place.whole, scope);
  }
  return found;
}

Variable find_variable(const Scope& scope, const std::vector<std::string>& names) {
  Variable variable;
  for (std::size_t length = names.size(); length > 0; --length) {
    const std::string& name = names[length - 1];
    variable.length = length;
    if (const doc::Value* value = scope.value(name)) {
      variable.found = value;
      return variable;
    }
    const std::string* text = scope.text(name);
    // Names below hide the name itself. Below the whole path they make a map; below its start they miss the next part.
    if (scope.has_below(name)) {
      if (length == names.size()) {
        variable.found = variables_below(scope, name);
      } else {
        variable.found = static_cast<const doc::Value*>(nullptr);
      }
      return variable;
    }
    if (text) {
      variable.found = text;
      return variable;
    }
  }
  variable.length = 0;
  return variable;
}

doc::Value variables_below(const Scope& scope, std::string_view prefix) {
  doc::Object map;
  scope.for_each([&](std::string_view name, const std::string* text, const doc::Value* value) {
    if (!prefix.empty()) {
      if (name.size() <= prefix.size() || name[prefix.size()] != '.' || !name.starts_with(prefix)) return;
      name.remove_prefix(prefix.size() + 1);
    }
    put(map, name, value ? *value : doc::Value(*text));
  });
  return map;
}

std::string suggest_variable(const Scope& scope, std::string_view name) {
  // Of longer names the start that has as many parts counts, too.
  const auto parts = std::ranges::count(name, '.');
  std::set<std::string> names;
  scope.for_each([&](std::string_view known, const std::string*, const doc::Value*) {
    std::size_t end = known.find('.');
    for (auto left = parts; left > 0 && end != std::string_view::npos; --left) end = known.find('.', end + 1);
    names.emplace(known.substr(0, end));
    names.emplace(known);
  });
  return did_you_mean(name, std::vector(names.begin(), names.end()));
}

}  // namespace tiphys::expr
