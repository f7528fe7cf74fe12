#include "objects/service_rules.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

#include "objects/names.h"
#include "objects/workload_rules.h"
#include "schema/path.h"

namespace tiphys::objects {
namespace {

using schema::FieldErrors;
using schema::Path;

std::string_view type_of(const doc::Value& service) {
  return doc::find_string(service, "spec", "type");
}
const doc::Array& ports_of(const doc::Value& service) {
  static const doc::Array kNone;
  const doc::Value* found = doc::find(service, "spec", "ports");
  return found && found->is_array() ? found->get_array() : kNone;
}
std::int64_t number_of(const doc::Value& object, std::string_view member) {
  const doc::Value* found = doc::find(object, member);
  return found && found->is_int64() ? found->get_int64() : 0;
}
bool is_headless(const doc::Value& service) {
  return doc::find_string(service, "spec", "clusterIP") == "None";
}

void fill_ports(doc::Object& spec) {
  doc::Value* ports = spec.if_contains("ports");
  if (!ports || !ports->is_array()) return;
  for (doc::Value& port : ports->get_array()) {
    if (!port.is_object()) continue;
    doc::Object& members = port.get_object();
    fill_in(members, "protocol", "TCP");
    const doc::Value* target = members.if_contains("targetPort");
    const bool given = target && !target->is_null() && *target != doc::Value("") && *target != doc::Value(0);
    if (given) continue;
    if (const doc::Value* number = members.if_contains("port")) {
      const doc::Value same = *number;
      members["targetPort"] = same;
    }
  }
}

void fill_service(doc::Object& service) {
  doc::Object& spec = doc::ensure_object(service, "spec");
  fill_in(spec, "type", "ClusterIP");
  fill_in(spec, "sessionAffinity", "None");
  const std::string type = doc::scalar_text(spec.at("type"));
  if (spec.at("sessionAffinity") == doc::Value("None")) spec.erase("sessionAffinityConfig");
  if (spec.at("sessionAffinity") == doc::Value("ClientIP")) {
    doc::Object& config = doc::ensure_object(spec, "sessionAffinityConfig");
    fill_in(doc::ensure_object(config, "clientIP"), "timeoutSeconds", 10800);
  }
  fill_ports(spec);
  doc::ensure_object(doc::ensure_object(service, "status"), "loadBalancer");
  const doc::Value* ips = spec.if_contains("externalIPs");
  const bool external = type == "ClusterIP" && ips && ips->is_array() && !ips->get_array().empty();
  if (type == "NodePort" || type == "LoadBalancer" || external) fill_in(spec, "externalTrafficPolicy", "Cluster");
  if (type == "LoadBalancer") fill_in(spec, "allocateLoadBalancerNodePorts", true);
  if (type == "ExternalName") return;
  fill_in(spec, "internalTrafficPolicy", "Cluster");
  fill_in(spec, "ipFamilies", doc::Array{"IPv4"});
  fill_in(spec, "ipFamilyPolicy", "SingleStack");
  const doc::Value* ip = spec.if_contains("clusterIP");
  if (!ip || !ip->is_string() || ip->get_string().empty()) return;
  const doc::Value copy = *ip;
  fill_in(spec, "clusterIPs", doc::Array{copy});
}

void check_port(const doc::Value& port, bool needs_name, std::set<std::string>& names, const std::string& at,
                FieldErrors& errors) {
  const std::string name(doc::find_string(port, "name"));
  if (name.empty()) {
    if (needs_name) errors.push_back(schema::required(at + ".name"));
  } else {
    for (const std::string& why : dns_label(name))
      errors.push_back(schema::invalid(at + ".name", doc::Value(name), why));
    if (!names.insert(name).second) errors.push_back(schema::duplicate(at + ".name", doc::Value(name)));
  }
  constexpr std::string_view kRange = "must be between 1 and 65535, inclusive";
  const auto in_range = [](std::int64_t number) { return number >= 1 && number <= 65535; };
  const std::int64_t number = number_of(port, "port");
  if (!in_range(number)) errors.push_back(schema::invalid(at + ".port", doc::Value(number), kRange));
  const std::string protocol(doc::find_string(port, "protocol"));
  if (protocol != "TCP" && protocol != "UDP" && protocol != "SCTP") {
    errors.push_back(schema::not_supported(at + ".protocol", doc::Value(protocol), {"SCTP", "TCP", "UDP"}));
  }
  const doc::Value* target = doc::find(port, "targetPort");
  if (target && target->is_int64() && !in_range(target->get_int64())) {
    errors.push_back(schema::invalid(at + ".targetPort", *target, kRange));
  }
  if (target && target->is_string()) {
    for (const std::string& why : port_name(doc::scalar_text(*target)))
      errors.push_back(schema::invalid(at + ".targetPort", *target, why));
  }
}

void check_ports(const doc::Value& service, FieldErrors& errors) {
  const doc::Array& ports = ports_of(service);
  const auto type = type_of(service);
  if (ports.empty() && !is_headless(service) && type != "ExternalName") {
    errors.push_back(schema::required("spec.ports"));
  }
  std::set<std::string> names;
  std::set<std::pair<std::string, std::int64_t>> seen, seen_node_ports;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const doc::Value& port = ports[i];
    const std::string at = fmt::format("spec.ports[{}]", i);
    check_port(port, ports.size() > 1, names, at, errors);
    const std::string protocol(doc::find_string(port, "protocol"));
    const auto pair = [&](std::int64_t number) { return std::pair(protocol, number); };
    const std::int64_t number = number_of(port, "port"), node_port = number_of(port, "nodePort");
    if (!seen.insert(pair(number)).second) {
      errors.push_back(schema::duplicate(at, doc::Object{{"protocol", protocol}, {"port", number}}));
    }
    if (node_port == 0) continue;
    if (type == "ClusterIP") {
      errors.push_back(schema::forbidden(at + ".nodePort", "may not be used when `type` is 'ClusterIP'"));
    }
    if (!seen_node_ports.insert(pair(node_port)).second) {
      errors.push_back(schema::duplicate(at + ".nodePort", doc::Value(node_port)));
    }
  }
}

bool is_ipv4(std::string_view text) {
  in_addr parsed{};
  return ::inet_pton(AF_INET, std::string(text).c_str(), &parsed) == 1;
}

constexpr std::string_view kNoAddress = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";

/// Why an address cannot be one from outside; "" when it can.
std::string_view no_external_ip(const std::string& text) {
  in6_addr six{};
  in_addr four{};
  if (::inet_pton(AF_INET, text.c_str(), &four) == 1) {
    const std::uint32_t ip = ntohl(four.s_addr);
    if (ip == 0) return "may not be unspecified (0.0.0.0 or ::)";
    if (ip >> 24 == 127) return "may not be in the loopback range (127.0.0.0/8, ::1/128)";
    if (ip >> 16 == 0xa9fe) return "may not be in the link-local range (169.254.0.0/16, fe80::/10)";
    if (ip >> 8 == 0xe00000) return "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)";
    return "";
  }
  if (::inet_pton(AF_INET6, text.c_str(), &six) != 1) return kNoAddress;
  if (IN6_IS_ADDR_UNSPECIFIED(&six)) return "may not be unspecified (0.0.0.0 or ::)";
  if (IN6_IS_ADDR_LOOPBACK(&six)) return "may not be in the loopback range (127.0.0.0/8, ::1/128)";
  if (IN6_IS_ADDR_LINKLOCAL(&six)) return "may not be in the link-local range (169.254.0.0/16, fe80::/10)";
  if (IN6_IS_ADDR_MC_LINKLOCAL(&six)) {
    return "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)";
  }
  return "";
}

void check_addresses(const doc::Value& service, FieldErrors& errors) {
  const doc::Value* found = doc::find(service, "spec", "clusterIPs");
  const doc::Value none = doc::Array();
  const doc::Value& ips = found && found->is_array() ? *found : none;
  const auto first = doc::find_string(service, "spec", "clusterIP");
  if (type_of(service) == "ExternalName") {
    if (!first.empty() || !ips.get_array().empty()) {
      errors.push_back(schema::forbidden("spec.clusterIPs", "may not be set for ExternalName services"));
    }
    return;
  }
  if (first.empty() && !ips.get_array().empty()) {
    return errors.push_back(schema::invalid("spec.clusterIPs", ips, "must be empty when `clusterIP` is not specified"));
  }
  if (!first.empty() && (ips.get_array().empty() || ips.get_array()[0] != doc::Value(first))) {
    return errors.push_back(schema::invalid("spec.clusterIPs", ips, "first value must match `clusterIP`"));
  }
  if (ips.get_array().size() > 1) {
    errors.push_back(schema::invalid("spec.clusterIPs", ips, "may specify no more than one IP for each IP family"));
  }
  if (first.empty() || first == "None" || is_ipv4(first)) return;
  errors.push_back(schema::invalid("spec.clusterIPs[0]", doc::Value(first), kNoAddress));
}

/// What leads to it from outside: addresses of others, which nobody routes to from elsewhere where they are special.
void check_external(const doc::Value& service, FieldErrors& errors) {
  const doc::Value* ips = doc::find(service, "spec", "externalIPs");
  const bool some = ips && ips->is_array() && !ips->get_array().empty();
  std::size_t i = 0;
  for (const doc::Value& ip : some ? ips->get_array() : doc::Array()) {
    const std::string at = fmt::format("spec.externalIPs[{}]", i++);
    if (const std::string_view why = no_external_ip(doc::scalar_text(ip)); !why.empty()) {
      errors.push_back(schema::invalid(at, ip, why));
    }
  }
  const auto policy = doc::find_string(service, "spec", "externalTrafficPolicy");
  const auto type = type_of(service);
  const bool reachable = type == "NodePort" || type == "LoadBalancer" || (type == "ClusterIP" && some);
  if (policy.empty() || reachable) return;
  errors.push_back(schema::invalid("spec.externalTrafficPolicy", doc::Value(policy),
                                   "may only be set for externally-accessible services"));
}

void check_type(const doc::Value& service, FieldErrors& errors) {
  const std::string type(type_of(service));
  const doc::Value* ips = doc::find(service, "spec", "clusterIPs");
  if ((type == "NodePort" || type == "LoadBalancer") && is_headless(service)) {
    errors.push_back(schema::invalid("spec.clusterIPs[0]", ips ? *ips : doc::Value(),
                                     fmt::format("may not be set to 'None' for {} services", type)));
  }
  if (type == "ExternalName") {
    const std::string name(doc::find_string(service, "spec", "externalName"));
    std::string_view bare = name;
    if (bare.ends_with('.')) bare.remove_suffix(1);
    if (bare.empty()) {
      errors.push_back(schema::required("spec.externalName"));
    } else {
      for (const std::string& why : dns_subdomain(bare))
        errors.push_back(schema::invalid("spec.externalName", doc::Value(name), why));
    }
  } else if (type != "ClusterIP" && type != "NodePort" && type != "LoadBalancer") {
    errors.push_back(schema::not_supported("spec.type", doc::Value(type),
                                           {"ClusterIP", "ExternalName", "LoadBalancer", "NodePort"}));
  }
}

void check_service(const doc::Value& service, FieldErrors& errors) {
  check_ports(service, errors);
  check_type(service, errors);
  if (const doc::Value* selector = doc::find(service, "spec", "selector"); selector && selector->is_object()) {
    for (const auto& [key, value] : selector->get_object()) {
      for (const std::string& why : qualified_name(key))
        errors.push_back(schema::invalid("spec.selector", doc::Value(key), why));
      for (const std::string& why : label_value(doc::scalar_text(value)))
        errors.push_back(schema::invalid("spec.selector", value, why));
    }
  }
  const std::string affinity(doc::find_string(service, "spec", "sessionAffinity"));
  if (affinity != "ClientIP" && affinity != "None") {
    errors.push_back(schema::not_supported("spec.sessionAffinity", doc::Value(affinity), {"ClientIP", "None"}));
  }
  for (const char* member : {"externalTrafficPolicy", "internalTrafficPolicy"}) {
    const auto policy = doc::find_string(service, "spec", member);
    if (policy.empty() || policy == "Cluster" || policy == "Local") continue;
    errors.push_back(schema::not_supported(fmt::format("spec.{}", member), doc::Value(policy), {"Cluster", "Local"}));
  }
  const auto families = doc::find_string(service, "spec", "ipFamilyPolicy");
  const std::vector<std::string> known{"PreferDualStack", "RequireDualStack", "SingleStack"};
  if (!families.empty() && std::ranges::find(known, families) == known.end()) {
    errors.push_back(schema::not_supported("spec.ipFamilyPolicy", doc::Value(families), known));
  }
  check_addresses(service, errors);
  check_external(service, errors);
}

void check_service_update(const doc::Value& before, const doc::Value& after, FieldErrors& errors) {
  const auto old = doc::find_string(before, "spec", "clusterIP");
  const auto now = doc::find_string(after, "spec", "clusterIP");
  if (type_of(before) == "ExternalName" || type_of(after) == "ExternalName" || old.empty() || old == now) return;
  const doc::Value* ips = doc::find(after, "spec", "clusterIPs");
  errors.push_back(schema::invalid("spec.clusterIPs[0]", ips ? *ips : doc::Value(), "may not change once set"));
}

void warn_of_service(const doc::Value& service, const doc::Value*, std::vector<std::string>& warnings) {
  const auto has = [&](std::string_view member) {
    const doc::Value* found = doc::find(service, "spec", member);
    return found && *found != doc::Value("") && *found != doc::Value(doc::Array());
  };
  if (is_headless(service) && type_of(service) == "ClusterIP") {
    if (has("loadBalancerIP")) warnings.emplace_back("spec.loadBalancerIP is ignored for headless services");
    if (has("externalIPs")) warnings.emplace_back("spec.externalIPs is ignored for headless services");
    if (doc::find_string(service, "spec", "sessionAffinity") != "None") {
      warnings.emplace_back("spec.SessionAffinity is ignored for headless services");
    }
  }
  const bool external = type_of(service) == "ExternalName";
  if (external && has("externalIPs")) {
    warnings.emplace_back("spec.externalIPs is ignored when spec.type is \"ExternalName\"");
  }
  if (!external && has("externalName")) {
    warnings.emplace_back("spec.externalName is ignored when spec.type is not \"ExternalName\"");
  }
}

}  // namespace

const KindRules kServiceRules{
    .fill = fill_service, .check = check_service, .check_update = check_service_update, .warn = warn_of_service};

bool has_cluster_ip(const doc::Value& service) {
  return type_of(service) != "ExternalName" && !is_headless(service);
}
bool has_node_ports(const doc::Value& service) {
  const doc::Value* allocate = doc::find(service, "spec", "allocateLoadBalancerNodePorts");
  const bool wanted = !allocate || !allocate->is_bool() || allocate->get_bool();
  return type_of(service) == "NodePort" || (type_of(service) == "LoadBalancer" && wanted);
}

void keep_allocated(doc::Value& service, const doc::Value& before) {
  doc::Object& spec = doc::ensure_object(service.get_object(), "spec");
  const auto text = [&](const char* member) { return doc::find_string(service, "spec", member); };
  const std::string type(text("type").empty() ? "ClusterIP" : text("type"));
  const bool was_external = type_of(before) == "ExternalName";
  const doc::Value* old_ip = doc::find(before, "spec", "clusterIP");
  if (type == "ExternalName") {
    if (was_external) return;
    // What only the other types have goes, unless it has been changed.
    for (const char* member : {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"}) {
      const doc::Value* old = doc::find(before, "spec", member);
      if (old && spec.contains(member) && spec.at(member) == *old) spec.erase(member);
    }
  } else if (!was_external && old_ip && text("clusterIP").empty()) {
    for (const char* member : {"clusterIP", "clusterIPs"}) {
      if (const doc::Value* old = doc::find(before, "spec", member)) spec[member] = *old;
    }
  } else if (old_ip && text("clusterIP") != doc::find_string(before, "spec", "clusterIP")) {
    const doc::Value* old = doc::find(before, "spec", "clusterIPs");
    if (old && spec.contains("clusterIPs") && spec.at("clusterIPs") == *old) spec.erase("clusterIPs");
  }
  const bool keeps = type == "NodePort" || type == "LoadBalancer";
  const doc::Value* ips = spec.if_contains("externalIPs");
  const bool reachable = keeps || (type == "ClusterIP" && ips && ips->is_array() && !ips->get_array().empty());
  const auto drop_unchanged = [&](const char* member) {
    const doc::Value* old = doc::find(before, "spec", member);
    if (old && spec.contains(member) && spec.at(member) == *old) spec.erase(member);
  };
  if (!reachable) drop_unchanged("externalTrafficPolicy");
  if (type != "LoadBalancer") drop_unchanged("allocateLoadBalancerNodePorts");
  doc::Value* ports = spec.if_contains("ports");
  if (!ports || !ports->is_array()) return;
  for (doc::Value& port : ports->get_array()) {
    if (!port.is_object()) continue;
    for (const doc::Value& old : ports_of(before)) {
      const std::string protocol(doc::find_string(port, "protocol"));
      if (number_of(old, "port") != number_of(port, "port") ||
          doc::find_string(old, "protocol") != (protocol.empty() ? "TCP" : protocol)) {
        continue;
      }
      const std::int64_t given = number_of(port, "nodePort"), known = number_of(old, "nodePort");
      if (keeps && given == 0 && known != 0) port.get_object()["nodePort"] = known;
      if (!keeps && given == known) port.get_object().erase("nodePort");
    }
  }
}

}  // namespace tiphys::objects
