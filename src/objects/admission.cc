#include "objects/admission.h"

#include <fmt/format.h>

#include <algorithm>

#include "objects/limit_ranges.h"
#include "objects/quota_admission.h"
#include "objects/quota_usage.h"
#include "objects/service_rules.h"

namespace tiphys::objects {
namespace {

std::string ns_of(const doc::Value& object) {
  return std::string(doc::find_string(object, "metadata", "namespace"));
}
std::string name_of(const doc::Value& object) {
  return std::string(doc::find_string(object, "metadata", "name"));
}

std::unexpected<Error> forbidden(const cluster::Resource& resource, const doc::Value& object, std::string_view why) {
  auto name = name_of(object);
  if (name.empty()) name = doc::find_string(object, "metadata", "generateName");
  return fail(Code::kPermissionDenied, fmt::format("{} \"{}\" is forbidden: {}", resource.qualified, name, why));
}

std::int64_t number(const doc::Value& object, std::string_view member) {
  const doc::Value* found = doc::find(object, member);
  return found && found->is_int64() ? found->get_int64() : 0;
}

bool is_default(const doc::Value& priority_class) {
  const doc::Value* found = doc::find(priority_class, "globalDefault");
  return found && found->is_bool() && found->get_bool();
}

bool is_step(const doc::Value& pod) {
  return doc::find(pod, "metadata", "labels", "workflows.argoproj.io/workflow") != nullptr;
}

bool has_deadline(const doc::Value& pod) {
  return doc::find(pod, "spec", "activeDeadlineSeconds") != nullptr;
}

/// What is limited and not asked for is asked for, before anything else is filled in.
void take_limits_as_requests(doc::Value& pod) {
  for (const char* list : {"containers", "initContainers"}) {
    doc::Value* spec = pod.get_object().if_contains("spec");
    doc::Value* containers = spec && spec->is_object() ? spec->get_object().if_contains(list) : nullptr;
    if (!containers || !containers->is_array()) continue;
    for (doc::Value& container : containers->get_array()) {
      const doc::Value* found = doc::find(container, "resources", "limits");
      if (!found || !found->is_object()) continue;
      const doc::Object limits = found->get_object();
      doc::Object& resources = doc::ensure_object(container.get_object(), "resources");
      doc::Object& requests = doc::ensure_object(resources, "requests");
      for (const auto& [name, amount] : limits) {
        if (!requests.contains(name)) requests[name] = amount;
      }
    }
  }
}

bool is_unallocated(const doc::Value& service) {
  if (has_cluster_ip(service) && doc::find_string(service, "spec", "clusterIP").empty()) return true;
  const doc::Value* ports = doc::find(service, "spec", "ports");
  return has_node_ports(service) && ports && ports->is_array() &&
         std::ranges::any_of(ports->get_array(), [](const doc::Value& port) { return number(port, "nodePort") == 0; });
}

/// Those whose changes free what quotas count.
bool changes_usage(const cluster::Resource& resource) {
  return &resource == &cluster::kPods || &resource == &cluster::kServices ||
         &resource == &cluster::kPersistentVolumeClaims;
}

}  // namespace

Result<std::unique_ptr<Admission>> Admission::start(Executor& executor, store::Store& store, std::string seed) {
  std::unique_ptr<Admission> made(new Admission(executor, store, std::move(seed)));
  TIPHYS_CHECK_OK(made->load());
  store.set_admission(made.get());
  return made;
}

Admission::~Admission() {
  store_.set_admission(nullptr);
}

Status Admission::load() {
  for (const auto* resource :
       {&cluster::kLimitRanges, &cluster::kResourceQuotas, &cluster::kPriorityClasses, &cluster::kServices}) {
    TIPHYS_TRY(const auto objects, store_.snapshot(*resource));
    for (const cluster::Object& object : objects) learn(*resource, nullptr, object);
  }
  for (const auto& [ns, names] : quotas_) recount_.mark(ns);
  return {};
}

void Admission::learn(const cluster::Resource& resource, const cluster::Object& before, const cluster::Object& after) {
  const doc::Value& object = after ? *after : *before;
  const std::string ns = ns_of(object), name = name_of(object);
  if (&resource == &cluster::kLimitRanges) {
    ranges_[ns].erase(name);
    if (after) ranges_[ns][name] = after;
    if (ranges_[ns].empty()) ranges_.erase(ns);
  } else if (&resource == &cluster::kResourceQuotas) {
    quotas_[ns].erase(name);
    if (after) quotas_[ns].insert(name);
    if (quotas_[ns].empty()) quotas_.erase(ns);
  } else if (&resource == &cluster::kPriorityClasses) {
    classes_.erase(name);
    if (after) classes_[name] = after;
  } else if (&resource == &cluster::kServices) {
    addresses_.learn(before, after);
  }
}

Status Admission::fill(const cluster::Resource& resource, doc::Value& object) const {
  if (&resource != &cluster::kPods || !object.is_object()) return {};
  const std::string ns = ns_of(object);
  if (ranges_.contains(ns) || quotas_.contains(ns)) take_limits_as_requests(object);
  if (const auto ranges = ranges_.find(ns); ranges != ranges_.end()) {
    for (const auto& [name, range] : ranges->second) fill_from_range(*range, object);
  }
  return fill_priority(object);
}

const doc::Value* Admission::default_class() const {
  const doc::Value* found = nullptr;
  for (const auto& [name, one] : classes_) {
    if (is_default(*one) && (!found || number(*found, "value") > number(*one, "value"))) found = one.get();
  }
  return found;
}

Status Admission::fill_priority(doc::Value& pod) const {
  const doc::Value* priority_class = nullptr;
  const std::string name(doc::find_string(pod, "spec", "priorityClassName"));
  if (name.empty()) {
    priority_class = default_class();
  } else {
    const auto found = classes_.find(name);
    // Workflows are written for clusters that have their classes: steps go without.
    if (found == classes_.end() && !is_step(pod)) {
      return forbidden(cluster::kPods, pod, fmt::format("no PriorityClass with name {} was found", name));
    }
    if (found != classes_.end()) priority_class = found->second.get();
  }
  const std::int64_t priority = priority_class ? number(*priority_class, "value") : 0;
  std::string policy = "PreemptLowerPriority";
  if (priority_class) policy = doc::find_string(*priority_class, "preemptionPolicy");
  const doc::Value* given = doc::find(pod, "spec", "priority");
  if (given && given->is_int64() && given->get_int64() != priority) {
    return forbidden(cluster::kPods, pod,
                     fmt::format("the integer value of priority ({}) must not be provided in pod spec; priority "
                                 "admission controller computed {} from the given PriorityClass name",
                                 given->get_int64(), priority));
  }
  const auto given_policy = doc::find_string(pod, "spec", "preemptionPolicy");
  if (!policy.empty() && !given_policy.empty() && given_policy != policy) {
    return forbidden(cluster::kPods, pod,
                     fmt::format("the string value of PreemptionPolicy ({}) must not be provided in pod spec; priority "
                                 "admission controller computed {} from the given PriorityClass name",
                                 given_policy, policy));
  }
  doc::Object& spec = doc::ensure_object(pod.get_object(), "spec");
  if (name.empty() && priority_class) spec["priorityClassName"] = name_of(*priority_class);
  spec["priority"] = priority;
  if (!policy.empty()) spec["preemptionPolicy"] = policy;
  return {};
}

schema::FieldErrors Admission::allocate(const cluster::Resource& resource, doc::Value& object) {
  return &resource == &cluster::kServices ? addresses_.give(object) : schema::FieldErrors();
}

Status Admission::admit(const cluster::Resource& resource, doc::Value& object) {
  TIPHYS_CHECK_OK(fill(resource, object));
  // One that did not come through the API, from a template of a workflow.
  if (&resource == &cluster::kServices && is_unallocated(object)) {
    kServiceRules.fill(object.get_object());
    if (const auto errors = allocate(resource, object); !errors.empty()) {
      return fail(Code::kInvalidArgument,
                  fmt::format("Service \"{}\" is invalid: {}", name_of(object), schema::text_of(errors)));
    }
  }
  return check_range(resource, object);
}

Status Admission::check_range(const cluster::Resource& resource, const doc::Value& object) const {
  const auto ranges = ranges_.find(ns_of(object));
  if (ranges == ranges_.end()) return {};
  for (const auto& [name, range] : ranges->second) {
    const auto complaints = beyond_range(*range, resource, object);
    if (complaints.empty()) continue;
    std::string text;
    for (const std::string& one : complaints) text += (text.empty() ? "" : ", ") + one;
    return forbidden(resource, object, complaints.size() == 1 ? text : "[" + text + "]");
  }
  return {};
}

bool Admission::charges(const cluster::Resource& resource, const std::string& ns) {
  if (&resource == &cluster::kPriorityClasses) return true;
  if (&resource == &cluster::kEvents) return false;
  return quotas_.contains(ns) || (&resource == &cluster::kPersistentVolumeClaims && ranges_.contains(ns));
}

Status Admission::check_default_class(const doc::Value* before, const doc::Value& after) const {
  if (!is_default(after)) return {};
  const doc::Value* present = default_class();
  if (!present || (before && name_of(*present) == name_of(after))) return {};
  return forbidden(
      cluster::kPriorityClasses, after,
      fmt::format("PriorityClass {} is already marked as default. Only one default can exist", name_of(*present)));
}

Result<std::vector<store::Admission::Also>> Admission::charge(const cluster::Resource& resource,
                                                              const doc::Value* before, const doc::Value& after) {
  std::vector<Also> also;
  if (&resource == &cluster::kPriorityClasses) {
    TIPHYS_CHECK_OK(check_default_class(before, after));
    return also;
  }
  if (before && !changes_usage(resource)) return also;
  if (before && &resource == &cluster::kPersistentVolumeClaims &&
      doc::find_string(*before, "metadata", "deletionTimestamp").empty()) {
    TIPHYS_CHECK_OK(check_range(resource, after));
  }
  // Pods are counted as they are made, and when they come into another scope; what they free is counted anew.
  if (before && &resource == &cluster::kPods && has_deadline(*before) == has_deadline(after)) return also;
  const auto quotas = quotas_.find(ns_of(after));
  if (quotas == quotas_.end()) return also;
  for (const std::string& name : quotas->second) {
    const cluster::Key key{&cluster::kResourceQuotas, quotas->first, name};
    TIPHYS_TRY(const cluster::Object quota, store_.newest(key));
    if (!quota) continue;
    auto charged = charge_quota(*quota, resource, before, after);
    if (!charged) return forbidden(resource, after, charged.error());
    if (*charged) also.push_back({key, std::move(**charged)});
  }
  return also;
}

bool Admission::follows(const cluster::Resource& resource, const std::string& ns) {
  for (const auto* known :
       {&cluster::kLimitRanges, &cluster::kResourceQuotas, &cluster::kPriorityClasses, &cluster::kServices}) {
    if (&resource == known) return true;
  }
  return quotas_.contains(ns) && &resource != &cluster::kEvents;
}

void Admission::settled(const cluster::Resource& resource, const cluster::Object& before,
                        const cluster::Object& after) {
  learn(resource, before, after);
  const std::string ns = ns_of(after ? *after : *before);
  if (&resource == &cluster::kResourceQuotas && after) {
    const doc::Value* status = doc::find(*after, "status", "hard");
    if (!status || read_resources(status) != read_resources(doc::find(*after, "spec", "hard"))) recount_.mark(ns);
  }
  if (!quotas_.contains(ns)) return;
  const bool frees =
      before && (!after || (changes_usage(resource) && usage_of(resource, *before) != usage_of(resource, *after)));
  if (frees) recount_.mark(ns);
}

}  // namespace tiphys::objects
