#include "objects/rbac.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "cluster/selector.h"

namespace tiphys::objects {
namespace {

const doc::Array& list_at(const doc::Value& object, std::string_view member) {
  static const doc::Array kNone;
  const doc::Value* found = doc::find(object, member);
  return found && found->is_array() ? found->get_array() : kNone;
}

bool has(const doc::Array& list, std::string_view text) {
  return std::ranges::any_of(list, [&](const doc::Value& one) {
    const auto* string = one.if_string();
    return string && std::string_view(*string) == text;
  });
}

bool has_or_all(const doc::Array& list, std::string_view text) {
  return has(list, "*") || has(list, text);
}

bool resource_matches(const doc::Array& resources, std::string_view resource, std::string_view subresource) {
  if (has(resources, "*")) return true;
  if (subresource.empty()) return has(resources, resource);
  return has(resources, fmt::format("{}/{}", resource, subresource)) ||
         has(resources, fmt::format("*/{}", subresource));
}

bool path_matches(const doc::Array& paths, std::string_view path) {
  return std::ranges::any_of(paths, [&](const doc::Value& one) {
    const auto* string = one.if_string();
    if (!string) return false;
    const std::string_view pattern = *string;
    return pattern == path || (pattern.ends_with('*') && path.starts_with(pattern.substr(0, pattern.size() - 1)));
  });
}

bool allows(const doc::Value& rule, const Attributes& asked) {
  if (!has_or_all(list_at(rule, "verbs"), asked.verb)) return false;
  if (!asked.path.empty()) return path_matches(list_at(rule, "nonResourceURLs"), asked.path);
  const doc::Array& names = list_at(rule, "resourceNames");
  return has_or_all(list_at(rule, "apiGroups"), asked.group) &&
         resource_matches(list_at(rule, "resources"), asked.resource, asked.subresource) &&
         (names.empty() || has(names, asked.name));
}

bool is_subject(const doc::Value& subject, const Caller& caller, std::string_view ns) {
  const auto kind = doc::find_string(subject, "kind");
  const auto name = doc::find_string(subject, "name");
  if (kind == "User") return caller.name == name;
  if (kind == "Group") return std::ranges::find(caller.groups, name) != caller.groups.end();
  if (kind != "ServiceAccount") return false;
  const auto given = doc::find_string(subject, "namespace");
  return caller.name == fmt::format("system:serviceaccount:{}:{}", given.empty() ? ns : given, name);
}

bool binds(const doc::Value& binding, const Caller& caller, std::string_view ns) {
  return std::ranges::any_of(list_at(binding, "subjects"),
                             [&](const doc::Value& subject) { return is_subject(subject, caller, ns); });
}

bool is_master(const Caller& caller) {
  return std::ranges::find(caller.groups, kMasters) != caller.groups.end();
}

}  // namespace

Result<std::unique_ptr<Rbac>> Rbac::start(Executor& executor, store::Store& store) {
  auto rbac = std::make_unique<Rbac>(executor, store);
  for (const cluster::Resource* resource :
       {&cluster::kRoles, &cluster::kRoleBindings, &cluster::kClusterRoles, &cluster::kClusterRoleBindings}) {
    const std::uint64_t version = store.resource_version();
    TIPHYS_CHECK_OK(rbac->load(*resource));
    rbac->follow(*resource, version);
  }
  return rbac;
}

Status Rbac::load(const cluster::Resource& resource) {
  TIPHYS_TRY(const auto objects, store_.snapshot(resource));
  Objects& place = objects_[&resource];
  place.clear();
  for (const cluster::Object& object : objects) {
    place[{std::string(doc::find_string(*object, "metadata", "namespace")),
           std::string(doc::find_string(*object, "metadata", "name"))}] = object;
  }
  aggregated_.clear();
  return {};
}

void Rbac::follow(const cluster::Resource& resource, std::uint64_t from) {
  cluster::WatchSink sink;
  sink.on_event = [this, &resource](const cluster::WatchEvent& event) {
    if (event.type == cluster::WatchEvent::Type::kSynced) return;
    const std::pair key{std::string(doc::find_string(*event.object, "metadata", "namespace")),
                        std::string(doc::find_string(*event.object, "metadata", "name"))};
    aggregated_.clear();
    if (event.type == cluster::WatchEvent::Type::kDeleted) {
      objects_[&resource].erase(key);
    } else {
      objects_[&resource][key] = event.object;
    }
  };
  sink.on_end = [this, &resource](const Error&) {
    executor_.post([this, &resource, alive = std::weak_ptr(alive_)] {
      if (alive.expired()) return;
      const std::uint64_t version = store_.resource_version();
      if (const Status loaded = load(resource); !loaded) log::error("{}: {}", resource.plural, loaded.error().message);
      follow(resource, version);
    });
  };
  watches_.push_back(store_.watch(resource, {.resource_version = from}, std::move(sink)));
}

const doc::Array* Rbac::rules_at(const doc::Value& binding, std::string_view ns) const {
  const bool of_cluster = doc::find_string(binding, "roleRef", "kind") == "ClusterRole";
  const auto resource = objects_.find(of_cluster ? &cluster::kClusterRoles : &cluster::kRoles);
  if (resource == objects_.end()) return nullptr;
  const std::string name(doc::find_string(binding, "roleRef", "name"));
  const auto role = resource->second.find({of_cluster ? "" : std::string(ns), name});
  if (role == resource->second.end()) return nullptr;
  const doc::Value* aggregation = doc::find(*role->second, "aggregationRule");
  if (!aggregation) return &list_at(*role->second, "rules");
  const auto known = aggregated_.find(name);
  if (known != aggregated_.end()) return &known->second;
  doc::Array rules;
  for (const doc::Value& selector : list_at(*aggregation, "clusterRoleSelectors")) {
    const auto parsed = cluster::Selector::from_label_selector(selector);
    if (!parsed) continue;
    for (const auto& [key, other] : resource->second) {
      if (!parsed->matches_labels(*other)) continue;
      for (const doc::Value& rule : list_at(*other, "rules")) rules.push_back(rule);
    }
  }
  return &(aggregated_[name] = std::move(rules));
}

template <typename Visit>
bool Rbac::visit_rules(const Caller& caller, std::string_view ns, Visit visit) const {
  const auto visit_bindings = [&](const cluster::Resource& resource, std::string_view where) {
    const auto bindings = objects_.find(&resource);
    if (bindings == objects_.end()) return false;
    const auto begin = bindings->second.lower_bound({std::string(where), ""});
    for (auto it = begin; it != bindings->second.end() && it->first.first == where; ++it) {
      if (!binds(*it->second, caller, where)) continue;
      const doc::Array* rules = rules_at(*it->second, where);
      if (!rules) continue;
      for (const doc::Value& rule : *rules) {
        if (visit(rule, *it->second)) return true;
      }
    }
    return false;
  };
  if (visit_bindings(cluster::kClusterRoleBindings, "")) return true;
  return !ns.empty() && visit_bindings(cluster::kRoleBindings, ns);
}

Decision Rbac::decide(const Caller& caller, const Attributes& asked) const {
  if (is_master(caller)) return {true, ""};
  Decision decision;
  decision.allowed = visit_rules(caller, asked.ns, [&](const doc::Value& rule, const doc::Value& binding) {
    if (!allows(rule, asked)) return false;
    decision.reason =
        fmt::format("RBAC: allowed by {} \"{}\" of {} \"{}\" to {}", doc::find_string(binding, "kind"),
                    doc::find_string(binding, "metadata", "name"), doc::find_string(binding, "roleRef", "kind"),
                    doc::find_string(binding, "roleRef", "name"), caller.name);
    return true;
  });
  return decision;
}

bool Rbac::is_bound(std::string_view ns, std::string_view account) const {
  const Caller caller{.name = fmt::format("system:serviceaccount:{}:{}", ns, account),
                      .groups = {fmt::format("system:serviceaccounts:{}", ns)}};
  for (const cluster::Resource* resource : {&cluster::kClusterRoleBindings, &cluster::kRoleBindings}) {
    const auto bindings = objects_.find(resource);
    if (bindings == objects_.end()) continue;
    for (const auto& [key, binding] : bindings->second) {
      if (binds(*binding, caller, key.first)) return true;
    }
  }
  return false;
}

Authorizer::Rules Rbac::rules_of(const Caller& caller, std::string_view ns) const {
  Rules found;
  const auto take = [&](const doc::Value& rule) {
    if (!list_at(rule, "nonResourceURLs").empty()) {
      found.path_rules.push_back(
          doc::Object{{"verbs", list_at(rule, "verbs")}, {"nonResourceURLs", list_at(rule, "nonResourceURLs")}});
    } else {
      doc::Object copy{{"verbs", list_at(rule, "verbs")},
                       {"apiGroups", list_at(rule, "apiGroups")},
                       {"resources", list_at(rule, "resources")}};
      if (const doc::Array& names = list_at(rule, "resourceNames"); !names.empty()) copy["resourceNames"] = names;
      found.resource_rules.push_back(std::move(copy));
    }
  };
  if (is_master(caller)) {
    const doc::Array all{"*"};
    take(doc::Object{{"verbs", all}, {"apiGroups", all}, {"resources", all}});
    take(doc::Object{{"verbs", all}, {"nonResourceURLs", all}});
  }
  visit_rules(caller, ns, [&](const doc::Value& rule, const doc::Value&) {
    take(rule);
    return false;
  });
  return found;
}

}  // namespace tiphys::objects
