// Whom a TLS client trusts, and what it shows of itself.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"

namespace boost::asio::ssl {
class context;
}

namespace tiphys::http {

struct TlsOptions {
  std::string ca{};           ///< PEM of those that are trusted; "": whom the system trusts
  bool insecure = false;      ///< any certificate is taken
  std::string server_name{};  ///< an IP address or name that the certificate is to be for
  std::string certificate{};  ///< PEM, with what leads to its authority; "": none is shown
  std::string key{};
};

class Tls {
 public:
  /// An error says which of the options cannot be read.
  static Result<std::shared_ptr<const Tls>> make(TlsOptions options);
  ~Tls();

  const TlsOptions& options() const { return options_; }
  boost::asio::ssl::context& context() const { return *context_; }

 private:
  explicit Tls(TlsOptions options);
  Status trust();
  Status show();

  TlsOptions options_;
  std::unique_ptr<boost::asio::ssl::context> context_;
};

}  // namespace tiphys::http
