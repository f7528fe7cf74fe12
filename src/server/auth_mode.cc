#include "server/auth_mode.h"

#include <fmt/format.h>

#include "server/access.h"

namespace tiphys::server {

Result<AuthModes> AuthModes::parse(std::span<const std::string> words) {
  if (words.empty()) return AuthModes();
  AuthModes modes{.client = false};
  for (const std::string& word : words) {
    if (word == "client" || word == "hybrid") modes.client = true;
    if (word == "server" || word == "hybrid") modes.server = true;
    if (word == "sso") modes.sso = true;
    if (word != "client" && word != "server" && word != "sso" && word != "hybrid") {
      return fail(Code::kInvalidArgument, fmt::format("\"{}\" is none of client, server, sso and hybrid", word));
    }
  }
  return modes;
}

std::optional<AuthMode> AuthModes::of(std::string_view authorization) const {
  if (sso && authorization.starts_with(kSessionPrefix)) return AuthMode::kSso;
  if (client && (!bearer_token(authorization).empty() || authorization.starts_with("Basic "))) return AuthMode::kClient;
  if (server) return AuthMode::kServer;
  return std::nullopt;
}

}  // namespace tiphys::server
