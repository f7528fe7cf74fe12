// One data directory, one process at a time: who takes it, who becomes a client, and how it is handed over.
#pragma once

#include <memory>
#include <string>

#include "cli/embedded_plane.h"
#include "cli/loop.h"

namespace tiphys::cli {

/// The socket on which the process that holds a data directory answers.
std::string api_socket(const std::string& data_dir);

/// Takes the directory and opens its plane; or gives null when another process holds it and answers on its socket. A
/// process that holds it without answering is about to begin or to end: for ten seconds its next move is awaited.
Result<std::unique_ptr<EmbeddedPlane>> take_or_find_plane(Loop& loop, const PlaneOptions& options);

}  // namespace tiphys::cli
