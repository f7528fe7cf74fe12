// Certificates of servers, clients and authorities.
#pragma once

#include <openssl/x509.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "expr/private_key.h"

namespace tiphys::expr {

using Certificate = Owned<X509, X509_free>;

struct CertificateRequest {
  std::string common_name;             ///< no subject when empty
  std::vector<std::string> addresses;  ///< IPv4 and IPv6
  std::vector<std::string> hosts;
  Time from;
  Duration valid_for;
  std::string serial;  ///< bytes of a number
  bool authority = false;
};

/// Signed by `issuer` with its key; by the key itself when there is no issuer.
Result<Certificate> make_certificate(const CertificateRequest& request, const PrivateKey& key, const X509* issuer,
                                     const PrivateKey& issuer_key);
std::string certificate_text(const Certificate& certificate);
/// The first PEM block of a text.
Result<Certificate> parse_certificate(std::string_view text);

}  // namespace tiphys::expr
