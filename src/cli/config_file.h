// --config: the controller's configuration from a file.
#pragma once

#include <optional>
#include <string>

#include "api/controller_config.h"

namespace tiphys::cli {

class ConfigFile {
 public:
  std::string path;  ///< "": the original's defaults

  /// Reads it once, and then tells on stderr what of it means nothing here.
  Result<api::ControllerConfig> read() const;

 private:
  mutable std::optional<api::ControllerConfig> read_;
};

}  // namespace tiphys::cli
