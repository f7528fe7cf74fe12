// Kubernetes' quantities: "500m", "1.5", "128Mi", "1e3".
#pragma once

#include <string_view>

#include "base/error.h"

namespace tiphys::cluster {

/// The value in units: cores of "500m" are 0.5, bytes of "1Ki" are 1024. Source: apimachinery/pkg/api/resource.
Result<double> parse_quantity(std::string_view text);

}  // namespace tiphys::cluster
