#include <re2/re2.h>

#include <algorithm>

#include "expr/go_strings.h"
#include "expr/go_text.h"
#include "expr/semver.h"

namespace tiphys::expr {
namespace {

using Op = VersionConstraint::Op;

constexpr std::size_t kLongest = 512;
constexpr std::size_t kMostGroups = 32;

struct OpText {
  std::string_view text;
  Op op;
};
constexpr OpText kOps[] = {
    {"", Op::kEqual},         {"=", Op::kEqual},           {"!=", Op::kNotEqual},       {">", Op::kGreater},
    {"<", Op::kLess},         {">=", Op::kGreaterOrEqual}, {"=>", Op::kGreaterOrEqual}, {"<=", Op::kLessOrEqual},
    {"=<", Op::kLessOrEqual}, {"~", Op::kTilde},           {"~>", Op::kTilde},          {"^", Op::kCaret},
};

/// The patterns of constraints' texts. A part may have bars, which belong to no version: that is found out later.
struct Forms {
  const std::string part = "[0-9xX*|]+";
  const std::string words = "[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*";
  const std::string op = "(?:=||!=|>|<|>=|=>|<=|=<|~|~>|\\^)";
  const std::string tail = "(?:\\+" + words + ")?";
  const std::string version = "v?" + part + "(?:\\." + part + ")?(?:\\." + part + ")?(?:-" + words + ")?" + tail;
  const std::string one_text = op + "\\s*" + version;

  const RE2 one{"(" + one_text + ")"};
  const RE2 group{"\\s*" + one_text + "\\s*(?:(?:\\s+|,\\s*)" + one_text + "\\s*)*"};
  const RE2 range{"(\\s*(" + version + ")\\s+-\\s+(" + version + ")\\s*)"};
  const RE2 parts{"(" + op + ")\\s*(v?(" + part + ")(?:\\.(" + part + "))?(?:\\.(" + part + "))?(-" + words + ")?" +
                  tail + ")"};
};

const Forms& forms() {
  static const Forms forms;
  return forms;
}

/// "1.2 - 1.4" as ">= 1.2, <= 1.4 ".
std::string without_ranges(std::string_view text) {
  std::string rewritten(text);
  re2::StringPiece rest(text.data(), text.size());
  std::string whole, first, last;
  while (RE2::FindAndConsume(&rest, forms().range, &whole, &first, &last)) {
    rewritten = go_replace(rewritten, whole, ">= " + first + ", <= " + last + " ", 1);
  }
  return rewritten;
}

bool is_open(std::string_view part) {
  return part.empty() || part == "x" || part == "X" || part == "*";
}

Result<VersionConstraint> parse_one(const std::string& text) {
  std::string op, written, major, minor, patch, prerelease;
  if (!RE2::FullMatch(text, forms().parts, &op, &written, &major, &minor, &patch, &prerelease)) {
    return fail(Code::kInvalidArgument, "improper constraint: " + go_quote(text));
  }
  VersionConstraint constraint{.op = std::ranges::find(kOps, op, &OpText::text)->op};
  const bool major_open = is_open(major);
  constraint.minor_open = !major_open && is_open(minor);
  constraint.patch_open = !major_open && !constraint.minor_open && is_open(patch);
  constraint.open = major_open || constraint.minor_open || constraint.patch_open;
  if (constraint.open) {
    written = (major_open ? "0" : major) + "." + (constraint.patch_open ? minor : "0") + ".0" + prerelease;
  }
  auto version = parse_version(written);
  if (!version) return fail(Code::kInvalidArgument, "constraint parser error");
  constraint.version = std::move(*version);
  return constraint;
}

/// Not before the version, and equal in the parts that ~ leaves alone.
bool tilde(const VersionConstraint& constraint, const Version& version) {
  const Version& least = constraint.version;
  if (compare(version, least) < 0) return false;
  const bool zero = least.major == 0 && least.minor == 0 && least.patch == 0;
  if (zero && !constraint.minor_open && !constraint.patch_open) return true;
  return version.major == least.major && (version.minor == least.minor || constraint.minor_open);
}

/// Not before the version, and equal up to its first part that is not zero.
bool caret(const VersionConstraint& constraint, const Version& version) {
  const Version& least = constraint.version;
  if (compare(version, least) < 0 || version.major != least.major) return false;
  if (least.major > 0 || constraint.minor_open) return true;
  if (version.minor != least.minor) return false;
  return least.minor > 0 || constraint.patch_open || version.patch == least.patch;
}

bool differs(const VersionConstraint& constraint, const Version& version) {
  const Version& other = constraint.version;
  if (!constraint.open) return compare(version, other) != 0;
  if (version.major != other.major) return true;
  if (constraint.minor_open) return false;
  if (version.minor != other.minor) return true;
  if (constraint.patch_open) return compare_prereleases(version.prerelease, other.prerelease) != 0;
  return compare(version, other) != 0;
}

/// Greater than all that an open version may mean.
bool greater(const VersionConstraint& constraint, const Version& version) {
  const Version& other = constraint.version;
  if (constraint.open) {
    if (version.major != other.major) return version.major > other.major;
    if (constraint.minor_open) return false;
    if (constraint.patch_open) return version.minor > other.minor;
  }
  return compare(version, other) > 0;
}

bool at_most(const VersionConstraint& constraint, const Version& version) {
  const Version& other = constraint.version;
  if (!constraint.open) return compare(version, other) <= 0;
  if (version.major != other.major) return version.major < other.major;
  return version.minor <= other.minor || constraint.minor_open;
}

}  // namespace

bool VersionConstraint::holds_for(const Version& other) const {
  switch (op) {
    case Op::kEqual:
      return open ? tilde(*this, other) : compare(other, version) == 0;
    case Op::kNotEqual:
      return differs(*this, other);
    case Op::kGreater:
      return greater(*this, other);
    case Op::kLess:
      return compare(other, version) < 0;
    case Op::kGreaterOrEqual:
      return compare(other, version) >= 0;
    case Op::kLessOrEqual:
      return at_most(*this, other);
    case Op::kTilde:
      return tilde(*this, other);
    case Op::kCaret:
      return caret(*this, other);
  }
  return false;
}

Result<VersionConstraints> VersionConstraints::parse(std::string_view text) {
  if (text.size() > kLongest) {
    return fail(Code::kInvalidArgument, "constraint string is too long (max " + std::to_string(kLongest) + " bytes)");
  }
  const std::string plain = without_ranges(text);
  const auto groups = go_split(plain, "||");
  if (groups.size() > kMostGroups) {
    return fail(Code::kInvalidArgument, "too many constraint groups (max " + std::to_string(kMostGroups) + ")");
  }
  VersionConstraints constraints;
  for (const std::string_view group : groups) {
    if (!RE2::FullMatch(group, forms().group)) {
      return fail(Code::kInvalidArgument, "improper constraint: " + go_quote(group));
    }
    auto& parsed = constraints.groups_.emplace_back();
    re2::StringPiece rest(group.data(), group.size());
    std::string found;
    while (RE2::FindAndConsume(&rest, forms().one, &found)) {
      TIPHYS_TRY(VersionConstraint constraint, parse_one(found));
      parsed.push_back(std::move(constraint));
    }
  }
  return constraints;
}

bool VersionConstraints::hold_for(const Version& version) const {
  return std::ranges::any_of(groups_, [&](const auto& group) {
    const auto names_prerelease = [](const VersionConstraint& c) { return !c.version.prerelease.empty(); };
    if (!version.prerelease.empty() && std::ranges::none_of(group, names_prerelease)) return false;
    return std::ranges::all_of(group, [&](const VersionConstraint& c) { return c.holds_for(version); });
  });
}

}  // namespace tiphys::expr
