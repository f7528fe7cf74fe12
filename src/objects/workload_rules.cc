#include "objects/workload_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "objects/pod_spec_rules.h"
#include "objects/selector_rules.h"

namespace tiphys::objects {
namespace {

using schema::FieldErrors;
using schema::Path;

bool has_label(const doc::Value* labels, std::string_view key, const doc::Value& value) {
  const doc::Value* found = labels ? doc::find(*labels, key) : nullptr;
  return found && *found == value;
}

bool meets(const doc::Value& requirement, const doc::Value* labels) {
  const doc::Value* value = labels ? doc::find(*labels, doc::find_string(requirement, "key")) : nullptr;
  const auto operation = doc::find_string(requirement, "operator");
  if (operation == "Exists") return value;
  if (operation == "DoesNotExist") return !value;
  const doc::Value* values = doc::find(requirement, "values");
  const bool listed = value && values && values->is_array() &&
                      std::ranges::find(values->get_array(), *value) != values->get_array().end();
  return (operation == "In") == listed;
}

bool selects(const doc::Value& selector, const doc::Value* labels) {
  if (const doc::Value* wanted = doc::find(selector, "matchLabels"); wanted && wanted->is_object()) {
    for (const auto& [key, value] : wanted->get_object()) {
      if (!has_label(labels, key, value)) return false;
    }
  }
  const doc::Value* expressions = doc::find(selector, "matchExpressions");
  if (!expressions || !expressions->is_array()) return true;
  return std::ranges::all_of(expressions->get_array(), [&](const doc::Value& one) { return meets(one, labels); });
}

bool is_empty(const doc::Value& selector) {
  for (const char* member : {"matchLabels", "matchExpressions"}) {
    const doc::Value* found = doc::find(selector, member);
    if (found && found->is_object() && !found->get_object().empty()) return false;
    if (found && found->is_array() && !found->get_array().empty()) return false;
  }
  return true;
}

}  // namespace

void fill_in(doc::Object& object, std::string_view key, doc::Value otherwise) {
  doc::Value& member = object[key];
  if (member.is_null()) member = std::move(otherwise);
}

void fill_template(doc::Object& spec) {
  fill_pod_spec(doc::ensure_object(doc::ensure_object(spec, "template"), "spec"));
}

void take_labels_of_template(doc::Object& object) {
  const doc::Value whole = object;
  const doc::Value* labels = doc::find(whole, "spec", "template", "metadata", "labels");
  const doc::Value* own = doc::find(whole, "metadata", "labels");
  const bool none = !own || !own->is_object() || own->get_object().empty();
  if (labels && labels->is_object() && none) doc::ensure_object(object, "metadata")["labels"] = *labels;
}

void check_not_negative(const doc::Value& spec, const Path& at, std::string_view member, FieldErrors& errors) {
  const doc::Value* found = doc::find(spec, member);
  if (!found || !found->is_int64() || found->get_int64() >= 0) return;
  errors.push_back(schema::invalid(at.field(member).text(), *found, "must be greater than or equal to 0"));
}

void check_selector(const doc::Value& spec, const Path& at, FieldErrors& errors, std::string_view whose) {
  const doc::Value* selector = doc::find(spec, "selector");
  if (!selector || !selector->is_object()) return errors.push_back(schema::required(at.field("selector").text()));
  if (is_empty(*selector)) {
    return errors.push_back(
        schema::invalid(at.field("selector").text(), *selector, fmt::format("empty selector is invalid{}", whose)));
  }
  const std::size_t before = errors.size();
  check_label_selector(selector, at.field("selector"), errors);
  if (errors.size() > before) return;
  const doc::Value* labels = doc::find(spec, "template", "metadata", "labels");
  if (selects(*selector, labels)) return;
  const Path of_template = at.field("template");
  const Path metadata = of_template.field("metadata");
  errors.push_back(schema::invalid(metadata.field("labels").text(), labels ? *labels : doc::Value(doc::Object()),
                                   "`selector` does not match template `labels`"));
}

void check_template(const doc::Value& spec, const Path& at, FieldErrors& errors) {
  const doc::Value* pod_spec = doc::find(spec, "template", "spec");
  const Path of_template = at.field("template");
  if (pod_spec) check_pod_spec(*pod_spec, of_template.field("spec"), errors);
}

void check_always_restarted(const doc::Value& spec, const Path& at, std::string_view kind, FieldErrors& errors) {
  const Path of_template = at.field("template");
  const Path pod_spec = of_template.field("spec");
  const auto policy = doc::find_string(spec, "template", "spec", "restartPolicy");
  if (policy != "Always") {
    errors.push_back(schema::not_supported(pod_spec.field("restartPolicy").text(), doc::Value(policy), {"Always"}));
  }
  if (!doc::find(spec, "template", "spec", "activeDeadlineSeconds")) return;
  errors.push_back(schema::forbidden(pod_spec.field("activeDeadlineSeconds").text(),
                                     fmt::format("activeDeadlineSeconds in {} is not Supported", kind)));
}

bool is_zero(const doc::Value* share) {
  if (!share) return false;
  if (share->is_int64()) return share->get_int64() == 0;
  const auto* text = share->if_string();
  return text && (*text == "0" || *text == "0%");
}

void check_fixed(const doc::Value& before, const doc::Value& after, const Path& at, std::string_view member,
                 FieldErrors& errors) {
  const doc::Value* old = doc::find(before, "spec", member);
  const doc::Value* now = doc::find(after, "spec", member);
  if ((old ? *old : doc::Value()) == (now ? *now : doc::Value())) return;
  errors.push_back(schema::invalid(at.field(member).text(), now ? *now : doc::Value(), "field is immutable"));
}

}  // namespace tiphys::objects
