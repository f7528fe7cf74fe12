#include "expr/scope.h"

namespace tiphys::expr {

bool Scope::has_below(std::string_view name) const {
  const auto below = [&](std::string_view other) {
    return other.size() > name.size() && other[name.size()] == '.' && other.starts_with(name);
  };
  for (const Scope* scope = this; scope; scope = scope->parent_) {
    for (const auto& entry : scope->texts_) {
      if (below(entry.first)) return true;
    }
    for (const auto& entry : scope->values_) {
      if (below(entry.first)) return true;
    }
  }
  return false;
}

void Scope::for_each(
    const std::function<void(std::string_view name, const std::string* text, const doc::Value* value)>& visit) const {
  for (const Scope* scope = this; scope; scope = scope->parent_) {
    const auto hidden = [&](std::string_view name) {
      for (const Scope* inner = this; inner != scope; inner = inner->parent_) {
        if (inner->holds(name)) return true;
      }
      return false;
    };
    for (const auto& [name, text] : scope->texts_) {
      if (hidden(name)) continue;
      const auto value = scope->values_.find(name);
      visit(name, &text, value == scope->values_.end() ? nullptr : &value->second);
    }
    for (const auto& [name, value] : scope->values_) {
      if (!scope->texts_.contains(name) && !hidden(name)) visit(name, nullptr, &value);
    }
  }
}

}  // namespace tiphys::expr
