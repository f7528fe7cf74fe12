// What the environment says of the way to servers, with the variables that Go's client reads.
#pragma once

#include <string>

namespace tiphys::web {

struct Environment {
  std::string http_proxy;                            ///< for http:// URLs; "": none
  std::string https_proxy;                           ///< for https:// URLs
  std::string no_proxy;                              ///< hosts, domains and networks that are asked directly
  std::string certificate_file, certificate_folder;  ///< in place of what the system trusts; "": that
};

/// HTTP_PROXY, HTTPS_PROXY, NO_PROXY, in lower case, too; SSL_CERT_FILE, SSL_CERT_DIR.
Environment this_environment();

}  // namespace tiphys::web
