// The key that Alibaba's programs find on this machine.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "artifact/access_token.h"
#include "artifact/oss_client.h"
#include "artifact/variables.h"
#include "base/strings.h"
#include "doc/value.h"

namespace tiphys::artifact {
namespace {

bool is_whole(const OssKey& key) {
  return !key.id.empty() && !key.secret.empty();
}

/// {"AccessKeyId", "AccessKeySecret", "SecurityToken"}.
Attempt read_key(const Result<web::HttpAnswer>& answer, std::string_view what, OssKey& key) {
  if (!answer) return {std::unexpected(answer.error().in(what)), passes(answer.error())};
  const auto body = doc::parse_json(answer->body);
  const doc::Value* found = body ? doc::find(*body, "Credentials") : nullptr;
  if (!found && body) found = &*body;
  if (found) {
    const auto text = [&](std::string_view field) { return std::string(doc::find_string(*found, field)); };
    key = {text("AccessKeyId"), text("AccessKeySecret"), text("SecurityToken")};
  }
  if (answer->status == 200 && is_whole(key)) return {};
  return {fail(Code::kUnauthenticated, fmt::format("{}: {}: {}", what, answer->status_line, answer->body)),
          passes(answer->status)};
}

Attempt by_oidc(const std::string& token_file, OssKey& key, const web::Environment& environment,
                const std::stop_token& stop) {
  const auto token = text_of_file(token_file);
  if (!token) return {std::unexpected(token.error().in("ALIBABA_CLOUD_OIDC_TOKEN_FILE"))};
  const std::string region = variable("ALIBABA_CLOUD_STS_REGION");
  const auto now = std::chrono::floor<std::chrono::seconds>(system_now());
  const Query query{{"Action", "AssumeRoleWithOIDC"},
                    {"Format", "JSON"},
                    {"Version", "2015-04-01"},
                    {"Timestamp", format_rfc3339(now)}};
  const std::string session = fmt::format("tiphys-{}", now.time_since_epoch().count());
  const Query form{{"RoleArn", variable("ALIBABA_CLOUD_ROLE_ARN")},
                   {"OIDCProviderArn", variable("ALIBABA_CLOUD_OIDC_PROVIDER_ARN")},
                   {"OIDCToken", std::string(trim(*token))},
                   {"RoleSessionName", variable("ALIBABA_CLOUD_ROLE_SESSION_NAME", session)},
                   {"DurationSeconds", "3600"}};
  const std::string url =
      fmt::format("https://sts{}{}.aliyuncs.com/?{}", region.empty() ? "" : ".", region, form_encode(query));
  return read_key(post_form(url, form, {}, environment, stop), "AssumeRoleWithOIDC", key);
}

/// The profile that `aliyun configure` has made, when it is a key.
Result<OssKey> key_of_profile() {
  const std::string path = variable("HOME") + "/.aliyun/config.json";
  const auto text = text_of_file(path);
  if (!text) return OssKey();
  const auto config = doc::parse_json(*text);
  if (!config) return std::unexpected(config.error().in(path));
  const std::string current(doc::find_string(*config, "current"));
  const std::string wanted = variable("ALIBABA_CLOUD_PROFILE", current);
  const doc::Value* profiles = doc::find(*config, "profiles");
  if (!profiles || !profiles->is_array()) return OssKey();
  for (const doc::Value& profile : profiles->get_array()) {
    const auto field = [&](std::string_view name) { return std::string(doc::find_string(profile, name)); };
    if (field("name") == wanted) return OssKey{field("access_key_id"), field("access_key_secret"), field("sts_token")};
  }
  return OssKey();
}

}  // namespace

Attempt ambient_oss_key(OssKey& key, const web::Environment& environment, const std::stop_token& stop) {
  key = {variable("ALIBABA_CLOUD_ACCESS_KEY_ID"), variable("ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
         variable("ALIBABA_CLOUD_SECURITY_TOKEN")};
  if (is_whole(key)) return {};
  const std::string token = variable("ALIBABA_CLOUD_OIDC_TOKEN_FILE");
  if (!token.empty()) return by_oidc(token, key, environment, stop);
  auto profile = key_of_profile();
  if (!profile) return {std::unexpected(profile.error())};
  key = std::move(*profile);
  if (is_whole(key)) return {};
  if (const std::string url = variable("ALIBABA_CLOUD_CREDENTIALS_URI"); !url.empty()) {
    web::HttpRequest request;
    request.url = url;
    request.timeout = std::chrono::seconds(10);
    return read_key(web::exchange(std::move(request), {}, stop), "ALIBABA_CLOUD_CREDENTIALS_URI", key);
  }
  return {fail(Code::kFailedPrecondition,
               "there is no key for the store: set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or "
               "call `aliyun configure`, or name Secrets in accessKeySecret and secretKeySecret without useSDKCreds")};
}

}  // namespace tiphys::artifact
