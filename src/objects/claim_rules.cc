#include "objects/claim_rules.h"

#include <algorithm>
#include <optional>

#include "base/quantity.h"
#include "objects/pod_spec_parts.h"
#include "objects/selector_rules.h"
#include "objects/workload_rules.h"

namespace tiphys::objects {
namespace {

using schema::FieldErrors;
using schema::Path;

void fill_claim(doc::Object& claim) {
  doc::Object& spec = doc::ensure_object(claim, "spec");
  fill_in(spec, "volumeMode", "Filesystem");
  // One is the older name of the other, for objects of the namespace.
  for (const char* member : {"dataSource", "dataSourceRef"}) {
    doc::Value* source = spec.if_contains(member);
    if (source && source->is_object()) fill_in(source->get_object(), "apiGroup", nullptr);
  }
  if (const doc::Value* source = spec.if_contains("dataSource"); source && !spec.contains("dataSourceRef")) {
    const doc::Value same = *source;
    spec["dataSourceRef"] = same;
  }
  fill_in(doc::ensure_object(claim, "status"), "phase", "Pending");
}

void check_claim(const doc::Value& claim, FieldErrors& errors) {
  const doc::Value& spec = spec_of(claim);
  const Path root;
  const Path at = root.field("spec");
  const doc::Value* modes = doc::find(spec, "accessModes");
  if (!modes || !modes->is_array() || modes->get_array().empty()) {
    errors.push_back(schema::required(at.field("accessModes").text(), "at least 1 access mode is required"));
  } else {
    const std::vector<std::string> known{"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"};
    bool alone = false;
    for (const doc::Value& mode : modes->get_array()) {
      const std::string text = doc::scalar_text(mode);
      alone = alone || text == "ReadWriteOncePod";
      if (std::ranges::find(known, text) == known.end()) {
        errors.push_back(schema::not_supported(at.field("accessModes").text(), mode, known));
      }
    }
    if (alone && modes->get_array().size() > 1) {
      errors.push_back(
          schema::forbidden(at.field("accessModes").text(), "may not use ReadWriteOncePod with other access modes"));
    }
  }
  const Path resources = at.field("resources");
  const doc::Value* storage = doc::find(spec, "resources", "requests", "storage");
  if (!storage) {
    errors.push_back(schema::required(resources.key("storage").text()));
  } else if (const auto bytes = parse_quantity(doc::scalar_text(*storage)); bytes && *bytes <= 0) {
    const Path requests = resources.field("requests");
    errors.push_back(schema::invalid(requests.key("storage").text(), doc::Value(doc::scalar_text(*storage)),
                                     "must be greater than zero"));
  }
  const auto storage_class = doc::find_string(spec, "storageClassName");
  if (!storage_class.empty()) {
    complain(doc::Value(storage_class), at.field("storageClassName"), dns_subdomain(storage_class), errors);
  }
  check_choice(spec, "volumeMode", {"Block", "Filesystem"}, at, errors);
  check_label_selector(doc::find(spec, "selector"), at.field("selector"), errors);
}

void check_claim_update(const doc::Value& before, const doc::Value& after, FieldErrors& errors) {
  // Of one that is bound, how much it is to hold; before that, the volume that it is bound to.
  const bool bound = doc::find_string(after, "status", "phase") == "Bound";
  const bool chosen = !doc::find_string(before, "spec", "volumeName").empty();
  const auto rest = [&](const doc::Value& claim) {
    doc::Value spec = spec_of(claim);
    if (!chosen) spec.get_object().erase("volumeName");
    if (bound) spec.get_object().erase("volumeAttributesClassName");
    doc::Value* resources = spec.get_object().if_contains("resources");
    doc::Value* requests =
        resources && resources->is_object() ? resources->get_object().if_contains("requests") : nullptr;
    if (bound && requests && requests->is_object()) requests->get_object().erase("storage");
    return spec;
  };
  if (rest(before) != rest(after)) {
    errors.push_back(schema::forbidden(
        "spec",
        "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"));
  }
  const auto size = [](const doc::Value* amount) -> std::optional<double> {
    if (!amount) return std::nullopt;
    const auto parsed = parse_quantity(doc::scalar_text(*amount));
    return parsed ? std::optional<double>(*parsed) : std::nullopt;
  };
  const auto old = size(doc::find(before, "spec", "resources", "requests", "storage"));
  const auto now = size(doc::find(after, "spec", "resources", "requests", "storage"));
  const auto held = size(doc::find(before, "status", "capacity", "storage")).value_or(0);
  if (!old || !now || *now >= *old || *now > held) return;
  errors.push_back(schema::forbidden("spec.resources.requests.storage", "field can not be less than status.capacity"));
}

}  // namespace

const KindRules kClaimRules{fill_claim, check_claim, check_claim_update};

}  // namespace tiphys::objects
