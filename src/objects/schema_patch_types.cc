#include "objects/schema_patch_types.h"

#include "schema/kubernetes.h"

namespace tiphys::objects {
namespace {

using Form = schema::Type::Form;

class SchemaPatchTypes final : public doc::PatchTypes {
 public:
  bool knows(std::string_view type) const override { return schema::kubernetes_types().find(type) != nullptr; }

  std::optional<doc::PatchField> find(std::string_view type, std::string_view name) const override {
    const schema::Type* known = schema::kubernetes_types().find(type);
    const schema::Field* field = known ? known->find(name) : nullptr;
    if (!field) return std::nullopt;
    const schema::Type& value = *field->type;
    // Selectors of budgets are replaced, as the schema says beside its reference to their type.
    if (name == "selector" && type == "io.k8s.api.policy.v1.PodDisruptionBudgetSpec") {
      return doc::PatchField{.merges = false, .type = value.name};
    }
    switch (value.form) {
      case Form::kList:
        return doc::PatchField{.list = true,
                               .merges = value.merges,
                               .key = value.merge_key,
                               .type = value.element ? std::string_view(value.element->name) : std::string_view()};
      case Form::kObject:
      case Form::kMap:
      case Form::kAny:
        return doc::PatchField{.merges = true, .type = value.name};
      default:
        return std::nullopt;
    }
  }
};

}  // namespace

const doc::PatchTypes& schema_patch_types() {
  static const SchemaPatchTypes kTypes;
  return kTypes;
}

}  // namespace tiphys::objects
