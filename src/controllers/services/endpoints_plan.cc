#include "controllers/services/endpoints_plan.h"

#include <algorithm>
#include <map>
#include <string>

#include "controllers/workloads/fields.h"
#include "controllers/workloads/owner.h"
#include "controllers/workloads/pods.h"

namespace tiphys::controllers {
namespace {

using workloads::is_deleting;
using workloads::is_true_at;
using workloads::list_at;
using workloads::name_of;
using workloads::namespace_of;
using workloads::uid_of;
using workloads::value_at;

constexpr std::string_view kServiceName = "kubernetes.io/service-name";
constexpr std::string_view kSliceManagedBy = "endpointslice.kubernetes.io/managed-by";
constexpr std::string_view kSliceController = "endpointslice-controller.k8s.io";
constexpr std::string_view kManagedBy = "endpoints.kubernetes.io/managed-by";
constexpr std::string_view kController = "endpoint-controller";
constexpr std::string_view kHeadless = "service.kubernetes.io/headless";
constexpr std::size_t kMostPerSlice = 100;

bool is_headless(const doc::Value& service) {
  const auto ip = doc::find_string(service, "spec", "clusterIP");
  return ip == "None" || ip.empty();
}

/// Null when the pod has no such port.
doc::Value port_of(const doc::Value& pod, const doc::Value& service_port) {
  const doc::Value& target = value_at(service_port, "targetPort");
  if (target.is_int64()) return target;
  const auto protocol = doc::find_string(service_port, "protocol");
  for (const char* member : {"containers", "initContainers"}) {
    for (const doc::Value& container : list_at(pod, "spec", member)) {
      const bool is_sidecar = doc::find_string(container, "restartPolicy") == "Always";
      if (std::string_view(member) == "initContainers" && !is_sidecar) continue;
      for (const doc::Value& port : list_at(container, "ports")) {
        const auto given = doc::find_string(port, "protocol");
        if (value_at(port, "name") == target && (given.empty() ? "TCP" : given) == protocol)
          return value_at(port, "containerPort");
      }
    }
  }
  return nullptr;
}

/// The ports at which a pod answers, as slices list them.
doc::Array ports_of(const doc::Value& service, const doc::Value& pod) {
  doc::Array ports;
  for (const doc::Value& one : list_at(service, "spec", "ports")) {
    doc::Value number = port_of(pod, one);
    if (!number.is_int64()) continue;
    doc::Object port{{"name", doc::find_string(one, "name")},
                     {"protocol", doc::find_string(one, "protocol")},
                     {"port", std::move(number)}};
    if (const doc::Value& app = value_at(one, "appProtocol"); app.is_string()) port["appProtocol"] = app;
    ports.push_back(std::move(port));
  }
  return ports;
}

doc::Object target_of(const doc::Value& pod) {
  return {{"kind", "Pod"}, {"namespace", namespace_of(pod)}, {"name", name_of(pod)}, {"uid", uid_of(pod)}};
}

/// The name by which a pod of a headless service is found.
std::string_view hostname_of(const doc::Value& service, const doc::Value& pod) {
  const bool its_own = doc::find_string(pod, "spec", "subdomain") == name_of(service);
  return its_own ? doc::find_string(pod, "spec", "hostname") : std::string_view();
}

doc::Object endpoint_of(const doc::Value& service, const doc::Value& pod) {
  const bool serving = workloads::is_ready(pod);
  const bool terminating = is_deleting(pod);
  const bool ready = is_true_at(service, "spec", "publishNotReadyAddresses") || (serving && !terminating);
  doc::Object endpoint{
      {"addresses", doc::Array{doc::find_string(pod, "status", "podIP")}},
      {"conditions", doc::Object{{"ready", ready}, {"serving", serving}, {"terminating", terminating}}}};
  if (const auto hostname = hostname_of(service, pod); !hostname.empty()) endpoint["hostname"] = hostname;
  endpoint["targetRef"] = target_of(pod);
  if (const auto node = doc::find_string(pod, "spec", "nodeName"); !node.empty()) endpoint["nodeName"] = node;
  return endpoint;
}

doc::Object address_of(const doc::Value& service, const doc::Value& pod) {
  doc::Object address{{"ip", doc::find_string(pod, "status", "podIP")}};
  if (const auto hostname = hostname_of(service, pod); !hostname.empty()) address["hostname"] = hostname;
  if (const auto node = doc::find_string(pod, "spec", "nodeName"); !node.empty()) address["nodeName"] = node;
  address["targetRef"] = target_of(pod);
  return address;
}

/// The Service's own labels and those that say what this is.
doc::Object labels_of(const doc::Value& service, std::initializer_list<std::pair<std::string_view, std::string>> more) {
  doc::Object labels;
  if (const doc::Value& given = value_at(service, "metadata", "labels"); given.is_object()) labels = given.get_object();
  for (const std::string_view reserved : {kServiceName, kSliceManagedBy, kManagedBy, kHeadless}) labels.erase(reserved);
  if (is_headless(service)) labels[kHeadless] = "";
  for (const auto& [key, value] : more) labels[key] = value;
  return labels;
}

using Groups = std::map<std::string, std::vector<cluster::Object>>;  ///< pods by their ports, as JSON

struct Wanted {
  doc::Array ports, endpoints;
};

std::vector<Wanted> wanted_slices(const doc::Value& service, const Groups& groups) {
  std::vector<Wanted> wanted;
  for (const auto& [key, pods] : groups) {
    for (std::size_t i = 0; i < pods.size(); ++i) {
      if (i % kMostPerSlice == 0) wanted.push_back({.ports = ports_of(service, *pods[i]), .endpoints = {}});
      wanted.back().endpoints.push_back(endpoint_of(service, *pods[i]));
    }
  }
  // One that is empty says that there are none.
  if (wanted.empty()) wanted.emplace_back();
  return wanted;
}

void plan_slices(const doc::Value& service, const Groups& groups, const std::vector<cluster::Object>& slices,
                 EndpointsPlan& plan) {
  const doc::Object labels =
      labels_of(service, {{kServiceName, name_of(service)}, {kSliceManagedBy, std::string(kSliceController)}});
  std::vector<cluster::Object> left;
  for (const auto& slice : slices) {
    if (!is_deleting(*slice)) left.push_back(slice);
  }
  for (Wanted& wanted : wanted_slices(service, groups)) {
    auto taken =
        std::ranges::find_if(left, [&](const auto& slice) { return list_at(*slice, "ports") == wanted.ports; });
    if (taken == left.end()) taken = left.begin();
    if (taken == left.end()) {
      doc::Object metadata{
          {"generateName", name_of(service) + "-"},
          {"namespace", namespace_of(service)},
          {"labels", labels},
          {"ownerReferences", doc::Array{workloads::controller_reference(cluster::kServices, service)}}};
      plan.create_slices.emplace_back(doc::Object{{"metadata", std::move(metadata)},
                                                  {"addressType", "IPv4"},
                                                  {"endpoints", std::move(wanted.endpoints)},
                                                  {"ports", std::move(wanted.ports)}});
      continue;
    }
    doc::Value slice = **taken;
    doc::ensure_object(slice.get_object(), "metadata")["labels"] = labels;
    slice.get_object()["endpoints"] = std::move(wanted.endpoints);
    slice.get_object()["ports"] = std::move(wanted.ports);
    if (slice != **taken) plan.update_slices.push_back(std::move(slice));
    left.erase(taken);
  }
  plan.remove_slices = std::move(left);
}

doc::Array subsets_of(const doc::Value& service, const Groups& groups) {
  doc::Array subsets;
  const bool all = is_true_at(service, "spec", "publishNotReadyAddresses");
  for (const auto& [key, pods] : groups) {
    doc::Array ready, not_ready;
    for (const auto& pod : pods) {
      if (is_deleting(*pod) && !all) continue;
      (all || workloads::is_ready(*pod) ? ready : not_ready).push_back(address_of(service, *pod));
    }
    if (ready.empty() && not_ready.empty()) continue;
    doc::Array ports = ports_of(service, *pods.front());
    for (doc::Value& port : ports) {
      if (port.at("name") == doc::Value("")) port.get_object().erase("name");
    }
    doc::Object subset;
    if (!ready.empty()) subset["addresses"] = std::move(ready);
    if (!not_ready.empty()) subset["notReadyAddresses"] = std::move(not_ready);
    if (!ports.empty()) subset["ports"] = std::move(ports);
    subsets.push_back(std::move(subset));
  }
  return subsets;
}

}  // namespace

bool has_endpoints(const doc::Value& service) {
  const doc::Value& selector = value_at(service, "spec", "selector");
  return selector.is_object() && !selector.get_object().empty() &&
         doc::find_string(service, "spec", "type") != "ExternalName";
}

bool selects_pod(const doc::Value& service, const doc::Value& pod) {
  if (!has_endpoints(service)) return false;
  const doc::Value& labels = value_at(pod, "metadata", "labels");
  return std::ranges::all_of(value_at(service, "spec", "selector").get_object(),
                             [&](const auto& wanted) { return value_at(labels, wanted.key()) == wanted.value(); });
}

bool is_managed(const doc::Value& object) {
  return doc::find_string(object, "metadata", "labels", kSliceManagedBy) == kSliceController ||
         doc::find_string(object, "metadata", "labels", kManagedBy) == kController;
}

EndpointsPlan plan_endpoints(const doc::Value& service, const std::vector<cluster::Object>& pods,
                             const cluster::Object& endpoints, const std::vector<cluster::Object>& slices) {
  EndpointsPlan plan;
  Groups groups;
  for (const auto& pod : pods) {
    const auto phase = doc::find_string(*pod, "status", "phase");
    if (phase == "Succeeded" || phase == "Failed" || doc::find_string(*pod, "status", "podIP").empty()) continue;
    const doc::Array ports = ports_of(service, *pod);
    // One without ports is found by its address alone.
    if (ports.empty() && !(is_headless(service) && list_at(service, "spec", "ports").empty())) continue;
    groups[doc::to_json(ports)].push_back(pod);
  }
  plan_slices(service, groups, slices, plan);
  doc::Value made = endpoints ? *endpoints : doc::Value(doc::Object());
  doc::Object& metadata = doc::ensure_object(made.get_object(), "metadata");
  metadata["name"] = name_of(service);
  metadata["namespace"] = namespace_of(service);
  metadata["labels"] = labels_of(service, {{kManagedBy, std::string(kController)}});
  doc::Array subsets = subsets_of(service, groups);
  if (subsets.empty()) {
    made.get_object().erase("subsets");
  } else {
    made.get_object()["subsets"] = std::move(subsets);
  }
  if (!endpoints) {
    plan.create = std::move(made);
  } else if (made != *endpoints) {
    plan.update = std::move(made);
  }
  return plan;
}

}  // namespace tiphys::controllers
