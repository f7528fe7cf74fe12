#include "server/sso/person.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "base/log.h"
#include "jose/signed_token.h"

namespace tiphys::server {
namespace {

Result<std::vector<std::string>> texts_at(const doc::Value& document, std::string_view member) {
  std::vector<std::string> texts;
  const doc::Value* list = doc::find(document, member);
  if (!list || list->is_null()) return texts;
  if (!list->is_array()) return fail(Code::kInvalidArgument, fmt::format("{} is no list of texts", member));
  for (const doc::Value& each : list->get_array()) {
    if (!each.is_string()) return fail(Code::kInvalidArgument, fmt::format("{} is no list of texts", member));
    texts.emplace_back(each.get_string());
  }
  return texts;
}

/// A provider that names groups in another claim may leave it out of some people's tokens.
std::vector<std::string> custom_groups(const doc::Value& claims, const std::string& claim) {
  if (!doc::find(claims, claim)) {
    log::warn("sso: no claim found for key: {}", claim);
    return {};
  }
  auto groups = texts_at(claims, claim);
  if (!groups) log::warn("sso: {}", groups.error().message);
  return groups ? std::move(*groups) : std::vector<std::string>();
}

void keep_matching(std::vector<std::string>& groups, const std::vector<std::string>& filters) {
  if (filters.empty()) return;
  std::erase_if(groups, [&](const std::string& group) {
    return std::ranges::none_of(filters, [&](const std::string& filter) { return RE2::PartialMatch(group, filter); });
  });
}

bool is_true(const doc::Value* claim) {
  return claim && ((claim->is_bool() && claim->get_bool()) || (claim->is_string() && claim->get_string() == "true"));
}

}  // namespace

Result<objects::Person> read_person(const doc::Value& claims, const doc::Value& userinfo,
                                    const api::SsoConfig& config) {
  objects::Person person = person_of_session(claims);
  person.issuer = kSessionIssuer;
  TIPHYS_TRY(person.groups, texts_at(claims, "groups"));
  if (!config.custom_group_claim_name.empty()) person.groups = custom_groups(claims, config.custom_group_claim_name);
  if (!userinfo.is_null()) {
    TIPHYS_TRY(person.groups, texts_at(userinfo, "groups"));
  }
  keep_matching(person.groups, config.filter_groups_regex);
  return person;
}

doc::Object session_claims(const objects::Person& person, Time expires) {
  doc::Object claims{{"iss", person.issuer}, {"sub", person.subject}, {"exp", jose::numeric_date(expires)}};
  const auto add = [&](std::string_view name, const std::string& text) {
    if (!text.empty()) claims[name] = text;
  };
  if (!person.groups.empty()) claims["groups"] = doc::Array(person.groups.begin(), person.groups.end());
  add("email", person.email);
  if (person.email_verified) claims["email_verified"] = true;
  add("name", person.name);
  add("service_account_name", person.service_account_name);
  add("service_account_namespace", person.service_account_namespace);
  add("preferred_username", person.preferred_username);
  return claims;
}

objects::Person person_of_session(const doc::Value& claims) {
  const auto text = [&](std::string_view name) { return std::string(doc::find_string(claims, name)); };
  return {.issuer = text("iss"),
          .subject = text("sub"),
          .email = text("email"),
          .name = text("name"),
          .preferred_username = text("preferred_username"),
          .email_verified = is_true(doc::find(claims, "email_verified")),
          .groups = texts_at(claims, "groups").value_or(std::vector<std::string>()),
          .service_account_name = text("service_account_name"),
          .service_account_namespace = text("service_account_namespace")};
}

}  // namespace tiphys::server
