// Tokens of service accounts: JSON web tokens (RFC 7519) that the plane signs (ES256) and knows again.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace tiphys::objects {

struct ServiceToken {
  std::string ns, name, uid;             ///< of the service account
  std::string pod_name{}, pod_uid{};     ///< of the pod that it ends with; "" for none
  std::vector<std::string> audiences{};  ///< none: the plane's API
  Time issued{}, expires{};
};

class ServiceTokens {
 public:
  /// `key` is an EC P-256 private key as PEM (jose::make_ec_key). kInvalidArgument when it is none.
  static Result<std::unique_ptr<ServiceTokens>> make(std::string_view key);
  virtual ~ServiceTokens() = default;

  virtual Result<std::string> sign(const ServiceToken& token) const = 0;
  /// kUnauthenticated: not of this plane, damaged or expired.
  virtual Result<ServiceToken> verify(std::string_view text, Time now) const = 0;
};

/// The issuer and the audience of tokens that say nothing else.
inline constexpr std::string_view kTokenIssuer = "https://kubernetes.default.svc";

}  // namespace tiphys::objects
