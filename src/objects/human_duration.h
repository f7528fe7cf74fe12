// How kubectl shows ages: "45s", "3m20s", "5h", "3d4h" (k8s.io/apimachinery/pkg/util/duration).
#pragma once

#include <string>

#include "base/time.h"

namespace tiphys::objects {

std::string human_duration(Duration duration);
/// Since an RFC 3339 time; "<unknown>" when there is none.
std::string age_since(std::string_view rfc3339, Time now);

}  // namespace tiphys::objects
