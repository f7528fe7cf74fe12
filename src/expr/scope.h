// The variables that a text can see.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "doc/value.h"

namespace tiphys::expr {

struct Ambient;

/// Variables under Argo's dotted names ("inputs.parameters.message", "steps.flip-coin.outputs.result"), looked up in
/// the scope itself and then in its parent. All are strings for `{{name}}`; `{{= }}` may see a richer value. For one
/// thread at a time, reading included.
class Scope {
 public:
  /// What stands under a name; null pointers for what does not (a null value does).
  struct Found {
    const std::string* text = nullptr;
    const doc::Value* value = nullptr;
  };

  explicit Scope(const Scope* parent = nullptr) : parent_(parent) {}

  /// Clock and chance for this scope and those below it; must outlive them.
  void set_ambient(const Ambient* ambient) { ambient_ = ambient; }
  const Ambient* ambient() const { return ambient_ || !parent_ ? ambient_ : parent_->ambient(); }

  void set(std::string name, std::string text) { entries_[std::move(name)].text = std::move(text); }
  /// A value that is no string where expressions see it (an `item` that is an object, a nil output).
  void set_value(std::string name, doc::Value value) { entries_[std::move(name)].value = std::move(value); }

  static std::size_t hash(std::string_view name) { return std::hash<std::string_view>{}(name); }
  /// Exactly this name. What a scope holds under a name, text or value, hides all that its parents hold under it.
  Found find(std::string_view name) const { return find(name, hash(name)); }
  /// The same with the name's hash.
  Found find(std::string_view name, std::size_t hash) const;
  const std::string* text(std::string_view name) const { return find(name).text; }
  const doc::Value* value(std::string_view name) const { return find(name).value; }
  /// True when there are names below this one: "inputs" when "inputs.parameters.message" is set. Linear in the names
  /// when it is, and the first time after a change.
  bool has_below(std::string_view name) const;
  /// Calls `visit` once for each visible name, own ones first.
  void for_each(
      const std::function<void(std::string_view name, const std::string* text, const doc::Value* value)>& visit) const;

 private:
  struct Entry {
    std::optional<std::string> text;
    std::optional<doc::Value> value;
  };
  struct Key {
    std::string_view name;
    std::size_t hash;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const { return Scope::hash(name); }
    std::size_t operator()(const Key& key) const { return key.hash; }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const { return a == b; }
    bool operator()(const Key& a, std::string_view b) const { return a.name == b; }
    bool operator()(std::string_view a, const Key& b) const { return a == b.name; }
  };
  /// A Bloom filter with one bit for each start of a name before a dot.
  struct Starts {
    std::array<std::uint64_t, 4> bits{};
    std::size_t names = 0;  ///< those that it has taken in

    static std::size_t place(std::string_view start) {
      const auto byte = [](char c) -> std::size_t { return static_cast<unsigned char>(c); };
      return start.empty() ? 0 : (start.size() * 31 + byte(start.front()) * 7 + byte(start.back())) % 256;
    }
    void add(std::string_view name);
    bool may_hold(std::size_t place) const { return (bits[place / 64] >> (place % 64) & 1) != 0; }
  };

  const Scope* parent_;
  const Ambient* ambient_ = nullptr;
  std::unordered_map<std::string, Entry, Hash, Equal> entries_;
  mutable Starts starts_;
};

}  // namespace tiphys::expr
