#include "objects/limit_ranges.h"

#include <fmt/format.h>

#include "objects/resource_list.h"

namespace tiphys::objects {
namespace {

const doc::Array& limits_of(const doc::Value& range) {
  static const doc::Array kNone;
  const doc::Value* found = doc::find(range, "spec", "limits");
  return found && found->is_array() ? found->get_array() : kNone;
}

const doc::Array& list_of(const doc::Value& pod, std::string_view member) {
  static const doc::Array kNone;
  const doc::Value* found = doc::find(pod, "spec", member);
  return found && found->is_array() ? found->get_array() : kNone;
}

/// Names of what was added, as the annotation lists them.
std::string fill_list(doc::Object& resources, std::string_view member, const ResourceList& defaults) {
  std::string added;
  if (defaults.empty()) return added;
  doc::Object& list = doc::ensure_object(resources, member);
  for (const auto& [name, amount] : defaults) {
    if (list.contains(name)) continue;
    list[name] = amount.text();
    added += (added.empty() ? "" : ", ") + name;
  }
  return added;
}

/// What is asked for and allowed, and the words for whom.
struct Asked {
  std::string_view type;
  const ResourceList& requests;
  const ResourceList& limits;
};

const Quantity* find(const ResourceList& list, const std::string& name) {
  const auto found = list.find(name);
  return found == list.end() ? nullptr : &found->second;
}

std::string below_min(const Asked& asked, const std::string& name, const Quantity& least) {
  const Quantity* request = find(asked.requests, name);
  const Quantity* limit = find(asked.limits, name);
  const std::string rule = fmt::format("minimum {} usage per {} is {}", name, asked.type, least.text());
  if (!request) return rule + ".  No request is specified";
  if (*request < least) return fmt::format("{}, but request is {}", rule, request->text());
  if (limit && *limit < least) return fmt::format("{}, but limit is {}", rule, limit->text());
  return {};
}

std::string above_max(const Asked& asked, const std::string& name, const Quantity& most) {
  const Quantity* request = find(asked.requests, name);
  const Quantity* limit = find(asked.limits, name);
  const std::string rule = fmt::format("maximum {} usage per {} is {}", name, asked.type, most.text());
  if (!limit) return rule + ".  No limit is specified";
  if (*limit > most) return fmt::format("{}, but limit is {}", rule, limit->text());
  if (request && *request > most) return fmt::format("{}, but request is {}", rule, request->text());
  return {};
}

std::string above_max_request(const Asked& asked, const std::string& name, const Quantity& most) {
  const Quantity* request = find(asked.requests, name);
  const std::string rule = fmt::format("maximum {} usage per {} is {}", name, asked.type, most.text());
  if (!request) return rule + ".  No request is specified";
  return *request > most ? fmt::format("{}, but request is {}", rule, request->text()) : "";
}

std::string above_ratio(const Asked& asked, const std::string& name, const Quantity& most) {
  const Quantity* request = find(asked.requests, name);
  const Quantity* limit = find(asked.limits, name);
  const std::string rule = fmt::format("{} max limit to request ratio per {} is {}", name, asked.type, most.text());
  if (!request || request->is_zero()) return rule + ", but no request is specified or request is 0";
  if (!limit || limit->is_zero()) return rule + ", but no limit is specified or limit is 0";
  constexpr std::int64_t kMostMilli = INT64_MAX / 1000;
  const bool fine = request->value() <= kMostMilli && limit->value() <= kMostMilli;
  const double ratio = fine ? static_cast<double>(limit->milli_value()) / static_cast<double>(request->milli_value())
                            : static_cast<double>(limit->value()) / static_cast<double>(request->value());
  if (ratio * 1000 <= static_cast<double>(most.milli_value())) return {};
  return fmt::format("{}, but provided ratio is {:f}", rule, ratio);
}

using Rule = std::string (*)(const Asked&, const std::string&, const Quantity&);

void apply(const doc::Value& limit, std::string_view member, Rule rule, const Asked& asked,
           std::vector<std::string>& complaints) {
  for (const auto& [name, amount] : read_resources(doc::find(limit, member))) {
    std::string complaint = rule(asked, name, amount);
    if (!complaint.empty()) complaints.push_back(std::move(complaint));
  }
}

void check_compute(const doc::Value& limit, const Asked& asked, std::vector<std::string>& complaints) {
  apply(limit, "min", below_min, asked, complaints);
  apply(limit, "max", above_max, asked, complaints);
  apply(limit, "maxLimitRequestRatio", above_ratio, asked, complaints);
}

void check_pod(const doc::Value& limit, const doc::Value& pod, std::vector<std::string>& complaints) {
  const auto type = doc::find_string(limit, "type");
  if (type == "Pod") {
    check_compute(limit, {"Pod", pod_resources(pod, "requests"), pod_resources(pod, "limits")}, complaints);
  }
  if (type != "Container") return;
  for (const char* list : {"containers", "initContainers"}) {
    for (const doc::Value& container : list_of(pod, list)) {
      check_compute(limit,
                    {"Container", read_resources(doc::find(container, "resources", "requests")),
                     read_resources(doc::find(container, "resources", "limits"))},
                    complaints);
    }
  }
}

}  // namespace

void fill_from_range(const doc::Value& range, doc::Value& pod) {
  ResourceList requests, limits;
  for (const doc::Value& limit : limits_of(range)) {
    if (doc::find_string(limit, "type") != "Container") continue;
    for (auto& [name, amount] : read_resources(doc::find(limit, "defaultRequest"))) requests[name] = amount;
    for (auto& [name, amount] : read_resources(doc::find(limit, "default"))) limits[name] = amount;
  }
  std::string told;
  const auto tell = [&](const std::string& added, std::string_view what, std::string_view whose,
                        std::string_view name) {
    if (!added.empty()) told += fmt::format("{}{} {} for {} {}", told.empty() ? "" : "; ", added, what, whose, name);
  };
  doc::Value* spec = pod.get_object().if_contains("spec");
  if (!spec || !spec->is_object()) return;
  for (const auto& [member, whose] : {std::pair{"containers", "container"}, {"initContainers", "init container"}}) {
    doc::Value* list = spec->get_object().if_contains(member);
    if (!list || !list->is_array()) continue;
    for (doc::Value& container : list->get_array()) {
      if (!container.is_object()) continue;
      const std::string name(doc::find_string(container, "name"));
      doc::Object& resources = doc::ensure_object(container.get_object(), "resources");
      tell(fill_list(resources, "requests", requests), "request", whose, name);
      tell(fill_list(resources, "limits", limits), "limit", whose, name);
    }
  }
  if (told.empty()) return;
  doc::Object& metadata = doc::ensure_object(pod.get_object(), "metadata");
  doc::ensure_object(metadata, "annotations")["kubernetes.io/limit-ranger"] = "LimitRanger plugin set: " + told;
}

std::vector<std::string> beyond_range(const doc::Value& range, const cluster::Resource& resource,
                                      const doc::Value& object) {
  std::vector<std::string> complaints;
  for (const doc::Value& limit : limits_of(range)) {
    if (&resource == &cluster::kPods) check_pod(limit, object, complaints);
    if (&resource != &cluster::kPersistentVolumeClaims) continue;
    if (doc::find_string(limit, "type") != "PersistentVolumeClaim") continue;
    const Asked asked{"PersistentVolumeClaim", read_resources(doc::find(object, "spec", "resources", "requests")), {}};
    apply(limit, "min", below_min, asked, complaints);
    apply(limit, "max", above_max_request, asked, complaints);
  }
  return complaints;
}

}  // namespace tiphys::objects
