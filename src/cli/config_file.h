// --config: the controller's configuration from a file.
#pragma once

#include <string>

#include "api/controller_config.h"

namespace tiphys::cli {

/// "" gives the defaults. Tells on stderr what of it means nothing here.
Result<api::ControllerConfig> read_config(const std::string& file);

}  // namespace tiphys::cli
