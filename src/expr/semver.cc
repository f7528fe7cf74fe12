#include "expr/semver.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "expr/go_strings.h"

namespace tiphys::expr {
namespace {

constexpr std::size_t kLongest = 256;

std::optional<std::uint64_t> number(std::string_view digits) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return error == std::errc() && end == digits.data() + digits.size() ? std::optional(value) : std::nullopt;
}

/// A part that was left out is 0.
Result<std::uint64_t> segment(const std::string& digits) {
  if (digits.empty()) return 0;
  const auto value = number(digits);
  if (value) return *value;
  return fail(Code::kInvalidArgument,
              "error parsing version segment: strconv.ParseUint: parsing \"" + digits + "\": value out of range");
}

Status check_prerelease(std::string_view text) {
  static const RE2 form("[0-9A-Za-z-]+(\\.[0-9A-Za-z-]+)*");
  if (!RE2::FullMatch(text, form)) return fail(Code::kInvalidArgument, "invalid prerelease string");
  for (const std::string_view part : go_split(text, ".")) {
    const bool digits = part.find_first_not_of("0123456789") == std::string_view::npos;
    if (digits && part.size() > 1 && part[0] == '0') {
      return fail(Code::kInvalidArgument, "version segment starts with 0");
    }
  }
  return {};
}

template <typename T>
int order(const T& left, const T& right) {
  return left < right ? -1 : left > right ? 1 : 0;
}

int compare_prerelease_parts(std::string_view left, std::string_view right) {
  if (left.empty() || right.empty()) return order(!left.empty(), !right.empty());
  const auto left_number = number(left);
  const auto right_number = number(right);
  if (left_number && right_number) return order(*left_number, *right_number);
  // Numbers come before words.
  if (left_number || right_number) return left_number ? -1 : 1;
  return order(left, right);
}

Status check_length(std::string_view text) {
  if (text.size() <= kLongest) return {};
  return fail(Code::kInvalidArgument, "version string is too long (max " + std::to_string(kLongest) + " bytes)");
}

/// With `original` as a text of the parts; the "v" stays.
Result<Version> rewritten(Version version) {
  const bool led = version.original.starts_with('v');
  version.original = (led ? "v" : "") + version.text();
  TIPHYS_CHECK_OK(check_length(version.original));
  return version;
}

Status increment(std::uint64_t& part, std::string_view name) {
  if (++part != 0) return {};
  return fail(Code::kInvalidArgument, std::string(name) + " version increment would overflow uint64");
}

}  // namespace

std::string Version::text() const {
  std::string text = std::to_string(major) + '.' + std::to_string(minor) + '.' + std::to_string(patch);
  if (!prerelease.empty()) text += '-' + prerelease;
  if (!metadata.empty()) text += '+' + metadata;
  return text;
}

Result<Version> parse_version(std::string_view text) {
  static const RE2 form(
      "v?([0-9]+)(?:\\.([0-9]+))?(?:\\.([0-9]+))?"
      "(?:-([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?(?:\\+([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?");
  TIPHYS_CHECK_OK(check_length(text));
  std::string major, minor, patch;
  Version version{.original = std::string(text)};
  if (!RE2::FullMatch(text, form, &major, &minor, &patch, &version.prerelease, &version.metadata)) {
    return fail(Code::kInvalidArgument, "invalid semantic version");
  }
  TIPHYS_TRY(version.major, segment(major));
  TIPHYS_TRY(version.minor, segment(minor));
  TIPHYS_TRY(version.patch, segment(patch));
  if (!version.prerelease.empty()) TIPHYS_CHECK_OK(check_prerelease(version.prerelease));
  return version;
}

Result<Version> with_prerelease(Version version, std::string_view prerelease) {
  if (!prerelease.empty()) TIPHYS_CHECK_OK(check_prerelease(prerelease));
  version.prerelease = prerelease;
  return rewritten(std::move(version));
}

Result<Version> with_metadata(Version version, std::string_view metadata) {
  static const RE2 form("(?:[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?");
  if (!RE2::FullMatch(metadata, form)) return fail(Code::kInvalidArgument, "invalid metadata string");
  version.metadata = metadata;
  return rewritten(std::move(version));
}

int compare(const Version& left, const Version& right) {
  if (const int by_major = order(left.major, right.major)) return by_major;
  if (const int by_minor = order(left.minor, right.minor)) return by_minor;
  if (const int by_patch = order(left.patch, right.patch)) return by_patch;
  if (left.prerelease.empty() || right.prerelease.empty()) {
    return order(left.prerelease.empty(), right.prerelease.empty());
  }
  return compare_prereleases(left.prerelease, right.prerelease);
}

int compare_prereleases(std::string_view left, std::string_view right) {
  const auto left_parts = go_split(left, ".");
  const auto right_parts = go_split(right, ".");
  for (std::size_t i = 0; i < std::max(left_parts.size(), right_parts.size()); ++i) {
    const int by_part = compare_prerelease_parts(i < left_parts.size() ? left_parts[i] : "",
                                                 i < right_parts.size() ? right_parts[i] : "");
    if (by_part != 0) return by_part;
  }
  return 0;
}

Result<Version> next_major(const Version& version) {
  Version next{.major = version.major, .original = version.original};
  TIPHYS_CHECK_OK(increment(next.major, "major"));
  return rewritten(std::move(next));
}

Result<Version> next_minor(const Version& version) {
  Version next{.major = version.major, .minor = version.minor, .original = version.original};
  TIPHYS_CHECK_OK(increment(next.minor, "minor"));
  return rewritten(std::move(next));
}

Result<Version> next_patch(const Version& version) {
  Version next{.major = version.major, .minor = version.minor, .patch = version.patch, .original = version.original};
  if (version.prerelease.empty()) TIPHYS_CHECK_OK(increment(next.patch, "patch"));
  return rewritten(std::move(next));
}

}  // namespace tiphys::expr
