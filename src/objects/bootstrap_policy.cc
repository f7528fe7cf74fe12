#include <fmt/format.h>

#include "objects/rbac.h"

namespace tiphys::objects {
namespace {

using Policy = std::vector<std::pair<const cluster::Resource*, doc::Value>>;

doc::Array words(std::initializer_list<const char*> list) {
  return doc::Array(list.begin(), list.end());
}

doc::Object rule(doc::Array groups, doc::Array resources, doc::Array verbs) {
  return {{"apiGroups", std::move(groups)}, {"resources", std::move(resources)}, {"verbs", std::move(verbs)}};
}

doc::Object metadata(const char* name) {
  return {{"name", name},
          {"labels", doc::Object{{"kubernetes.io/bootstrapping", "rbac-defaults"}}},
          {"annotations", doc::Object{{"rbac.authorization.kubernetes.io/autoupdate", "true"}}}};
}

void add_role(Policy& policy, const char* name, doc::Array rules, const char* aggregate_to = nullptr) {
  doc::Object about = metadata(name);
  if (aggregate_to) {
    about["labels"].as_object()[fmt::format("rbac.authorization.k8s.io/aggregate-to-{}", aggregate_to)] = "true";
  }
  policy.emplace_back(&cluster::kClusterRoles,
                      doc::Object{{"metadata", std::move(about)}, {"rules", std::move(rules)}});
}

/// A role of what others say they add to it: definitions of custom kinds bring such roles along.
void add_aggregate(Policy& policy, const char* name) {
  const doc::Object labels{{fmt::format("rbac.authorization.k8s.io/aggregate-to-{}", name), "true"}};
  doc::Object role{{"metadata", metadata(name)}, {"rules", doc::Array()}};
  role["aggregationRule"] = doc::Object{{"clusterRoleSelectors", doc::Array{doc::Object{{"matchLabels", labels}}}}};
  policy.emplace_back(&cluster::kClusterRoles, std::move(role));
}

void add_binding(Policy& policy, const char* role, std::initializer_list<const char*> groups) {
  doc::Array subjects;
  for (const char* group : groups) {
    subjects.push_back(doc::Object{{"kind", "Group"}, {"apiGroup", "rbac.authorization.k8s.io"}, {"name", group}});
  }
  policy.emplace_back(
      &cluster::kClusterRoleBindings,
      doc::Object{
          {"metadata", metadata(role)},
          {"roleRef", doc::Object{{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "ClusterRole"}, {"name", role}}},
          {"subjects", std::move(subjects)}});
}

const char* const kWrites[] = {"create", "delete", "deletecollection", "patch", "update"};
const char* const kReads[] = {"get", "list", "watch"};

doc::Array writes() {
  return doc::Array(std::begin(kWrites), std::end(kWrites));
}
doc::Array reads() {
  return doc::Array(std::begin(kReads), std::end(kReads));
}

/// Not "*", which would be "escalate" and "bind" too: who may write roles gives away nothing but what they may
/// themselves.
doc::Array reads_and_writes() {
  doc::Array verbs = reads();
  for (const char* verb : kWrites) verbs.emplace_back(verb);
  return verbs;
}

/// What people see, what they change, and what only those who may read secrets see.
doc::Array plain_core() {
  return words({"configmaps", "endpoints", "events", "persistentvolumeclaims", "pods", "pods/log", "pods/status",
                "serviceaccounts", "services", "limitranges", "resourcequotas", "namespaces"});
}

}  // namespace

Policy bootstrap_policy() {
  Policy policy;
  const auto all = [] { return words({"*"}); };
  add_role(policy, "cluster-admin",
           {rule(all(), all(), all()), doc::Object{{"nonResourceURLs", all()}, {"verbs", all()}}});
  add_binding(policy, "cluster-admin", {"system:masters"});
  for (const char* name : {"admin", "edit", "view"}) add_aggregate(policy, name);

  const auto groups = [] { return words({"apps", "batch", "argoproj.io", "policy", "networking.k8s.io"}); };
  add_role(policy, "system:aggregate-to-view",
           {rule(words({""}), plain_core(), reads()), rule(groups(), all(), reads())}, "view");
  add_role(policy, "system:aggregate-to-edit",
           {rule(words({""}), plain_core(), reads()), rule(groups(), all(), reads()),
            rule(words({""}),
                 words({"configmaps", "endpoints", "events", "persistentvolumeclaims", "pods", "pods/attach",
                        "pods/exec", "pods/portforward", "pods/eviction", "secrets", "serviceaccounts", "services"}),
                 writes()),
            rule(words({""}), words({"pods/attach", "pods/exec", "pods/portforward", "secrets"}), reads()),
            rule(words({""}), words({"serviceaccounts/token"}), words({"create"})), rule(groups(), all(), writes()),
            rule(words({"coordination.k8s.io"}), words({"leases"}), reads_and_writes())},
           "edit");
  doc::Array admin = policy.back().second.at("rules").as_array();
  admin.push_back(rule(words({"rbac.authorization.k8s.io"}), words({"roles", "rolebindings"}), reads_and_writes()));
  admin.push_back(rule(words({"authorization.k8s.io"}), words({"localsubjectaccessreviews"}), words({"create"})));
  add_role(policy, "system:aggregate-to-admin", std::move(admin), "admin");

  add_role(policy, "system:basic-user",
           {rule(words({"authorization.k8s.io"}), words({"selfsubjectaccessreviews", "selfsubjectrulesreviews"}),
                 words({"create"})),
            rule(words({"authentication.k8s.io"}), words({"selfsubjectreviews"}), words({"create"}))});
  add_binding(policy, "system:basic-user", {"system:authenticated"});
  add_role(policy, "system:discovery",
           {doc::Object{{"nonResourceURLs", words({"/", "/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez",
                                                   "/openapi", "/openapi/*", "/readyz", "/version", "/version/"})},
                        {"verbs", words({"get"})}}});
  add_binding(policy, "system:discovery", {"system:authenticated"});
  return policy;
}

}  // namespace tiphys::objects
