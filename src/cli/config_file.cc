#include "cli/config_file.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/manifest.h"
#include "cli/terminal.h"

namespace tiphys::cli {

Result<api::ControllerConfig> read_config(const std::string& file) {
  if (file.empty()) return api::ControllerConfig();
  TIPHYS_TRY(const std::string text, read_text(file));
  TIPHYS_TRY(api::ReadControllerConfig read, api::read_controller_config(text, file));
  print_error(read.notes);
  if (!read.unheard.empty()) {
    print_error(fmt::format("{}: warning: means nothing here: {}\n", file, join(read.unheard, ", ")));
  }
  return std::move(read.config);
}

}  // namespace tiphys::cli
