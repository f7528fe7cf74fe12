#include "cli/config_file.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/manifest.h"
#include "cli/terminal.h"

namespace tiphys::cli {

Result<api::ControllerConfig> ConfigFile::read() const {
  if (path.empty()) return api::ControllerConfig();
  if (read_) return *read_;
  TIPHYS_TRY(const std::string text, read_text(path));
  TIPHYS_TRY(api::ReadControllerConfig read, api::read_controller_config(text, path));
  print_error(read.notes);
  if (!read.unheard.empty()) {
    print_error(fmt::format("{}: warning: means nothing here: {}\n", path, join(read.unheard, ", ")));
  }
  read_ = std::move(read.config);
  return *read_;
}

}  // namespace tiphys::cli
