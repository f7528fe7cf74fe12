// Paths below a folder that others write to, containers for example: a symbolic link in it leads nowhere else, also
// when somebody swaps it in meanwhile.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"

namespace tiphys {

/// Opens `path` below the folder `top` with the flags of open(2). Symbolic links are followed as long as they stay
/// below: kInvalidArgument where one leads out, as absolute ones do. `top` itself may be reached through links.
Result<UniqueFd> open_beneath(const std::string& top, std::string_view path, int flags);

/// The same for a folder, which is made when it is missing, with those above it.
Result<UniqueFd> make_folder_beneath(const std::string& top, std::string_view path);

/// Where something that is open lies, without links.
Result<std::string> path_of(const UniqueFd& opened);

}  // namespace tiphys
