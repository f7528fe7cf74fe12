#include "objects/intake.h"

#include <fmt/format.h>

#include <algorithm>

#include "objects/custom_kind.h"
#include "objects/kind_rules.h"
#include "objects/other_form.h"
#include "schema/check.h"

namespace tiphys::objects {
namespace {

std::string listed(const std::vector<std::string>& fields) {
  std::string text;
  for (const std::string& field : fields) {
    if (!text.empty()) text += ", ";
    text += fmt::format("unknown field \"{}\"", field);
  }
  return text;
}

Refusal unreadable(const Kind& kind, Source source, std::string_view why) {
  if (source == Source::kPatch) return {422, "Invalid", fmt::format(" \"\" is invalid: patch: Invalid value: {}", why)};
  return bad_request(
      fmt::format("{0} in version \"{1}\" cannot be handled as a {0}: {2}", kind.resource->kind, kind.version, why));
}

/// Of custom objects only the metadata are read into a struct, and those of resources in them.
std::optional<std::string> metadata_misfit(const Kind& kind, const doc::Value& object) {
  const doc::Value* metadata = doc::find(object, "metadata");
  const schema::Field* field = kind.type->find("metadata");
  const auto found = metadata && field ? schema::misfit(*field->type, *metadata) : std::nullopt;
  if (!found) return schema::embedded_misfit(*kind.type, object);
  return "metadata." + *found;
}

/// What a definition demands beyond its schema of the whole.
void check_custom(const CustomVersion& custom, const doc::Value& object, schema::FieldErrors& errors) {
  const doc::Value* metadata = custom.metadata ? doc::find(object, "metadata") : nullptr;
  if (metadata) {
    const schema::Path root;
    for (schema::FieldError& error : schema::check(*custom.metadata, *metadata, root.field("metadata"))) {
      errors.push_back(std::move(error));
    }
  }
  if (!custom.scaled) return;
  const doc::Value* replicas = value_at(object, custom.scale.replicas);
  if (!replicas || !replicas->is_int64() || replicas->get_int64() >= 0) return;
  errors.push_back(schema::invalid(custom.scale.replicas_text(), *replicas, "should be a non-negative integer"));
}

}  // namespace

Outcome<void> take_in(const Kind& kind, doc::Value& object, FieldValidation validation, Source source,
                      std::vector<std::string>& warnings) {
  if (!object.is_object()) return std::unexpected(bad_request("the body must be an object"));
  if (const auto misfit = schema::misfit(*kind.type, object); misfit && kind.is_struct()) {
    return std::unexpected(unreadable(kind, source, *misfit));
  }
  if (const auto misfit = kind.custom ? metadata_misfit(kind, object) : std::nullopt) {
    return std::unexpected(unreadable(kind, source, *misfit));
  }
  std::vector<std::string> unknown = schema::unknown_fields(*kind.type, object);
  if (kind.custom) std::ranges::sort(unknown);
  if (!unknown.empty() && validation == FieldValidation::kStrict) {
    return std::unexpected(
        source == Source::kPatch
            ? Refusal{422, "Invalid", fmt::format("error decoding patch: strict decoding error: {}", listed(unknown))}
            : unreadable(kind, source, "strict decoding error: " + listed(unknown)));
  }
  if (validation != FieldValidation::kIgnore) {
    for (const std::string& field : unknown) warnings.push_back(fmt::format("unknown field \"{}\"", field));
  }
  // Argo's own are kept, as its definitions without schemas keep them: lint tells of them.
  if (!unknown.empty() && (kind.is_struct() || kind.custom)) schema::prune(*kind.type, object);
  if (kind.is_struct()) schema::drop_empty(*kind.type, object);
  return {};
}

Outcome<void> complete(const Kind& kind, doc::Value& object, const doc::Value* before) {
  const cluster::Resource& resource = *kind.resource;
  const KindRules& rules = rules_of(resource);
  if (kind.custom) schema::fill_defaults(*kind.type, object);
  if (rules.fill) rules.fill(object.get_object());
  if (before && rules.carry) rules.carry(*before, object.get_object());
  // A struct in a struct is there when it is empty: clients read status.succeeded of what has none yet.
  if (kind.has_status && kind.is_struct()) doc::ensure_object(object.get_object(), "status");
  schema::FieldErrors errors;
  check_metadata(resource, object, errors);
  if (before) check_metadata_update(*before, object, errors);
  if (kind.custom) {
    for (schema::FieldError& error : schema::check(*kind.type, object)) errors.push_back(std::move(error));
    check_custom(*kind.custom, object, errors);
  }
  if (rules.check) rules.check(object, errors);
  if (!before && rules.check_new) rules.check_new(object, errors);
  if (before && rules.check_update) rules.check_update(*before, object, errors);
  if (errors.empty()) return {};
  return std::unexpected(refuse_invalid(kind.stored(), doc::find_string(object, "metadata", "name"), errors));
}

cluster::Object as_served(const Kind& kind, const cluster::Object& object) {
  if (!object || kind.as_stored()) return object;
  doc::Value copy = *object;
  if (kind.form) copy = serve_form(*kind.form, copy.as_object());
  copy.as_object()["apiVersion"] = kind.api_version();
  // From one version of a definition to another, as Kubernetes does it without a webhook.
  if (kind.custom) schema::prune(*kind.type, copy);
  return std::make_shared<const doc::Value>(std::move(copy));
}

doc::Value to_store(const Kind& kind, doc::Value object) {
  if (kind.form) return store_form(*kind.form, object.as_object());
  if (!kind.custom || !kind.custom->stored) return object;
  object.as_object()["apiVersion"] = kind.resource->api_version();
  schema::prune(*kind.custom->stored->type, object);
  schema::fill_defaults(*kind.custom->stored->type, object);
  return object;
}

}  // namespace tiphys::objects
