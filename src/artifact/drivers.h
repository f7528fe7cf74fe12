// The drivers, one a kind of place. For stores.cc.
#pragma once

#include "artifact/stores.h"

namespace tiphys::artifact {

Result<std::unique_ptr<Place>> open_s3(const DriverContext& context);
/// http and artifactory.
Result<std::unique_ptr<Place>> open_http(const DriverContext& context);
Result<std::unique_ptr<Place>> open_artifactory(const DriverContext& context);
Result<std::unique_ptr<Place>> open_azure(const DriverContext& context);
Result<std::unique_ptr<Place>> open_gcs(const DriverContext& context);
Result<std::unique_ptr<Place>> open_oss(const DriverContext& context);
Result<std::unique_ptr<Place>> open_plugin(const DriverContext& context);
/// By programs of this host.
Result<std::unique_ptr<Place>> open_git(const DriverContext& context);
Result<std::unique_ptr<Place>> open_hdfs(const DriverContext& context);

}  // namespace tiphys::artifact
