#include "artifact/google_identity.h"

#include <fmt/format.h>

#include "artifact/digest.h"
#include "artifact/variables.h"
#include "base/encoding.h"
#include "doc/value.h"

namespace tiphys::artifact {
namespace {

constexpr std::string_view kScope = "https://www.googleapis.com/auth/devstorage.read_write";
constexpr std::string_view kTokenUrl = "https://oauth2.googleapis.com/token";
constexpr std::string_view kNoCredentials =
    "google: could not find default credentials: name a Secret in serviceAccountKeySecret, or set "
    "GOOGLE_APPLICATION_CREDENTIALS, or call `gcloud auth application-default login`";

std::int64_t seconds_now() {
  return std::chrono::floor<std::chrono::seconds>(system_now()).time_since_epoch().count();
}

}  // namespace

Result<GoogleIdentity> GoogleIdentity::of_json(std::string_view json) {
  TIPHYS_TRY(const doc::Value key, doc::parse_json(json));
  const auto text = [&](std::string_view field) { return std::string(doc::find_string(key, field)); };
  GoogleIdentity made;
  made.token_url_ = text("token_uri");
  if (made.token_url_.empty()) made.token_url_ = kTokenUrl;
  if (const std::string domain = text("universe_domain"); !domain.empty()) made.domain_ = domain;
  const std::string type = text("type");
  if (type == "service_account") {
    made.kind_ = Kind::kServiceAccount;
    made.email_ = text("client_email");
    made.key_id_ = text("private_key_id");
    made.private_key_ = text("private_key");
    return made;
  }
  if (type == "authorized_user") {
    made.kind_ = Kind::kUser;
    made.client_id_ = text("client_id");
    made.client_secret_ = text("client_secret");
    made.refresh_token_ = text("refresh_token");
    return made;
  }
  return fail(Code::kUnimplemented,
              fmt::format("credentials of the type \"{}\": only service_account and authorized_user are known", type));
}

Result<GoogleIdentity> GoogleIdentity::of_key(std::string_view json) {
  auto made = of_json(json);
  if (made && made->kind_ != Kind::kServiceAccount) {
    made = fail(Code::kInvalidArgument, "the key is of a user: it must be of a service account");
  }
  if (!made) return std::unexpected(made.error().in("GCS client CredentialsFromJSONWithType"));
  return made;
}

Result<GoogleIdentity> GoogleIdentity::ambient() {
  const std::string named = variable("GOOGLE_APPLICATION_CREDENTIALS");
  const std::string path =
      named.empty() ? variable("HOME") + "/.config/gcloud/application_default_credentials.json" : named;
  const auto json = text_of_file(path);
  if (!json && named.empty()) return GoogleIdentity();
  if (!json) return std::unexpected(json.error().in("google: error getting credentials of " + named));
  auto made = of_json(*json);
  if (!made) return std::unexpected(made.error().in("google: error getting credentials of " + path));
  return made;
}

Attempt GoogleIdentity::renew(AccessToken& token, const web::Environment& environment,
                              const std::stop_token& stop) const {
  if (kind_ == Kind::kMachine) return renew_by_machine(token, stop);
  const auto form = this->form();
  if (!form) return {std::unexpected(form.error())};
  return take_token(post_form(token_url_, *form, {}, environment, stop), token_url_, token);
}

/// RFC 7523 and RFC 6749.
Result<Query> GoogleIdentity::form() const {
  if (kind_ == Kind::kUser) {
    return Query{{"grant_type", "refresh_token"},
                 {"refresh_token", refresh_token_},
                 {"client_id", client_id_},
                 {"client_secret", client_secret_}};
  }
  const std::int64_t now = seconds_now();
  const doc::Object head{{"alg", "RS256"}, {"typ", "JWT"}, {"kid", key_id_}};
  const doc::Object claims{{"iss", email_}, {"scope", kScope}, {"aud", token_url_}, {"iat", now}, {"exp", now + 3600}};
  const std::string said = encode_base64url(doc::to_json(head)) + "." + encode_base64url(doc::to_json(claims));
  const auto signature = rsa_sha256(private_key_, said);
  if (!signature) return std::unexpected(signature.error().in("the key of service account " + email_));
  return Query{{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"},
               {"assertion", said + "." + encode_base64url(*signature)}};
}

/// Asked directly, as the address is the machine's own. One that does not answer is none.
Attempt GoogleIdentity::renew_by_machine(AccessToken& token, const std::stop_token& stop) const {
  const std::string host = variable("GCE_METADATA_HOST");
  web::HttpRequest request;
  request.url = fmt::format("http://{}/computeMetadata/v1/instance/service-accounts/default/token?scopes={}",
                            host.empty() ? "169.254.169.254" : host, uri_encode(kScope, false));
  request.headers = {{"Metadata-Flavor", "Google"}};
  request.timeout = std::chrono::seconds(5);
  const std::string url = request.url;
  const auto answer = web::exchange(std::move(request), {}, stop);
  if (!answer && host.empty()) return {fail(Code::kFailedPrecondition, std::string(kNoCredentials))};
  return take_token(answer, url, token);
}

}  // namespace tiphys::artifact
