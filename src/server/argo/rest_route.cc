#include "server/argo/rest_route.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>

#include "base/percent.h"
#include "base/strings.h"
#include "doc/utf8.h"

namespace tiphys::server {
namespace {

/// Where Kubernetes has objects of its own: only whole routes below it are Argo's.
constexpr std::string_view kShared = "events";
constexpr std::size_t kMostSegments = 16;

/// "workflows", "info": what follows /api/v1.
const std::set<std::string, std::less<>>& first_segments() {
  static const auto& made = *new std::set<std::string, std::less<>>([] {
    std::set<std::string, std::less<>> found;
    for (const argo::Method& method : argo::methods()) {
      for (const argo::Route& route : method.routes) found.insert(route.path.at(2));
    }
    found.erase(std::string(kShared));
    return found;
  }());
  return made;
}

bool is_variable(std::string_view segment) {
  return segment.starts_with('{');
}

bool matches(const argo::Route& route, std::span<const std::string> path) {
  return std::ranges::equal(route.path, path, [](const std::string& wanted, const std::string& found) {
    return is_variable(wanted) || wanted == found;
  });
}

bool can_be_name(std::string_view part) {
  if (part == "." || part == ".." || !doc::is_utf8(part)) return false;
  return part.find_first_of(std::string_view("/\\\0", 3)) == std::string_view::npos;
}

/// The segments, decoded. An empty one is kept: no namespace is all of them.
Result<std::vector<std::string>> segments_of(std::string_view path) {
  std::vector<std::string> found;
  const auto parts = split(path.substr(1), '/');
  if (parts.size() > kMostSegments) return fail(Code::kInvalidArgument, "the path has too many segments");
  for (const std::string_view part : parts) {
    auto decoded = percent_decode(part, false);
    if (!decoded) return std::unexpected(std::move(decoded.error()));
    if (!can_be_name(*decoded)) {
      return fail(Code::kInvalidArgument, fmt::format("the path's part \"{}\" is no name", part));
    }
    found.push_back(std::move(*decoded));
  }
  return found;
}

RestRoute captured(const argo::Method& method, const argo::Route& route, std::vector<std::string> path) {
  RestRoute found{.method = &method, .route = &route};
  for (std::size_t i = 0; i < path.size(); ++i) {
    const std::string_view name = route.path[i];
    if (is_variable(name)) found.captured.emplace_back(name.substr(1, name.size() - 2), std::move(path[i]));
  }
  return found;
}

std::string_view without_query(std::string_view target) {
  return target.substr(0, target.find('?'));
}

}  // namespace

std::optional<Result<RestRoute>> find_rest_route(std::string_view verb, std::string_view path) {
  constexpr std::string_view kBase = "/api/v1/";
  if (!path.starts_with(kBase)) return std::nullopt;
  const bool ours = is_of_argo(path);
  if (!ours && !path.substr(kBase.size()).starts_with("events/")) return std::nullopt;
  auto segments = segments_of(path);
  if (!segments) return std::unexpected(std::move(segments.error()));
  for (const argo::Method& method : argo::methods()) {
    for (const argo::Route& route : method.routes) {
      if (route.verb == verb && matches(route, *segments)) return captured(method, route, std::move(*segments));
    }
  }
  if (!ours) return std::nullopt;
  return fail(Code::kUnimplemented, "Not Implemented");
}

bool is_of_argo(std::string_view target) {
  constexpr std::string_view kBase = "/api/v1/";
  if (!target.starts_with(kBase)) return false;
  const std::string_view rest = without_query(target).substr(kBase.size());
  return first_segments().contains(rest.substr(0, rest.find('/')));
}

}  // namespace tiphys::server
