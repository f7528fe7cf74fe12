#include "node/python/warm_python.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/strings.h"

namespace tiphys::node {
namespace {

bool is_module(std::string_view name) {
  const auto part = [](std::string_view text) {
    const auto of_a_name = [](unsigned char c) { return std::isalnum(c) || c == '_' || c >= 0x80; };
    return !text.empty() && !(text.front() >= '0' && text.front() <= '9') && std::ranges::all_of(text, of_a_name);
  };
  return std::ranges::all_of(split(name, '.'), part);
}

}  // namespace

Result<std::optional<std::vector<std::string>>> parse_warm_python(std::string_view text) {
  text = trim(text);
  if (text.empty() || text == "false") return std::nullopt;
  std::vector<std::string> modules;
  if (text == "true") return modules;
  for (const std::string_view part : split(text, ',')) {
    const std::string_view name = trim(part);
    if (!is_module(name)) {
      return fail(
          Code::kInvalidArgument,
          fmt::format("\"{}\" is no module of Python: interpreters are kept with true, for standard ones alone, "
                      "or with names such as numpy,hera.workflows",
                      name));
    }
    modules.emplace_back(name);
  }
  return modules;
}

}  // namespace tiphys::node
