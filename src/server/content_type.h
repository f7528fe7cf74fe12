// What a file is to a browser, by its name.
#pragma once

#include <string_view>

namespace tiphys::server {

/// What browsers and notebooks show by themselves; the rest is bytes.
std::string_view content_type_of(std::string_view file_name);

}  // namespace tiphys::server
