#include "server/url.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"

namespace tiphys::server {
namespace {

constexpr std::size_t kMostSegments = 16;
constexpr std::size_t kMostParameters = 64;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

}  // namespace

Result<std::string> percent_decode(std::string_view text, bool plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
      if (low < 0) return fail(Code::kInvalidArgument, fmt::format("broken escape in \"{}\"", text));
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += plus && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

Result<Target> Target::parse(std::string_view text) {
  Target target;
  const auto mark = text.find('?');
  for (const auto segment : split(text.substr(0, mark), '/')) {
    if (segment.empty()) continue;
    TIPHYS_TRY(auto decoded, percent_decode(segment, false));
    target.path.push_back(std::move(decoded));
    if (target.path.size() > kMostSegments) return fail(Code::kInvalidArgument, "the path has too many segments");
  }
  if (mark == std::string_view::npos) return target;
  for (const auto part : split(text.substr(mark + 1), '&')) {
    if (part.empty()) continue;
    const auto equals = part.find('=');
    TIPHYS_TRY(auto name, percent_decode(part.substr(0, equals), true));
    const auto rest = equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1);
    TIPHYS_TRY(auto value, percent_decode(rest, true));
    target.query.emplace_back(std::move(name), std::move(value));
    if (target.query.size() > kMostParameters) return fail(Code::kInvalidArgument, "the query has too many parameters");
  }
  return target;
}

std::string_view Target::value(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return {};
}

bool Target::has(std::string_view name) const {
  return std::ranges::any_of(query, [&](const auto& one) { return one.first == name; });
}

bool Target::flag(std::string_view name) const {
  if (!has(name)) return false;
  std::string text(value(name));
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text != "false" && text != "0";
}

}  // namespace tiphys::server
