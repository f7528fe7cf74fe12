#include "web/request_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace tiphys::web {
namespace {

constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";
/// Those that only the first server is meant to see.
constexpr std::string_view kSecret[] = {"authorization", "www-authenticate",    "cookie",
                                        "cookie2",       "proxy-authorization", "proxy-authenticate"};
constexpr std::string_view kOfBody[] = {"content-type", "content-encoding", "content-language", "content-location"};

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return (c < 0x80 && std::isalnum(c)) || kTokenMarks.find(static_cast<char>(c)) != kTokenMarks.npos;
  });
}

bool is_header_value(std::string_view text) {
  return std::ranges::none_of(text, [](unsigned char c) { return (c < ' ' && c != '\t') || c == 0x7F; });
}

template <std::size_t size>
void drop(Headers& headers, const std::string_view (&names)[size]) {
  std::erase_if(headers, [&](const auto& header) {
    return std::ranges::any_of(names, [&](std::string_view name) { return same_header(header.first, name); });
  });
}

}  // namespace

bool same_header(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

const std::string* find_header(const Headers& headers, std::string_view name) {
  const auto found = std::ranges::find_if(headers, [&](const auto& each) { return same_header(each.first, name); });
  return found == headers.end() ? nullptr : &found->second;
}

Status check_method(std::string_view method) {
  if (is_token(method)) return {};
  return fail(Code::kInvalidArgument, fmt::format("net/http: invalid method \"{}\"", method));
}

Status check_headers(const Headers& headers) {
  for (const auto& [name, value] : headers) {
    if (!is_token(name)) {
      return fail(Code::kInvalidArgument, fmt::format("net/http: invalid header field name \"{}\"", name));
    }
    if (!is_header_value(value)) {
      return fail(Code::kInvalidArgument, fmt::format("net/http: invalid header field value for \"{}\"", name));
    }
  }
  return {};
}

std::optional<std::string> redirection(const HttpAnswer& answer) {
  const int status = answer.status;
  if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308) return std::nullopt;
  const std::string* location = find_header(answer.headers, "location");
  if (!location || location->empty()) return std::nullopt;
  return *location;
}

void redirect(HttpRequest& request, int status, std::string_view location, const Url& from, const Url& to) {
  if (status < 307) {
    if (request.method != "GET" && request.method != "HEAD") request.method = "GET";
    request.body.clear();
    request.file.reset();
    drop(request.headers, kOfBody);
  }
  const bool absolute = location.find("://") < location.find_first_of("/?#") || location.starts_with("//");
  if (absolute) drop(request.headers, {"host"});
  const bool same_domain = to.host() == from.host() || to.host().ends_with("." + from.host());
  if (!same_domain) drop(request.headers, kSecret);
  request.url = to.text();
}

std::string referer(const Url& from, const Url& to) {
  return from.scheme() == "https" && to.scheme() == "http" ? "" : from.without_user();
}

}  // namespace tiphys::web
