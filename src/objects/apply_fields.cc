#include "objects/apply_fields.h"

#include <map>

namespace tiphys::objects {
namespace {

using Form = Shape::Form;

/// Whether the value itself is among its fields; `below` are those in it.
bool gather(const Shape& shape, const doc::Value& value, FieldSet& below);

void gather_elements(const Shape& shape, const doc::Array& list, FieldSet& below) {
  std::map<PathElement, std::vector<const doc::Value*>> elements;
  for (const doc::Value& element : list) {
    if (auto identity = shape.identify(element)) elements[std::move(*identity)].push_back(&element);
  }
  const Shape type = shape.element();
  for (const auto& [identity, alike] : elements) {
    FieldSet inner;
    if (alike.size() == 1) gather(type, *alike.front(), inner);
    below.put(identity, true, std::move(inner));
  }
}

void gather_members(const Shape& shape, const doc::Object& object, FieldSet& below) {
  for (const auto& [name, value] : object) {
    const auto member = shape.member(name);
    if (!member) continue;  // checked before
    FieldSet inner;
    const bool self = gather(member->shape, value, inner);
    const bool empty = value.is_null() || (value.is_object() && value.get_object().empty());
    below.put(PathElement::field(name), self || empty || !member->declared, std::move(inner));
  }
  below.sort();
}

bool gather(const Shape& shape, const doc::Value& value, FieldSet& below) {
  const Form form = shape.form(&value);
  if (form == Form::kScalar) return true;
  if (form == Form::kList) {
    if (shape.atomic_list()) return true;
    if (value.is_array()) gather_elements(shape, value.get_array(), below);
    return false;
  }
  if (shape.atomic_map()) return true;
  if (value.is_object()) gather_members(shape, value.get_object(), below);
  return false;
}

std::optional<Shape::Member> member_at(const Shape& shape, const PathElement& element) {
  if (element.kind() == PathElement::Kind::kField) {
    return shape.may_be_map() ? shape.member(element.name()) : std::nullopt;
  }
  if (element.kind() == PathElement::Kind::kKey && shape.may_be_list()) return Shape::Member{shape.element()};
  return std::nullopt;
}

}  // namespace

FieldSet fields_of(const Shape& shape, const doc::Value& object) {
  FieldSet fields;
  gather(shape, object, fields);
  return fields;
}

FieldSet with_named_fields(const Shape& shape, const FieldSet& fields) {
  FieldSet out;
  for (const FieldNode& node : fields.nodes()) {
    const auto member = node.below.empty() ? std::nullopt : member_at(shape, node.element);
    if (member) {
      out.put(node.element, node.member || member->declared, with_named_fields(member->shape, node.below));
    } else {
      out.put(node.element, node.member, node.below);
    }
  }
  return out;
}

FieldSet reconciled(const Shape& shape, const FieldSet& fields) {
  if (shape.is_deduced()) return fields;
  const Form form = shape.form(nullptr);
  if (form == Form::kScalar) return fields;
  const bool list = form == Form::kList;
  FieldSet out;
  for (const FieldNode& node : fields.nodes()) {
    std::optional<Shape> below;
    if (list) {
      below = shape.element();
    } else if (const auto member = node.element.kind() == PathElement::Kind::kField ? shape.member(node.element.name())
                                                                                    : std::nullopt) {
      below = member->shape;
    }
    if (!below || node.below.empty()) {
      out.put(node.element, node.member, node.below);
      continue;
    }
    const Form inner = below->form(nullptr);
    const bool whole = !below->is_deduced() && inner != Form::kScalar &&
                       (inner == Form::kList ? below->atomic_list() : below->atomic_map());
    out.put(node.element, node.member || whole, whole ? FieldSet() : reconciled(*below, node.below));
  }
  return out;
}

doc::Value without(const Shape& shape, const doc::Value& value, const FieldSet& fields) {
  const Form form = shape.form(&value);
  if (form == Form::kScalar) return value;
  if (form == Form::kList) {
    if (!value.is_array() || shape.atomic_list()) return {};
    doc::Array left;
    const Shape below = shape.element();
    for (const doc::Value& element : value.get_array()) {
      const auto identity = shape.identify(element);
      const FieldNode* node = identity ? fields.find(*identity) : nullptr;
      if (node && node->member) continue;
      left.push_back(node ? without(below, element, node->below) : element);
    }
    return left.empty() ? doc::Value() : doc::Value(std::move(left));
  }
  if (!value.is_object() || shape.atomic_map()) return {};
  doc::Object left;
  for (const auto& [name, inner] : value.get_object()) {
    const FieldNode* node = fields.find(PathElement::field(name));
    if (node && node->member) continue;
    const auto member = node ? shape.member(name) : std::nullopt;
    left.emplace(name, member ? without(member->shape, inner, node->below) : inner);
  }
  return left.empty() ? doc::Value() : doc::Value(std::move(left));
}

}  // namespace tiphys::objects
