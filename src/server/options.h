// What the query of a request, and the body of a deletion, ask for beside the object: read, and checked as Kubernetes
// checks its CreateOptions, UpdateOptions, PatchOptions, DeleteOptions and ListOptions.
#pragma once

#include <string_view>

#include "server/exchange.h"

namespace tiphys::server {

/// Of "CreateOptions", "UpdateOptions", "PatchOptions"; `apply` is a server-side apply.
objects::Outcome<objects::WriteOptions> write_options(const Exchange& exchange, std::string_view kind,
                                                      bool apply = false);
objects::Outcome<objects::RemoveOptions> delete_options(const Exchange& exchange);
/// The version that a list or a watch names, 0 where it names none; that the options of either go together.
objects::Outcome<std::uint64_t> list_version(const Exchange& exchange, bool watch);

/// The fieldSelector; 400 for a field by which the kind cannot be selected.
objects::Outcome<cluster::Selector> field_selector(const Exchange& exchange, const objects::Kind& kind);

}  // namespace tiphys::server
