// Semantic versions and constraints on them, as Masterminds/semver 3.5 reads them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tiphys::expr {

struct Version {
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  std::uint64_t patch = 0;
  std::string prerelease{};  ///< what follows "-"
  std::string metadata{};    ///< what follows "+"; orders nothing
  std::string original{};    ///< as it was written

  /// "1.2.3-beta.1+build", whatever was left out or led by "v".
  std::string text() const;
};

/// "1.2.3", and what can be made one: "v1", "1.2", "01.2.3". At most 256 bytes.
Result<Version> parse_version(std::string_view text);
/// Sets the part and what `original` is then; an error when the part is not well formed.
Result<Version> with_prerelease(Version version, std::string_view prerelease);
Result<Version> with_metadata(Version version, std::string_view metadata);

/// -1, 0 or 1: a pre-release comes before its release.
int compare(const Version& left, const Version& right);
int compare_prereleases(std::string_view left, std::string_view right);

/// The next version, without pre-release and metadata.
Result<Version> next_major(const Version& version);
Result<Version> next_minor(const Version& version);
/// A pre-release's own release.
Result<Version> next_patch(const Version& version);

/// One comparison: "~1.2.x".
struct VersionConstraint {
  enum class Op : unsigned char { kEqual, kNotEqual, kGreater, kLess, kGreaterOrEqual, kLessOrEqual, kTilde, kCaret };

  Op op;
  Version version{};        ///< zeros for what was left open
  bool open = false;        ///< a part is missing or a wildcard
  bool minor_open = false;  ///< "1", "1.x"
  bool patch_open = false;  ///< "1.2", "1.2.x"

  bool holds_for(const Version& version) const;
};

/// ">= 1.2, < 2 || ~3.1.x || 4.0 - 4.2": groups of which one has to hold. At most 512 bytes and 32 groups.
class VersionConstraints {
 public:
  static Result<VersionConstraints> parse(std::string_view text);
  /// A pre-release fits only groups that name one.
  bool hold_for(const Version& version) const;

 private:
  std::vector<std::vector<VersionConstraint>> groups_;
};

}  // namespace tiphys::expr
