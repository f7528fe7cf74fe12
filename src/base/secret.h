// Secrets that a peer has to know.
#pragma once

#include <string_view>

namespace tiphys {

/// Compares in a time that does not tell where they differ. Nothing is the same as an empty one.
bool same_secret(std::string_view given, std::string_view expected);

}  // namespace tiphys
