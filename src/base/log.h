// The program's own log, on standard error. spdlog stays behind this header: it is slow to compile.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

namespace tiphys::log {

enum class Level { kDebug, kInfo, kWarn, kError };

/// Lines below `level` are dropped. The default is kWarn.
void set_level(Level level);
bool enabled(Level level);
void write(Level level, std::string_view line);
/// How many lines of this level were written since the program began.
std::uint64_t lines(Level level);

template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kDebug)) write(Level::kDebug, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kInfo)) write(Level::kInfo, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kWarn)) write(Level::kWarn, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kError)) write(Level::kError, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace tiphys::log
