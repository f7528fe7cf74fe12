// What the parts of an expression give while it is evaluated.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "doc/value.h"

namespace tiphys::expr {

/// A number, a boolean or nil in place; a text or a value that lives elsewhere for as long as the evaluation. Cheap to
/// copy: two registers.
class Held {
 public:
  enum class Kind : std::uint64_t {
    kFailed,  ///< an error, which the evaluation has
    kCut,     ///< nil because a ?. found nothing: what follows in the chain is not evaluated
    kNull,
    kBool,
    kInt,
    kFloat,
    kText,      ///< of the scope
    kBorrowed,  ///< of the scope, of the tree, or a part of what others hold
    kMade,      ///< of this evaluation, for one who takes it
  };

  Held() = default;
  explicit Held(std::same_as<bool> auto truth) : kind_(Kind::kBool), bool_(truth) {}
  explicit Held(std::int64_t number) : kind_(Kind::kInt), int_(number) {}
  explicit Held(double number) : kind_(Kind::kFloat), float_(number) {}
  explicit Held(const std::string* text) : kind_(Kind::kText), text_(text) {}
  explicit Held(const doc::Value* borrowed);
  /// Of what is not in place.
  static Held made(doc::Value* value) {
    Held held;
    held.kind_ = Kind::kMade;
    held.value_ = value;
    return held;
  }

  static Held failure() { return Held(Kind::kFailed); }
  static Held cut() { return Held(Kind::kCut); }

  Kind kind() const { return kind_; }
  bool failed() const { return kind_ == Kind::kFailed; }
  bool is_cut() const { return kind_ == Kind::kCut; }
  bool is_null() const { return kind_ == Kind::kNull || is_cut(); }
  bool is_bool() const { return kind_ == Kind::kBool; }
  bool is_int() const { return kind_ == Kind::kInt; }
  bool is_float() const { return kind_ == Kind::kFloat; }
  bool is_number() const { return is_int() || is_float(); }
  bool is_in_place() const { return kind_ < Kind::kText; }
  bool is_string() const { return kind_ == Kind::kText || (value() && value_->is_string()); }

  bool get_bool() const { return bool_; }
  std::int64_t get_int() const { return int_; }
  double to_float() const { return is_int() ? static_cast<double>(int_) : float_; }
  std::string_view get_string() const {
    return kind_ == Kind::kText ? std::string_view(*text_) : std::string_view(value_->get_string());
  }
  /// nullptr for what is in place, and for texts of the scope.
  const doc::Value* value() const { return kind_ >= Kind::kBorrowed ? value_ : nullptr; }

  /// The same for a second reader: not to be moved from.
  Held borrow() const {
    Held held = *this;
    if (kind_ == Kind::kMade) held.kind_ = Kind::kBorrowed;
    return held;
  }
  doc::Value copy() const;
  /// Moves what is made and copies all else.
  doc::Value take() const;
  /// take() as a result, which is made in its place.
  Result<doc::Value> result() const;
  /// take() into `place`.
  void move_to(doc::Value& place) const;

 private:
  explicit Held(Kind kind) : kind_(kind) {}

  Kind kind_ = Kind::kNull;
  union {
    bool bool_;
    std::int64_t int_ = 0;
    double float_;
    const std::string* text_;
    const doc::Value* value_;
  };
};

inline Held::Held(const doc::Value* borrowed) {
  switch (borrowed->kind()) {
    case boost::json::kind::null:
      return;
    case boost::json::kind::bool_:
      kind_ = Kind::kBool;
      bool_ = *borrowed->if_bool();
      return;
    case boost::json::kind::int64:
      kind_ = Kind::kInt;
      int_ = *borrowed->if_int64();
      return;
    case boost::json::kind::double_:
      kind_ = Kind::kFloat;
      float_ = *borrowed->if_double();
      return;
    default:
      kind_ = Kind::kBorrowed;
      value_ = borrowed;
  }
}

/// A Held as the document value that functions take.
class Operand {
 public:
  explicit Operand(const Held& held) : there_(held.value()), own_(there_ ? doc::Value() : held.copy()) {}

  const doc::Value& operator*() const { return there_ ? *there_ : own_; }
  const doc::Value* operator->() const { return &**this; }

 private:
  const doc::Value* there_;
  doc::Value own_;
};

}  // namespace tiphys::expr
