#include "expr/go_url.h"

#include <arpa/inet.h>

#include <algorithm>

#include "expr/go_text.h"
#include "expr/unicode.h"

namespace tiphys::expr {
namespace {

enum class Part { kUser, kHost, kZone, kPath, kFragment };

std::unexpected<Error> invalid(std::string message) {
  return fail(Code::kInvalidArgument, std::move(message));
}

bool is_word(unsigned char c) {
  return (c < 0x80 && is_letter(c)) || (c >= '0' && c <= '9');
}

/// What stands for itself in that part.
bool is_plain(unsigned char c, Part part) {
  if (is_word(c)) return true;
  const auto any_of = [c](std::string_view set) { return set.find(static_cast<char>(c)) != std::string_view::npos; };
  if (any_of("-_.~")) return true;
  switch (part) {
    case Part::kUser:
      return any_of("$&+,;=");
    case Part::kHost:
    case Part::kZone:
      return any_of("!$&'()*+,;=:[]<>\"");
    case Part::kPath:
      return any_of("$&+,/:;=@");
    case Part::kFragment:
      return any_of("$&+,/:;=?@!()*");
  }
  return false;
}

std::string escape(std::string_view text, Part part) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_plain(byte, part)) {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

std::optional<unsigned char> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  if (lower >= 'a' && lower <= 'f') return lower - 'a' + 10;
  return std::nullopt;
}

/// Hosts may have escapes of what is not ASCII only, their zones of what stands for itself too.
bool may_be_escaped(unsigned char byte, Part part) {
  if (byte == '%') return true;
  if (part == Part::kHost) return byte >= 0x80;
  return part != Part::kZone || byte == ' ' || is_plain(byte, Part::kHost);
}

Result<std::string> unescape(std::string_view text, Part part) {
  const bool in_host = part == Part::kHost || part == Part::kZone;
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte != '%') {
      if (in_host && byte < 0x80 && !is_plain(byte, part)) {
        return invalid("invalid character " + go_quote(text.substr(i, 1)) + " in host name");
      }
      out += text[i];
      continue;
    }
    const std::string_view escaped = text.substr(i, 3);
    const auto high = escaped.size() == 3 ? hex_digit(escaped[1]) : std::nullopt;
    const auto low = escaped.size() == 3 ? hex_digit(escaped[2]) : std::nullopt;
    if (!high || !low) return invalid("invalid URL escape " + go_quote(escaped));
    const auto meant = static_cast<unsigned char>(*high << 4 | *low);
    if (!may_be_escaped(meant, part)) return invalid("invalid URL escape " + go_quote(escaped));
    out += static_cast<char>(meant);
    i += 2;
  }
  return out;
}

/// "" or a colon and digits.
bool is_port(std::string_view text) {
  return text.empty() || (text[0] == ':' && text.substr(1).find_first_not_of("0123456789") == std::string_view::npos);
}

Status check_address(const std::string& text) {
  const std::string address = text.substr(0, text.find('%'));
  in6_addr parsed;
  const bool has_zone = text.size() != address.size();
  const bool valid = address.find('\0') == std::string::npos && inet_pton(AF_INET6, address.c_str(), &parsed) == 1;
  if (valid && !(has_zone && address.size() + 1 == text.size())) return {};
  in_addr old;
  if (inet_pton(AF_INET, text.c_str(), &old) == 1) return invalid("invalid IP-literal");
  return invalid("invalid host: ParseAddr(" + go_quote(text) + "): unable to parse IP");
}

/// "[fe80::1%25en0]:80".
Result<std::string> parse_literal(std::string_view host) {
  const auto end = host.rfind(']');
  if (end == std::string_view::npos) return invalid("missing ']' in host");
  const std::string_view port = host.substr(end + 1);
  if (!is_port(port)) return invalid("invalid port " + go_quote(port) + " after host");
  const std::string_view name = host.substr(1, end - 1);
  const auto zone_begin = std::min(name.find("%25"), name.size());
  TIPHYS_TRY(std::string address, unescape(name.substr(0, zone_begin), Part::kHost));
  TIPHYS_TRY(const std::string zone, unescape(name.substr(zone_begin), Part::kZone));
  address += zone;
  TIPHYS_CHECK_OK(check_address(address));
  return "[" + address + "]" + std::string(port);
}

Result<std::string> parse_host(std::string_view scheme, std::string_view host) {
  if (const auto bracket = host.rfind('['); bracket != std::string_view::npos) {
    if (bracket > 0) return invalid("invalid IP-literal");
    return parse_literal(host);
  }
  // Lists of hosts have several colons; on the web there is one.
  const bool web = scheme == "http" || scheme == "https";
  const auto colon = web ? host.find(':') : host.rfind(':');
  if (colon != std::string_view::npos && !is_port(host.substr(colon))) {
    return invalid("invalid port " + go_quote(host.substr(colon)) + " after host");
  }
  return unescape(host, Part::kHost);
}

Result<std::string> parse_user(std::string_view text) {
  const auto allowed = [](char c) {
    return is_word(static_cast<unsigned char>(c)) ||
           std::string_view("-._:~!$&'()*+,;=%@").find(c) != std::string::npos;
  };
  if (!std::ranges::all_of(text, allowed)) return invalid("net/url: invalid userinfo");
  const auto colon = text.find(':');
  TIPHYS_TRY(const std::string name, unescape(text.substr(0, colon), Part::kUser));
  std::string user = escape(name, Part::kUser);
  if (colon != std::string_view::npos) {
    TIPHYS_TRY(const std::string password, unescape(text.substr(colon + 1), Part::kUser));
    user += ':' + escape(password, Part::kUser);
  }
  return user;
}

/// The text before the first `mark`, and what follows it as `rest`.
std::string_view cut(std::string_view text, std::string_view mark, std::string_view& rest) {
  const auto at = text.find(mark);
  rest = at == std::string_view::npos ? std::string_view() : text.substr(at + mark.size());
  return text.substr(0, at);
}

/// The length of the scheme; 0 when the text has none.
Result<std::size_t> scheme_length(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == ':' && i == 0) return invalid("missing protocol scheme");
    if (c == ':') return i;
    const bool letter = c < 0x80 && is_letter(c);
    const bool later = i > 0 && (is_word(c) || c == '+' || c == '-' || c == '.');
    if (!letter && !later) return 0;
  }
  return 0;
}

Result<Url> parse_without_fragment(std::string_view text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; };
  if (std::ranges::any_of(text, is_control)) return invalid("net/url: invalid control character in URL");
  Url url;
  TIPHYS_TRY(const std::size_t length, scheme_length(text));
  url.scheme = to_lower(text.substr(0, length));
  if (length > 0) text.remove_prefix(length + 1);
  std::string_view query;
  std::string_view rest = cut(text, "?", query);
  url.query = query;
  if (!rest.starts_with('/')) {
    if (!url.scheme.empty()) {
      url.opaque = rest;
      return url;
    }
    // "cache_object:foo/bar" is no path.
    if (rest.substr(0, rest.find('/')).find(':') != std::string_view::npos) {
      return invalid("first path segment in URL cannot contain colon");
    }
  }
  if (rest.starts_with("//") && (!url.scheme.empty() || !rest.starts_with("///"))) {
    rest.remove_prefix(2);
    std::string_view authority = rest.substr(0, rest.find('/'));
    rest.remove_prefix(authority.size());
    const auto at = authority.rfind('@');
    const std::string_view host = at == std::string_view::npos ? authority : authority.substr(at + 1);
    TIPHYS_TRY(url.host, parse_host(url.scheme, host));
    if (at != std::string_view::npos) {
      TIPHYS_TRY(url.user, parse_user(authority.substr(0, at)));
    }
  }
  TIPHYS_TRY(url.path, unescape(rest, Part::kPath));
  return url;
}

}  // namespace

std::string_view Url::host_name() const {
  std::string_view name = host;
  const auto colon = name.rfind(':');
  if (colon != std::string_view::npos && is_port(name.substr(colon))) name = name.substr(0, colon);
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  return name;
}

std::string Url::text() const {
  std::string text = scheme.empty() ? "" : scheme + ":";
  if (!opaque.empty()) {
    text += opaque;
  } else {
    const bool authority = !host.empty() || user;
    if (authority || (!scheme.empty() && !path.empty())) text += "//";
    if (user) text += *user + "@";
    text += escape(host, Part::kHost);
    if (!path.empty() && !path.starts_with('/') && !host.empty()) text += '/';
    const std::string escaped = path == "*" ? path : escape(path, Part::kPath);
    // A colon in the first segment would make it a scheme.
    if (text.empty() && escaped.substr(0, escaped.find('/')).find(':') != std::string::npos) text += "./";
    text += escaped;
  }
  if (!query.empty()) text += "?" + query;
  if (!fragment.empty()) text += "#" + escape(fragment, Part::kFragment);
  return text;
}

Result<Url> parse_url(std::string_view text) {
  std::string_view fragment;
  const std::string_view before = cut(text, "#", fragment);
  auto url = parse_without_fragment(before);
  if (!url) return std::unexpected(url.error().in("parse " + go_quote(before)));
  auto plain = unescape(fragment, Part::kFragment);
  if (!plain) return std::unexpected(plain.error().in("parse " + go_quote(text)));
  url->fragment = std::move(*plain);
  return url;
}

}  // namespace tiphys::expr
