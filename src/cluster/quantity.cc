#include "cluster/quantity.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace tiphys::cluster {
namespace {

struct Suffix {
  std::string_view text;
  double factor;
};

constexpr Suffix kSuffixes[] = {
    {"", 1},
    {"n", 1e-9},
    {"u", 1e-6},
    {"m", 1e-3},
    {"k", 1e3},
    {"M", 1e6},
    {"G", 1e9},
    {"T", 1e12},
    {"P", 1e15},
    {"E", 1e18},
    {"Ki", 1024},
    {"Mi", 1 << 20},
    {"Gi", 1 << 30},
    {"Ti", 1099511627776.0},
    {"Pi", 1125899906842624.0},
    {"Ei", 1152921504606846976.0},
};

}  // namespace

Result<double> parse_quantity(std::string_view text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && std::isfinite(value)) {
    const std::string_view suffix(rest, static_cast<std::size_t>(end - rest));
    for (const Suffix& known : kSuffixes) {
      if (known.text == suffix) return value * known.factor;
    }
  }
  return fail(Code::kInvalidArgument, fmt::format("\"{}\" is not a quantity; write it like 500m, 2 or 128Mi", text));
}

}  // namespace tiphys::cluster
