#include "objects/quota_usage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "cluster/pod_phase.h"

namespace tiphys::objects {
namespace {

constexpr std::string_view kStorageClass = ".storageclass.storage.k8s.io/";
constexpr std::string_view kHugePages = "hugepages-";
constexpr std::string_view kRequests = "requests.";

/// Names from before count/... that are limits of a kind's number.
constexpr std::pair<const cluster::Resource*, std::string_view> kAliases[] = {
    {&cluster::kConfigMaps, "configmaps"},
    {&cluster::kResourceQuotas, "resourcequotas"},
    {&cluster::kSecrets, "secrets"}};

constexpr std::array<std::string_view, 10> kOfPods{"cpu",
                                                   "memory",
                                                   "ephemeral-storage",
                                                   "requests.cpu",
                                                   "requests.memory",
                                                   "limits.cpu",
                                                   "limits.memory",
                                                   "pods",
                                                   "requests.ephemeral-storage",
                                                   "limits.ephemeral-storage"};
constexpr std::array<std::string_view, 3> kOfServices{"services", "services.nodeports", "services.loadbalancers"};
constexpr std::array<std::string_view, 2> kOfClaims{"persistentvolumeclaims", "requests.storage"};

std::string count_name(const cluster::Resource& resource) {
  return "count/" + std::string(resource.qualified);
}

bool is_native(std::string_view name) {
  return name.find('/') == name.npos || name.find("kubernetes.io/") != name.npos;
}

bool is_of_pods(std::string_view name) {
  return std::ranges::find(kOfPods, name) != kOfPods.end() || name.starts_with(kHugePages) ||
         name.starts_with("requests.hugepages-") || (name.starts_with(kRequests) && !is_native(name));
}

bool is_of_claims(std::string_view name) {
  return std::ranges::any_of(kOfClaims, [&](std::string_view one) {
    return name == one || name.ends_with(std::string(kStorageClass) + std::string(one));
  });
}

bool counts(const cluster::Resource& resource, std::string_view name) {
  if (name == count_name(resource)) return true;
  if (&resource == &cluster::kPods) return is_of_pods(name);
  if (&resource == &cluster::kServices) return std::ranges::find(kOfServices, name) != kOfServices.end();
  if (&resource == &cluster::kPersistentVolumeClaims) return is_of_claims(name);
  return std::ranges::any_of(kAliases,
                             [&](const auto& each) { return each.first == &resource && each.second == name; });
}

/// What requests and limits of containers are called in quotas.
ResourceList compute_usage(const ResourceList& requests, const ResourceList& limits) {
  ResourceList usage;
  for (const std::string_view name : {"cpu", "memory", "ephemeral-storage"}) {
    if (const auto found = requests.find(name); found != requests.end()) {
      usage[std::string(name)] = found->second;
      usage[std::string(kRequests) + std::string(name)] = found->second;
    }
    if (const auto found = limits.find(name); found != limits.end()) {
      usage["limits." + std::string(name)] = found->second;
    }
  }
  for (const auto& [name, amount] : requests) {
    if (name.starts_with(kHugePages)) usage[name] = amount;
    if (name.starts_with(kHugePages) || !is_native(name)) usage[std::string(kRequests) + name] = amount;
  }
  return usage;
}

ResourceList pod_usage(const doc::Value& pod) {
  if (cluster::pod_ended(pod)) return {};
  ResourceList requests = pod_resources(pod, "requests");
  add(requests, read_resources(doc::find(pod, "spec", "overhead")));
  ResourceList usage = compute_usage(requests, pod_resources(pod, "limits"));
  usage["pods"] = Quantity(1);
  return usage;
}

ResourceList service_usage(const doc::Value& service) {
  const auto type = doc::find_string(service, "spec", "type");
  const doc::Value* ports = doc::find(service, "spec", "ports");
  std::int64_t node_ports = 0;
  if (ports && ports->is_array() && (type == "NodePort" || type == "LoadBalancer")) {
    const doc::Value* allocate = doc::find(service, "spec", "allocateLoadBalancerNodePorts");
    const bool as_given = type == "LoadBalancer" && allocate && allocate->is_bool() && !allocate->get_bool();
    for (const doc::Value& port : ports->get_array()) {
      const doc::Value* given = doc::find(port, "nodePort");
      if (!as_given || (given && given->is_int64() && given->get_int64() != 0)) ++node_ports;
    }
  }
  return {{"services", Quantity(1)},
          {"services.loadbalancers", Quantity(type == "LoadBalancer" ? 1 : 0)},
          {"services.nodeports", Quantity(node_ports)}};
}

ResourceList claim_usage(const doc::Value& claim) {
  ResourceList usage{{"persistentvolumeclaims", Quantity(1)}};
  ResourceList requests = read_resources(doc::find(claim, "spec", "resources", "requests"));
  if (const auto storage = requests.find("storage"); storage != requests.end()) {
    const ResourceList allocated = read_resources(doc::find(claim, "status", "allocatedResources"));
    if (const auto more = allocated.find("storage"); more != allocated.end() && more->second > storage->second) {
      storage->second = more->second;
    }
    storage->second.round_up();
    usage["requests.storage"] = storage->second;
  }
  const auto storage_class = doc::find_string(claim, "spec", "storageClassName");
  if (storage_class.empty()) return usage;
  for (const auto& [name, amount] : ResourceList(usage)) {
    usage[std::string(storage_class) + std::string(kStorageClass) + name] = amount;
  }
  return usage;
}

bool is_best_effort(const doc::Value& pod) {
  for (const char* member : {"requests", "limits"}) {
    for (const auto& [name, amount] : pod_resources(pod, member)) {
      if ((name == "cpu" || name == "memory") && !amount.is_zero()) return false;
    }
  }
  return true;
}

bool crosses_namespaces(const doc::Value& pod) {
  const auto is_across = [](const doc::Value& term) {
    const doc::Value* namespaces = doc::find(term, "namespaces");
    return (namespaces && namespaces->is_array() && !namespaces->get_array().empty()) ||
           doc::find(term, "namespaceSelector");
  };
  for (const char* kind : {"podAffinity", "podAntiAffinity"}) {
    const doc::Value* required =
        doc::find(pod, "spec", "affinity", kind, "requiredDuringSchedulingIgnoredDuringExecution");
    if (required && required->is_array() && std::ranges::any_of(required->get_array(), is_across)) return true;
    const doc::Value* preferred =
        doc::find(pod, "spec", "affinity", kind, "preferredDuringSchedulingIgnoredDuringExecution");
    if (!preferred || !preferred->is_array()) continue;
    for (const doc::Value& one : preferred->get_array()) {
      const doc::Value* term = doc::find(one, "podAffinityTerm");
      if (term && is_across(*term)) return true;
    }
  }
  return false;
}

struct Scope {
  std::string_view name;
  std::string_view op = "Exists";
  const doc::Value* values = nullptr;
};

/// Operators as those of label selectors.
bool selects(const Scope& scope, std::string_view value) {
  if (scope.op == "Exists") return !value.empty();
  if (scope.op == "DoesNotExist") return value.empty();
  const bool listed = scope.values && scope.values->is_array() &&
                      std::ranges::any_of(scope.values->get_array(),
                                          [&](const doc::Value& one) { return doc::scalar_text(one) == value; });
  return scope.op == "In" ? !value.empty() && listed : value.empty() || !listed;
}

bool in_scope(const Scope& scope, const cluster::Resource& resource, const doc::Value& object) {
  if (&resource == &cluster::kPersistentVolumeClaims && scope.name == "VolumeAttributesClass") {
    return selects(scope, doc::find_string(object, "spec", "volumeAttributesClassName"));
  }
  if (&resource != &cluster::kPods) return false;
  if (scope.name == "Terminating" || scope.name == "NotTerminating") {
    const doc::Value* deadline = doc::find(object, "spec", "activeDeadlineSeconds");
    const bool ends = deadline && deadline->is_int64() && deadline->get_int64() >= 0;
    return ends == (scope.name == "Terminating");
  }
  if (scope.name == "BestEffort") return is_best_effort(object);
  if (scope.name == "NotBestEffort") return !is_best_effort(object);
  if (scope.name == "PriorityClass") return selects(scope, doc::find_string(object, "spec", "priorityClassName"));
  return scope.name == "CrossNamespacePodAffinity" && crosses_namespaces(object);
}

}  // namespace

ResourceList usage_of(const cluster::Resource& resource, const doc::Value& object) {
  ResourceList usage;
  if (&resource == &cluster::kPods) usage = pod_usage(object);
  if (&resource == &cluster::kServices) usage = service_usage(object);
  if (&resource == &cluster::kPersistentVolumeClaims) usage = claim_usage(object);
  usage[count_name(resource)] = Quantity(1);
  for (const auto& [aliased, alias] : kAliases) {
    if (aliased == &resource) usage[std::string(alias)] = Quantity(1);
  }
  return usage;
}

std::vector<std::string> counted(const cluster::Resource& resource, const ResourceList& hard) {
  std::vector<std::string> names;
  for (const auto& [name, amount] : hard) {
    if (counts(resource, name)) names.push_back(name);
  }
  return names;
}

std::set<const cluster::Resource*> counted_resources(const ResourceList& hard) {
  std::set<const cluster::Resource*> found;
  for (const auto& [name, amount] : hard) {
    for (const auto* resource : {&cluster::kPods, &cluster::kServices, &cluster::kPersistentVolumeClaims,
                                 &cluster::kConfigMaps, &cluster::kResourceQuotas, &cluster::kSecrets}) {
      if (counts(*resource, name)) found.insert(resource);
    }
    if (!name.starts_with("count/")) continue;
    const std::string_view counted = std::string_view(name).substr(6);
    const auto dot = counted.find('.');
    const auto group = dot == counted.npos ? std::string_view() : counted.substr(dot + 1);
    if (const auto* resource = cluster::find_resource_by_plural(group, counted.substr(0, dot))) found.insert(resource);
  }
  return found;
}

bool in_scopes(const doc::Value& quota, const cluster::Resource& resource, const doc::Value& object) {
  if (const doc::Value* scopes = doc::find(quota, "spec", "scopes"); scopes && scopes->is_array()) {
    for (const doc::Value& name : scopes->get_array()) {
      if (!in_scope({.name = name.is_string() ? std::string_view(name.get_string()) : ""}, resource, object))
        return false;
    }
  }
  const doc::Value* expressions = doc::find(quota, "spec", "scopeSelector", "matchExpressions");
  if (!expressions || !expressions->is_array()) return true;
  return std::ranges::all_of(expressions->get_array(), [&](const doc::Value& one) {
    const Scope scope{doc::find_string(one, "scopeName"), doc::find_string(one, "operator"), doc::find(one, "values")};
    return in_scope(scope, resource, object);
  });
}

std::optional<std::string> unspecified(const std::vector<std::string>& limited, const doc::Value& pod) {
  if (const doc::Value* own = doc::find(pod, "spec", "resources");
      own && own->is_object() && !own->get_object().empty())
    return std::nullopt;
  std::map<std::string, std::set<std::string>> missing;
  for (const char* list : {"containers", "initContainers"}) {
    const doc::Value* containers = doc::find(pod, "spec", list);
    if (!containers || !containers->is_array()) continue;
    for (const doc::Value& container : containers->get_array()) {
      const ResourceList usage = compute_usage(read_resources(doc::find(container, "resources", "requests")),
                                               read_resources(doc::find(container, "resources", "limits")));
      for (const std::string_view name :
           {"cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"}) {
        if (std::ranges::find(limited, name) == limited.end() || usage.contains(name)) continue;
        missing[std::string(name)].emplace(doc::find_string(container, "name"));
      }
    }
  }
  if (missing.empty()) return std::nullopt;
  std::string text = "must specify ";
  for (const auto& [name, containers] : missing) {
    if (!text.ends_with("specify ")) text += "; ";
    text += name + " for: ";
    for (const std::string& one : containers) text += (text.ends_with(": ") ? "" : ",") + one;
  }
  return text;
}

}  // namespace tiphys::objects
