#include "cli/place.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "base/encoding.h"
#include "base/file.h"
#include "base/strings.h"
#include "base/time.h"
#include "cli/flags.h"
#include "cli/loop.h"
#include "doc/value.h"
#include "http/tls.h"
#include "http/url.h"
#include "kube/credentials.h"
#include "store/data_dir.h"

namespace tiphys::cli {
namespace {

constexpr std::string_view kWithValue[] = {"-n",
                                           "--namespace",
                                           "--data-dir",
                                           "--server",
                                           "-s",
                                           "--argo-server",
                                           "--token",
                                           "--argo-base-href",
                                           "-H",
                                           "--header",
                                           "--kubeconfig",
                                           "--context",
                                           "--cluster",
                                           "--user",
                                           "--certificate-authority",
                                           "--client-certificate",
                                           "--client-key",
                                           "--tls-server-name",
                                           "--proxy-url",
                                           "--username",
                                           "--password",
                                           "--instanceid",
                                           "--as",
                                           "--as-group",
                                           "--as-uid",
                                           "--request-timeout"};

std::string without_bearer(std::string token) {
  if (token.starts_with("Bearer ")) token.erase(0, 7);
  return token;
}

/// server.json of the data directory, which the plane that serves it wrote; null when nothing is there.
doc::Value announced(const Place& place) {
  const auto data_dir = store::DataDir::locate(place.data_dir);
  if (!data_dir) return {};
  const auto text = read_whole_file(*data_dir + "/server.json");
  return text ? doc::parse_json(*text).value_or(doc::Value()) : doc::Value();
}

/// The token of the data directory's own server, when it is that which an address means; "" otherwise. Only to the very
/// server that wrote it, on this host's loopback.
std::string own_token(const Place& place, const std::string& host, unsigned short port) {
  if (host != "localhost" && host != "127.0.0.1") return {};
  const doc::Value server = announced(place);
  const bool same = doc::find_string(server, "address").ends_with(fmt::format(":{}", port));
  return same ? std::string(doc::find_string(server, "token")) : "";
}

/// The API of a cluster: what speaks TLS there is no plane of this program, whose commands go in plain text.
bool names_cluster_api(const Place& place) {
  return place.server.starts_with("https://");
}

bool names_kubeconfig(const Place& place) {
  return names_cluster_api(place) || !place.kubeconfig.file.empty() || !place.kubeconfig.context.empty() ||
         !place.cluster.empty() || !place.user.empty();
}

/// KUBECONFIG, unless it is the file by which a data directory's plane is reached, as `tiphys env` sets it: its
/// directory is the shorter way.
bool environment_names_cluster(const Place& place) {
  const std::string named = environment("KUBECONFIG");
  if (named.empty()) return false;
  const auto data_dir = store::DataDir::locate(place.data_dir);
  std::error_code error;
  return !data_dir || !std::filesystem::equivalent(named, *data_dir + "/kubeconfig", error) || error;
}

/// Seconds as a number alone, or with a unit.
Result<std::chrono::seconds> read_timeout(const std::string& text) {
  if (text.empty() || text == "0") return std::chrono::seconds(0);
  const bool number = text.find_first_not_of("0123456789") == std::string::npos;
  const auto timeout = parse_go_duration(number ? text + "s" : text);
  if (!timeout) return std::unexpected(timeout.error().in("--request-timeout"));
  return std::chrono::ceil<std::chrono::seconds>(*timeout);
}

/// --client-certificate and --client-key.
Status check_certificate_flags(const Place& place) {
  if (place.client_certificate.empty() == place.client_key.empty()) return {};
  return fail(Code::kInvalidArgument, "--client-certificate and --client-key must be provided together");
}

Status use_proxy(const std::string& text, http::Endpoint& endpoint) {
  TIPHYS_TRY(const http::Url url, http::Url::parse(text));
  if (url.scheme != "http") {
    return fail(Code::kInvalidArgument, fmt::format("--proxy-url {}: only http proxies are supported", text));
  }
  endpoint.proxy_host = url.host;
  endpoint.proxy_port = url.port;
  if (!url.user.empty()) endpoint.proxy_authorization = "Basic " + encode_base64(url.user);
  return {};
}

/// A file's text for a flag; "" when the flag is not given.
Result<std::string> text_of(const std::string& file, std::string_view flag) {
  if (file.empty()) return std::string();
  auto text = read_whole_file(file);
  if (!text) return std::unexpected(text.error().in(flag));
  return text;
}

Result<http::TlsOptions> tls_options(const Place& place, const std::string& host) {
  http::TlsOptions options{.insecure = place.insecure_skip_verify,
                           .server_name = place.tls_server_name.empty() ? host : place.tls_server_name};
  TIPHYS_CHECK_OK(check_certificate_flags(place));
  TIPHYS_TRY(options.ca, text_of(place.certificate_authority, "--certificate-authority"));
  TIPHYS_TRY(options.certificate, text_of(place.client_certificate, "--client-certificate"));
  TIPHYS_TRY(options.key, text_of(place.client_key, "--client-key"));
  return options;
}

Result<std::vector<std::pair<std::string, std::string>>> read_headers(const std::vector<std::string>& given) {
  std::vector<std::pair<std::string, std::string>> headers;
  for (const std::string& header : split_commas(given)) {
    const auto colon = header.find(':');
    if (colon == std::string::npos || colon == 0) {
      return fail(Code::kInvalidArgument,
                  fmt::format("--header \"{}\": a header has the form \"NAME: VALUE\"", header));
    }
    headers.emplace_back(trim(std::string_view(header).substr(0, colon)),
                         trim(std::string_view(header).substr(colon + 1)));
  }
  return headers;
}

/// The address without a scheme, or with one, which then says whether it is TLS; a path is a base href.
Result<http::Url> argo_url(const Place& place, bool& own) {
  const std::string address = place.argo_server.empty() ? environment("ARGO_SERVER") : place.argo_server;
  const bool has_scheme = address.find("://") != std::string::npos;
  auto url = http::Url::parse(has_scheme ? address : "https://" + address);
  if (!url || url->host.empty() || (url->scheme != "http" && url->scheme != "https")) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("\"{}\" is no server's address: it has the form HOST:PORT, such as localhost:2746", address));
  }
  own = !own_token(place, url->host, url->port).empty();
  // The data directory's own plane speaks plain text on its port, too, and its certificate is its own.
  const bool plain =
      own && environment("ARGO_SECURE").empty() && !place.insecure_skip_verify && place.certificate_authority.empty();
  if (!has_scheme && (!place.secure || plain)) url->scheme = "http";
  return url;
}

/// Empty, or with a slash before and none behind.
std::string base_path(const Place& place, const http::Url& url) {
  std::string path = place.base_href.empty() ? url.path : place.base_href;
  while (path.ends_with('/')) path.pop_back();
  return path.empty() || path.starts_with('/') ? path : "/" + path;
}

}  // namespace

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::span<const std::string_view> place_flags_with_value() {
  return kWithValue;
}

Place::Place()
    : secure(environment("ARGO_SECURE") != "false"),
      insecure_skip_verify(environment("ARGO_INSECURE_SKIP_VERIFY") == "true"),
      http1(environment("ARGO_HTTP1") == "true"),
      base_href(environment("ARGO_BASE_HREF")) {}

void Place::add_to(Flags& flags) {
  flags.text("--data-dir", data_dir, "DIR",
             "The plane's directory (default: $TIPHYS_DATA_DIR, else ~/.local/share/tiphys)");
  flags.text(
      "--server", server, "HOST:PORT",
      "A plane of tiphys on another host to work on instead (default: $TIPHYS_SERVER); https://... is the API of "
      "a Kubernetes cluster");
  flags.text("-s,--argo-server", argo_server, "HOST:PORT",
             "A server of Argo's API to work on instead (default: $ARGO_SERVER)");
  flags.text("--token", token, "TOKEN",
             "The token for a server (default: $TIPHYS_TOKEN, $ARGO_TOKEN, else the data directory's server.json)");
  flags.flag("-e,--secure", secure, "Argo's server speaks TLS (default: $ARGO_SECURE, else true)");
  flags.flag("-k,--insecure-skip-verify", insecure_skip_verify,
             "Take any certificate of Argo's server (default: $ARGO_INSECURE_SKIP_VERIFY)");
  flags.flag("--argo-http1", http1, "Ask Argo's server by REST and not by gRPC (default: $ARGO_HTTP1)");
  flags.text("--argo-base-href", base_href, "PATH",
             "Below which path Argo's server is for REST (default: $ARGO_BASE_HREF)");
  flags.list("-H,--header", headers, "NAME:VALUE", "A further header for Argo's server; may be repeated");
  flags.text("--kubeconfig", kubeconfig.file, "FILE", "Work on the Kubernetes cluster of this file (see $KUBECONFIG)");
  flags.text("--context", kubeconfig.context, "NAME", "Work on the cluster of this context of the kubeconfig");
  flags.text("--cluster", cluster, "NAME", "The cluster of the kubeconfig");
  flags.text("--user", user, "NAME", "The user of the kubeconfig");
  flags.text("--certificate-authority", certificate_authority, "FILE", "Whom to trust for a server's certificate");
  flags.text("--client-certificate", client_certificate, "FILE", "A certificate to show to a server");
  flags.text("--client-key", client_key, "FILE", "Its key");
  flags.text("--tls-server-name", tls_server_name, "NAME", "Whom a server's certificate is to name");
  flags.flag("--insecure-skip-tls-verify", insecure_skip_tls_verify, "Take any certificate of the cluster's API");
  flags.text("--proxy-url", proxy_url, "URL", "The proxy by which a server is reached");
  flags.text("--username", username, "NAME", "The user for basic authentication at the cluster's API");
  flags.text("--password", password, "TEXT", "The password for it");
  flags.text("--as", as, "NAME", "Act as this user of the cluster");
  flags.list("--as-group", as_groups, "NAME", "Act as one of this group, with --as; may be repeated");
  flags.text("--as-uid", as_uid, "UID", "Act as the user with this UID, with --as");
  flags.text("--request-timeout", request_timeout, "DURATION",
             "How long the cluster's API may be silent over a request: 1s, 2m, 3h (default: 0, two minutes)");
  flags.flag("--disable-compression", disable_compression, "Ask for no compressed answers, as none is asked for");
}

Result<PlaceKind> Place::kind() const {
  const bool elsewhere = !argo_server.empty() || names_kubeconfig(*this);
  if (ours && elsewhere) {
    return fail(Code::kInvalidArgument,
                "this command works on planes of tiphys alone: `tiphys submit` has workflows run elsewhere");
  }
  if (!argo_server.empty()) return PlaceKind::kArgoServer;
  if (names_kubeconfig(*this)) return PlaceKind::kKubernetes;
  if (!server.empty()) return PlaceKind::kTiphysServer;
  if (!data_dir.empty()) return PlaceKind::kDirectory;
  if (!environment("TIPHYS_SERVER").empty()) return PlaceKind::kTiphysServer;
  if (!ours && !environment("ARGO_SERVER").empty()) return PlaceKind::kArgoServer;
  if (!environment("TIPHYS_DATA_DIR").empty()) return PlaceKind::kDirectory;
  return !ours && environment_names_cluster(*this) ? PlaceKind::kKubernetes : PlaceKind::kDirectory;
}

std::string Place::choose_namespace(const std::string& flag) const {
  for (std::string named : {flag, environment("ARGO_NAMESPACE")}) {
    if (!named.empty()) return named;
  }
  const auto found = kind();
  const bool known = found && (*found == PlaceKind::kKubernetes || *found == PlaceKind::kArgoServer);
  const auto access = known ? kubernetes_access(*this) : Result<kube::Access>(std::unexpected(Error{}));
  return access ? access->ns : "default";  // what is wrong with the file is told as it is used
}

std::string Place::given_token() const {
  for (std::string given : {token, environment("TIPHYS_TOKEN"), environment("ARGO_TOKEN")}) {
    if (given = without_bearer(std::move(given)); !given.empty()) return given;
  }
  return {};
}

Result<kube::Access> kubernetes_access(const Place& place) {
  kube::KubeconfigChoice choice = place.kubeconfig;
  choice.cluster = place.cluster;
  choice.user = place.user;
  auto found = kube::find_access(choice, kube::Surroundings::of_environment());
  // Flags alone may say it all.
  if (!found && found.error().code == Code::kFailedPrecondition && names_cluster_api(place)) found = kube::Access();
  TIPHYS_TRY(kube::Access access, std::move(found));
  if (names_cluster_api(place)) access.server = place.server;
  if (!place.certificate_authority.empty()) {
    TIPHYS_TRY(access.ca, text_of(place.certificate_authority, "--certificate-authority"));
  }
  if (place.insecure_skip_tls_verify) {
    access.insecure = true;
    access.ca.clear();
  }
  TIPHYS_CHECK_OK(check_certificate_flags(place));
  if (!place.client_certificate.empty()) {
    TIPHYS_TRY(access.user.certificate, text_of(place.client_certificate, "--client-certificate"));
    TIPHYS_TRY(access.user.key, text_of(place.client_key, "--client-key"));
  }
  if (!place.token.empty()) access.user = kube::User{.token = without_bearer(place.token)};
  if (!place.username.empty()) access.user = kube::User{.username = place.username, .password = place.password};
  if (!place.tls_server_name.empty()) access.tls_server_name = place.tls_server_name;
  if (!place.proxy_url.empty()) access.proxy_url = place.proxy_url;
  if (place.as.empty() && (!place.as_groups.empty() || !place.as_uid.empty())) {
    return fail(Code::kInvalidArgument, "--as-group and --as-uid need --as");
  }
  access.acts_as = {.name = place.as, .uid = place.as_uid, .groups = place.as_groups};
  TIPHYS_TRY(access.request_timeout, read_timeout(place.request_timeout));
  return access;
}

Result<std::string> authorization_of(Loop& loop, const kube::Access& access) {
  std::optional<Result<kube::Identity>> identity;
  const auto credentials = kube::make_credentials(loop.executor(), access);
  credentials->obtain([&](Result<kube::Identity> obtained) { identity = std::move(obtained); });
  loop.run_until([&] { return identity.has_value(); });
  if (!*identity) return std::unexpected(identity->error());
  return (*identity)->authorization;
}

Result<http::Endpoint> tiphys_endpoint(const Place& place) {
  std::string address = place.server.empty() ? environment("TIPHYS_SERVER") : place.server;
  if (address.starts_with("http://")) address.erase(0, 7);
  while (address.ends_with('/')) address.pop_back();
  const auto colon = address.rfind(':');
  http::Endpoint endpoint;
  endpoint.host = address.substr(0, colon);
  const std::string port = colon == std::string::npos ? "" : address.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (error != std::errc() || end != port.data() + port.size() || endpoint.host.empty()) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("\"{}\" is no server's address: it has the form HOST:PORT, such as localhost:2746", address));
  }
  endpoint.token = place.given_token();
  if (endpoint.token.empty()) endpoint.token = own_token(place, endpoint.host, endpoint.port);
  return endpoint;
}

Result<server::ArgoServer> argo_server(Loop& loop, const Place& place) {
  bool own = false;
  TIPHYS_TRY(const http::Url url, argo_url(place, own));
  server::ArgoServer server{.endpoint = {.unix_path = {}, .host = url.host, .port = url.port},
                            .grpc = !place.http1 && url.path.empty(),
                            .base_path = base_path(place, url)};
  TIPHYS_TRY(server.headers, read_headers(place.headers));
  if (url.scheme == "https") {
    TIPHYS_TRY(http::TlsOptions options, tls_options(place, url.host));
    TIPHYS_TRY(server.endpoint.tls, http::Tls::make(std::move(options)));
  }
  if (!place.proxy_url.empty()) TIPHYS_CHECK_OK(use_proxy(place.proxy_url, server.endpoint));
  std::string token = place.given_token();
  if (token.empty() && own) token = own_token(place, url.host, url.port);
  // "Basic ..." is a header as it is.
  std::string authorization = token.empty() || token.find(' ') != std::string::npos ? token : "Bearer " + token;
  if (authorization.empty()) {
    // Who has no kubeconfig may need no token.
    const auto access = kubernetes_access(place);
    if (!access && access.error().code != Code::kFailedPrecondition) return std::unexpected(access.error());
    if (access) {
      TIPHYS_TRY(authorization, authorization_of(loop, *access));
    }
  }
  if (!authorization.empty()) server.headers.emplace_back("Authorization", authorization);
  return server;
}

}  // namespace tiphys::cli
