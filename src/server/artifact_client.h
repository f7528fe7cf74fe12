// Artifacts behind a server, by its routes for them.
#pragma once

#include <string>

#include "argo/artifact_files.h"
#include "server/argo_client.h"

namespace tiphys::server {

/// As ArtifactFiles::find. What comes is kept in a file without a name on the file system of `folder`.
void find_artifact(boost::asio::io_context& context, ArgoServer server, const argo::ArtifactName& name,
                   const std::string& folder, cluster::Done<argo::FoundArtifact> done);

}  // namespace tiphys::server
