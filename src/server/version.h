// What this program is.
#pragma once

#include <string>
#include <string_view>

#include "doc/value.h"

namespace tiphys::server {

/// "v0.1.0".
std::string_view version();
/// The version of the Kubernetes API that is spoken: "v1.34.4+tiphys.0.1.0".
std::string kubernetes_version();
/// As both Kubernetes' and Argo's version routes tell it.
std::string version_json();
/// The message Version of Argo's InfoService: "v4.1.2+tiphys.0.1.0".
doc::Object argo_version();
/// "linux/amd64".
std::string_view platform();
/// "gcc 12.2.0" or "clang 19.1.4".
std::string compiler();

}  // namespace tiphys::server
