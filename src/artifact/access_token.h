// Tokens that a server of OAuth 2 gives.
#pragma once

#include <stop_token>
#include <string>

#include "artifact/attempts.h"
#include "artifact/uri.h"
#include "base/time.h"
#include "web/exchange.h"

namespace tiphys::artifact {

struct AccessToken {
  std::string text;
  Time expires{};
  /// With a minute to spare.
  bool is_good() const { return !text.empty() && system_now() + std::chrono::minutes(1) < expires; }
};

/// A form is sent to the URL that gives tokens, with these headers beside its content's type.
Result<web::HttpAnswer> post_form(const std::string& url, const Query& form, web::Headers headers,
                                  const web::Environment& environment, std::stop_token stop);

/// Takes the token that the answer of `url` holds: {"access_token", "expires_in"}.
Attempt take_token(const Result<web::HttpAnswer>& answer, std::string_view url, AccessToken& token);

}  // namespace tiphys::artifact
