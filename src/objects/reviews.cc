#include "objects/reviews.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "objects/token_life.h"

namespace tiphys::objects {
namespace {

using cluster::Resource;

constexpr std::string_view kAuthorization = "authorization.k8s.io";
constexpr std::string_view kAuthentication = "authentication.k8s.io";

constexpr Resource make(std::string_view group, std::string_view kind, std::string_view plural,
                        std::string_view singular, std::string_view qualified, bool namespaced = false) {
  return {.group = group,
          .version = "v1",
          .kind = kind,
          .plural = plural,
          .singular = singular,
          .qualified = qualified,
          .namespaced = namespaced};
}

constexpr Resource kSelfAccess = make(kAuthorization, "SelfSubjectAccessReview", "selfsubjectaccessreviews",
                                      "selfsubjectaccessreview", "selfsubjectaccessreviews.authorization.k8s.io");
constexpr Resource kAccess = make(kAuthorization, "SubjectAccessReview", "subjectaccessreviews", "subjectaccessreview",
                                  "subjectaccessreviews.authorization.k8s.io");
constexpr Resource kLocalAccess =
    make(kAuthorization, "LocalSubjectAccessReview", "localsubjectaccessreviews", "localsubjectaccessreview",
         "localsubjectaccessreviews.authorization.k8s.io", true);
constexpr Resource kSelfRules = make(kAuthorization, "SelfSubjectRulesReview", "selfsubjectrulesreviews",
                                     "selfsubjectrulesreview", "selfsubjectrulesreviews.authorization.k8s.io");
constexpr Resource kSelf = make(kAuthentication, "SelfSubjectReview", "selfsubjectreviews", "selfsubjectreview",
                                "selfsubjectreviews.authentication.k8s.io");
constexpr Resource kToken =
    make(kAuthentication, "TokenReview", "tokenreviews", "tokenreview", "tokenreviews.authentication.k8s.io");
constexpr std::array kAll{&kSelfAccess, &kAccess, &kLocalAccess, &kSelfRules, &kSelf, &kToken};

doc::Object user_object(const Caller& caller) {
  doc::Object user{{"username", caller.name}};
  if (!caller.uid.empty()) user["uid"] = caller.uid;
  if (!caller.groups.empty()) user["groups"] = doc::Array(caller.groups.begin(), caller.groups.end());
  if (!caller.extra.empty()) user["extra"] = caller.extra;
  return user;
}

Caller subject_of(const doc::Value& spec) {
  Caller caller{.name = std::string(doc::find_string(spec, "user")), .uid = std::string(doc::find_string(spec, "uid"))};
  if (const doc::Value* groups = doc::find(spec, "groups"); groups && groups->is_array()) {
    for (const doc::Value& group : groups->get_array()) caller.groups.push_back(doc::scalar_text(group));
  }
  return caller;
}

Outcome<doc::Value> answer_access(doc::Value question, const Resource& resource, const Caller& caller,
                                  const ReviewSources& sources) {
  const doc::Value* spec = doc::find(question, "spec");
  const doc::Value* object = spec ? doc::find(*spec, "resourceAttributes") : nullptr;
  const doc::Value* path = spec ? doc::find(*spec, "nonResourceAttributes") : nullptr;
  if ((object != nullptr) == (path != nullptr)) {
    return std::unexpected(refuse_invalid(
        resource, "",
        {schema::invalid("spec.resourceAttributes", doc::Value(),
                         "exactly one of nonResourceAttributes or resourceAttributes must be specified")}));
  }
  Attributes asked;
  if (object) {
    asked = {.verb = doc::find_string(*object, "verb"),
             .group = doc::find_string(*object, "group"),
             .resource = doc::find_string(*object, "resource"),
             .subresource = doc::find_string(*object, "subresource"),
             .ns = doc::find_string(*object, "namespace"),
             .name = doc::find_string(*object, "name")};
  } else {
    asked = {.verb = doc::find_string(*path, "verb"), .path = doc::find_string(*path, "path")};
  }
  const Decision decision = sources.authorizer ? sources.authorizer->decide(caller, asked) : Decision{true, ""};
  doc::Object status{{"allowed", decision.allowed}};
  if (!decision.reason.empty()) status["reason"] = decision.reason;
  question.get_object()["status"] = std::move(status);
  return question;
}

doc::Value answer_rules(doc::Value question, const Caller& caller, const ReviewSources& sources) {
  Authorizer::Rules rules;
  if (sources.authorizer) rules = sources.authorizer->rules_of(caller, doc::find_string(question, "spec", "namespace"));
  question.get_object()["status"] = doc::Object{{"resourceRules", std::move(rules.resource_rules)},
                                                {"nonResourceRules", std::move(rules.path_rules)},
                                                {"incomplete", false}};
  return question;
}

doc::Value answer_token(doc::Value question, const ReviewSources& sources) {
  const std::string token(doc::find_string(question, "spec", "token"));
  const auto known = sources.tokens ? sources.tokens->verify(token, sources.now)
                                    : Result<ServiceToken>(fail(Code::kUnauthenticated, "there are no such tokens"));
  std::vector<std::string> wanted;
  if (const doc::Value* given = doc::find(question, "spec", "audiences"); given && given->is_array()) {
    for (const doc::Value& audience : given->get_array()) wanted.push_back(doc::scalar_text(audience));
  }
  const auto audiences = known ? common_audiences(*known, wanted) : std::vector<std::string>();
  doc::Object status;
  if (!audiences.empty() && is_bound_to_what_exists(*known, *sources.store)) {
    status["authenticated"] = true;
    status["user"] = user_object(service_account(known->ns, known->name, known->uid));
    status["audiences"] = doc::Array(audiences.begin(), audiences.end());
  } else {
    status["user"] = doc::Object();
    status["error"] = !known              ? known.error().message
                      : audiences.empty() ? "the token is for other audiences"
                                          : "what the token is bound to is not there any more";
  }
  question.get_object()["status"] = std::move(status);
  return question;
}

}  // namespace

std::span<const Resource* const> review_resources() {
  return kAll;
}

bool is_review(const Resource& resource) {
  return std::ranges::find(kAll, &resource) != kAll.end();
}

Outcome<doc::Value> answer_review(const Resource& resource, std::string_view ns, doc::Value question,
                                  const Caller& caller, const ReviewSources& sources) {
  if (&resource == &kSelfAccess) return answer_access(std::move(question), resource, caller, sources);
  if (&resource == &kSelfRules) return answer_rules(std::move(question), caller, sources);
  if (&resource == &kToken) return answer_token(std::move(question), sources);
  if (&resource == &kSelf) {
    question.get_object()["status"] = doc::Object{{"userInfo", user_object(caller)}};
    return question;
  }
  const doc::Value* spec = doc::find(question, "spec");
  const Caller subject = spec ? subject_of(*spec) : Caller{};
  if (&resource == &kLocalAccess && doc::find_string(question, "spec", "resourceAttributes", "namespace") != ns) {
    return std::unexpected(bad_request(fmt::format("spec.resourceAttributes.namespace must match namespace: {}", ns)));
  }
  return answer_access(std::move(question), resource, subject, sources);
}

}  // namespace tiphys::objects
