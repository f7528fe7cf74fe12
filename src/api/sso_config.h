// How people sign in, of the controller's configuration (config/sso.go).
#pragma once

#include <string>
#include <vector>

#include "api/secret_key.h"
#include "base/time.h"

namespace tiphys::api {

class FieldTable;
class Place;

struct SsoConfig {
  struct Rbac {
    bool enabled = false;
  };

  std::string issuer;        ///< the provider's URL
  std::string issuer_alias;  ///< whom its tokens name, where that is another one; "": the same
  SecretKey client_id, client_secret;  ///< of Secrets in the server's namespace
  std::string redirect_url;  ///< of the callback as browsers reach it; "": by the Host of a request
  Rbac rbac;                 ///< whether rules of service accounts say whose rights who has
  std::vector<std::string> scopes;
  Duration session_expiry = std::chrono::hours(10);
  std::string custom_group_claim_name;  ///< "": groups
  std::string user_info_path;           ///< below the issuer; "": groups are those of the ID token
  bool insecure_skip_verify = false;
  std::vector<std::string> filter_groups_regex;  ///< good ones; none: all groups count
  std::string root_ca;                           ///< PEM
};

extern const FieldTable kSsoTable;

void read(const Place& place, SsoConfig& out);

}  // namespace tiphys::api
