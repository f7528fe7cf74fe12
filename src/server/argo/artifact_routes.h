// Artifacts as files, at the original's paths. Original: server/artifacts/artifact_server.go.
//
//   GET   /artifacts/{ns}/{workflow}/{node}/{name}          /input-artifacts/...
//   GET   /artifacts-by-uid/{uid}/{node}/{name}             /input-artifacts-by-uid/...    of the archive
//   GET   /artifact-files/{ns}/workflows/{workflow}/{node}/outputs/{name}[/{path}]         also
//   archived-workflows/{uid},
//                                                           inputs; a path that ends in "/" shows what is in a folder
//   POST  /upload-artifacts/{ns}/{template}/{name}          multipart/form-data with a part "file"
#pragma once

#include "server/exchange.h"

namespace tiphys::server {

/// True of a request's target that is one of these.
bool is_of_artifacts(std::string_view target);
/// False when the path is none of these.
bool serve_artifacts(const ExchangePtr& exchange);

}  // namespace tiphys::server
