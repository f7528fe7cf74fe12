// A way into the server, and who may take it: the same for every protocol that is spoken there.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string_view>

#include "server/gate.h"
#include "server/rate_limit.h"
#include "server/routes.h"

namespace tiphys::server {

/// Bounds of every connection.
inline constexpr std::size_t kMostHeaderBytes = 64 * 1024;
inline constexpr std::size_t kMostBodyBytes = 16 * 1024 * 1024;
/// Of those who have no token, as in the original.
inline constexpr std::size_t kMostAnonymousBodyBytes = 2 * 1024 * 1024;
/// What a reader of a stream may lag behind before it is cut.
inline constexpr std::size_t kMostLagBytes = 16 * 1024 * 1024;
/// With so much unsent, a source that can wait is asked to.
inline constexpr std::size_t kPauseBytes = 1024 * 1024;

struct Entrance {
  const Served& served;  ///< outlives all connections
  std::shared_ptr<const Gate>
      gate;  ///< knows whom requests come from; null where all are the owner's (the unix socket)
  /// For clients that begin with TLS; null where none is spoken. Those that do not are served in plain text, where
  /// others cannot listen.
  std::shared_ptr<boost::asio::ssl::context> tls;
  /// From other machines: by TLS alone, under whatever name this one is known by.
  bool is_public = false;
  std::shared_ptr<RateLimit> limit = nullptr;  ///< null: none
};

/// What tells whether a request is let in.
struct Credentials {
  std::string_view host, origin, authorization;
  std::string_view cookie{};      ///< all of them: "a=1; b=2"
  std::string_view fetch_site{};  ///< Sec-Fetch-Site: what a browser says of where a request comes from
};

/// How large a body of this caller may be.
std::size_t most_body_bytes(const objects::Caller* caller);
objects::Refusal too_large_body(std::size_t most);

/// Who asks, null for the plane's owner and for open pages, anonymous() where only the body can tell and for pages of
/// single sign-on; or what to answer before that is read: over TCP a token is needed, and on a loopback address a Host
/// that is this machine's own. Of Argo's API the modes of authentication decide, and who has signed in has no rights
/// yet (take_account). What is refused is told to the audit log. `request` has its method, target, peer and user agent.
objects::Outcome<std::shared_ptr<const objects::Caller>> let_in(const Entrance& entrance, const Request& request,
                                                                const Credentials& credentials);

}  // namespace tiphys::server
