#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "podspec/parts.h"

namespace tiphys::podspec {
namespace {

using schema::FieldErrors;
using schema::Path;

void check_tolerations(const doc::Value& spec, const Path& at, FieldErrors& errors) {
  each_element(spec, "tolerations", at, [&](const doc::Value& toleration, const Path& here) {
    const auto key = doc::find_string(toleration, "key");
    const auto operation = doc::find_string(toleration, "operator");
    const Path at_operator = here.field("operator");
    if (!key.empty()) complain(doc::Value(key), here.field("key"), qualified_name(key), errors);
    if (key.empty() && operation != "Exists") {
      errors.push_back(schema::invalid(
          at_operator.text(), doc::Value(operation),
          "operator must be Exists when `key` is empty, which means \"match all values and all keys\""));
    }
    if (operation == "Exists" && !doc::find_string(toleration, "value").empty()) {
      errors.push_back(
          schema::invalid(at_operator.text(), toleration, "value must be empty when `operator` is 'Exists'"));
    }
    check_choice(toleration, "operator", {"Equal", "Exists"}, here, errors);
    check_choice(toleration, "effect", {"NoSchedule", "PreferNoSchedule", "NoExecute"}, here, errors);
  });
}

void check_node_affinity(const doc::Value& spec, const Path& at, FieldErrors& errors) {
  constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
  const doc::Value* required = doc::find(spec, "affinity", "nodeAffinity", kRequired);
  if (!required) return;
  const Path affinity = at.field("affinity");
  const Path nodes = affinity.field("nodeAffinity");
  const Path here = nodes.field(kRequired);
  const doc::Value* terms = doc::find(*required, "nodeSelectorTerms");
  if (!terms || !terms->is_array() || terms->get_array().empty()) {
    errors.push_back(
        schema::required(here.field("nodeSelectorTerms").text(), "must have at least one node selector term"));
  }
  each_element(*required, "nodeSelectorTerms", here, [&](const doc::Value& term, const Path& place) {
    each_element(term, "matchExpressions", place, [&](const doc::Value& expression, const Path& one) {
      const auto operation = doc::find_string(expression, "operator");
      for (const std::string_view known : {"In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"}) {
        if (operation == known) return;
      }
      errors.push_back(
          schema::invalid(one.field("operator").text(), doc::Value(operation), "not a valid selector operator"));
    });
  });
}

void check_spread(const doc::Value& spec, const Path& at, FieldErrors& errors) {
  each_element(spec, "topologySpreadConstraints", at, [&](const doc::Value& constraint, const Path& here) {
    const doc::Value* skew = doc::find(constraint, "maxSkew");
    const std::int64_t most = skew && skew->is_int64() ? skew->get_int64() : 0;
    if (most <= 0) errors.push_back(schema::invalid(here.field("maxSkew").text(), most, "must be greater than zero"));
    if (doc::find_string(constraint, "topologyKey").empty()) {
      errors.push_back(schema::required(here.field("topologyKey").text(), "can not be empty"));
    }
    check_choice(constraint, "whenUnsatisfiable", {"DoNotSchedule", "ScheduleAnyway"}, here, errors);
  });
}

void check_gates(const doc::Value& spec, const Path& at, FieldErrors& errors) {
  std::set<std::string, std::less<>> seen;
  each_element(spec, "schedulingGates", at, [&](const doc::Value& gate, const Path& here) {
    const auto name = doc::find_string(gate, "name");
    complain(doc::Value(name), here, qualified_name(name), errors);
    if (!seen.insert(std::string(name)).second) errors.push_back(schema::duplicate(here.text(), doc::Value(name)));
  });
}

void check_names(const doc::Value& spec, const Path& at, FieldErrors& errors) {
  for (const char* member : {"hostname", "subdomain"}) {
    const auto name = doc::find_string(spec, member);
    if (!name.empty()) complain(doc::Value(name), at.field(member), dns_label(name), errors);
  }
  const auto account = doc::find_string(spec, "serviceAccountName");
  if (!account.empty()) complain(doc::Value(account), at.field("serviceAccountName"), dns_subdomain(account), errors);
  if_there(spec, "nodeSelector", at, [&](const doc::Value& selector, const Path& here) {
    if (!selector.is_object()) return;
    for (const auto& [key, value] : selector.get_object()) {
      complain(doc::Value(key), here, qualified_name(key), errors);
      if (value.is_string()) complain(value, here, label_value(value.get_string()), errors);
    }
  });
}

void check_host_aliases(const doc::Value& spec, const Path& at, FieldErrors& errors) {
  each_element(spec, "hostAliases", at, [&](const doc::Value& alias, const Path& here) {
    const std::string ip(doc::find_string(alias, "ip"));
    std::array<unsigned char, sizeof(in6_addr)> parsed{};
    if (::inet_pton(AF_INET, ip.c_str(), parsed.data()) != 1 && ::inet_pton(AF_INET6, ip.c_str(), parsed.data()) != 1) {
      errors.push_back(schema::invalid(here.field("ip").text(), doc::Value(ip),
                                       "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"));
    }
    each_element(alias, "hostnames", here, [&](const doc::Value& name, const Path& one) {
      complain(name, one, dns_subdomain(doc::scalar_text(name)), errors);
    });
  });
}

void check_number(const doc::Value& object, std::string_view key, std::int64_t least, const Path& at,
                  FieldErrors& errors) {
  if_there(object, key, at, [&](const doc::Value& number, const Path& here) {
    if (!number.is_int64() || (number.get_int64() >= least && number.get_int64() <= INT32_MAX)) return;
    errors.push_back(
        schema::invalid(here.text(), number, fmt::format("must be between {} and 2147483647, inclusive", least)));
  });
}

}  // namespace

void check_placement(const doc::Value& spec, const Path& at, FieldErrors& errors) {
  if (doc::find_string(spec, "dnsPolicy") == "None" && !doc::find(spec, "dnsConfig")) {
    errors.push_back(
        schema::required(at.field("dnsConfig").text(), "must provide `dnsConfig` when `dnsPolicy` is None"));
  }
  check_number(spec, "activeDeadlineSeconds", 1, at, errors);
  if_there(spec, "securityContext", at, [&](const doc::Value& context, const Path& here) {
    for (const char* member : {"runAsUser", "runAsGroup", "fsGroup"}) check_number(context, member, 0, here, errors);
  });
  check_names(spec, at, errors);
  check_host_aliases(spec, at, errors);
  check_tolerations(spec, at, errors);
  check_node_affinity(spec, at, errors);
  check_spread(spec, at, errors);
  check_gates(spec, at, errors);
  if_there(spec, "os", at, [&](const doc::Value& os, const Path& here) {
    const auto name = doc::find_string(os, "name");
    if (name == "linux" || name == "windows") return;
    errors.push_back(schema::not_supported(here.text(), doc::Value(name), {"linux", "windows"}));
  });
}

}  // namespace tiphys::podspec
