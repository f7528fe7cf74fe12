// How the pods of a plane reach its API: what the plane gives to the agent, which knows no tokens itself.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tiphys::node {

/// For whom a token is: a pod, in the name of its service account.
struct TokenOwner {
  std::string ns, account, account_uid, pod, pod_uid;
};

class ApiAccess {
 public:
  virtual ~ApiAccess() = default;

  /// PEM: the authority by which the API's certificate is known.
  virtual std::string authority() const = 0;
  /// A token that ends with its pod; `audience` "" is the API itself.
  virtual Result<std::string> sign(const TokenOwner& owner, const std::string& audience,
                                   std::chrono::seconds lifetime) const = 0;
  /// Whether roles give an account anything that not all accounts have.
  virtual bool has_rights(std::string_view ns, std::string_view account) const = 0;
};

}  // namespace tiphys::node
