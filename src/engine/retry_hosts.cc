#include "engine/retry_hosts.h"

#include <algorithm>

#include "doc/value.h"

namespace tiphys::engine {
namespace {

constexpr std::string_view kHostLabel = "kubernetes.io/hostname";

void add_missing(doc::Value& values, const std::vector<std::string>& hosts) {
  if (!values.is_array()) values = doc::Array{};
  for (const std::string& host : hosts) {
    doc::Value value = boost::json::string(host);
    if (std::ranges::find(values.get_array(), value) == values.get_array().end()) {
      values.get_array().push_back(std::move(value));
    }
  }
}

/// Of all pods below the node that have failed.
std::vector<std::string> failed_hosts(const NodeTable& nodes, NodeIndex retry) {
  std::vector<std::string> hosts;
  std::vector<NodeIndex> open{retry};
  std::vector<bool> seen(nodes.size());
  while (!open.empty()) {
    const NodeIndex index = open.back();
    open.pop_back();
    if (seen[index]) continue;
    seen[index] = true;
    const Node& node = nodes[index];
    const bool pod = node.type == api::NodeType::kPod && node.failed_or_error();
    if (pod && node.extra && !node.extra->host_node_name.empty()) {
      const std::string& host = node.extra->host_node_name;
      if (std::ranges::find(hosts, host) == hosts.end()) hosts.push_back(host);
    }
    open.insert(open.end(), node.children.begin(), node.children.end());
  }
  std::ranges::sort(hosts);
  return hosts;
}

bool asks_for_other_hosts(const Node& retry, const api::WorkflowSpec& spec) {
  const doc::Value* strategy = retry.plan ? doc::find(*retry.plan->source->document, "retryStrategy") : nullptr;
  if (!strategy || strategy->is_null()) strategy = doc::find(*spec.document, "retryStrategy");
  const doc::Value* asked = strategy ? doc::find(*strategy, "affinity", "nodeAntiAffinity") : nullptr;
  return asked && !asked->is_null();
}

}  // namespace

doc::Value with_hosts_avoided(const doc::Value* affinity, const std::vector<std::string>& hosts) {
  doc::Value made = affinity && affinity->is_object() ? *affinity : doc::Value(doc::Object());
  doc::Object& required = doc::ensure_object(doc::ensure_object(made.get_object(), "nodeAffinity"),
                                             "requiredDuringSchedulingIgnoredDuringExecution");
  doc::Value& terms = required["nodeSelectorTerms"];
  if (!terms.is_array() || terms.get_array().empty()) terms = doc::Array{doc::Object()};
  doc::Value values;
  add_missing(values, hosts);
  const doc::Value requirement =
      doc::Object{{"key", boost::json::string(kHostLabel)}, {"operator", "NotIn"}, {"values", values}};
  for (doc::Value& term : terms.get_array()) {
    if (!term.is_object()) return made;
    doc::Value& expressions = term.get_object()["matchExpressions"];
    if (!expressions.is_array() || expressions.get_array().empty()) {
      expressions = doc::Array{requirement};
      return made;
    }
    for (doc::Value& each : expressions.get_array()) {
      if (doc::find_string(each, "key") != kHostLabel || doc::find_string(each, "operator") != "NotIn") continue;
      add_missing(each.get_object()["values"], hosts);
      return made;
    }
  }
  terms.get_array().front().get_object()["matchExpressions"].get_array().push_back(requirement);
  return made;
}

doc::Shared avoid_failed_hosts(const NodeTable& nodes, NodeIndex index, const api::WorkflowSpec& spec,
                               doc::Shared document) {
  const NodeIndex attempt = nodes[index].owner == Owner::kAttempt ? index : nodes[index].boundary;
  if (attempt == kNoNode || nodes[attempt].owner != Owner::kAttempt) return document;
  const NodeIndex retry = nodes[attempt].owner_node;
  if (!document->is_object() || !asks_for_other_hosts(nodes[retry], spec)) return document;
  const std::vector<std::string> hosts = failed_hosts(nodes, retry);
  if (hosts.empty()) return document;
  doc::Value made = *document;
  const doc::Value* own = doc::find(*document, "affinity");
  const bool has_own = own && !own->is_null();
  made.get_object()["affinity"] = with_hosts_avoided(has_own ? own : doc::find(*spec.document, "affinity"), hosts);
  return std::make_shared<const doc::Value>(std::move(made));
}

}  // namespace tiphys::engine
