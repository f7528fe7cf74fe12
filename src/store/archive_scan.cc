#include "store/archive_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace tiphys::store {
namespace {

using Op = cluster::Requirement::Op;
using NameMatch = ArchiveQuery::NameMatch;
using std::chrono::seconds;

constexpr std::size_t kMostValues = 64;
/// From so many on a label is not selective.
constexpr int kManyRows = 1000;
constexpr std::size_t kMostCollected = 20'000;
constexpr int kNamesAtOnce = 1024;
constexpr int kCountedAtOnce = 50'000;
// What is done for a row, in units of a place read off an index.
constexpr int kRowWork = 4, kLabelsWork = 8;

Time time_of(std::int64_t count) {
  return Time(seconds(count));
}

Result<ArchivePlace> parse_place(std::string_view text) {
  ArchivePlace place;
  const auto slash = text.find('/');
  const auto read = [](std::string_view number, std::int64_t& out) {
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), out);
    return error == std::errc() && end == number.data() + number.size();
  };
  if (slash == text.npos || !read(text.substr(0, slash), place.started) || !read(text.substr(slash + 1), place.id)) {
    return fail(Code::kInvalidArgument, fmt::format("\"{}\" is no place that a list of the archive has given", text));
  }
  return place;
}

}  // namespace

ArchiveScan::ArchiveScan(ArchiveIndex& index, ArchiveQuery query) : index_(index), query_(std::move(query)) {}

std::string ArchiveScan::place() const {
  return fmt::format("{}/{}", last_.started, last_.id);
}

Status ArchiveScan::begin() {
  TIPHYS_CHECK_OK(read_bounds());
  if (query_.ns.empty()) {
    TIPHYS_TRY(namespaces_, index_.namespaces());
    std::erase(namespaces_, query_.other_than_ns);
  } else {
    namespaces_ = {query_.ns};
  }
  return choose_stretches();
}

Status ArchiveScan::read_bounds() {
  down_to_ = query_.started_after == Time{}
                 ? std::numeric_limits<std::int64_t>::min()
                 : std::chrono::floor<seconds>(query_.started_after.time_since_epoch()).count();
  if (query_.started_before != Time{}) {
    from_ = {std::chrono::ceil<seconds>(query_.started_before.time_since_epoch()).count(),
             std::numeric_limits<std::int64_t>::min()};
  }
  if (query_.after.empty()) return {};
  TIPHYS_TRY(const ArchivePlace after, parse_place(query_.after));
  from_ = std::min(from_, after);
  return {};
}

Status ArchiveScan::choose_stretches() {
  if (query_.name_match == NameMatch::kExact && !query_.name.empty()) {
    choose_names();
    return open_streams();
  }
  TIPHYS_TRY(label_, most_selective_label());
  const bool by_part =
      !query_.name_prefix.empty() || (!query_.name.empty() && query_.name_match != NameMatch::kNotEquals);
  if (by_part) {
    TIPHYS_TRY(const std::size_t size, label_ ? size_of(*label_) : Result<std::size_t>(kManyRows));
    if (size >= kManyRows) {
      state_ = State::kCollecting;
      return {};
    }
  }
  return open_by_label_or_all();
}

Status ArchiveScan::open_by_label_or_all() {
  if (label_) {
    TIPHYS_CHECK_OK(choose_label(*label_));
  } else {
    choose_all();
  }
  return open_streams();
}

void ArchiveScan::choose_names() {
  name_decided_ = query_.name_prefix.empty();
  for (const std::string& ns : namespaces_) {
    streams_.push_back({.stretch = {.by = ArchiveStretch::By::kName, .ns = ns, .name = query_.name}});
  }
}

/// Null: there is none whose stretches are in order.
Result<const cluster::Requirement*> ArchiveScan::most_selective_label() {
  const cluster::Requirement* best = nullptr;
  std::size_t smallest = 0;
  const auto& wanted = query_.labels.requirements();
  for (const cluster::Requirement& each : wanted) {
    if (each.op != Op::kEquals && each.op != Op::kIn && each.op != Op::kExists) continue;
    TIPHYS_TRY(const auto values, values_of(each));
    if (values.size() > kMostValues) continue;
    if (wanted.size() == 1) return &each;
    TIPHYS_TRY(const std::size_t size, size_of(each));
    if (!best || size < smallest) {
      best = &each;
      smallest = size;
    }
  }
  return best;
}

Result<std::vector<std::string>> ArchiveScan::values_of(const cluster::Requirement& label) {
  if (label.op == Op::kExists) return index_.label_values(label.key, kMostValues + 1);
  std::vector<std::string> values = label.values;
  std::ranges::sort(values);
  values.erase(std::ranges::unique(values).begin(), values.end());
  return values;
}

/// Not above kManyRows.
Result<std::size_t> ArchiveScan::size_of(const cluster::Requirement& label) {
  std::size_t size = 0;
  TIPHYS_TRY(const auto values, values_of(label));
  for (const std::string& value : values) {
    for (const std::string& ns : namespaces_) {
      ArchivePlace after = from_;
      const ArchiveStretch stretch{.by = ArchiveStretch::By::kLabel, .ns = ns, .key = label.key, .value = value};
      const int most = kManyRows - static_cast<int>(size);
      TIPHYS_TRY(const auto places, index_.places(stretch, after, most));
      size += places.size();
      if (size >= kManyRows) return kManyRows;
    }
  }
  return size;
}

Status ArchiveScan::choose_label(const cluster::Requirement& label) {
  labels_decided_ = query_.labels.requirements().size() == 1;
  TIPHYS_TRY(const auto values, values_of(label));
  for (const std::string& value : values) {
    for (const std::string& ns : namespaces_) {
      streams_.push_back({.stretch = {.by = ArchiveStretch::By::kLabel, .ns = ns, .key = label.key, .value = value}});
    }
  }
  return {};
}

void ArchiveScan::choose_all() {
  kept_decided_ = true;
  for (const std::string& ns : namespaces_) {
    for (const bool kept : {true, false}) {
      if (kept || !query_.kept_only) streams_.push_back({.stretch = {.ns = ns, .kept = kept}});
    }
  }
}

Status ArchiveScan::collect_names() {
  const std::string& prefix = !query_.name_prefix.empty()               ? query_.name_prefix
                              : query_.name_match == NameMatch::kPrefix ? query_.name
                                                                        : query_.name_prefix;
  while (work_left_ > 0 && collecting_ < namespaces_.size()) {
    if (collected_to_.name.empty()) collected_to_ = {prefix, {std::numeric_limits<std::int64_t>::min(), 0}};
    TIPHYS_TRY(const auto names, index_.names(namespaces_[collecting_], collected_to_, kNamesAtOnce));
    work_left_ -= kNamesAtOnce;
    const bool at_end = names.size() < kNamesAtOnce || !names.back().name.starts_with(prefix);
    for (const ArchiveIndex::Named& each : names) {
      const std::int64_t started = each.place.started;
      if (matches_name(each.name) && each.place < from_ && started > down_to_) collected_.push_back(each.place);
    }
    if (!names.empty()) collected_to_ = names.back();
    if (at_end) {
      ++collecting_;
      collected_to_ = {};
    }
    if (collected_.size() <= kMostCollected) continue;
    // So many match that a page is soon full.
    collected_ = {};
    return open_by_label_or_all();
  }
  if (collecting_ == namespaces_.size()) {
    end_collection();
    return open_streams();
  }
  return {};
}

void ArchiveScan::end_collection() {
  name_decided_ = true;
  std::ranges::sort(collected_, std::ranges::greater());
  streams_.push_back({.places = std::move(collected_), .more = false});
}

Status ArchiveScan::open_streams() {
  state_ = State::kOpen;
  if (streams_.empty()) return {};
  chunk_ = std::clamp(512 / static_cast<int>(streams_.size()), 16, 256);
  for (std::size_t i = 0; i < streams_.size(); ++i) TIPHYS_CHECK_OK(advance(i));
  return {};
}

/// Puts the stream's next place, if it has one, among the heads.
Status ArchiveScan::advance(std::size_t number) {
  Stream& stream = streams_[number];
  if (stream.at == stream.places.size() && stream.more) {
    const ArchivePlace after = stream.places.empty() ? from_ : stream.places.back();
    TIPHYS_TRY(stream.places, index_.places(stream.stretch, after, chunk_));
    stream.at = 0;
    stream.more = stream.places.size() == static_cast<std::size_t>(chunk_);
    const auto end = std::ranges::find_if(stream.places, [&](const auto& each) { return each.started <= down_to_; });
    if (end != stream.places.end()) {
      stream.more = false;
      stream.places.erase(end, stream.places.end());
    }
  }
  if (stream.at < stream.places.size()) heads_.emplace(stream.places[stream.at], number);
  return {};
}

Result<std::optional<ArchivePlace>> ArchiveScan::next_place() {
  if (heads_.empty()) return std::nullopt;
  const auto [place, number] = heads_.top();
  heads_.pop();
  ++streams_[number].at;
  TIPHYS_CHECK_OK(advance(number));
  return place;
}

Result<ArchiveScan::Found> ArchiveScan::look(bool wants_row) {
  if (state_ == State::kNew) TIPHYS_CHECK_OK(begin());
  while (work_left_ > 0) {
    if (state_ == State::kCollecting) {
      TIPHYS_CHECK_OK(collect_names());
      continue;
    }
    TIPHYS_TRY(const auto place, next_place());
    if (!place) return Found::kEnd;
    --work_left_;
    if (wants_row || asks_rows()) {
      TIPHYS_TRY(const bool wanted, matches(*place));
      if (!wanted) continue;
    }
    last_ = *place;
    return Found::kMatch;
  }
  return Found::kPause;
}

bool ArchiveScan::asks_rows() const {
  return (query_.kept_only && !kept_decided_) ||
         (!name_decided_ && !(query_.name.empty() && query_.name_prefix.empty())) ||
         (!labels_decided_ && !query_.labels.empty()) || query_.without_archived || query_.created_after != Time{} ||
         query_.finished_before != Time{};
}

Result<bool> ArchiveScan::matches(const ArchivePlace& place) {
  work_left_ -= kRowWork;
  TIPHYS_TRY(auto row, index_.row(place.id));
  // It has gone since.
  if (!row) return false;
  row_ = std::move(*row);
  if (query_.kept_only && !row_.kept) return false;
  if (!name_decided_ && !matches_name(row_.name.name)) return false;
  if (query_.created_after != Time{} && time_of(row_.created) <= query_.created_after) return false;
  if (query_.finished_before != Time{} && (row_.finished == 0 || time_of(row_.finished) >= query_.finished_before)) {
    return false;
  }
  if ((labels_decided_ || query_.labels.empty()) && !query_.without_archived) return true;
  work_left_ -= kLabelsWork;
  TIPHYS_TRY(doc::Object labels, index_.labels(place.id));
  const doc::Value map(std::move(labels));
  if (query_.without_archived && doc::find_string(map, kArchivingStatusLabel) == kArchivedStatus) return false;
  return labels_decided_ || query_.labels.matches_label_map(&map);
}

bool ArchiveScan::matches_name(std::string_view name) const {
  if (!name.starts_with(query_.name_prefix)) return false;
  if (query_.name.empty()) return true;
  switch (query_.name_match) {
    case NameMatch::kExact:
      return name == query_.name;
    case NameMatch::kPrefix:
      return name.starts_with(query_.name);
    case NameMatch::kContains:
      return name.find(query_.name) != name.npos;
    case NameMatch::kNotEquals:
      break;
  }
  return name != query_.name;
}

Result<std::optional<std::size_t>> ArchiveScan::count_rest() {
  const bool few = !streams_.empty() && streams_.front().stretch.by == ArchiveStretch::By::kName;
  if (state_ != State::kOpen || few || asks_rows()) {
    while (true) {
      TIPHYS_TRY(const Found found, pass());
      if (found == Found::kPause) return std::nullopt;
      if (found == Found::kEnd) return counted_;
      ++counted_;
    }
  }
  for (; counting_ < streams_.size(); ++counting_) {
    Stream& stream = streams_[counting_];
    counted_ += stream.places.size() - stream.at;
    if (!stream.places.empty()) stream.places = {stream.places.back()};
    stream.at = stream.places.size();
    while (stream.more) {
      if (work_left_ <= 0) return std::nullopt;
      work_left_ -= kCountedAtOnce / 16;
      ArchivePlace after = stream.places.empty() ? from_ : stream.places.back();
      TIPHYS_TRY(const std::size_t some, index_.count(stream.stretch, after, down_to_, kCountedAtOnce));
      counted_ += some;
      stream.more = some == kCountedAtOnce;
      stream.places = {after};
      stream.at = 1;
    }
  }
  return counted_;
}

}  // namespace tiphys::store
