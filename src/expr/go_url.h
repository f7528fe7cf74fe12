// URLs as Go's package net/url reads and writes them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tiphys::expr {

struct Url {
  std::string scheme;
  std::string opaque;               ///< what follows the scheme of "mailto:a@b"; there is no host and no path then
  std::optional<std::string> user;  ///< "name:password", escaped
  std::string host;                 ///< with its port
  std::string path;                 ///< without escapes
  std::string query;                ///< as it was written
  std::string fragment;             ///< without escapes

  /// The host without port and brackets.
  std::string_view host_name() const;
  std::string text() const;
};

/// The error's message is url.Parse's.
Result<Url> parse_url(std::string_view text);

}  // namespace tiphys::expr
