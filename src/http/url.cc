#include "http/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/percent.h"

namespace tiphys::http {

void Query::add(std::string_view name, std::string_view value) {
  if (value.empty()) return;
  text_ += text_.empty() ? '?' : '&';
  text_ += name;
  text_ += '=';
  text_ += percent_encode(value);
}

Result<Url> Url::parse(std::string_view text) {
  const auto refuse = [whole = text](std::string_view why) {
    return fail(Code::kInvalidArgument, fmt::format("\"{}\" is no URL of a server: {}", whole, why));
  };
  Url url;
  url.scheme = "http";
  if (const auto colon = text.find("://"); colon != std::string_view::npos) {
    url.scheme = text.substr(0, colon);
    std::ranges::transform(url.scheme, url.scheme.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
    text.remove_prefix(colon + 3);
  }
  if (text.find_first_of("?#") != std::string_view::npos) return refuse("it has a query");
  const auto slash = text.find('/');
  if (slash != std::string_view::npos) url.path = text.substr(slash);
  while (url.path.ends_with('/')) url.path.pop_back();
  text = text.substr(0, slash);
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    TIPHYS_TRY(url.user, percent_decode(text.substr(0, at), false));
    text.remove_prefix(at + 1);
  }
  const auto bracket = text.starts_with('[') ? text.find(']') : std::string_view::npos;
  if (text.starts_with('[') && bracket == std::string_view::npos) return refuse("a bracket is not closed");
  const auto colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  url.host = bracket == std::string_view::npos ? text.substr(0, colon) : text.substr(1, bracket - 1);
  if (url.host.empty()) return refuse("it names no host");
  url.port = url.scheme == "https" ? 443 : 80;
  if (colon == std::string_view::npos) return url;
  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
  if (error != std::errc() || end != port.data() + port.size() || url.port == 0) return refuse("its port is no number");
  return url;
}

}  // namespace tiphys::http
