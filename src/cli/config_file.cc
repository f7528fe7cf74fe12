#include "cli/config_file.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/strings.h"
#include "cli/manifest.h"
#include "cli/terminal.h"

namespace tiphys::cli {
namespace {

constexpr const char* kAllowlist = "WORKFLOW_USER_OVERRIDE_ALLOWLIST";

Status read_allowlist(api::ControllerConfig::Restrictions& restrictions) {
  const char* names = std::getenv(kAllowlist);
  if (!names || !restrictions.by_reference) return {};
  auto read = api::read_override_allowlist(names);
  if (!read) return fail(read.error().code, fmt::format("{}: {}", kAllowlist, read.error().message));
  restrictions.also_allowed = std::move(*read);
  return {};
}

}  // namespace

Result<api::ControllerConfig> ConfigFile::read() const {
  if (path.empty()) return api::ControllerConfig();
  if (read_) return *read_;
  TIPHYS_TRY(const std::string text, read_text(path));
  TIPHYS_TRY(api::ReadControllerConfig read, api::read_controller_config(text, path));
  print_error(read.notes);
  if (!read.unheard.empty()) {
    print_error(fmt::format("{}: warning: means nothing here: {}\n", path, join(read.unheard, ", ")));
  }
  TIPHYS_CHECK_OK(read_allowlist(read.config.restrictions));
  read_ = std::move(read.config);
  return *read_;
}

}  // namespace tiphys::cli
