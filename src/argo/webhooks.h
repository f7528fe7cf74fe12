// Webhooks: events from code hosts, which sign them where others bear a token. Original: server/auth/webhook.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "argo/call.h"
#include "doc/value.h"

namespace tiphys::argo {

/// The Secret of a namespace that names its webhook clients: each key is the service account that a client is, its
/// value YAML with `type` (github, gitlab, bitbucket, bitbucketserver) and `secret`.
inline constexpr const char* kWebhookClients = "argo-workflows-webhook-clients";

/// The service account of the client that has signed `body`; "" when none has. A client without a secret has signed
/// nothing. Errors: what the Secret says cannot be read.
Result<std::string> webhook_account(const doc::Value& secret, const std::vector<ExtraHeader>& headers,
                                    std::string_view body);

}  // namespace tiphys::argo
