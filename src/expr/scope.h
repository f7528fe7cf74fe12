// The variables that a text can see.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "doc/value.h"

namespace tiphys::expr {

struct Ambient;

/// Variables under Argo's dotted names ("inputs.parameters.message", "steps.flip-coin.outputs.result"), looked up in
/// the scope itself and then in its parent. All are strings for `{{name}}`; `{{= }}` may see a richer value.
class Scope {
 public:
  explicit Scope(const Scope* parent = nullptr) : parent_(parent) {}

  /// Clock and chance for this scope and those below it; must outlive them.
  void set_ambient(const Ambient* ambient) { ambient_ = ambient; }
  const Ambient* ambient() const { return ambient_ || !parent_ ? ambient_ : parent_->ambient(); }

  void set(std::string name, std::string text) { texts_[std::move(name)] = std::move(text); }
  /// A value that is no string where expressions see it (an `item` that is an object, a nil output).
  void set_value(std::string name, doc::Value value) { values_[std::move(name)] = std::move(value); }

  /// The text under exactly this name; nullptr when there is none. What a scope holds under a name, text or value,
  /// hides all that its parents hold under it.
  const std::string* text(std::string_view name) const {
    if (const auto it = texts_.find(name); it != texts_.end()) return &it->second;
    if (!parent_ || (!values_.empty() && values_.contains(name))) return nullptr;
    return parent_->text(name);
  }
  /// The value under exactly this name; nullptr when there is none (which is not a null value).
  const doc::Value* value(std::string_view name) const {
    if (const auto it = values_.find(name); it != values_.end()) return &it->second;
    if (!parent_ || texts_.contains(name)) return nullptr;
    return parent_->value(name);
  }
  /// True when there are names below this one: "inputs" when "inputs.parameters.message" is set. Linear in the names.
  bool has_below(std::string_view name) const;
  /// Calls `visit` once for each visible name, own ones first.
  void for_each(
      const std::function<void(std::string_view name, const std::string* text, const doc::Value* value)>& visit) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  template <typename T>
  using Map = std::unordered_map<std::string, T, Hash, std::equal_to<>>;

  bool holds(std::string_view name) const { return texts_.contains(name) || values_.contains(name); }

  const Scope* parent_;
  const Ambient* ambient_ = nullptr;
  Map<std::string> texts_;
  Map<doc::Value> values_;
};

}  // namespace tiphys::expr
