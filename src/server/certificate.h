// The server's TLS certificate, made by itself: for localhost, 127.0.0.1 and ::1, and for the Service by which pods
// reach it, signed by an authority of its own that clients are told to trust and whose key is thrown away.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"

namespace boost::asio::ssl {
class context;
}

namespace tiphys::server {

struct Certificate {
  std::string authority;  ///< PEM: what clients trust; "" for what they trust anyway
  std::string chain;      ///< PEM: the server's own, then the authority's
  std::string key;        ///< PEM
};

/// The names of the API's Service, as pods call it.
inline constexpr std::array<std::string_view, 4> kServiceNames{
    "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"};

/// Reads it from `folder` (mode 0700), or makes it there when it is missing, damaged, within 30 days of its end, or not
/// for `service_address`, the address of that Service.
Result<Certificate> ensure_certificate(const std::string& folder, const std::string& service_address, Time now);

/// One that somebody else has made, in files of PEM. kInvalidArgument tells what is wrong with which.
Result<Certificate> read_certificate(const std::string& chain_path, const std::string& key_path);

/// TLS 1.2 and later; HTTP/2 and HTTP/1.1.
Result<std::shared_ptr<boost::asio::ssl::context>> make_tls_context(const Certificate& certificate);

}  // namespace tiphys::server
