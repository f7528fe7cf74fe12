// gzip, as status.compressedNodes is packed.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace tiphys::kube {

std::string gzip(std::string_view bytes);
/// At most 256 MiB come of it.
Result<std::string> gunzip(std::string_view packed);

}  // namespace tiphys::kube
