#include "server/access.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <string>

#include "base/secret.h"
#include "server/certificate.h"

namespace tiphys::server {
namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c); });
}

/// As pods call it: by an address of the plane's Services, or by a name, none of which is one of the internet's.
bool is_api_service(std::string_view host) {
  constexpr std::string_view kServices = "127.96.";
  in_addr parsed{};
  if (host.starts_with(kServices)) return ::inet_pton(AF_INET, std::string(host).c_str(), &parsed) == 1;
  return std::ranges::any_of(kServiceNames, [&](std::string_view name) { return equal_ignoring_case(host, name); });
}

}  // namespace

std::string_view bearer_token(std::string_view authorization) {
  constexpr std::string_view kScheme = "Bearer ";
  if (!equal_ignoring_case(authorization.substr(0, kScheme.size()), kScheme)) return {};
  return authorization.substr(kScheme.size());
}

bool bears_token(std::string_view authorization, std::string_view token) {
  return same_secret(bearer_token(authorization), token);
}

bool is_loopback_host(std::string_view host) {
  std::string_view port;
  if (host.starts_with('[')) {
    const auto close = host.find(']');
    if (close == std::string_view::npos) return false;
    port = host.substr(close + 1);
    host = host.substr(0, close + 1);
  } else if (const auto colon = host.find(':'); colon != std::string_view::npos) {
    port = host.substr(colon);
    host = host.substr(0, colon);
  }
  if (!port.empty() && (port[0] != ':' || !is_port(port.substr(1)))) return false;
  return equal_ignoring_case(host, "localhost") || host == "127.0.0.1" || host == "[::1]" || is_api_service(host);
}

bool is_same_origin(std::string_view origin, std::string_view host, std::string_view fetch_site) {
  if (!fetch_site.empty()) return fetch_site == "same-origin" || fetch_site == "none";
  if (origin.empty()) return true;
  const auto scheme = origin.find("://");
  return scheme != std::string_view::npos && equal_ignoring_case(origin.substr(scheme + 3), host);
}

bool is_write(std::string_view method) {
  return method != "GET" && method != "HEAD" && method != "OPTIONS";
}

const std::shared_ptr<const objects::Caller>& anonymous() {
  static const auto nobody = std::make_shared<const objects::Caller>(
      objects::Caller{.name = "system:anonymous", .groups = {"system:unauthenticated"}});
  return nobody;
}

bool is_open_page(std::string_view target) {
  return target == "/healthz" || target == "/metrics";
}

std::string peer_address(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "";
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in&>(address).sin_addr, text, sizeof text);
  } else if (address.ss_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &reinterpret_cast<sockaddr_in6&>(address).sin6_addr, text, sizeof text);
  }
  return text;
}

}  // namespace tiphys::server
