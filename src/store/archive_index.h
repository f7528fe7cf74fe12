// Reads the archive's tables, some rows at a time: on the thread of its connection, the executor's or the writer's.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "store/revision.h"
#include "store/sqlite.h"

namespace tiphys::store {

/// A row's place in the order of lists, which goes from high to low.
struct ArchivePlace {
  std::int64_t started = 0;  ///< seconds since 1970
  std::int64_t id = 0;
  auto operator<=>(const ArchivePlace&) const = default;

  static constexpr ArchivePlace before_all() { return {kMost, kMost}; }

 private:
  static constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
};

struct ArchiveRow {
  std::int64_t id = 0;
  std::string uid;
  Name name;
  std::string phase;
  std::int64_t created = 0, started = 0, finished = 0;  ///< seconds since 1970; 0: unset
  bool kept = false;
};

/// A stretch of an index in the order of lists: all of a namespace that is kept or is not, that has a label, or a name.
struct ArchiveStretch {
  enum class By { kKept, kLabel, kName };
  By by = By::kKept;
  std::string ns{};
  bool kept = false;
  std::string key{}, value{};  ///< of a label
  std::string name{};
};

class ArchiveIndex {
 public:
  explicit ArchiveIndex(Database& database) : database_(database) {}

  /// Of a stretch what comes after `after`.
  Result<std::vector<ArchivePlace>> places(const ArchiveStretch& stretch, const ArchivePlace& after, int most);
  /// How many a stretch of kKept or kLabel has beyond `after` that began later than `down_to`, at most so many; `after`
  /// moves to the last one counted.
  Result<std::size_t> count(const ArchiveStretch& stretch, ArchivePlace& after, std::int64_t down_to, int most);

  struct Named {
    std::string name;
    ArchivePlace place;
  };
  /// The names of a namespace, in order, each with where its row is.
  Result<std::vector<Named>> names(std::string_view ns, const Named& after, int most);

  Result<std::optional<ArchiveRow>> row(std::int64_t id);
  Result<std::optional<std::int64_t>> id_of(std::string_view uid);
  Result<doc::Object> labels(std::int64_t id);

  Result<std::vector<std::string>> namespaces();
  /// In order, at most so many.
  Result<std::vector<std::string>> label_keys(std::size_t most);
  Result<std::vector<std::string>> label_values(std::string_view key, std::size_t most);

  /// The body of what has no object any more.
  Result<std::optional<std::string>> body(std::int64_t id);

  struct Oldest {
    std::string uid;
    std::int64_t finished = 0;
  };
  /// Of what has no object any more, those that finished first.
  Result<std::vector<Oldest>> oldest(int most);

 private:
  Query start(const ArchiveStretch& stretch);

  Database& database_;
};

}  // namespace tiphys::store
