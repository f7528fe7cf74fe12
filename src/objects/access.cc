#include "objects/access.h"

#include <fmt/format.h>

namespace tiphys::objects {

Caller plane_owner() {
  return {.name = "tiphys:admin", .groups = {std::string(kMasters), std::string(kAuthenticated)}};
}

Caller service_account(std::string_view ns, std::string_view name, std::string_view uid) {
  return {
      .name = fmt::format("system:serviceaccount:{}:{}", ns, name),
      .uid = std::string(uid),
      .groups = {"system:serviceaccounts", fmt::format("system:serviceaccounts:{}", ns), std::string(kAuthenticated)}};
}

std::string forbidden_message(const Caller& caller, const Attributes& asked, std::string_view reason) {
  const std::string why = reason.empty() ? "" : fmt::format(": {}", reason);
  if (!asked.path.empty()) {
    return fmt::format("forbidden: User \"{}\" cannot {} path \"{}\"{}", caller.name, asked.verb, asked.path, why);
  }
  const std::string resource =
      asked.subresource.empty() ? std::string(asked.resource) : fmt::format("{}/{}", asked.resource, asked.subresource);
  const std::string qualified =
      asked.group.empty() ? std::string(asked.resource) : fmt::format("{}.{}", asked.resource, asked.group);
  const std::string subject = asked.name.empty() ? qualified : fmt::format("{} \"{}\"", qualified, asked.name);
  const std::string where =
      asked.ns.empty() ? "at the cluster scope" : fmt::format("in the namespace \"{}\"", asked.ns);
  return fmt::format("{} is forbidden: User \"{}\" cannot {} resource \"{}\" in API group \"{}\" {}{}", subject,
                     caller.name, asked.verb, resource, asked.group, where, why);
}

}  // namespace tiphys::objects
