#include "controllers/workloads/index_set.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/strings.h"

namespace tiphys::controllers::workloads {
namespace {

std::optional<std::int64_t> index_of(std::string_view text) {
  std::int64_t index = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), index);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || index < 0) return std::nullopt;
  return index;
}

}  // namespace

IndexSet IndexSet::parse(std::string_view text, std::int64_t end) {
  IndexSet made;
  for (const std::string_view part : split(text, ',')) {
    const auto dash = part.find('-');
    const auto first = index_of(part.substr(0, dash));
    const auto last = dash == part.npos ? first : index_of(part.substr(dash + 1));
    if (!first || !last || *first >= end) continue;
    const Interval next{*first, std::min(*last, end - 1)};
    if (!made.intervals_.empty() && made.intervals_.back().last + 1 == next.first) {
      made.intervals_.back().last = next.last;
    } else {
      made.intervals_.push_back(next);
    }
  }
  return made;
}

bool IndexSet::has(std::int64_t index) const {
  const auto at = std::ranges::lower_bound(intervals_, index, {}, &Interval::last);
  return at != intervals_.end() && at->first <= index;
}

void IndexSet::insert(std::int64_t index) {
  auto at = std::ranges::lower_bound(intervals_, index, {}, &Interval::last);
  if (at != intervals_.end() && at->first <= index) return;
  const bool joins_next = at != intervals_.end() && at->first == index + 1;
  const bool joins_previous = at != intervals_.begin() && std::prev(at)->last + 1 == index;
  if (joins_next && joins_previous) {
    std::prev(at)->last = at->last;
    intervals_.erase(at);
  } else if (joins_next) {
    at->first = index;
  } else if (joins_previous) {
    std::prev(at)->last = index;
  } else {
    intervals_.insert(at, {index, index});
  }
}

std::int64_t IndexSet::size() const {
  std::int64_t size = 0;
  for (const Interval& one : intervals_) size += one.last - one.first + 1;
  return size;
}

std::string IndexSet::text() const {
  std::string text;
  for (const Interval& one : intervals_) {
    if (!text.empty()) text += ',';
    text += std::to_string(one.first);
    if (one.last == one.first) continue;
    text += one.last == one.first + 1 ? ',' : '-';
    text += std::to_string(one.last);
  }
  return text;
}

}  // namespace tiphys::controllers::workloads
