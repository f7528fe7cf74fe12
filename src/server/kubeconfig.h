// The file that tells clients of Kubernetes where a plane is and how they may enter.
#pragma once

#include <string>
#include <string_view>

namespace tiphys::server {

/// YAML. `authority` is the PEM text of what signs the server's certificate; "" when clients trust that anyway.
std::string kubeconfig(std::string_view address, std::string_view authority, std::string_view token);

}  // namespace tiphys::server
