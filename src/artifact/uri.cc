#include "artifact/uri.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/strings.h"

namespace tiphys::artifact {

std::string uri_encode(std::string_view text, bool keep_slash) {
  std::string made;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain =
        (byte < 0x80 && std::isalnum(byte)) || std::string_view("-._~").find(c) != std::string_view::npos;
    if (plain || (keep_slash && c == '/')) {
      made += c;
    } else {
      made += fmt::format("%{:02X}", byte);
    }
  }
  return made;
}

std::string uri_decode(std::string_view text) {
  std::string made;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    const auto hex = text.substr(i + 1, 2);
    const bool escaped = text[i] == '%' && hex.size() == 2 &&
                         std::from_chars(hex.data(), hex.data() + 2, byte, 16).ptr == hex.data() + 2;
    made += escaped ? static_cast<char>(byte) : text[i] == '+' ? ' ' : text[i];
    if (escaped) i += 2;
  }
  return made;
}

std::string canonical_query(const Query& query) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : query) {
    parts.push_back(fmt::format("{}={}", uri_encode(name, false), uri_encode(value, false)));
  }
  std::ranges::sort(parts);
  return join(parts, "&");
}

std::string form_encode(const Query& fields) {
  std::string text;
  for (const auto& [name, value] : fields) {
    text += fmt::format("{}{}={}", text.empty() ? "" : "&", uri_encode(name, false), uri_encode(value, false));
  }
  return text;
}

}  // namespace tiphys::artifact
