// Text within XML and HTML.
#pragma once

#include <string>
#include <string_view>

namespace tiphys {

/// For content and for attributes in quotes. Control characters that XML cannot have are left out.
std::string escape_markup(std::string_view text);

}  // namespace tiphys
