// Files and folder trees of this host, walked and copied through directory descriptors: a symbolic link that somebody
// swaps in while we read is refused, never followed.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace tiphys::artifact {

/// Folders deeper than this below the top are refused.
inline constexpr int kMostDepth = 256;

struct TreeEntry {
  std::string path;  ///< relative to the top; "" is the top itself
  struct stat stat{};
  std::string link_target;  ///< of a symbolic link
  int fd = -1;              ///< a regular file or folder, open for reading; lent for the call
};

/// The names in an open folder, in byte order. `shown` leads the message.
Result<std::vector<std::string>> folder_names(int folder, const std::string& shown);

/// Opens a file or folder, following symbolic links. kInvalidArgument for anything else.
Result<UniqueFd> open_tree(const std::string& path);

/// Visits the top, then what is below it, each folder before its content and names in byte order. Symbolic links below
/// the top are told, not followed. Sockets are an error; pipes and devices are told without a descriptor. `name` leads
/// the messages.
Status walk_tree(UniqueFd top, const std::string& name, const std::function<Status(const TreeEntry&)>& visit);

/// Copies a file or folder tree to `name` in the folder `to`, where that name must be free. Permission bits and times
/// of modification are kept; pipes and devices are left out. With `durable` all of it is on disk at the return, but for
/// the entry in `to` itself. After an error a part may be there.
Status copy_tree(UniqueFd from, const std::string& from_name, int to, const std::string& name, bool durable);

/// Removes a file or folder tree; one that is not there is no error.
Status remove_tree(int folder, const std::string& name);
Status remove_tree(const std::string& path);

}  // namespace tiphys::artifact
