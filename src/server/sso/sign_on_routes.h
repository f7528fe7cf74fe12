// The pages of single sign-on.
#pragma once

#include "server/exchange.h"

namespace tiphys::server {

/// Of a target whose page needs no session: /oauth2/redirect, /oauth2/callback, /oauth2/logout.
bool is_sign_on_page(std::string_view target);

/// False when the target is none of them.
bool serve_sign_on(const ExchangePtr& exchange);

}  // namespace tiphys::server
