#include "base/progress.h"

#include <fmt/format.h>

#include <charconv>

namespace tiphys {
namespace {

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return static_cast<std::uint64_t>(value);
}

}  // namespace

std::optional<Progress> parse_progress(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == text.npos) return std::nullopt;
  const auto done = whole_number(text.substr(0, slash)), total = whole_number(text.substr(slash + 1));
  if (!done || !total || *total == 0 || *done > *total) return std::nullopt;
  return Progress{*done, *total};
}

std::string to_text(const Progress& progress) {
  return fmt::format("{}/{}", progress.done, progress.total);
}

}  // namespace tiphys
