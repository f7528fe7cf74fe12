#include "objects/apply_shape.h"

#include <fmt/format.h>

#include "schema/kubernetes.h"

namespace tiphys::objects {
namespace {

using schema::Type;

constexpr std::string_view kRaw = "io.k8s.apimachinery.pkg.runtime.RawExtension";

const Type& object_meta() {
  static const Type& type = *schema::kubernetes_types().find("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
  return type;
}

const Type& text() {
  static const Type type{.form = Type::Form::kString};
  return type;
}

}  // namespace

Shape::Shape(const Type& type, bool keeps_unknown)
    : knowledge_(type.name == kRaw ? Knowledge::kOpaque : Knowledge::kTyped),
      type_(&type),
      keeps_unknown_(keeps_unknown || type.keeps_unknown) {}

Shape Shape::of_object(const Type* type) {
  if (!type) return Shape(Knowledge::kDeduced);
  Shape shape(*type, false);
  shape.whole_ = true;
  return shape;
}

Shape Shape::below(const Type& type) const {
  return {type, keeps_unknown_ && type.name.empty()};
}

Shape::Form Shape::form(const doc::Value* value) const {
  if (knowledge_ == Knowledge::kTyped && !is_any()) {
    return is_map() ? Form::kMap : type_->form == Type::Form::kList ? Form::kList : Form::kScalar;
  }
  if (!value || value->is_null()) return Form::kAny;
  return value->is_object() ? Form::kMap : value->is_array() ? Form::kList : Form::kScalar;
}

Shape::Scalar Shape::scalar() const {
  if (knowledge_ != Knowledge::kTyped) return Scalar::kAny;
  switch (type_->form) {
    case Type::Form::kInteger:
    case Type::Form::kNumber:
      return Scalar::kNumber;
    case Type::Form::kBoolean:
      return Scalar::kBoolean;
    case Type::Form::kString:
      return type_->format.empty() || type_->format == "byte" ? Scalar::kString : Scalar::kAny;
    default:
      return Scalar::kAny;
  }
}

bool Shape::atomic_map() const {
  return knowledge_ == Knowledge::kOpaque ||
         (knowledge_ == Knowledge::kTyped && type_->form != Type::Form::kList && type_->atomic);
}

bool Shape::atomic_list() const {
  return knowledge_ != Knowledge::kTyped || (type_->keys.empty() && !type_->set);
}

std::optional<Shape::Member> Shape::envelope(std::string_view name) const {
  const bool metadata = name == "metadata";
  if (!metadata && name != "apiVersion" && name != "kind") return std::nullopt;
  return Member{metadata ? Shape(object_meta(), false) : Shape(text(), false), true};
}

std::optional<Shape::Member> Shape::member(std::string_view name) const {
  if (knowledge_ != Knowledge::kTyped) return Member{*this, false};
  if (whole_) {
    if (auto found = envelope(name)) return found;
  }
  if (const schema::Field* field = type_->find(name)) return Member{below(*field->type), true};
  if (type_->embedded_resource) {
    if (auto found = envelope(name)) return found;
  }
  if (type_->element) return Member{below(*type_->element), false};
  if (keeps_unknown_ || type_->fields.empty()) return Member{Shape(Knowledge::kDeduced), false};
  return std::nullopt;
}

Shape Shape::element() const {
  if (knowledge_ != Knowledge::kTyped || !type_->element) return Shape(Knowledge::kOpaque);
  return below(*type_->element);
}

Result<PathElement> Shape::identify(const doc::Value& element) const {
  const auto refuse = [](std::string why) { return fail(Code::kInvalidArgument, std::move(why)); };
  if (type_->keys.empty()) {
    if (element.is_object()) return refuse("associative list without keys has an element that's a map type");
    if (element.is_array()) return refuse("not supported: associative list with lists as elements");
    if (element.is_null()) return refuse("associative list without keys has an element that's an explicit null");
    return PathElement::value(element);
  }
  if (element.is_null()) return refuse("associative list with keys may not have a null element");
  if (!element.is_object()) return refuse("associative list with keys may not have non-map elements");
  doc::Object key;
  for (const std::string& name : type_->keys) {
    const schema::Field* field = type_->element ? type_->element->find(name) : nullptr;
    if (const doc::Value* value = element.get_object().if_contains(name)) {
      key.emplace(name, *value);
    } else if (field && field->otherwise) {
      key.emplace(name, *field->otherwise);
    }
  }
  if (!key.empty()) return PathElement::key(std::move(key));
  std::string names;
  for (const std::string& name : type_->keys) {
    if (!names.empty()) names += ' ';
    append_quoted(names, name);
  }
  return refuse(
      fmt::format("associative list with keys has an element that omits all key fields [{}] (and doesn't have "
                  "default values for any key fields)",
                  names));
}

bool Shape::is_deduced() const {
  if (knowledge_ != Knowledge::kTyped) return knowledge_ == Knowledge::kDeduced;
  return !whole_ && !type_->embedded_resource && type_->fields.empty() && !type_->element && (is_map() || is_any());
}

}  // namespace tiphys::objects
