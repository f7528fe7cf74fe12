#include "objects/selector_rules.h"

#include <algorithm>
#include <cctype>

#include "objects/pod_spec_parts.h"

namespace tiphys::objects {
namespace {

using schema::FieldErrors;
using schema::Path;

bool is_percentage(std::string_view text) {
  if (text.size() < 2 || !text.ends_with('%')) return false;
  text.remove_suffix(1);
  return std::ranges::all_of(text, [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; });
}

void check_requirement(const doc::Value& requirement, const Path& at, FieldErrors& errors) {
  const auto operation = doc::find_string(requirement, "operator");
  const doc::Value* values = doc::find(requirement, "values");
  const bool some = values && values->is_array() && !values->get_array().empty();
  if (operation == "In" || operation == "NotIn") {
    if (!some) {
      errors.push_back(
          schema::required(at.field("values").text(), "must be specified when `operator` is 'In' or 'NotIn'"));
    }
  } else if (operation == "Exists" || operation == "DoesNotExist") {
    if (some) {
      errors.push_back(schema::forbidden(at.field("values").text(),
                                         "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    }
  } else {
    errors.push_back(
        schema::invalid(at.field("operator").text(), doc::Value(operation), "not a valid selector operator"));
  }
  const auto key = doc::find_string(requirement, "key");
  complain(doc::Value(key), at.field("key"), qualified_name(key), errors);
  each_element(requirement, "values", at, [&](const doc::Value& value, const Path& here) {
    complain(value, here, label_value(doc::scalar_text(value)), errors);
  });
}

}  // namespace

void check_label_selector(const doc::Value* selector, const Path& at, FieldErrors& errors) {
  if (!selector || !selector->is_object()) return;
  if_there(*selector, "matchLabels", at, [&](const doc::Value& labels, const Path& here) {
    if (!labels.is_object()) return;
    for (const auto& [key, value] : labels.get_object()) {
      complain(doc::Value(key), here, qualified_name(key), errors);
      complain(value, here, label_value(doc::scalar_text(value)), errors);
    }
  });
  each_element(*selector, "matchExpressions", at,
               [&](const doc::Value& requirement, const Path& here) { check_requirement(requirement, here, errors); });
}

void check_share(const doc::Value* share, const Path& at, FieldErrors& errors) {
  if (!share) return;
  if (share->is_int64() && share->get_int64() < 0) {
    errors.push_back(schema::invalid(at.text(), *share, "must be greater than or equal to 0"));
  }
  if (!share->is_string() || is_percentage(share->get_string())) return;
  errors.push_back(schema::invalid(at.text(), *share,
                                   "a valid percent string must be a numeric string followed by an ending '%' (e.g. "
                                   "'1%',  or '93%', regex used for validation is '[0-9]+%')"));
}

void check_part(const doc::Value* part, const Path& at, FieldErrors& errors) {
  check_share(part, at, errors);
  if (!part || !part->is_string() || !is_percentage(part->get_string())) return;
  // More than three digits are more than a hundred.
  std::string_view digits = part->get_string();
  digits.remove_suffix(1);
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.size() < 3 || digits == "100") return;
  errors.push_back(schema::invalid(at.text(), *part, "must not be greater than 100%"));
}

}  // namespace tiphys::objects
