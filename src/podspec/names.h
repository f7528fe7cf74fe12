// The forms of names in Kubernetes (k8s.io/apimachinery/pkg/util/validation): what is wrong with one, as it says it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tiphys::podspec {

using Complaints = std::vector<std::string>;

Complaints dns_label(std::string_view text);       ///< RFC 1123, 63 characters
Complaints dns_1035_label(std::string_view text);  ///< begins with a letter: names of services
Complaints dns_subdomain(std::string_view text);   ///< RFC 1123, 253 characters
Complaints qualified_name(std::string_view text);  ///< a key of labels and annotations: "example.com/name"
Complaints label_value(std::string_view text);
Complaints config_key(std::string_view text);  ///< a key of a ConfigMap or Secret
Complaints port_name(std::string_view text);
Complaints path_segment(std::string_view text);  ///< names of roles
Complaints env_name(std::string_view text);
bool has_dots(std::string_view path);  ///< one of its parts is ".."

}  // namespace tiphys::podspec
