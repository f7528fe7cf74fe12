#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <iterator>

#include "base/log_format.h"

namespace tiphys::log {
namespace {

constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                                 spdlog::level::err};

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = std::make_shared<spdlog::logger>("tiphys", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    made->set_level(spdlog::level::warn);
    return made;
  }();
  return *instance;
}

/// Texts of others are in lines: none begins a line of its own, or speaks to a terminal.
std::string on_one_line(std::string_view line) {
  std::string made;
  made.reserve(line.size());
  for (const char c : line) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '\n') {
      made += "\\n";
    } else if (code < 0x20 || code == 0x7f) {
      made += fmt::format("\\x{:02x}", code);
    } else {
      made += c;
    }
  }
  return made;
}

std::atomic<std::uint64_t> written[std::size(kLevels)];

std::string (*own_format)(Level, std::string_view) = nullptr;

}  // namespace

void set_format(std::string (*format)(Level, std::string_view)) {
  own_format = format;
  logger().set_pattern("%v");
}
void set_level(Level level) {
  logger().set_level(kLevels[static_cast<int>(level)]);
}
bool enabled(Level level) {
  return logger().should_log(kLevels[static_cast<int>(level)]);
}
void write(Level level, std::string_view line) {
  if (enabled(level)) written[static_cast<int>(level)].fetch_add(1, std::memory_order_relaxed);
  logger().log(kLevels[static_cast<int>(level)], "{}", own_format ? own_format(level, line) : on_one_line(line));
}

std::uint64_t lines(Level level) {
  return written[static_cast<int>(level)].load(std::memory_order_relaxed);
}

}  // namespace tiphys::log
