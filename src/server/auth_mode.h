// How callers of Argo's API show who they are: --auth-mode, as the original's server has it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tiphys::server {

enum class AuthMode {
  kClient,  ///< by a token of Kubernetes' API: the owner's, or a service account's
  kServer,  ///< not at all: all are the server's account
  kSso,     ///< by a session that a sign-in has begun
};

/// What the value of an Authorization header, or of the cookie of that name, begins with in a session.
inline constexpr std::string_view kSessionPrefix = "Bearer v2:";

/// The cookie that stands for the header Authorization, of the original's UI.
inline constexpr std::string_view kCookieName = "authorization";

struct AuthModes {
  bool client = true, server = false, sso = false;

  /// Of "client", "server", "sso" and "hybrid", which is client and server; none is client. kInvalidArgument: another.
  static Result<AuthModes> parse(std::span<const std::string> words);

  /// How a request is taken whose Authorization header, or cookie of that name, says this; "": it has neither. nullopt:
  /// not at all.
  std::optional<AuthMode> of(std::string_view authorization) const;
};

}  // namespace tiphys::server
