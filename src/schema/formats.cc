#include "schema/formats.h"

#include <arpa/inet.h>
#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "base/time.h"

namespace tiphys::schema {
namespace {

template <int Family>
bool is_address(std::string_view text) {
  unsigned char parsed[sizeof(in6_addr)];
  return ::inet_pton(Family, std::string(text).c_str(), parsed) == 1;
}

bool is_ipv4(std::string_view text) {
  return is_address<AF_INET>(text);
}
bool is_ipv6(std::string_view text) {
  return is_address<AF_INET6>(text);
}

bool is_cidr(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == text.npos) return false;
  const std::string_view address = text.substr(0, slash), length = text.substr(slash + 1);
  int bits = 0;
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bits);
  if (error != std::errc() || end != length.data() + length.size() || bits < 0) return false;
  return is_ipv4(address) ? bits <= 32 : is_ipv6(address) && bits <= 128;
}

bool is_time(std::string_view text) {
  return parse_rfc3339(text).has_value();
}

bool is_date(std::string_view text) {
  constexpr std::size_t kLength = 10;
  return text.size() == kLength && is_time(std::string(text) + "T00:00:00Z");
}

template <const char* Pattern>
bool matches(std::string_view text) {
  static const re2::RE2 pattern(Pattern, re2::RE2::Quiet);
  return re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), pattern);
}

constexpr char kUuid[] = "(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}";
constexpr char kUuid3[] = "(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}";
constexpr char kUuid4[] = "(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}";
constexpr char kUuid5[] = "(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}";
constexpr char kMac[] =
    "(?i)[0-9a-f]{2}(:[0-9a-f]{2}){5,19}|[0-9a-f]{2}(-[0-9a-f]{2}){5,19}|[0-9a-f]{4}(\\.[0-9a-f]{4}){2,9}";
constexpr char kBase64[] = "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?";
constexpr char kEmail[] = "[^<>]*<[^@<>\\s]+@[^@<>\\s]+>|[^@<>\\s]+@[^@<>\\s]+";
constexpr char kUri[] = "/.*|\\*|[A-Za-z][A-Za-z0-9+.-]*:(//[^/\\s]*(/.*)?|[^/].*|/[^/].*|/)";
constexpr char kColor[] = "#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})";
/// A number and a unit, or several, as Go has them and with units in words.
constexpr char kDuration[] =
    "0|[+-]?((\\d+\\.?\\d*|\\.\\d+)(ns|us|µs|μs|ms|s|m|h))+|"
    "(?i).*\\d+\\s*(ns|nano\\w*|us|µs|micro\\w*|ms|milli\\w*|s|sec\\w*|m|min\\w*|h|hr|hour\\w*|d|day\\w*|w|wk|week\\w*)"
    "\\b.*";
constexpr char kHostname[] =
    "[a-zA-Z0-9\\p{S}\\p{L}]((-?[a-zA-Z0-9\\p{S}\\p{L}]{0,62})?)|"
    "([a-zA-Z0-9\\p{S}\\p{L}](([a-zA-Z0-9\\p{S}\\p{L}-]{0,61}[a-zA-Z0-9\\p{S}\\p{L}])?)\\.)+[a-zA-Z\\p{L}]{2,63}";

bool is_hostname(std::string_view text) {
  constexpr std::size_t kMostBytes = 255;
  return text.size() <= kMostBytes && matches<kHostname>(text);
}

struct Format {
  std::string_view name;
  bool (*fits)(std::string_view text);
};

constexpr Format kFormats[] = {
    {"byte", matches<kBase64>}, {"cidr", is_cidr},
    {"date", is_date},          {"date-time", is_time},
    {"datetime", is_time},      {"duration", matches<kDuration>},
    {"email", matches<kEmail>}, {"hexcolor", matches<kColor>},
    {"hostname", is_hostname},  {"ipv4", is_ipv4},
    {"ipv6", is_ipv6},          {"mac", matches<kMac>},
    {"uri", matches<kUri>},     {"uuid", matches<kUuid>},
    {"uuid3", matches<kUuid3>}, {"uuid4", matches<kUuid4>},
    {"uuid5", matches<kUuid5>},
};

}  // namespace

bool has_format(std::string_view text, std::string_view format) {
  const auto known = std::ranges::find(kFormats, format, &Format::name);
  return known == std::end(kFormats) || known->fits(text);
}

}  // namespace tiphys::schema
