#include "expr/held.h"

namespace tiphys::expr {

doc::Value Held::copy() const {
  switch (kind_) {
    case Kind::kFailed:
    case Kind::kCut:
    case Kind::kNull:
      return {};
    case Kind::kBool:
      return doc::Value(bool_);
    case Kind::kInt:
      return doc::Value(int_);
    case Kind::kFloat:
      return doc::Value(float_);
    case Kind::kText:
      return doc::Value(*text_);
    default:
      return *value_;
  }
}

doc::Value Held::take() const {
  if (kind_ != Kind::kMade) return copy();
  // made() has got it as one that may change.
  return std::move(*const_cast<doc::Value*>(value_));  // NOLINT(*-const-cast)
}

Result<doc::Value> Held::result() const {
  switch (kind_) {
    case Kind::kBool:
      return Result<doc::Value>(std::in_place, bool_);
    case Kind::kInt:
      return Result<doc::Value>(std::in_place, int_);
    case Kind::kFloat:
      return Result<doc::Value>(std::in_place, float_);
    default:
      return take();
  }
}

void Held::move_to(doc::Value& place) const {
  switch (kind_) {
    case Kind::kBool:
      place = bool_;
      break;
    case Kind::kInt:
      place = int_;
      break;
    case Kind::kFloat:
      place = float_;
      break;
    default:
      place = take();
  }
}

}  // namespace tiphys::expr
