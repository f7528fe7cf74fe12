// Where a browser goes once it has signed in.
#pragma once

#include <string>
#include <string_view>

namespace tiphys::server {

/// The value of a header Location: `wanted`, if that is a path of this server and can be read as nothing else; else
/// `base_path`. Browsers take a backslash for a slash, and two slashes for the beginning of another host.
std::string final_location(std::string_view wanted, std::string_view base_path);

}  // namespace tiphys::server
