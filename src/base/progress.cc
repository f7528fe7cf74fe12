#include "base/progress.h"

#include <fmt/format.h>

#include "base/whole_number.h"

namespace tiphys {
namespace {

std::optional<std::uint64_t> count(std::string_view text) {
  const auto number = whole_number(text);
  if (!number || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

}  // namespace

std::optional<Progress> parse_progress(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == text.npos) return std::nullopt;
  const auto done = count(text.substr(0, slash)), total = count(text.substr(slash + 1));
  if (!done || !total || *total == 0 || *done > *total) return std::nullopt;
  return Progress{*done, *total};
}

std::string to_text(const Progress& progress) {
  return fmt::format("{}/{}", progress.done, progress.total);
}

}  // namespace tiphys
