#include "artifact/access_token.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "doc/value.h"

namespace tiphys::artifact {
namespace {

constexpr std::int64_t kUnsaidSeconds = 3600;

/// A number; some servers write it as text.
std::int64_t seconds_in(const doc::Value& body) {
  const doc::Value* value = doc::find(body, "expires_in");
  const std::string text = value ? doc::scalar_text(*value) : "";
  std::int64_t seconds = 0;
  const char* end = text.data() + text.size();
  const bool whole = !text.empty() && std::from_chars(text.data(), end, seconds).ptr == end;
  // What is far off would not fit into a Time.
  return whole && seconds > 0 ? std::min<std::int64_t>(seconds, 24 * kUnsaidSeconds) : kUnsaidSeconds;
}

}  // namespace

Result<web::HttpAnswer> post_form(const std::string& url, const Query& form, web::Headers headers,
                                  const web::Environment& environment, std::stop_token stop) {
  web::HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = std::move(headers);
  request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
  request.body = form_encode(form);
  return web::exchange(std::move(request), environment, std::move(stop));
}

Attempt take_token(const Result<web::HttpAnswer>& answer, std::string_view url, AccessToken& token) {
  if (!answer) return {std::unexpected(answer.error().in("oauth2")), passes(answer.error())};
  const auto body = doc::parse_json(answer->body);
  const std::string_view text = body ? doc::find_string(*body, "access_token") : "";
  if (answer->status >= 200 && answer->status < 300 && !text.empty()) {
    token = {std::string(text), system_now() + std::chrono::seconds(seconds_in(*body))};
    return {};
  }
  return {fail(Code::kUnauthenticated, fmt::format("oauth2: cannot fetch token from {}: {}\nResponse: {}", url,
                                                   answer->status_line, answer->body)),
          passes(answer->status)};
}

}  // namespace tiphys::artifact
