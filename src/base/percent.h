// Escapes of URLs (RFC 3986).
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace tiphys {

/// The text with %XX decoded (and "+" as a space when `plus`); a broken escape is an error.
Result<std::string> percent_decode(std::string_view text, bool plus);
/// Everything but unreserved characters (RFC 3986) as %XX.
std::string percent_encode(std::string_view text);

}  // namespace tiphys
