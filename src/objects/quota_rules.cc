#include "objects/quota_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "objects/names.h"
#include "objects/resource_list.h"
#include "schema/path.h"

namespace tiphys::objects {
namespace {

using schema::FieldErrors;
using schema::Path;

bool is_any(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

bool is_huge_page(std::string_view name) {
  return name.starts_with("hugepages-") || name.starts_with("requests.hugepages-");
}

/// What quotas may limit without a domain in its name.
bool is_quota_name(std::string_view name) {
  return is_huge_page(name) ||
         is_any(name, {"cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.storage",
                       "requests.ephemeral-storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage", "pods",
                       "resourcequotas", "services", "replicationcontrollers", "secrets", "persistentvolumeclaims",
                       "configmaps", "services.nodeports", "services.loadbalancers"});
}

bool is_number_of_objects(std::string_view name) {
  return is_any(name, {"pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps",
                       "persistentvolumeclaims", "services.nodeports", "services.loadbalancers"});
}

/// Tells whether the name is worth looking at further.
bool check_resource_name(std::string_view name, const std::string& at, FieldErrors& errors) {
  const auto complaints = qualified_name(name);
  for (const std::string& why : complaints) errors.push_back(schema::invalid(at, doc::Value(name), why));
  if (!complaints.empty()) return false;
  const bool is_standard = is_quota_name(name) || name == "storage";
  if (name.find('/') != name.npos || is_standard) return true;
  errors.push_back(schema::invalid(at, doc::Value(name), "must be a standard resource type or fully qualified"));
  return true;
}

// LimitRanges

void take_missing(doc::Object& to, const doc::Object& from) {
  for (const auto& [name, amount] : from) {
    if (!to.contains(name)) to[name] = amount;
  }
}

void fill_limit_range(doc::Object& range) {
  doc::Value* limits = doc::ensure_object(range, "spec").if_contains("limits");
  if (!limits || !limits->is_array()) return;
  for (doc::Value& limit : limits->get_array()) {
    if (doc::find_string(limit, "type") != "Container" || !limit.is_object()) continue;
    doc::Object& members = limit.get_object();
    const auto copy = [&](std::string_view member) {
      const doc::Value* found = members.if_contains(member);
      return found && found->is_object() ? found->get_object() : doc::Object();
    };
    doc::Object defaults = copy("default"), requests = copy("defaultRequest");
    take_missing(defaults, copy("max"));
    take_missing(requests, defaults);
    take_missing(requests, copy("min"));
    if (!defaults.empty()) members["default"] = std::move(defaults);
    if (!requests.empty()) members["defaultRequest"] = std::move(requests);
  }
}

/// One item of a range with the amounts that it gives.
struct Limit {
  std::string type;
  std::string at;
  ResourceList min, max, defaults, requests, ratio;

  std::string path(std::string_view member, std::string_view name) const {
    return fmt::format("{}.{}[{}]", at, member, name);
  }
};

void check_limit_names(const Limit& limit, std::string_view member, const ResourceList& list, FieldErrors& errors) {
  for (const auto& [name, amount] : list) {
    const std::string at = limit.path(member, name);
    if (!check_resource_name(name, at, errors) || !is_any(limit.type, {"Pod", "Container"})) continue;
    if (name.find('/') != name.npos || is_any(name, {"cpu", "memory", "ephemeral-storage"}) || is_huge_page(name))
      continue;
    errors.push_back(schema::invalid(at, doc::Value(name), "must be a standard resource for containers"));
  }
}

/// That `lesser` is not above `greater`; the error is at the first of them or at what is named.
void check_order(const Limit& limit, std::string_view name, const ResourceList& lesser, std::string_view lesser_word,
                 const ResourceList& greater, std::string_view greater_word, std::string_view member, bool tells_lesser,
                 FieldErrors& errors) {
  const auto low = lesser.find(name), high = greater.find(name);
  if (low == lesser.end() || high == greater.end() || low->second <= high->second) return;
  errors.push_back(schema::invalid(limit.path(member, name), doc::Value((tells_lesser ? low : high)->second.text()),
                                   fmt::format("{} value {} is greater than {} value {}", lesser_word,
                                               low->second.text(), greater_word, high->second.text())));
}

void check_ratio(const Limit& limit, std::string_view name, FieldErrors& errors) {
  const auto ratio = limit.ratio.find(name);
  if (ratio == limit.ratio.end()) return;
  const std::string text = ratio->second.text();
  const auto refuse = [&](const std::string& why) {
    errors.push_back(schema::invalid(limit.path("maxLimitRequestRatio", name), doc::Value(text), why));
  };
  if (ratio->second < Quantity(1)) refuse(fmt::format("ratio {} is less than 1", text));
  const auto min = limit.min.find(name), max = limit.max.find(name);
  if (min == limit.min.end() || max == limit.max.end() || min->second.is_zero()) return;
  const double most = static_cast<double>(max->second.milli_value()) / static_cast<double>(min->second.milli_value());
  if (static_cast<double>(ratio->second.milli_value()) / 1000 > most) {
    refuse(fmt::format("ratio {} is greater than max/min = {:f}", text, most));
  }
}

void check_limit(const Limit& limit, FieldErrors& errors) {
  check_limit_names(limit, "max", limit.max, errors);
  check_limit_names(limit, "min", limit.min, errors);
  if (limit.type == "Pod") {
    for (const auto& [member, list] : {std::pair{"default", &limit.defaults}, {"defaultRequest", &limit.requests}}) {
      if (list->empty()) continue;
      errors.push_back(schema::forbidden(limit.at + "." + member, "may not be specified when `type` is 'Pod'"));
    }
  } else {
    check_limit_names(limit, "default", limit.defaults, errors);
    check_limit_names(limit, "defaultRequest", limit.requests, errors);
  }
  if (limit.type == "PersistentVolumeClaim" && !limit.min.contains("storage") && !limit.max.contains("storage")) {
    errors.push_back(schema::required(limit.at + ".limits",
                                      "either minimum or maximum storage value is required, but neither was provided"));
  }
  check_limit_names(limit, "maxLimitRequestRatio", limit.ratio, errors);
  const bool is_pod = limit.type == "Pod";
  const ResourceList none;
  const ResourceList& defaults = is_pod ? none : limit.defaults;
  const ResourceList& requests = is_pod ? none : limit.requests;
  std::set<std::string> names;
  for (const ResourceList* list : {&limit.min, &limit.max, &defaults, &requests, &limit.ratio}) {
    for (const auto& [name, amount] : *list) names.insert(name);
  }
  for (const std::string& name : names) {
    check_order(limit, name, limit.min, "min", limit.max, "max", "min", true, errors);
    check_order(limit, name, limit.min, "min", requests, "default request", "defaultRequest", false, errors);
    check_order(limit, name, requests, "default request", limit.max, "max", "defaultRequest", true, errors);
    check_order(limit, name, requests, "default request", defaults, "default limit", "defaultRequest", true, errors);
    check_order(limit, name, limit.min, "min", defaults, "default", "default", true, errors);
    check_order(limit, name, defaults, "default", limit.max, "max", "default", false, errors);
    check_ratio(limit, name, errors);
  }
}

void check_limit_range(const doc::Value& range, FieldErrors& errors) {
  const doc::Value* limits = doc::find(range, "spec", "limits");
  if (!limits || !limits->is_array()) return;
  std::set<std::string> types;
  for (std::size_t i = 0; i < limits->get_array().size(); ++i) {
    const doc::Value& one = limits->get_array()[i];
    const auto list = [&](const char* member) { return read_resources(doc::find(one, member)); };
    const Limit limit{std::string(doc::find_string(one, "type")),
                      fmt::format("spec.limits[{}]", i),
                      list("min"),
                      list("max"),
                      list("default"),
                      list("defaultRequest"),
                      list("maxLimitRequestRatio")};
    const std::string at = limit.at + ".type";
    const auto complaints = qualified_name(limit.type);
    for (const std::string& why : complaints) errors.push_back(schema::invalid(at, doc::Value(limit.type), why));
    if (complaints.empty() && limit.type.find('/') == limit.type.npos &&
        !is_any(limit.type, {"Pod", "Container", "PersistentVolumeClaim"})) {
      errors.push_back(schema::invalid(at, doc::Value(limit.type), "must be a standard limit type or fully qualified"));
    }
    if (!types.insert(limit.type).second) errors.push_back(schema::duplicate(at, doc::Value(limit.type)));
    check_limit(limit, errors);
  }
}

// ResourceQuotas

void check_amounts(const doc::Value* list, const Path& at, FieldErrors& errors) {
  for (const auto& [name, amount] : read_resources(list)) {
    const std::string path = at.key(name).text();
    if (check_resource_name(name, path, errors) && name.find('/') == name.npos && !is_quota_name(name)) {
      errors.push_back(schema::invalid(path, doc::Value(name), "must be a standard resource for quota"));
    }
    if (amount.is_negative()) {
      errors.push_back(schema::invalid(path, doc::Value(amount.text()), "must be greater than or equal to 0"));
    }
    if (is_number_of_objects(name) && !amount.is_whole()) {
      errors.push_back(schema::invalid(path, doc::Value(amount.text()), "must be an integer"));
    }
  }
}

constexpr std::array<std::string_view, 7> kScopes{"Terminating",          "NotTerminating", "BestEffort",
                                                  "NotBestEffort",        "PriorityClass",  "CrossNamespacePodAffinity",
                                                  "VolumeAttributesClass"};

bool scope_fits(std::string_view scope, std::string_view resource) {
  if (scope == "BestEffort") return resource == "pods";
  if (scope == "VolumeAttributesClass") return is_any(resource, {"persistentvolumeclaims", "requests.storage"});
  if (std::ranges::find(kScopes, scope) == kScopes.end()) return true;
  return is_any(resource, {"pods", "cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"});
}

bool fits_all(std::string_view scope, const ResourceList& hard) {
  return std::ranges::all_of(
      hard, [&](const auto& each) { return !is_quota_name(each.first) || scope_fits(scope, each.first); });
}

void check_scopes(const doc::Value& quota, const ResourceList& hard, FieldErrors& errors) {
  const doc::Value* scopes = doc::find(quota, "spec", "scopes");
  if (!scopes || !scopes->is_array()) return;
  std::set<std::string> given;
  const auto refuse = [&](const char* why) { errors.push_back(schema::invalid("spec.scopes", *scopes, why)); };
  for (const doc::Value& one : scopes->get_array()) {
    const std::string scope = doc::scalar_text(one);
    if (std::ranges::find(kScopes, scope) == kScopes.end()) refuse("unsupported scope");
    if (!fits_all(scope, hard)) refuse("unsupported scope applied to resource");
    given.insert(scope);
  }
  for (const auto& [one, other] : {std::pair{"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"}}) {
    if (given.contains(one) && given.contains(other)) refuse("conflicting scopes");
  }
}

void check_scope_selector(const doc::Value& quota, const ResourceList& hard, FieldErrors& errors) {
  const doc::Value* selector = doc::find(quota, "spec", "scopeSelector");
  const doc::Value* expressions = selector ? doc::find(*selector, "matchExpressions") : nullptr;
  if (!expressions || !expressions->is_array()) return;
  const std::string at = "spec.scopeSelector.matchExpressions";
  std::set<std::string> given;
  for (const doc::Value& one : expressions->get_array()) {
    const std::string scope(doc::find_string(one, "scopeName")), op(doc::find_string(one, "operator"));
    const doc::Value* values = doc::find(one, "values");
    const bool has_values = values && values->is_array() && !values->get_array().empty();
    given.insert(scope);
    if (std::ranges::find(kScopes, scope) == kScopes.end()) {
      errors.push_back(schema::invalid(at + ".scopeName", doc::Value(scope), "unsupported scope"));
    }
    if (!fits_all(scope, hard)) {
      errors.push_back(schema::invalid(at, *selector, "unsupported scope applied to resource"));
    }
    if (!is_any(scope, {"PriorityClass", "VolumeAttributesClass"}) && op != "Exists" &&
        std::ranges::find(kScopes, scope) != kScopes.end()) {
      errors.push_back(schema::invalid(
          at + ".operator", doc::Value(op),
          "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
          "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or "
          "ResourceQuotaScopeCrossNamespacePodAffinity"));
    }
    if (is_any(op, {"In", "NotIn"})) {
      if (!has_values) {
        errors.push_back(schema::required(
            at + ".values", "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"));
      }
    } else if (!is_any(op, {"Exists", "DoesNotExist"})) {
      errors.push_back(schema::invalid(at + ".operator", doc::Value(op), "not a valid selector operator"));
    } else if (has_values) {
      errors.push_back(schema::invalid(
          at + ".values", *values, "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"));
    }
  }
  for (const auto& [one, other] : {std::pair{"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"}}) {
    if (given.contains(one) && given.contains(other)) {
      errors.push_back(schema::invalid("spec.scopeSelector.matchExpressions", *selector, "conflicting scopes"));
    }
  }
}

void check_quota(const doc::Value& quota, FieldErrors& errors) {
  const ResourceList hard = read_resources(doc::find(quota, "spec", "hard"));
  check_amounts(doc::find(quota, "spec", "hard"), Path().field("spec").field("hard"), errors);
  check_scopes(quota, hard, errors);
  check_scope_selector(quota, hard, errors);
  check_amounts(doc::find(quota, "status", "hard"), Path().field("status").field("hard"), errors);
  check_amounts(doc::find(quota, "status", "used"), Path().field("status").field("used"), errors);
}

void check_quota_update(const doc::Value& before, const doc::Value& after, FieldErrors& errors) {
  const auto scopes = [](const doc::Value& quota) {
    std::set<std::string> found;
    const doc::Value* list = doc::find(quota, "spec", "scopes");
    if (!list || !list->is_array()) return found;
    for (const doc::Value& one : list->get_array()) found.insert(doc::scalar_text(one));
    return found;
  };
  if (scopes(before) == scopes(after)) return;
  const doc::Value* now = doc::find(after, "spec", "scopes");
  errors.push_back(schema::invalid("spec.scopes", now ? *now : doc::Value(), "field is immutable"));
}

// PriorityClasses

constexpr std::int64_t kMostUserPriority = 1'000'000'000;
constexpr std::int64_t kSystemPriority = 2 * kMostUserPriority;

struct SystemClass {
  std::string_view name;
  std::int64_t value;
  std::string_view description;
};
constexpr SystemClass kSystemClasses[] = {
    {"system-node-critical", kSystemPriority + 1000,
     "Used for system critical pods that must not be moved from their current node."},
    {"system-cluster-critical", kSystemPriority,
     "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary."}};

void fill_priority_class(doc::Object& object) {
  doc::Value& policy = object["preemptionPolicy"];
  if (!policy.is_string()) policy = "PreemptLowerPriority";
}

std::string unknown_system_class(std::string_view name, std::int64_t value, bool is_default) {
  const auto* known = std::ranges::find(kSystemClasses, name, &SystemClass::name);
  if (known == std::end(kSystemClasses)) return fmt::format("{} is not a known system priority class", name);
  if (known->value != value) return fmt::format("value of {} PriorityClass must be {}", name, known->value);
  return is_default ? fmt::format("globalDefault of {} PriorityClass must be false", name) : "";
}

void check_priority_class(const doc::Value& object, FieldErrors& errors) {
  const auto name = doc::find_string(object, "metadata", "name");
  const doc::Value* given = doc::find(object, "value");
  const std::int64_t value = given && given->is_int64() ? given->get_int64() : 0;
  const doc::Value* is_default = doc::find(object, "globalDefault");
  if (name.starts_with("system-")) {
    const std::string why =
        unknown_system_class(name, value, is_default && is_default->is_bool() && is_default->get_bool());
    if (!why.empty()) {
      errors.push_back(schema::forbidden(
          "metadata.name",
          "priority class names with 'system-' prefix are reserved for system use only. error: " + why));
    }
  } else if (value > kMostUserPriority) {
    errors.push_back(schema::forbidden(
        "value", fmt::format("maximum allowed value of a user defined priority is {}", kMostUserPriority)));
  }
  const auto policy = doc::find_string(object, "preemptionPolicy");
  if (!is_any(policy, {"PreemptLowerPriority", "Never"})) {
    errors.push_back(schema::not_supported("preemptionPolicy", doc::Value(policy), {"PreemptLowerPriority", "Never"}));
  }
}

void check_priority_class_update(const doc::Value& before, const doc::Value& after, FieldErrors& errors) {
  const doc::Value* old = doc::find(before, "value");
  const doc::Value* now = doc::find(after, "value");
  if (old && now && *old != *now) errors.push_back(schema::forbidden("value", "may not be changed in an update."));
  const auto policy = doc::find_string(after, "preemptionPolicy");
  if (policy != doc::find_string(before, "preemptionPolicy")) {
    errors.push_back(schema::invalid("preemptionPolicy", doc::Value(policy), "field is immutable"));
  }
}

}  // namespace

const KindRules kLimitRangeRules{fill_limit_range, check_limit_range, nullptr};
const KindRules kResourceQuotaRules{nullptr, check_quota, check_quota_update};
const KindRules kPriorityClassRules{fill_priority_class, check_priority_class, check_priority_class_update};

std::vector<doc::Value> system_priority_classes() {
  std::vector<doc::Value> made;
  for (const SystemClass& one : kSystemClasses) {
    made.emplace_back(doc::Object{{"metadata", doc::Object{{"name", one.name}}},
                                  {"value", one.value},
                                  {"description", one.description},
                                  {"preemptionPolicy", "PreemptLowerPriority"}});
  }
  return made;
}

}  // namespace tiphys::objects
