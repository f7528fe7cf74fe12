// Who may do what: roles, reviews, tokens.
#include <gmock/gmock.h>

#include "jose/key.h"
#include "objects/rbac.h"
#include "objects/rbac_rules.h"
#include "objects/reviews.h"
#include "objects/testing.h"
#include "objects/token_life.h"

namespace tiphys::objects {
namespace {

using ::testing::HasSubstr;

class AccessTest : public ::testing::Test {
 protected:
  AccessTest() {
    for (auto& [resource, object] : bootstrap_policy()) {
      EXPECT_TRUE(store_.create(*resource, std::move(object)).has_value());
    }
    put("{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: reader}, rules: [{apiGroups: [''], "
        "resources: [pods, pods/log], verbs: [get, list]}, {apiGroups: [''], resources: [configmaps], resourceNames: "
        "[one], verbs: ['*']}]}");
    put("{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: readers}, roleRef: {kind: "
        "Role, "
        "name: reader, apiGroup: rbac.authorization.k8s.io}, subjects: [{kind: User, name: ann}, {kind: "
        "ServiceAccount, "
        "name: robot}]}");
    put("{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: viewers}, roleRef: "
        "{kind: "
        "ClusterRole, name: view, apiGroup: rbac.authorization.k8s.io}, subjects: [{kind: Group, name: viewers}]}");
    put("{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: editors}, roleRef: {kind: "
        "ClusterRole, name: edit, apiGroup: rbac.authorization.k8s.io}, subjects: [{kind: Group, name: editors}]}");
    rbac_ = std::move(*Rbac::start(store_.executor(), store_.store()));
  }

  void put(std::string_view yaml) {
    doc::Value object = parse_one(yaml);
    const auto* resource =
        cluster::find_resource(doc::find_string(object, "apiVersion"), doc::find_string(object, "kind"));
    if (resource->namespaced) object.at("metadata").as_object()["namespace"] = "default";
    EXPECT_TRUE(store_.create(*resource, std::move(object)).has_value());
    store_.run();
  }

  store::TestStore store_;
  std::unique_ptr<Rbac> rbac_;
};

TEST_F(AccessTest, IsWhatTheRolesSay) {
  struct Row {
    const char* rule;
    Caller caller;
    Attributes asked;
    bool allowed;
  };
  const Caller ann{.name = "ann"}, bob{.name = "bob"}, root{.name = "root", .groups = {"system:masters"}};
  const Caller viewer{.name = "v", .groups = {"viewers"}}, editor{.name = "e", .groups = {"editors"}};
  const Row rows[] = {
      {"a role", ann, {.verb = "get", .resource = "pods", .ns = "default", .name = "p"}, true},
      {"another verb", ann, {.verb = "delete", .resource = "pods", .ns = "default", .name = "p"}, false},
      {"another namespace", ann, {.verb = "get", .resource = "pods", .ns = "other"}, false},
      {"all namespaces", ann, {.verb = "list", .resource = "pods"}, false},
      {"a subresource", ann, {.verb = "get", .resource = "pods", .subresource = "log", .ns = "default"}, true},
      {"another subresource", ann, {.verb = "get", .resource = "pods", .subresource = "exec", .ns = "default"}, false},
      {"another group", ann, {.verb = "get", .group = "apps", .resource = "pods", .ns = "default"}, false},
      {"the named one", ann, {.verb = "update", .resource = "configmaps", .ns = "default", .name = "one"}, true},
      {"not another", ann, {.verb = "update", .resource = "configmaps", .ns = "default", .name = "two"}, false},
      {"nobody", bob, {.verb = "get", .resource = "pods", .ns = "default"}, false},
      {"a master", root, {.verb = "delete", .group = "x", .resource = "y"}, true},
      {"a service account",
       service_account("default", "robot", "u"),
       {.verb = "get", .resource = "pods", .ns = "default"},
       true},
      {"its namesake",
       service_account("other", "robot", "u"),
       {.verb = "get", .resource = "pods", .ns = "default"},
       false},
      {"an aggregated role", viewer, {.verb = "list", .group = "argoproj.io", .resource = "workflows"}, true},
      {"which has no secrets", viewer, {.verb = "get", .resource = "secrets", .ns = "default"}, false},
      {"edit in a namespace",
       editor,
       {.verb = "create", .resource = "pods", .subresource = "exec", .ns = "default"},
       true},
      {"and not beyond", editor, {.verb = "create", .resource = "pods", .ns = "other"}, false},
      {"a path",
       {.name = "x", .groups = {"system:authenticated"}},
       {.verb = "get", .path = "/openapi/v3/api/v1"},
       true},
      {"a path of nobody", bob, {.verb = "get", .path = "/openapi/v3"}, false},
  };
  for (const Row& row : rows) EXPECT_EQ(rbac_->decide(row.caller, row.asked).allowed, row.allowed) << row.rule;
}

TEST_F(AccessTest, NobodyGivesWhatHeHasNot) {
  struct Row {
    const char* rule;
    Caller caller;
    const char* object;
    const char* message;  ///< "": it may be done
  };
  const Caller ann{.name = "ann", .groups = {"system:authenticated"}},
      root{.name = "root", .groups = {"system:masters"}};
  const Row rows[] = {
      {"a role of what one has", ann, "kind: Role, rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]", ""},
      {"a role of more", ann,
       "kind: Role, rules: [{apiGroups: [''], resources: [pods, secrets], verbs: [get, delete]}]",
       "roles.rbac.authorization.k8s.io \"new\" is forbidden: user \"ann\" (groups=[\"system:authenticated\"]) is "
       "attempting to grant RBAC permissions not currently held:\n"
       "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"delete\"]}\n"
       "{APIGroups:[\"\"], Resources:[\"secrets\"], Verbs:[\"get\" \"delete\"]}"},
      {"a named object", ann,
       "kind: Role, rules: [{apiGroups: [''], resources: [configmaps], resourceNames: [one], verbs: [update]}]", ""},
      {"all of its kind", ann, "kind: Role, rules: [{apiGroups: [''], resources: [configmaps], verbs: [update]}]",
       "{APIGroups:[\"\"], Resources:[\"configmaps\"], Verbs:[\"update\"]}"},
      {"everything", root, "kind: Role, rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]", ""},
      {"a binding to one's own role", ann,
       "kind: RoleBinding, roleRef: {kind: Role, name: reader}, subjects: [{kind: User, name: bob}]", ""},
      {"a binding to more", ann,
       "kind: RoleBinding, roleRef: {kind: ClusterRole, name: edit}, subjects: [{kind: User, name: ann}]",
       "is attempting to grant RBAC permissions not currently held"},
      {"a binding to nothing", ann,
       "kind: RoleBinding, roleRef: {kind: Role, name: none}, subjects: [{kind: User, name: ann}]",
       "rolebindings.rbac.authorization.k8s.io \"none\" not found"},
  };
  const Kinds kinds;
  for (const Row& row : rows) {
    doc::Value object = parse_one(std::string("{metadata: {name: new}, ") + row.object + "}");
    const Target target{.kind = kinds.find_kind("rbac.authorization.k8s.io/v1", doc::find_string(object, "kind")),
                        .ns = "default",
                        .caller = std::make_shared<const Caller>(row.caller)};
    const auto granted = check_grants(target, rbac_.get(), store_.store(), nullptr, object);
    EXPECT_EQ(granted.has_value(), *row.message == 0) << row.rule;
    EXPECT_THAT(granted ? "" : granted.error().message, HasSubstr(row.message)) << row.rule;
    EXPECT_TRUE(check_grants(target, rbac_.get(), store_.store(), &object, object)) << row.rule;
  }
}

TEST_F(AccessTest, FollowsChanges) {
  const Caller bob{.name = "bob"};
  const Attributes asked{.verb = "list", .group = "example.com", .resource = "lamps", .ns = "default"};
  EXPECT_FALSE(rbac_->decide(bob, asked).allowed);
  put("{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: b}, roleRef: {kind: ClusterRole, "
      "name: "
      "view}, subjects: [{kind: User, name: bob}]}");
  EXPECT_FALSE(rbac_->decide(bob, asked).allowed);
  put("{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: lamps, labels: "
      "{rbac.authorization.k8s.io/aggregate-to-view: 'true'}}, rules: [{apiGroups: [example.com], resources: ['*'], "
      "verbs: "
      "[list]}]}");
  EXPECT_TRUE(rbac_->decide(bob, asked).allowed) << "the role was added to";
  ASSERT_TRUE(store_.remove({&cluster::kRoleBindings, "default", "b"}).has_value());
  store_.run();
  EXPECT_FALSE(rbac_->decide(bob, asked).allowed);
}

TEST_F(AccessTest, HoldsForEveryWayIn) {
  const Kinds kinds;
  ObjectApi api({.executor = store_.executor(), .store = store_.store(), .kinds = kinds, .authorizer = rbac_.get()});
  Target pods{.kind = kinds.find_kind("v1", "Pod"), .ns = "default", .name = "p"};
  pods.caller = std::make_shared<const Caller>(Caller{.name = "ann"});
  std::vector<std::string> refused;
  const auto note = [&](const char* what, const auto& outcome) {
    if (!outcome && outcome.error().code == 403) refused.emplace_back(what);
  };
  api.get(pods, [&](const auto& outcome) { note("get", outcome); });
  api.list(pods, {}, [&](const auto& outcome) { note("list", outcome); });
  api.create(pods, doc::Object(), {}, [&](const auto& outcome) { note("create", outcome); });
  api.update(pods, doc::Object(), {}, [&](const auto& outcome) { note("update", outcome); });
  api.patch(pods, cluster::PatchType::kMerge, doc::Object(), {}, [&](const auto& outcome) { note("patch", outcome); });
  api.remove(pods, {}, [&](const auto& outcome) { note("delete", outcome); });
  api.remove_all(pods, {}, {}, [&](const auto& outcome) { note("deletecollection", outcome); });
  store_.run();
  EXPECT_THAT(refused, ::testing::ElementsAre("create", "update", "patch", "delete", "deletecollection"));
  EXPECT_FALSE(api.allow(pods, "watch").has_value());
  EXPECT_EQ(api.allow(pods, "delete").error().message,
            "pods \"p\" is forbidden: User \"ann\" cannot delete resource \"pods\" in API group \"\" in the namespace "
            "\"default\"");
}

TEST_F(AccessTest, IsToldByReviews) {
  const Kinds kinds;
  const auto ask = [&](const char* kind, const char* group, const char* question, const Caller& caller) {
    const KindPtr found = kinds.find_kind(std::string(group) + "/v1", kind);
    const auto answer =
        answer_review(*found->resource, "default", parse_one(question), caller, {.authorizer = rbac_.get()});
    return answer ? doc::to_json(*doc::find(*answer, "status")) : answer.error().message;
  };
  const Caller ann{.name = "ann", .groups = {"system:authenticated"}};
  const char* pods = "{spec: {resourceAttributes: {verb: get, resource: pods, namespace: default}}}";
  EXPECT_THAT(
      ask("SelfSubjectAccessReview", "authorization.k8s.io", pods, ann),
      HasSubstr(R"({"allowed":true,"reason":"RBAC: allowed by RoleBinding \"readers\" of Role \"reader\" to ann"})"));
  EXPECT_EQ(ask("SelfSubjectAccessReview", "authorization.k8s.io", pods, {.name = "bob"}), R"({"allowed":false})");
  EXPECT_EQ(
      ask("SubjectAccessReview", "authorization.k8s.io",
          "{spec: {user: bob, groups: [editors], resourceAttributes: {verb: create, resource: pods, namespace: x}}}",
          ann),
      R"({"allowed":false})");
  EXPECT_THAT(ask("SelfSubjectAccessReview", "authorization.k8s.io", "{spec: {}}", ann), HasSubstr("exactly one of"));
  EXPECT_THAT(ask("SelfSubjectRulesReview", "authorization.k8s.io", "{spec: {namespace: default}}", ann),
              HasSubstr(R"({"verbs":["get","list"],"apiGroups":[""],"resources":["pods","pods/log"]})"));
  EXPECT_EQ(ask("SelfSubjectReview", "authentication.k8s.io", "{}", ann),
            R"({"userInfo":{"username":"ann","groups":["system:authenticated"]}})");
}

TEST(ServiceTokens, AreKnownAgainUntilTheyExpire) {
  const auto key = jose::make_ec_key();
  ASSERT_TRUE(key.has_value());
  const auto tokens = ServiceTokens::make(*key);
  ASSERT_TRUE(tokens.has_value()) << tokens.error().message;
  const Time noon{std::chrono::hours(12)};
  const auto text = (*tokens)->sign(
      {.ns = "n", .name = "robot", .uid = "u-1", .issued = noon, .expires = noon + std::chrono::hours(1)});
  ASSERT_TRUE(text.has_value());
  const auto known = (*tokens)->verify(*text, noon);
  ASSERT_TRUE(known.has_value()) << known.error().message;
  EXPECT_EQ(known->ns + "/" + known->name + "/" + known->uid, "n/robot/u-1");
  EXPECT_FALSE((*tokens)->verify(*text, noon + std::chrono::hours(2)).has_value());

  std::string damaged = *text;
  damaged[damaged.find('.') + 5] ^= 1;
  EXPECT_FALSE((*tokens)->verify(damaged, noon).has_value());
  const auto other = ServiceTokens::make(*jose::make_ec_key());
  EXPECT_FALSE((*other)->verify(*text, noon).has_value());
  for (const char* nonsense : {"", ".", "a.b.c", "..."}) EXPECT_FALSE((*tokens)->verify(nonsense, noon).has_value());
  EXPECT_FALSE(ServiceTokens::make("no key").has_value());
}

TEST(ServiceTokens, EndWithWhatTheyAreBoundTo) {
  TestApi api;
  const auto uid_of = [&](const cluster::Resource& resource, const char* name) {
    return std::string(doc::find_string(**api.store().store().newest({&resource, "default", name}), "metadata", "uid"));
  };
  ASSERT_TRUE(api.store().create(cluster::kServiceAccounts, parse_one("{metadata: {name: a, namespace: default}}")));
  ASSERT_TRUE(api.store().create(cluster::kPods, parse_one("{metadata: {name: p, namespace: default}}")));
  const ServiceToken plain{.ns = "default", .name = "a", .uid = uid_of(cluster::kServiceAccounts, "a")};
  ServiceToken bound = plain;
  bound.pod_name = "p";
  bound.pod_uid = uid_of(cluster::kPods, "p");
  ServiceToken of_another = bound;
  of_another.pod_uid = "u";
  const auto holds = [&](const ServiceToken& token) { return is_bound_to_what_exists(token, api.store().store()); };
  EXPECT_TRUE(holds(plain));
  EXPECT_TRUE(holds(bound));
  EXPECT_FALSE(holds(of_another)) << "another pod of the same name";
  ASSERT_TRUE(api.store().remove({&cluster::kPods, "default", "p"}, {.grace_seconds = 0}));
  EXPECT_TRUE(holds(plain));
  EXPECT_FALSE(holds(bound));
  ASSERT_TRUE(api.store().remove({&cluster::kServiceAccounts, "default", "a"}));
  EXPECT_FALSE(holds(plain));
}

TEST(ServiceTokens, KeepTheirPodAndAudiences) {
  const auto tokens = ServiceTokens::make(*jose::make_ec_key());
  const Time noon{std::chrono::hours(12)};
  const auto known = (*tokens)->verify(*(*tokens)->sign({.ns = "n",
                                                         .name = "robot",
                                                         .uid = "u-1",
                                                         .pod_name = "p",
                                                         .pod_uid = "u-2",
                                                         .audiences = {"vault"},
                                                         .issued = noon,
                                                         .expires = noon + std::chrono::hours(1)}),
                                       noon);
  ASSERT_TRUE(known.has_value());
  EXPECT_EQ(known->pod_name + "/" + known->pod_uid, "p/u-2");
  EXPECT_TRUE(common_audiences(*known, {}).empty()) << "it is not for the API";
  const std::vector<std::string> wanted{"other", "vault"};
  EXPECT_EQ(common_audiences(*known, wanted), std::vector<std::string>{"vault"});
}

}  // namespace
}  // namespace tiphys::objects
