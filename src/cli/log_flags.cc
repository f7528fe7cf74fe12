#include "cli/log_flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/log_format.h"
#include "base/strings.h"
#include "base/time.h"
#include "doc/value.h"

namespace tiphys::cli {
namespace {

using log::Level;

constexpr std::array<std::pair<std::string_view, Level>, 4> kLevels{
    {{"debug", Level::kDebug}, {"info", Level::kInfo}, {"warn", Level::kWarn}, {"error", Level::kError}}};
constexpr std::string_view kLevelNames[] = {"DEBUG", "INFO", "WARN", "ERROR"};

Status set_level(std::string_view name) {
  const auto known = std::ranges::find(kLevels, name, [](const auto& each) { return each.first; });
  if (known == kLevels.end()) {
    return fail(Code::kInvalidArgument, fmt::format("--loglevel must be debug, info, warn or error, not \"{}\"", name));
  }
  log::set_level(known->second);
  return {};
}

Status set_format(std::string_view name) {
  if (name == "json") {
    log::set_format(json_log_line);
  } else if (name != "text") {
    return fail(Code::kInvalidArgument, fmt::format("--log-format must be text or json, not \"{}\"", name));
  }
  return {};
}

/// Klog's levels are those of libraries that are not in here.
Status ignore(std::string_view) {
  return {};
}

struct ValueFlag {
  std::string_view name;
  Status (*set)(std::string_view);
};
constexpr ValueFlag kValueFlags[] = {{"--loglevel", set_level}, {"--log-format", set_format}, {"--gloglevel", ignore}};

}  // namespace

Status take_log_flags(Arguments& arguments) {
  for (std::size_t i = 0; i < arguments.size() && arguments[i] != "--";) {
    const std::string argument = arguments[i];
    const auto at = arguments.begin() + static_cast<std::ptrdiff_t>(i);
    if (argument == "-v" || argument == "--verbose") {
      log::set_level(Level::kDebug);
      arguments.erase(at);
      continue;
    }
    const std::size_t equals = argument.find('=');
    const auto flag = std::ranges::find(kValueFlags, std::string_view(argument).substr(0, equals), &ValueFlag::name);
    if (flag == std::end(kValueFlags)) {
      ++i;
      continue;
    }
    const bool whole = equals == std::string::npos;
    if (whole && i + 1 == arguments.size()) {
      return fail(Code::kInvalidArgument, fmt::format("{} needs a value", flag->name));
    }
    TIPHYS_CHECK_OK(
        flag->set(whole ? std::string_view(arguments[i + 1]) : std::string_view(argument).substr(equals + 1)));
    arguments.erase(at, at + (whole ? 2 : 1));
  }
  return {};
}

std::string json_log_line(Level level, std::string_view line) {
  return doc::to_json(doc::Object{
      {"time", format_rfc3339_micro(system_now())}, {"level", kLevelNames[static_cast<int>(level)]}, {"msg", line}});
}

}  // namespace tiphys::cli
