// URLs: taken apart, escaped, and their queries built up.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace tiphys::http {

/// A query string, built up.
class Query {
 public:
  /// Nothing for an empty value.
  void add(std::string_view name, std::string_view value);
  /// "?a=b&c=d" or "".
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// The address of a server: "https://name:6443/path".
struct Url {
  std::string scheme;  ///< "http" or "https", in lower case
  std::string user;    ///< "name:password", decoded
  std::string host;    ///< without brackets
  unsigned short port = 0;
  std::string path;  ///< as written, without a slash at its end

  /// A URL without a scheme is taken for http. The error says what is wrong with it.
  static Result<Url> parse(std::string_view text);
};

}  // namespace tiphys::http
