#include "persist/authorities.h"

#include <unistd.h>

#include <cstdlib>

namespace tiphys::persist {

std::string system_authorities() {
  const char* named = std::getenv("SSL_CERT_FILE");
  for (const char* path : {named, "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"}) {
    if (path && ::access(path, R_OK) == 0) return path;
  }
  return "";
}

}  // namespace tiphys::persist
