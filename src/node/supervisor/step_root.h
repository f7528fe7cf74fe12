// What a step of the process runtime sees of this host, and the writable folder tree beneath it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace tiphys::node {

/// Paths are without the leading "/".
struct HostView {
  std::vector<std::string> folders;                        ///< shown read-only at the same place: usr, etc, opt, ...
  std::vector<std::pair<std::string, std::string>> links;  ///< symbolic links as the host has them: bin -> usr/bin

  /// Looks at this host's top folders, and at where /etc/resolv.conf leads.
  static HostView detect();
  /// True when `path` (absolute) is a shown folder or lies below one, or below a link into one.
  bool covers(std::string_view path) const;
};

/// The folders of a root that a step may change, as it sees them: "/", "/tmp" and so on.
std::vector<std::string> own_folders(const HostView& view);
/// Those on the way to kAccountFolder that only a root in which something is shown there has.
std::vector<std::string> account_parents();

/// Where /dev/termination-log of a step leads, in its root: its /dev is one for all.
inline constexpr char kTerminationLog[] = "/var/run/argo/termination-log";

/// The name of the folder that keeps empty roots for reuse, in the data directory.
inline constexpr char kRootPool[] = "supervisor/roots";

/// The folder, in the data directory, of symbolic links that roots share.
inline constexpr char kRootLinks[] = "supervisor/links";

/// Fills a folder with the links that roots share.
Status store_links(const HostView& view, int folder);
/// Makes `name` in the folder `parent` as an empty root: places for the host's folders, /proc, /dev, /tmp and so on.
/// `links` is a folder that store_links() filled, on the same file system, or -1.
Status make_root(const HostView& view, int parent, const char* name, int links = -1);
/// Removes everything from a root that make_root did not put there. An error (a place was replaced or cannot be
/// cleaned) leaves a root that may only be removed. With `keep_account` kAccountFolder stays, as an empty folder, if it
/// is there: an init has something bound over it, which would go with it.
Status clear_root(const HostView& view, int parent, const char* name, bool keep_account = false);
/// Whether it has that folder, or a part of the way to it.
bool has_account_folder(int parent, const char* name);

}  // namespace tiphys::node
