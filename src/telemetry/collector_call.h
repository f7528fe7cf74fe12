// One request to a collector, and what its answer means.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "telemetry/settings.h"
#include "web/http_client.h"

namespace tiphys::telemetry {

/// Puts a message of OTLP on its way.
web::HttpRequest collector_request(const Endpoint& endpoint, std::string_view message);

/// What has become of a request.
struct Delivery {
  enum class Kind { kTaken, kAgain, kLost };
  Kind kind = Kind::kTaken;
  std::string why;                 ///< unless all is well
  std::int64_t rejected = 0;       ///< kTaken: so many of its items were not
  std::optional<Duration> wait{};  ///< kAgain: so long, if the collector says so
};

/// As the protocol's specification sorts answers; no answer is one that may come later.
Delivery delivery_of(const Endpoint& endpoint, const Result<web::HttpAnswer>& answer, Time now);

}  // namespace tiphys::telemetry
