#include "api/sso_config.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include "api/reader.h"

namespace tiphys::api {
namespace {

using Rbac = SsoConfig::Rbac;

constexpr Field<Rbac> kRbacFields[] = {field<&Rbac::enabled>("enabled")};
constexpr FieldTable kRbacTable("RBACConfig", kRbacFields);

void read_expiry(const Place& place, Duration& out) {
  std::string text;
  read(place, text);
  const auto duration = parse_go_duration(text);
  if (place.value().is_string() && !duration) {
    return place.error(fmt::format("{} is no duration such as 10h", place.name()));
  }
  if (duration && *duration > Duration::zero()) out = *duration;
}

void read_filters(const Place& place, std::vector<std::string>& out) {
  read(place, out);
  for (const std::string& filter : out) {
    const RE2 compiled(filter, RE2::Quiet);
    if (!compiled.ok()) place.error(fmt::format("{}: \"{}\": {}", place.name(), filter, compiled.error()));
  }
}

void read_url(const Place& place, std::string& out) {
  read(place, out);
  if (out.empty() || out.starts_with("https://") || out.starts_with("http://")) return;
  place.error(fmt::format("{} must be a URL, https://...", place.name()));
}

constexpr Field<SsoConfig> kFields[] = {
    {"issuer", Handling::kRead, [](const Place& place, SsoConfig& out) { read_url(place, out.issuer); }},
    field<&SsoConfig::issuer_alias>("issuerAlias"),
    {"clientId", Handling::kRead,
     [](const Place& place, SsoConfig& out) { read(place, out.client_id); }, "",
     &kObject<kSecretKeyTable>},
    {"clientSecret", Handling::kRead,
     [](const Place& place, SsoConfig& out) { read(place, out.client_secret); }, "",
     &kObject<kSecretKeyTable>},
    {"redirectUrl", Handling::kRead, [](const Place& place, SsoConfig& out) { read_url(place, out.redirect_url); }},
    {"rbac", Handling::kRead,
     [](const Place& place, SsoConfig& out) { read_object<Rbac>(place, out.rbac, kRbacFields); }, "",
     &kObject<kRbacTable>},
    field<&SsoConfig::scopes>("scopes"),
    {"sessionExpiry", Handling::kRead,
     [](const Place& place, SsoConfig& out) { read_expiry(place, out.session_expiry); }},
    field<&SsoConfig::custom_group_claim_name>("customGroupClaimName"),
    field<&SsoConfig::user_info_path>("userInfoPath"),
    field<&SsoConfig::insecure_skip_verify>("insecureSkipVerify"),
    {"filterGroupsRegex", Handling::kRead,
     [](const Place& place, SsoConfig& out) { read_filters(place, out.filter_groups_regex); }},
    field<&SsoConfig::root_ca>("rootCA"),
};

}  // namespace

constexpr FieldTable kSsoTable("SSOConfig", kFields);

void read(const Place& place, SsoConfig& out) {
  read_object<SsoConfig>(place, out, kFields);
}

}  // namespace tiphys::api
