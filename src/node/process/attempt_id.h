// What the supervisor calls the attempts of a step: "ID", then "ID~2".
#pragma once

#include <fmt/format.h>

#include <charconv>
#include <string>
#include <string_view>
#include <utility>

namespace tiphys::node {

inline std::string attempt_id(std::string_view id, int attempt) {
  return attempt == 1 ? std::string(id) : fmt::format("{}~{}", id, attempt);
}

/// The step's own id, and which of its attempts it is.
inline std::pair<std::string_view, int> step_of(std::string_view attempt) {
  const std::size_t mark = attempt.rfind('~');
  if (mark == std::string_view::npos) return {attempt, 1};
  int number = 1;
  std::from_chars(attempt.data() + mark + 1, attempt.data() + attempt.size(), number);
  return {attempt.substr(0, mark), number};
}

}  // namespace tiphys::node
