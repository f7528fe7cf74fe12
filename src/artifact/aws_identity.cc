#include "artifact/aws_identity.h"

#include <fmt/format.h>

#include <fstream>

#include "artifact/digest.h"
#include "artifact/variables.h"
#include "artifact/xml.h"
#include "base/encoding.h"
#include "base/strings.h"
#include "doc/value.h"
#include "web/exchange.h"

namespace tiphys::artifact {
namespace {

bool is_whole(const AwsKey& key) {
  return !key.id.empty() && !key.secret.empty();
}

std::string profiles_path() {
  return variable("AWS_SHARED_CREDENTIALS_FILE", variable("HOME") + "/.aws/credentials");
}

/// Empty when it is not there.
AwsKey key_of_profile(const std::string& name) {
  std::ifstream file(profiles_path());
  const std::string head = "[" + name + "]";
  bool inside = false;
  AwsKey key;
  for (std::string line; std::getline(file, line);) {
    const std::string_view text = trim(line);
    if (text.starts_with('[')) inside = text == head;
    const auto equals = text.find('=');
    if (!inside || equals == text.npos) continue;
    const std::string_view field = trim(text.substr(0, equals)), value = trim(text.substr(equals + 1));
    if (field == "aws_access_key_id") key.id = value;
    if (field == "aws_secret_access_key") key.secret = value;
    if (field == "aws_session_token") key.session_token = value;
  }
  return key;
}

/// "http://host" of a URL, and the path.
std::pair<std::string, std::string> host_and_path(std::string_view url) {
  const auto begin = url.find("://");
  const auto host = begin == url.npos ? 0 : begin + 3;
  const auto slash = std::min(url.find('/', host), url.size());
  return {std::string(url.substr(host, slash - host)), slash == url.size() ? "/" : std::string(url.substr(slash))};
}

std::string sts_url(const std::string& region) {
  const std::string ours = variable("AWS_ENDPOINT_URL_STS", variable("AWS_ENDPOINT_URL"));
  const std::string_view country = region.starts_with("cn-") ? ".cn" : "";
  return ours.empty() ? fmt::format("https://sts.{}.amazonaws.com{}", region, country) : ours;
}

std::string session_name() {
  return fmt::format("tiphys-{}", system_now().time_since_epoch().count());
}

/// {"AccessKeyId", "SecretAccessKey", "Token"}.
Attempt read_key(std::string_view json, std::string_view what, AwsKey& key) {
  const auto body = doc::parse_json(json);
  if (!body) return {std::unexpected(body.error().in(what))};
  const auto text = [&](std::string_view field) { return std::string(doc::find_string(*body, field)); };
  key = {text("AccessKeyId"), text("SecretAccessKey"), text("Token")};
  if (is_whole(key)) return {};
  return {fail(Code::kUnauthenticated, fmt::format("{}: there is no key in the answer", what))};
}

}  // namespace

AwsIdentity::AwsIdentity(std::string region, const web::Environment& environment, std::stop_token stop)
    : region_(region.empty() ? variable("AWS_REGION", variable("AWS_DEFAULT_REGION", "us-east-1")) : std::move(region)),
      environment_(environment),
      stop_(std::move(stop)) {}

Attempt AwsIdentity::ambient(AwsKey& key) const {
  const std::string profile = variable("AWS_PROFILE");
  if (!profile.empty()) key = key_of_profile(profile);
  if (is_whole(key)) return {};
  key = {variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"), variable("AWS_SESSION_TOKEN")};
  if (is_whole(key)) return {};
  if (const std::string token = variable("AWS_WEB_IDENTITY_TOKEN_FILE"); !token.empty()) {
    return by_web_identity(token, key);
  }
  key = key_of_profile("default");
  if (is_whole(key)) return {};
  if (const std::string path = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); !path.empty()) {
    return of_container("http://169.254.170.2" + path, key);
  }
  if (const std::string url = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI"); !url.empty()) {
    return of_container(url, key);
  }
  if (variable("AWS_EC2_METADATA_DISABLED") != "true") return of_machine(key);
  return {fail(Code::kFailedPrecondition,
               fmt::format("there is no key for the store: name Secrets in accessKeySecret and secretKeySecret, or set "
                           "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write [{}] of {}",
                           profile.empty() ? "default" : profile, profiles_path()))};
}

Attempt AwsIdentity::assume_role(const std::string& arn, AwsKey& key) const {
  const AwsKey signer = key;
  return ask_sts({{"Action", "AssumeRole"},
                  {"Version", "2011-06-15"},
                  {"RoleArn", arn},
                  {"RoleSessionName", session_name()},
                  {"DurationSeconds", "900"}},
                 &signer, key);
}

Attempt AwsIdentity::by_web_identity(const std::string& token_file, AwsKey& key) const {
  const auto token = text_of_file(token_file);
  if (!token) return {std::unexpected(token.error().in("AWS_WEB_IDENTITY_TOKEN_FILE"))};
  return ask_sts({{"Action", "AssumeRoleWithWebIdentity"},
                  {"Version", "2011-06-15"},
                  {"RoleArn", variable("AWS_ROLE_ARN")},
                  {"RoleSessionName", variable("AWS_ROLE_SESSION_NAME", session_name())},
                  {"WebIdentityToken", std::string(trim(*token))}},
                 nullptr, key);
}

/// docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html.
Attempt AwsIdentity::of_container(const std::string& url, AwsKey& key) const {
  web::HttpRequest request;
  request.url = url;
  std::string token = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (const std::string path = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); !path.empty()) {
    auto read = text_of_file(path);
    if (!read) return {std::unexpected(read.error().in("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"))};
    token = trim(*read);
  }
  if (!token.empty()) request.headers = {{"Authorization", token}};
  std::string body;
  const std::string what = "the container's key from " + url;
  if (Attempt asked = ask(std::move(request), what, body); !asked.status) return asked;
  return read_key(body, what, key);
}

/// The second version of the metadata service.
Attempt AwsIdentity::of_machine(AwsKey& key) const {
  const std::string server = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://169.254.169.254");
  const std::string what = "the machine's key from " + server;
  web::HttpRequest request;
  request.method = "PUT";
  request.url = server + "/latest/api/token";
  request.headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}};
  std::string token, body;
  const Attempt begun = ask(std::move(request), what, token);
  if (!begun.status) {
    // Most machines have none.
    return {std::unexpected(
        begun.status.error().in("there is no key for the store: name Secrets in accessKeySecret and secretKeySecret, "
                                "or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"))};
  }
  const auto get = [&](const std::string& path) {
    web::HttpRequest next;
    next.url = server + "/latest/meta-data/iam/security-credentials/" + path;
    next.headers = {{"X-aws-ec2-metadata-token", token}};
    return ask(std::move(next), what, body);
  };
  if (Attempt role = get(""); !role.status) return role;
  if (Attempt got = get(std::string(trim(body.substr(0, body.find('\n'))))); !got.status) return got;
  return read_key(body, what, key);
}

Attempt AwsIdentity::ask_sts(const Query& form, const AwsKey* signer, AwsKey& key) const {
  web::HttpRequest request;
  request.method = "POST";
  request.url = sts_url(region_);
  request.body = form_encode(form);
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  if (signer) {
    const auto [host, path] = host_and_path(request.url);
    const AwsRequest aws{.method = "POST",
                         .host = host,
                         .path = path,
                         .headers = request.headers,
                         .payload_hash = encode_hex(sha256(request.body)),
                         .service = "sts"};
    request.headers = sign(aws, *signer, region_, system_now());
  }
  const std::string action = form.front().second;
  const auto answer = web::exchange(std::move(request), environment_, stop_);
  if (!answer) return {std::unexpected(answer.error().in(action)), passes(answer.error())};
  const auto root = parse_xml(answer->body);
  if (answer->status != 200 || !root) {
    const XmlElement* error = root ? root->find("Error") : nullptr;
    const std::string told =
        error ? fmt::format("{}: {}", error->child_text("Code"), error->child_text("Message")) : answer->status_line;
    return {fail(Code::kUnauthenticated, fmt::format("{} of {}: {}", action, sts_url(region_), told)),
            passes(answer->status)};
  }
  const XmlElement* result = root->find(action + "Result");
  const XmlElement* made = result ? result->find("Credentials") : nullptr;
  if (!made) return {fail(Code::kUnauthenticated, action + ": there is no key in the answer")};
  const auto text = [&](std::string_view field) { return std::string(made->child_text(field)); };
  key = {text("AccessKeyId"), text("SecretAccessKey"), text("SessionToken")};
  return {};
}

/// Of this machine's own network: without a proxy, and soon.
Attempt AwsIdentity::ask(web::HttpRequest request, std::string_view what, std::string& body) const {
  request.timeout = std::chrono::seconds(2);
  auto answer = web::exchange(std::move(request), {}, stop_);
  if (!answer) return {std::unexpected(answer.error().in(what))};
  if (answer->status != 200) {
    return {fail(Code::kUnauthenticated, fmt::format("{}: {}", what, answer->status_line)), passes(answer->status)};
  }
  body = std::move(answer->body);
  return {};
}

}  // namespace tiphys::artifact
