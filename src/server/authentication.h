// What the server knows of its callers beside tokens of Kubernetes' API.
#pragma once

#include "server/auth_mode.h"

namespace tiphys::server {

class ServerAccount;
class SignOn;

/// Of Argo's API alone: Kubernetes' routes take their tokens and nothing else.
struct Authentication {
  AuthModes modes{};
  const ServerAccount* server_account = nullptr;  ///< not null with the modes server and sso
  SignOn* sign_on = nullptr;                      ///< not null with the mode sso
};

}  // namespace tiphys::server
