// Artifacts at URLs: read by GET, written by PUT. Original: workflow/artifacts/http.
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "artifact/access_token.h"
#include "artifact/drivers.h"
#include "artifact/received_file.h"
#include "base/encoding.h"
#include "web/exchange.h"

namespace tiphys::artifact {
namespace {

/// Who asks.
struct Identity {
  std::string user, password;  ///< of basic authentication
  std::string client_certificate, client_key;
  std::string token_url, client_id, client_secret;  ///< of OAuth 2
};

web::Headers basic(std::string_view user, std::string_view password) {
  return {{"Authorization", "Basic " + encode_base64(fmt::format("{}:{}", user, password))}};
}

const doc::Array& members(const doc::Value* holder, std::string_view field) {
  static const doc::Array kNone;
  const doc::Value* member = holder ? doc::find(*holder, field) : nullptr;
  return member && member->is_array() ? member->get_array() : kNone;
}

class HttpPlace final : public Place {
 public:
  HttpPlace(const DriverContext& context, Identity identity)
      : place_(context.place),
        url_(doc::find_string(place_, "url")),
        identity_(std::move(identity)),
        environment_(context.options.environment),
        stop_(context.stop) {}

  Status load(const std::string& host_path) override {
    ReceivedFile file(host_path);
    TIPHYS_TRY(web::HttpRequest request, prepare("GET"));
    request.sink = file.sink();
    const auto answer = web::exchange(std::move(request), environment_, stop_);
    if (!file.status()) return file.status();
    if (!answer) return std::unexpected(answer.error());
    if (answer->status == 404) return fail(Code::kNotFound, fmt::format("{} ({})", answer->status_line, url_));
    if (is_good(answer->status)) return file.keep();
    return fail(Code::kUnknown,
                fmt::format("loading content from {} failed with reason: {}", url_, answer->status_line));
  }

  Status save(const std::string& host_path) override {
    struct stat about{};
    if (::stat(host_path.c_str(), &about) != 0) return fail_errno(host_path, errno);
    if (!S_ISREG(about.st_mode)) {
      return fail(
          Code::kInvalidArgument,
          fmt::format("saving to {}: it is a folder, and a URL takes one file: do without \"archive: none\"", url_));
    }
    TIPHYS_TRY(web::HttpRequest request, prepare("PUT"));
    request.file = web::FilePart{host_path, 0, static_cast<std::uint64_t>(about.st_size)};
    TIPHYS_TRY(const web::HttpAnswer answer, web::exchange(std::move(request), environment_, stop_));
    if (is_good(answer.status)) return {};
    return fail(Code::kUnknown,
                fmt::format("saving file {} to {} failed with reason: {}", host_path, url_, answer.status_line));
  }

 private:
  static bool is_good(int status) { return status >= 200 && status < 300; }

  Result<web::HttpRequest> prepare(std::string method) {
    web::HttpRequest request;
    request.method = std::move(method);
    request.url = url_;
    for (const doc::Value& header : members(&place_, "headers")) {
      request.headers.emplace_back(doc::find_string(header, "name"), doc::find_string(header, "value"));
    }
    web::Headers who;
    if (!identity_.user.empty() && !identity_.password.empty()) who = basic(identity_.user, identity_.password);
    if (!identity_.client_certificate.empty()) {
      request.client_certificate = identity_.client_certificate;
      request.client_key = identity_.client_key;
    } else if (!identity_.token_url.empty()) {
      TIPHYS_TRY(std::string token, fetch_token());
      who = {{"Authorization", std::move(token)}};
    }
    if (!who.empty()) {
      std::erase_if(request.headers, [](const auto& header) { return header.first == "Authorization"; });
      request.headers.push_back(std::move(who.front()));
    }
    return request;
  }

  /// "Bearer ..." by the client's own credentials: in a header first and, where that is refused, in the body.
  Result<std::string> fetch_token() {
    const doc::Value* oauth = doc::find(place_, "auth", "oauth2");
    Query form{{"grant_type", "client_credentials"}};
    std::string scopes;
    for (const doc::Value& scope : members(oauth, "scopes"))
      scopes += (scopes.empty() ? "" : " ") + doc::scalar_text(scope);
    if (!scopes.empty()) form.emplace_back("scope", scopes);
    for (const doc::Value& parameter : members(oauth, "endpointParams")) {
      form.emplace_back(doc::find_string(parameter, "key"), doc::find_string(parameter, "value"));
    }
    auto answer = ask_for_token(form, true);
    if (answer && !is_good(answer->status)) answer = ask_for_token(form, false);
    AccessToken token;
    TIPHYS_CHECK_OK(take_token(answer, identity_.token_url, token).status);
    return "Bearer " + token.text;
  }

  Result<web::HttpAnswer> ask_for_token(Query form, bool in_header) const {
    web::Headers headers;
    if (in_header) {
      headers = basic(uri_encode(identity_.client_id, false), uri_encode(identity_.client_secret, false));
    } else {
      form.emplace_back("client_id", identity_.client_id);
      form.emplace_back("client_secret", identity_.client_secret);
    }
    return post_form(identity_.token_url, form, std::move(headers), environment_, stop_);
  }

  const doc::Value place_;
  const std::string url_;
  const Identity identity_;
  const web::Environment environment_;
  const std::stop_token stop_;
};

}  // namespace

Result<std::unique_ptr<Place>> open_http(const DriverContext& context) {
  static const doc::Value kNone;
  const auto part = [&](std::string_view name) -> const doc::Value& {
    const doc::Value* found = doc::find(context.place, "auth", name);
    return found ? *found : kNone;
  };
  const Credentials& secrets = context.credentials;
  const doc::Value &simple = part("basicAuth"), &certificate = part("clientCert"), &oauth = part("oauth2");
  Identity identity;
  TIPHYS_TRY(identity.user, secrets.get(simple, "usernameSecret"));
  TIPHYS_TRY(identity.password, secrets.get(simple, "passwordSecret"));
  TIPHYS_TRY(identity.client_certificate, secrets.get(certificate, "clientCertSecret"));
  TIPHYS_TRY(identity.client_key, secrets.get(certificate, "clientKeySecret"));
  TIPHYS_TRY(identity.token_url, secrets.get(oauth, "tokenURLSecret"));
  TIPHYS_TRY(identity.client_id, secrets.get(oauth, "clientIDSecret"));
  TIPHYS_TRY(identity.client_secret, secrets.get(oauth, "clientSecretSecret"));
  return std::make_unique<HttpPlace>(context, std::move(identity));
}

Result<std::unique_ptr<Place>> open_artifactory(const DriverContext& context) {
  Identity identity;
  TIPHYS_TRY(identity.user, context.credentials.get(context.place, "usernameSecret"));
  TIPHYS_TRY(identity.password, context.credentials.get(context.place, "passwordSecret"));
  return std::make_unique<HttpPlace>(context, std::move(identity));
}

}  // namespace tiphys::artifact
