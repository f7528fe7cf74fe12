// Who may speak to the server over TCP. The unix socket needs none of this: its file's permissions say who may.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "objects/access.h"

namespace tiphys::server {

/// The token of "Bearer <token>", as RFC 6750 has it, the scheme in any case; "" when there is none.
std::string_view bearer_token(std::string_view authorization);
bool bears_token(std::string_view authorization, std::string_view token);
/// True for a Host (or the host of an Origin) that names this machine's loopback or the Service of the API, with or
/// without a port. Another name that resolves to 127.0.0.1 is a web page's way in (DNS rebinding).
bool is_loopback_host(std::string_view host);

/// Whether a browser says that a request is this server's own page's; what says nothing is no browser. `origin` and
/// `host` as the headers, `fetch_site` as Sec-Fetch-Site, which goes before: a proxy may have changed the Host.
bool is_same_origin(std::string_view origin, std::string_view host, std::string_view fetch_site);
/// Whether a method may change something.
bool is_write(std::string_view method);

/// The address at the other end of a TCP connection; "" of another socket.
std::string peer_address(int socket);

/// Who has no token, and yet is heard: by RBAC it may do nothing but what is allowed to all.
const std::shared_ptr<const objects::Caller>& anonymous();

/// What needs no token: that the plane is well, and metrics, which Prometheus scrapes. Neither shows objects.
bool is_open_page(std::string_view target);

}  // namespace tiphys::server
