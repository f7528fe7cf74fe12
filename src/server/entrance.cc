#include "server/entrance.h"

#include "server/access.h"
#include "server/audit.h"

namespace tiphys::server {
namespace {

bool is_of_this_machine(const Credentials& credentials) {
  if (!is_loopback_host(credentials.host)) return false;
  std::string_view origin = credentials.origin;
  if (origin.empty()) return true;
  if (const auto scheme = origin.find("://"); scheme != std::string_view::npos) origin.remove_prefix(scheme + 3);
  return is_loopback_host(origin);
}

}  // namespace

objects::Outcome<std::shared_ptr<const objects::Caller>> let_in(const Entrance& entrance, const Request& request,
                                                                const Credentials& credentials) {
  if (!entrance.gate) return nullptr;
  const auto refuse = [&](unsigned code, std::string reason, std::string message) {
    tell_refused(entrance.served, request, code);
    return std::unexpected(objects::Refusal{code, std::move(reason), std::move(message)});
  };
  if (!entrance.is_public && !is_of_this_machine(credentials)) {
    return refuse(403, "Forbidden", "the Host of a request must be localhost or 127.0.0.1");
  }
  auto caller = entrance.gate->admit(credentials.authorization);
  if (caller || is_open_page(request.target)) return caller;
  return refuse(401, "Unauthorized", "a request over TCP needs the header Authorization: Bearer TOKEN");
}

}  // namespace tiphys::server
