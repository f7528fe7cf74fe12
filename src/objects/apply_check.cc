#include "objects/apply_check.h"

#include <fmt/format.h>

#include <set>
#include <vector>

#include "base/strings.h"

namespace tiphys::objects {
namespace {

using Form = Shape::Form;

std::string_view go_type(const doc::Value& value) {
  switch (value.kind()) {
    case boost::json::kind::null:
      return "<nil>";
    case boost::json::kind::bool_:
      return "bool";
    case boost::json::kind::int64:
    case boost::json::kind::uint64:
      return "int64";
    case boost::json::kind::double_:
      return "float64";
    case boost::json::kind::string:
      return "string";
    case boost::json::kind::array:
      return "[]interface {}";
    case boost::json::kind::object:
      return "map[string]interface {}";
  }
  return "";
}

/// As Go's %v writes it, or %#v, which has types and quotes.
std::string go_text(const doc::Value& value, bool literal) {
  if (value.is_null()) return literal ? "interface {}(nil)" : "<nil>";
  if (value.is_string()) {
    if (!literal) return std::string(value.get_string());
    std::string out;
    append_quoted(out, value.get_string());
    return out;
  }
  std::vector<std::string> parts;
  if (const doc::Array* list = value.if_array()) {
    for (const doc::Value& element : *list) parts.push_back(go_text(element, literal));
    return literal ? fmt::format("[]interface {{}}{{{}}}", join(parts, ", ")) : fmt::format("[{}]", join(parts, " "));
  }
  if (const doc::Object* object = value.if_object()) {
    for (const auto& [key, member] : *object) {
      std::string name(key);
      if (literal) {
        name.clear();
        append_quoted(name, key);
      }
      parts.push_back(name + ":" + go_text(member, literal));
    }
    std::ranges::sort(parts);
    return literal ? fmt::format("map[string]interface {{}}{{{}}}", join(parts, ", "))
                   : fmt::format("map[{}]", join(parts, " "));
  }
  return doc::to_json(value);
}

/// A value in the box that structured-merge-diff has around it.
std::string boxed(const doc::Value& value) {
  return fmt::format("&{{{}}}", go_text(value, false));
}

class Checker {
 public:
  explicit Checker(Duplicates duplicates) : duplicates_(duplicates) {}

  void walk(const Shape& shape, const doc::Value& value) {
    switch (shape.form(&value)) {
      case Form::kScalar:
        return scalar(shape, value);
      case Form::kList:
        if (value.is_null()) return;
        if (!value.is_array()) return add("expected list, got " + boxed(value));
        return elements(shape, value.get_array());
      case Form::kMap:
      case Form::kAny:
        if (value.is_null()) return;
        if (!value.is_object()) return add("expected map, got " + boxed(value));
        return members(shape, value.get_object());
    }
  }

  Status result() const {
    if (errors_.empty()) return {};
    if (errors_.size() == 1) return fail(Code::kInvalidArgument, errors_.front());
    return fail(Code::kInvalidArgument, "errors:\n  " + join(errors_, "\n  "));
  }

 private:
  void scalar(const Shape& shape, const doc::Value& value) {
    if (value.is_null()) return;
    switch (shape.scalar()) {
      case Shape::Scalar::kNumber:
        if (!value.is_number()) add(fmt::format("expected numeric (int or float), got {}", go_type(value)));
        return;
      case Shape::Scalar::kString:
        if (!value.is_string()) {
          add(fmt::format("expected string, got &value.valueUnstructured{{Value:{}}}", go_text(value, true)));
        }
        return;
      case Shape::Scalar::kBoolean:
        if (!value.is_bool()) add("expected boolean, got " + boxed(value));
        return;
      case Shape::Scalar::kAny:
        if (value.is_object() || value.is_array()) add("expected any scalar, got " + boxed(value));
        return;
    }
  }

  void elements(const Shape& shape, const doc::Array& list) {
    const bool atomic = shape.atomic_list();
    const Shape below = shape.element();
    std::set<PathElement> seen;
    for (std::size_t i = 0; i < list.size(); ++i) {
      auto identity = atomic ? PathElement::index(static_cast<std::int64_t>(i)) : shape.identify(list[i]);
      if (!identity) return add(fmt::format("element {}: {}", i, identity.error().message));
      if (!atomic && duplicates_ == Duplicates::kRefused && !seen.insert(*identity).second) {
        add(fmt::format("duplicate entries for key {}", identity->text()));
      }
      descend(*identity, below, list[i]);
    }
  }

  void members(const Shape& shape, const doc::Object& object) {
    for (const auto& [name, value] : object) {
      const auto member = shape.member(name);
      if (!member) {
        errors_.push_back(fmt::format("{}.{}: field not declared in schema", path_, std::string_view(name)));
        return;
      }
      descend(PathElement::field(name), member->shape, value);
    }
  }

  void descend(const PathElement& element, const Shape& shape, const doc::Value& value) {
    const std::size_t length = path_.size();
    path_ += element.text();
    walk(shape, value);
    path_.resize(length);
  }

  void add(std::string_view message) {
    errors_.push_back(path_.empty() ? std::string(message) : fmt::format("{}: {}", path_, message));
  }

  Duplicates duplicates_;
  std::string path_{};
  std::vector<std::string> errors_{};
};

}  // namespace

Status check_shape(const Shape& shape, const doc::Value& object, Duplicates duplicates) {
  Checker checker(duplicates);
  checker.walk(shape, object);
  return checker.result();
}

}  // namespace tiphys::objects
