#include "server/server_account.h"

#include <fmt/format.h>

namespace tiphys::server {

objects::Outcome<objects::Caller> ServerAccount::caller() const {
  if (!name_) return objects::plane_owner();
  const auto account = store_.newest({&cluster::kServiceAccounts, name_->ns, name_->name});
  if (!account || !*account) {
    return std::unexpected(objects::Refusal{
        401, "Unauthorized",
        fmt::format("the server's account {}/{} does not exist: make it, and roles for it", name_->ns, name_->name)});
  }
  return objects::service_account(name_->ns, name_->name, doc::find_string(**account, "metadata", "uid"));
}

}  // namespace tiphys::server
