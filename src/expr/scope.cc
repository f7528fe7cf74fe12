#include "expr/scope.h"

#include <algorithm>

namespace tiphys::expr {

void Scope::Starts::add(std::string_view name) {
  for (auto dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1)) {
    const std::size_t at = place(name.substr(0, dot));
    bits[at / 64] |= std::uint64_t{1} << (at % 64);
  }
}

Scope::Found Scope::find(std::string_view name, std::size_t hash) const {
  for (const Scope* scope = this; scope; scope = scope->parent_) {
    if (scope->entries_.empty()) continue;
    const auto found = scope->entries_.find(Key{name, hash});
    if (found == scope->entries_.end()) continue;
    const Entry& entry = found->second;
    return {.text = entry.text ? &*entry.text : nullptr, .value = entry.value ? &*entry.value : nullptr};
  }
  return {};
}

bool Scope::has_below(std::string_view name) const {
  const auto below = [name](const auto& entry) {
    const std::string_view other = entry.first;
    return other.size() > name.size() && other[name.size()] == '.' && other.starts_with(name);
  };
  const std::size_t place = Starts::place(name);
  for (const Scope* scope = this; scope; scope = scope->parent_) {
    if (scope->starts_.names != scope->entries_.size()) {
      for (const auto& entry : scope->entries_) scope->starts_.add(entry.first);
      scope->starts_.names = scope->entries_.size();
    }
    if (scope->starts_.may_hold(place) && std::ranges::any_of(scope->entries_, below)) return true;
  }
  return false;
}

void Scope::for_each(
    const std::function<void(std::string_view name, const std::string* text, const doc::Value* value)>& visit) const {
  for (const Scope* scope = this; scope; scope = scope->parent_) {
    const auto hidden = [&](std::string_view name) {
      for (const Scope* inner = this; inner != scope; inner = inner->parent_) {
        if (inner->entries_.contains(name)) return true;
      }
      return false;
    };
    // Texts first: what is put below a name before its value stays there.
    for (const bool with_text : {true, false}) {
      for (const auto& [name, entry] : scope->entries_) {
        if (entry.text.has_value() != with_text || hidden(name)) continue;
        visit(name, entry.text ? &*entry.text : nullptr, entry.value ? &*entry.value : nullptr);
      }
    }
  }
}

}  // namespace tiphys::expr
