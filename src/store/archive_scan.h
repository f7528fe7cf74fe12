// Walks what an ArchiveQuery is about, in the order of its pages, a bounded amount of work at a time.
//
// The most selective part of the query chooses stretches of an index, each in that order, which are merged: those of a
// name, of a label's values, or else all of the namespaces. What they do not decide is asked of each row. Parts of
// names are in no such order: all names are gone through, and what matches, if it is not too much, is the stretch.
#pragma once

#include <queue>
#include <utility>
#include <vector>

#include "store/archive.h"
#include "store/archive_index.h"

namespace tiphys::store {

class ArchiveScan {
 public:
  ArchiveScan(ArchiveIndex& index, ArchiveQuery query);

  enum class Found {
    kMatch,
    kPause,  ///< the work of one turn is done: rest, and ask again in a later one
    kEnd,
  };
  /// Looks for the next row that matches: row().
  Result<Found> next() { return look(true); }
  /// The same for who does not want to see it: row() is void, id() and place() are not.
  Result<Found> pass() { return look(false); }
  /// How many are left; nothing: the work of one turn is done. Nothing can be looked for any more.
  Result<std::optional<std::size_t>> count_rest();
  /// Begins another turn's work.
  void rest() { work_left_ = kWorkPerTurn; }

  const ArchiveRow& row() const { return row_; }
  std::int64_t id() const { return last_.id; }
  /// Where another scan goes on behind the last match: ArchiveQuery::after.
  std::string place() const;

 private:
  /// Some milliseconds.
  static constexpr int kWorkPerTurn = 4000;

  struct Stream {
    ArchiveStretch stretch{};
    std::vector<ArchivePlace> places{};  ///< what has been read of it
    std::size_t at = 0;
    bool more = true;  ///< there may be some beyond
  };

  Status begin();
  Status read_bounds();
  Status choose_stretches();
  Status open_by_label_or_all();
  void choose_names();
  Result<const cluster::Requirement*> most_selective_label();
  Status choose_label(const cluster::Requirement& label);
  void choose_all();
  Result<std::vector<std::string>> values_of(const cluster::Requirement& label);
  Result<std::size_t> size_of(const cluster::Requirement& label);
  Status collect_names();
  void end_collection();
  Status open_streams();
  Status advance(std::size_t stream);
  Result<std::optional<ArchivePlace>> next_place();
  Result<Found> look(bool wants_row);
  Result<bool> matches(const ArchivePlace& place);
  bool matches_name(std::string_view name) const;
  bool asks_rows() const;

  ArchiveIndex& index_;
  const ArchiveQuery query_;
  int work_left_ = kWorkPerTurn;

  enum class State { kNew, kCollecting, kOpen };
  State state_ = State::kNew;
  ArchivePlace from_ = ArchivePlace::before_all();  ///< exclusive, like the next
  std::int64_t down_to_ = 0;
  std::vector<std::string> namespaces_;
  const cluster::Requirement* label_ = nullptr;  ///< the one that can choose the stretches
  std::vector<Stream> streams_;
  std::priority_queue<std::pair<ArchivePlace, std::size_t>> heads_;  ///< of streams, by their numbers
  int chunk_ = 0;
  bool kept_decided_ = false, name_decided_ = false, labels_decided_ = false;

  std::size_t collecting_ = 0;  ///< a namespace
  ArchiveIndex::Named collected_to_{};
  std::vector<ArchivePlace> collected_;

  std::size_t counting_ = 0;  ///< a stream
  std::size_t counted_ = 0;

  ArchivePlace last_{};
  ArchiveRow row_;
};

}  // namespace tiphys::store
