// How server-side apply sees the type of a value: what can be owned apart, and how elements of lists are told apart
// (k8s.io/kube-openapi/pkg/schemaconv makes the same of OpenAPI).
#pragma once

#include <optional>

#include "objects/field_set_path.h"
#include "schema/type.h"

namespace tiphys::objects {

class Shape {
 public:
  /// Of a whole object, which has apiVersion, kind and metadata whatever its type says. nullptr: nothing is known of
  /// it.
  static Shape of_object(const schema::Type* type);

  /// What a value is taken for. kAny: there is no value, or a null, where maps, lists and scalars are taken.
  enum class Form { kMap, kList, kScalar, kAny };
  Form form(const doc::Value* value) const;
  enum class Scalar { kNumber, kString, kBoolean, kAny };
  /// What a scalar has to be.
  Scalar scalar() const;

  /// Whether a map or a list is owned as a whole.
  bool atomic_map() const;
  bool atomic_list() const;

  struct Member;
  /// Of a map; nullopt: there is no such field.
  std::optional<Member> member(std::string_view name) const;
  /// Of a list.
  Shape element() const;
  /// What an element of a list that is not atomic is told apart by. kInvalidArgument: it lacks that.
  Result<PathElement> identify(const doc::Value& element) const;

  bool may_be_map() const { return knowledge_ != Knowledge::kTyped || is_map() || is_any(); }
  bool may_be_list() const {
    return knowledge_ != Knowledge::kTyped || type_->form == schema::Type::Form::kList || is_any();
  }
  /// Nothing is known of what is in it: its fields may be anything.
  bool is_deduced() const;

 private:
  enum class Knowledge {
    kTyped,
    kDeduced,  ///< the value tells: maps by their members, lists as a whole
    kOpaque    ///< whatever it is, it is owned as a whole
  };
  explicit Shape(Knowledge knowledge) : knowledge_(knowledge) {}
  Shape(const schema::Type& type, bool keeps_unknown);

  bool is_map() const { return type_->form == schema::Type::Form::kObject || type_->form == schema::Type::Form::kMap; }
  bool is_any() const { return type_->form == schema::Type::Form::kAny; }
  /// Of a field of `type`: what keeps unknown fields does so all the way down, but not into types with a name.
  Shape below(const schema::Type& type) const;
  std::optional<Member> envelope(std::string_view name) const;

  Knowledge knowledge_;
  const schema::Type* type_ = nullptr;
  bool keeps_unknown_ = false;
  bool whole_ = false;  ///< an object with apiVersion, kind and metadata of its own
};

struct Shape::Member {
  Shape shape;
  bool declared = false;  ///< a field of the type, not one of many members
};

}  // namespace tiphys::objects
