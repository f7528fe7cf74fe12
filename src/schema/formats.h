// Formats of strings, as CustomResourceDefinitions name them (k8s.io/kube-openapi/pkg/validation/strfmt).
#pragma once

#include <string_view>

namespace tiphys::schema {

/// Whether a text has a format: "date-time", "duration", "ipv4", ... Any text has one that Kubernetes does not know.
bool has_format(std::string_view text, std::string_view format);

}  // namespace tiphys::schema
