#include "artifact/azure_identity.h"

#include <fmt/format.h>

#include "artifact/variables.h"
#include "base/host_program.h"
#include "base/strings.h"
#include "doc/value.h"

namespace tiphys::artifact {
namespace {

constexpr std::string_view kResource = "https://storage.azure.com";
constexpr std::chrono::seconds kPatience(2);

/// Entra ID, by OAuth 2.
Attempt by_client(Query form, AccessToken& token, const web::Environment& environment, const std::stop_token& stop) {
  std::string url = variable("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com");
  while (url.ends_with('/')) url.pop_back();
  url += fmt::format("/{}/oauth2/v2.0/token", uri_encode(variable("AZURE_TENANT_ID"), false));
  form.emplace_back("grant_type", "client_credentials");
  form.emplace_back("client_id", variable("AZURE_CLIENT_ID"));
  form.emplace_back("scope", fmt::format("{}/.default", kResource));
  return take_token(post_form(url, form, {}, environment, stop), url, token);
}

Attempt by_workload(const std::string& file, AccessToken& token, const web::Environment& environment,
                    const std::stop_token& stop) {
  const auto assertion = text_of_file(file);
  if (!assertion) return {std::unexpected(assertion.error().in("AZURE_FEDERATED_TOKEN_FILE"))};
  return by_client({{"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
                    {"client_assertion", std::string(trim(*assertion))}},
                   token, environment, stop);
}

/// A server of this machine's own network: asked without a proxy.
Result<web::HttpAnswer> ask_here(const std::string& server, std::string version, web::Headers headers,
                                 const std::stop_token& stop) {
  Query query{{"api-version", std::move(version)}, {"resource", std::string(kResource)}};
  if (const std::string client = variable("AZURE_CLIENT_ID"); !client.empty()) query.emplace_back("client_id", client);
  web::HttpRequest request;
  request.url = server + "?" + form_encode(query);
  request.headers = std::move(headers);
  request.timeout = kPatience;
  return web::exchange(std::move(request), {}, stop);
}

/// Of `az login`.
Attempt by_program(AccessToken& token, const std::stop_token& stop) {
  const auto told = run_program({.arguments = {"az", "account", "get-access-token", "--output", "json",
                                               "--only-show-errors", "--resource", std::string(kResource)}},
                                stop);
  if (!told) return {std::unexpected(told.error())};
  const auto body = doc::parse_json(*told);
  const std::string_view text = body ? doc::find_string(*body, "accessToken") : "";
  if (text.empty()) return {fail(Code::kUnauthenticated, "az gives no token: " + *told)};
  // When it expires it says in local time: it is asked again soon.
  token = {std::string(text), system_now() + std::chrono::minutes(5)};
  return {};
}

}  // namespace

Attempt renew_azure_token(AccessToken& token, const web::Environment& environment, const std::stop_token& stop) {
  // "dev" would ask azd and PowerShell, too.
  const std::string only = variable("AZURE_TOKEN_CREDENTIALS");
  if (only == "dev" || only == "AzureCLICredential") return by_program(token, stop);
  const bool client = !variable("AZURE_TENANT_ID").empty() && !variable("AZURE_CLIENT_ID").empty();
  const std::string secret = variable("AZURE_CLIENT_SECRET"), file = variable("AZURE_FEDERATED_TOKEN_FILE");
  if (client && !secret.empty()) return by_client({{"client_secret", secret}}, token, environment, stop);
  if (client && !file.empty()) return by_workload(file, token, environment, stop);
  if (const std::string server = variable("IDENTITY_ENDPOINT"); !server.empty()) {
    const web::Headers headers{{"X-IDENTITY-HEADER", variable("IDENTITY_HEADER")}};
    return take_token(ask_here(server, "2019-08-01", headers, stop), server, token);
  }
  const std::string host = variable("AZURE_POD_IDENTITY_AUTHORITY_HOST");
  const std::string server = (host.empty() ? "http://169.254.169.254" : host) + "/metadata/identity/oauth2/token";
  const auto answer = ask_here(server, "2018-02-01", {{"Metadata", "true"}}, stop);
  if (answer || !host.empty()) return take_token(answer, server, token);
  // Most machines have none.
  Attempt asked = by_program(token, stop);
  if (asked.status) return asked;
  return {std::unexpected(asked.status.error().in(
      "DefaultAzureCredential: there is no identity: set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or "
      "call `az login`, or name a Secret in accountKeySecret without useSDKCreds"))};
}

}  // namespace tiphys::artifact
