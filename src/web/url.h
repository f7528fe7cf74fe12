// URLs, taken apart by libcurl, which also goes to them: nobody is asked whom the rules have not seen.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "web/libcurl.h"

namespace tiphys::web {

class Url {
 public:
  /// What a URL may not hold as it is (spaces, other letters than ASCII) is made %XX. The error is without the URL.
  static Result<Url> parse(const Libcurl& curl, const std::string& text);
  /// What a Location header names, seen from here.
  Result<Url> resolve(const std::string& location) const;

  std::string text() const { return part(CURLUPART_URL); }
  /// For messages: a password is "***".
  std::string shown() const;
  std::string without_user() const;
  /// In lower case: "https".
  std::string scheme() const { return part(CURLUPART_SCHEME); }
  /// Without port: "example.com", "[::1]".
  std::string host() const { return part(CURLUPART_HOST); }
  /// This host's own addresses and its name for them.
  bool is_loopback() const;

 private:
  struct Free {
    const Libcurl* curl;
    void operator()(CURLU* url) const { curl->curl_url_cleanup(url); }
  };
  using Handle = std::unique_ptr<CURLU, Free>;

  Url(const Libcurl& curl, Handle handle) : curl_(&curl), handle_(std::move(handle)) {}
  static Status read(const Libcurl& curl, CURLU* url, const std::string& text);
  std::string part(CURLUPart part) const;
  /// The text with something else in place of `part`; null: without it.
  std::string text_with(CURLUPart part, const char* value) const;

  const Libcurl* curl_;
  Handle handle_;
};

}  // namespace tiphys::web
