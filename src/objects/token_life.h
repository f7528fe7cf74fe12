// How long the token of a service account holds beside its own time: as long as what it is bound to is there.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "objects/service_tokens.h"
#include "store/store.h"

namespace tiphys::objects {

/// Whether its account, and the pod that it is bound to, are there, and are the same ones still.
bool is_bound_to_what_exists(const ServiceToken& token, store::Store& store);

/// The audiences among `wanted` that the token is for; none wanted: the plane's API.
std::vector<std::string> common_audiences(const ServiceToken& token, std::span<const std::string> wanted);

}  // namespace tiphys::objects
