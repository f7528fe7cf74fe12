// Who asks Azure's servers when no key does: what Azure's programs find on this machine.
#pragma once

#include "artifact/access_token.h"

namespace tiphys::artifact {

/// A token for blobs, by the first of these that the environment has: AZURE_TENANT_ID and AZURE_CLIENT_ID with
/// AZURE_CLIENT_SECRET; with AZURE_FEDERATED_TOKEN_FILE, the workload's identity; IDENTITY_ENDPOINT with
/// IDENTITY_HEADER; the machine's identity (AZURE_POD_IDENTITY_AUTHORITY_HOST); `az login`, which alone is asked when
/// AZURE_TOKEN_CREDENTIALS is "dev" or "AzureCLICredential".
Attempt renew_azure_token(AccessToken& token, const web::Environment& environment, const std::stop_token& stop);

}  // namespace tiphys::artifact
