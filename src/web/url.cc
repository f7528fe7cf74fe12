#include "web/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace tiphys::web {
namespace {

std::unexpected<Error> bad(std::string_view why) {
  return fail(Code::kInvalidArgument, std::string(why));
}

}  // namespace

Status Url::read(const Libcurl& curl, CURLU* url, const std::string& text) {
  if (!url) return fail(Code::kResourceExhausted, "no memory for a URL");
  switch (curl.curl_url_set(url, CURLUPART_URL, text.c_str(),
                            CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE | CURLU_PATH_AS_IS)) {
    case CURLUE_OK:
      return {};
    case CURLUE_BAD_PORT_NUMBER:
      return bad("invalid port after host");
    case CURLUE_UNSUPPORTED_SCHEME:
      return bad("missing protocol scheme: write http:// or https:// before it");
    default:
      return bad("it is no URL: write http://HOST/PATH");
  }
}

Result<Url> Url::parse(const Libcurl& curl, const std::string& text) {
  Handle handle(curl.curl_url(), Free{&curl});
  TIPHYS_CHECK_OK(read(curl, handle.get(), text));
  return Url(curl, std::move(handle));
}

Result<Url> Url::resolve(const std::string& location) const {
  Handle handle(curl_->curl_url_dup(handle_.get()), Free{curl_});
  TIPHYS_CHECK_OK(read(*curl_, handle.get(), location));
  return Url(*curl_, std::move(handle));
}

std::string Url::part(CURLUPart part) const {
  char* text = nullptr;
  if (curl_->curl_url_get(handle_.get(), part, &text, 0) != CURLUE_OK) return "";
  std::string copy(text);
  curl_->curl_free(text);
  return copy;
}

std::string Url::text_with(CURLUPart part, const char* value) const {
  const Url copy(*curl_, Handle(curl_->curl_url_dup(handle_.get()), Free{curl_}));
  return curl_->curl_url_set(copy.handle_.get(), part, value, 0) == CURLUE_OK ? copy.text() : "";
}

std::string Url::shown() const {
  return part(CURLUPART_PASSWORD).empty() ? text() : text_with(CURLUPART_PASSWORD, "***");
}

std::string Url::without_user() const {
  if (part(CURLUPART_USER).empty()) return text();
  Url copy(*curl_, Handle(curl_->curl_url_dup(handle_.get()), Free{curl_}));
  return curl_->curl_url_set(copy.handle_.get(), CURLUPART_PASSWORD, nullptr, 0) == CURLUE_OK
             ? copy.text_with(CURLUPART_USER, nullptr)
             : "";
}

bool Url::is_loopback() const {
  std::string name = host();
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name == "localhost" || name == "[::1]" ||
         (name.starts_with("127.") && name.find_first_not_of("0123456789.") == name.npos);
}

}  // namespace tiphys::web
