#include "objects/rbac_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "cluster/selector.h"
#include "objects/pod_spec_parts.h"
#include "objects/selector_rules.h"
#include "objects/workload_rules.h"

namespace tiphys::objects {
namespace {

using schema::FieldErrors;
using schema::Path;

constexpr std::string_view kGroup = "rbac.authorization.k8s.io";

const doc::Array& list_at(const doc::Value& object, std::string_view member) {
  static const doc::Array kNone;
  const doc::Value* found = doc::find(object, member);
  return found && found->is_array() ? found->get_array() : kNone;
}

// Roles

void check_rules(const doc::Value& role, bool of_namespace, FieldErrors& errors) {
  const Path root;
  each_element(role, "rules", root, [&](const doc::Value& rule, const Path& here) {
    if (list_at(rule, "verbs").empty()) {
      errors.push_back(schema::required(here.field("verbs").text(), "verbs must contain at least one value"));
    }
    const doc::Array& paths = list_at(rule, "nonResourceURLs");
    if (!paths.empty()) {
      const std::string at = here.field("nonResourceURLs").text();
      if (of_namespace) {
        errors.push_back(schema::invalid(at, paths, "namespaced rules cannot apply to non-resource URLs"));
      }
      const bool both = !list_at(rule, "apiGroups").empty() || !list_at(rule, "resources").empty() ||
                        !list_at(rule, "resourceNames").empty();
      if (both) {
        errors.push_back(
            schema::invalid(at, paths, "rules cannot apply to both regular resources and non-resource URLs"));
      }
      return;
    }
    if (list_at(rule, "apiGroups").empty()) {
      errors.push_back(
          schema::required(here.field("apiGroups").text(), "resource rules must supply at least one api group"));
    }
    if (list_at(rule, "resources").empty()) {
      errors.push_back(
          schema::required(here.field("resources").text(), "resource rules must supply at least one resource"));
    }
  });
}

void check_role(const doc::Value& role, FieldErrors& errors) {
  check_rules(role, true, errors);
}

void check_cluster_role(const doc::Value& role, FieldErrors& errors) {
  check_rules(role, false, errors);
  const doc::Value* aggregation = doc::find(role, "aggregationRule");
  if (aggregation && list_at(*aggregation, "clusterRoleSelectors").empty()) {
    errors.push_back(schema::required("aggregationRule.clusterRoleSelectors",
                                      "at least one clusterRoleSelector required if aggregationRule is non-nil"));
  }
  if (!aggregation) return;
  const schema::Path root;
  const schema::Path rule = root.field("aggregationRule");
  const schema::Path selectors = rule.field("clusterRoleSelectors");
  std::size_t i = 0;
  for (const doc::Value& selector : list_at(*aggregation, "clusterRoleSelectors")) {
    const schema::Path at = selectors.index(i++);
    check_label_selector(&selector, at, errors);
    if (cluster::Selector::from_label_selector(selector)) continue;
    errors.push_back(schema::invalid(at.text(), doc::Value(), "invalid label selector."));
  }
}

// Bindings

void fill_binding(doc::Object& binding) {
  fill_in(doc::ensure_object(binding, "roleRef"), "apiGroup", doc::Value(kGroup));
  doc::Value* subjects = binding.if_contains("subjects");
  if (!subjects || !subjects->is_array()) return;
  for (doc::Value& subject : subjects->get_array()) {
    const auto kind = doc::find_string(subject, "kind");
    if (kind == "User" || kind == "Group") fill_in(subject.get_object(), "apiGroup", doc::Value(kGroup));
  }
}

void check_subject(const doc::Value& subject, bool of_namespace, const Path& at, FieldErrors& errors) {
  const auto name = doc::find_string(subject, "name"), kind = doc::find_string(subject, "kind");
  const auto group = doc::find_string(subject, "apiGroup");
  if (name.empty()) errors.push_back(schema::required(at.field("name").text()));
  if (kind == "ServiceAccount") {
    if (!name.empty()) complain(doc::Value(name), at.field("name"), dns_subdomain(name), errors);
    if (!group.empty()) {
      errors.push_back(schema::not_supported(at.field("apiGroup").text(), doc::Value(group), {""}));
    }
    if (!of_namespace && doc::find_string(subject, "namespace").empty()) {
      errors.push_back(schema::required(at.field("namespace").text()));
    }
  } else if (kind == "User" || kind == "Group") {
    if (group != kGroup) {
      errors.push_back(schema::not_supported(at.field("apiGroup").text(), doc::Value(group), {std::string(kGroup)}));
    }
  } else {
    errors.push_back(
        schema::not_supported(at.field("kind").text(), doc::Value(kind), {"ServiceAccount", "User", "Group"}));
  }
}

void check_binding_of(const doc::Value& binding, bool of_namespace, FieldErrors& errors) {
  static const doc::Value kNothing = doc::Object();
  const doc::Value* found = doc::find(binding, "roleRef");
  const doc::Value& role = found ? *found : kNothing;
  if (const auto group = doc::find_string(role, "apiGroup"); group != kGroup) {
    errors.push_back(schema::not_supported("roleRef.apiGroup", doc::Value(group), {std::string(kGroup)}));
  }
  const auto kind = doc::find_string(role, "kind");
  if (kind != "ClusterRole" && !(of_namespace && kind == "Role")) {
    errors.push_back(schema::not_supported(
        "roleRef.kind", doc::Value(kind),
        of_namespace ? std::vector<std::string>{"Role", "ClusterRole"} : std::vector<std::string>{"ClusterRole"}));
  }
  if (const auto name = doc::find_string(role, "name"); name.empty()) {
    errors.push_back(schema::required("roleRef.name"));
  } else {
    const Path root;
    const Path at = root.field("roleRef");
    complain(doc::Value(name), at.field("name"), path_segment(name), errors);
  }
  each_element(binding, "subjects", Path(), [&](const doc::Value& subject, const Path& here) {
    check_subject(subject, of_namespace, here, errors);
  });
}

void check_role_binding(const doc::Value& binding, FieldErrors& errors) {
  check_binding_of(binding, true, errors);
}

void check_cluster_role_binding(const doc::Value& binding, FieldErrors& errors) {
  check_binding_of(binding, false, errors);
}

void check_binding_update(const doc::Value& before, const doc::Value& after, FieldErrors& errors) {
  for (const char* member : {"apiGroup", "kind", "name"}) {
    if (doc::find_string(before, "roleRef", member) == doc::find_string(after, "roleRef", member)) continue;
    const doc::Value role(doc::Object{{"APIGroup", doc::find_string(after, "roleRef", "apiGroup")},
                                      {"Kind", doc::find_string(after, "roleRef", "kind")},
                                      {"Name", doc::find_string(after, "roleRef", "name")}});
    return errors.push_back(schema::invalid("roleRef", role, "cannot change roleRef"));
  }
}

// Grants

const cluster::Object* find_role(const std::vector<cluster::Object>& roles, std::string_view ns,
                                 std::string_view name) {
  const auto found = std::ranges::find_if(roles, [&](const cluster::Object& role) {
    return doc::find_string(*role, "metadata", "name") == name &&
           doc::find_string(*role, "metadata", "namespace") == ns;
  });
  return found == roles.end() ? nullptr : &*found;
}

/// All that a role allows, through other roles too.
doc::Array rules_of(const doc::Value& role, const std::vector<cluster::Object>& cluster_roles) {
  doc::Array rules = list_at(role, "rules");
  const doc::Value* aggregation = doc::find(role, "aggregationRule");
  if (!aggregation) return rules;
  for (const doc::Value& selector : list_at(*aggregation, "clusterRoleSelectors")) {
    const auto parsed = cluster::Selector::from_label_selector(selector);
    if (!parsed) continue;
    for (const cluster::Object& other : cluster_roles) {
      if (!parsed->matches_labels(*other)) continue;
      for (const doc::Value& rule : list_at(*other, "rules")) rules.push_back(rule);
    }
  }
  return rules;
}

std::string shown(std::string_view text) {
  return doc::to_json(doc::Value(text));
}

/// The part of a rule that the caller does not have, as Kubernetes shows rules.
class Missing {
 public:
  Missing(const Caller& caller, const Authorizer& authorizer, std::string_view ns)
      : caller_(caller), authorizer_(authorizer), ns_(ns) {}

  void look_at(const doc::Value& rule) {
    for (const doc::Value& path : list_at(rule, "nonResourceURLs")) {
      std::string verbs;
      for (const doc::Value& verb : list_at(rule, "verbs")) {
        const std::string of = doc::scalar_text(path), what = doc::scalar_text(verb);
        add(verbs, what, {.verb = what, .path = of});
      }
      if (!verbs.empty()) {
        found_.push_back(fmt::format("{{NonResourceURLs:[{}], Verbs:[{}]}}", shown(doc::scalar_text(path)), verbs));
      }
    }
    for (const doc::Value& group : list_at(rule, "apiGroups")) {
      for (const doc::Value& resource : list_at(rule, "resources")) {
        look_at(rule, doc::scalar_text(group), doc::scalar_text(resource));
      }
    }
  }
  const std::vector<std::string>& found() const { return found_; }

 private:
  void add(std::string& verbs, const std::string& verb, const Attributes& asked) {
    if (authorizer_.decide(caller_, asked).allowed) return;
    verbs += (verbs.empty() ? "" : " ") + shown(verb);
  }

  void look_at(const doc::Value& rule, const std::string& group, const std::string& resource) {
    static const doc::Array kAnyName{""};
    const doc::Array& names = list_at(rule, "resourceNames");
    const std::string_view whole = resource;
    const auto slash = whole.find('/');
    for (const doc::Value& one : names.empty() ? kAnyName : names) {
      const std::string name = doc::scalar_text(one);
      std::string verbs;
      for (const doc::Value& verb : list_at(rule, "verbs")) {
        const std::string what = doc::scalar_text(verb);
        add(verbs, what,
            {.verb = what,
             .group = group,
             .resource = whole.substr(0, slash),
             .subresource = slash == whole.npos ? std::string_view() : whole.substr(slash + 1),
             .ns = ns_,
             .name = name});
      }
      if (verbs.empty()) continue;
      const std::string of = name.empty() ? "" : fmt::format(", ResourceNames:[{}]", shown(name));
      found_.push_back(
          fmt::format("{{APIGroups:[{}], Resources:[{}]{}, Verbs:[{}]}}", shown(group), shown(resource), of, verbs));
    }
  }

  const Caller& caller_;
  const Authorizer& authorizer_;
  std::string ns_;
  std::vector<std::string> found_;
};

}  // namespace

const KindRules kRoleRules{nullptr, check_role, nullptr};
const KindRules kClusterRoleRules{nullptr, check_cluster_role, nullptr};
const KindRules kRoleBindingRules{fill_binding, check_role_binding, check_binding_update};
const KindRules kClusterRoleBindingRules{fill_binding, check_cluster_role_binding, check_binding_update};

Outcome<void> check_grants(const Target& target, const Authorizer* authorizer, store::Store& store,
                           const doc::Value* before, const doc::Value& after) {
  const cluster::Resource& resource = *target.kind->resource;
  if (!target.caller || !authorizer || resource.group != kGroup) return {};
  const bool binds = &resource == &cluster::kRoleBindings || &resource == &cluster::kClusterRoleBindings;
  const auto unchanged = [&](std::string_view member) {
    const doc::Value *old = before ? doc::find(*before, member) : nullptr, *now = doc::find(after, member);
    return before && (old ? *old : doc::Value()) == (now ? *now : doc::Value());
  };
  if (binds ? unchanged("subjects") : unchanged("rules") && unchanged("aggregationRule")) return {};
  const auto name = doc::find_string(after, "metadata", "name");
  auto roles = store.snapshot(cluster::kClusterRoles);
  if (!roles) return std::unexpected(refusal_of(roles.error()));
  doc::Value role = after;
  Attributes override{.verb = "escalate", .group = kGroup, .resource = resource.plural, .ns = target.ns, .name = name};
  std::string role_name(name);
  if (binds) {
    const bool of_cluster = doc::find_string(after, "roleRef", "kind") == "ClusterRole";
    role_name = doc::find_string(after, "roleRef", "name");
    override = {.verb = "bind",
                .group = kGroup,
                .resource = of_cluster ? cluster::kClusterRoles.plural : cluster::kRoles.plural,
                .ns = target.ns,
                .name = role_name};
    if (authorizer->decide(*target.caller, override).allowed) return {};
    const auto of_namespace = store.snapshot(cluster::kRoles);
    if (!of_namespace) return std::unexpected(refusal_of(of_namespace.error()));
    const cluster::Object* found =
        of_cluster ? find_role(*roles, "", role_name) : find_role(*of_namespace, target.ns, role_name);
    if (!found) {
      return std::unexpected(
          refusal_of(Error{Code::kNotFound, fmt::format("{} \"{}\" not found", resource.qualified, role_name)},
                     &resource, role_name));
    }
    role = **found;
  } else if (authorizer->decide(*target.caller, override).allowed) {
    return {};
  }
  Missing missing(*target.caller, *authorizer, target.ns);
  for (const doc::Value& rule : rules_of(role, *roles)) missing.look_at(rule);
  if (missing.found().empty()) return {};
  std::vector<std::string> groups;
  for (const std::string& group : target.caller->groups) groups.push_back(shown(group));
  return std::unexpected(refusal_of(
      Error{Code::kPermissionDenied,
            fmt::format("{} \"{}\" is forbidden: user {} (groups=[{}]) is attempting to grant RBAC permissions not "
                        "currently held:\n{}",
                        resource.qualified, name, shown(target.caller->name), join(groups, " "),
                        join(missing.found(), "\n"))},
      &resource, name));
}

}  // namespace tiphys::objects
