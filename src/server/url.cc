#include "server/url.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/percent.h"
#include "base/strings.h"

namespace tiphys::server {
namespace {

/// Files in artifacts lie deep.
constexpr std::size_t kMostSegments = 256;
constexpr std::size_t kMostParameters = 64;

}  // namespace

Result<Target> Target::parse(std::string_view text) {
  Target target;
  const auto mark = text.find('?');
  for (const auto segment : split(text.substr(0, mark), '/')) {
    if (segment.empty()) continue;
    TIPHYS_TRY(auto decoded, percent_decode(segment, false));
    target.path.push_back(std::move(decoded));
    if (target.path.size() > kMostSegments) return fail(Code::kInvalidArgument, "the path has too many segments");
  }
  if (mark == std::string_view::npos) return target;
  for (const auto part : split(text.substr(mark + 1), '&')) {
    if (part.empty()) continue;
    const auto equals = part.find('=');
    TIPHYS_TRY(auto name, percent_decode(part.substr(0, equals), true));
    const auto rest = equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1);
    TIPHYS_TRY(auto value, percent_decode(rest, true));
    target.query.emplace_back(std::move(name), std::move(value));
    if (target.query.size() > kMostParameters) return fail(Code::kInvalidArgument, "the query has too many parameters");
  }
  return target;
}

std::string_view Target::value(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return {};
}

bool Target::has(std::string_view name) const {
  return std::ranges::any_of(query, [&](const auto& one) { return one.first == name; });
}

bool Target::flag(std::string_view name) const {
  if (!has(name)) return false;
  std::string text(value(name));
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text != "false" && text != "0";
}

}  // namespace tiphys::server
