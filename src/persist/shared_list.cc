#include "persist/shared_list.h"

#include <algorithm>
#include <charconv>

#include "base/strings.h"

namespace tiphys::persist {
namespace {

constexpr std::size_t kMostPageBytes = 16U << 20;
/// Of a list without a limit.
constexpr std::size_t kMostItems = 5000, kMostItemsWithNodes = 500;
constexpr std::size_t kKeysAtOnce = 500;
constexpr std::size_t kWorkflowsAtOnce = 64, kWorkflowsWithNodesAtOnce = 16;
constexpr char kBetween = '|';

/// Of a place in the store: "SECONDS/ROW".
std::int64_t seconds_of(std::string_view place) {
  std::int64_t seconds = 0;
  std::from_chars(place.data(), place.data() + place.size(), seconds);
  return seconds;
}

}  // namespace

SharedList::SharedList(Executor& executor, store::Store& local, ArchiveDatabase& database, store::ArchiveQuery query,
                       cluster::Done<store::ArchivePage> done)
    : executor_(executor),
      local_store_(local),
      database_(database),
      query_(std::move(query)),
      done_(std::move(done)),
      most_(query_.with_nodes ? kMostItemsWithNodes : kMostItems),
      to_skip_(query_.offset) {
  if (query_.limit != 0) most_ = std::min(most_, query_.limit);
  // What the store has on its way is in no archive yet.
  local_.end = query_.kept_only;
}

void SharedList::start() {
  if (Status there = go_to(query_.after); !there) return fail_with(std::move(there.error()));
  merge();
}

/// A place in the store, a row's time and its uid.
std::string SharedList::place() const {
  return local_.last + kBetween + rows_.last.started + kBetween + rows_.last.uid;
}

Status SharedList::go_to(std::string_view place) {
  if (place.empty()) return {};
  const auto parts = split(place, kBetween);
  if (parts.size() != 3) return fail(Code::kInvalidArgument, "this is no place that a list of the archive has given");
  local_.last = parts[0];
  rows_.last = {std::string(parts[1]), std::string(parts[2])};
  return {};
}

void SharedList::merge() {
  while (true) {
    if (!local_.end && local_.at == local_.items.size()) return read_local();
    if (!rows_.end && rows_.at == rows_.keys.size()) return read_keys();
    // One more than the page has tells whether there is another page.
    Item item;
    const auto taken = take(item);
    if (!taken) return fail_with(taken.error());
    if (!*taken) break;
    if (item.place.empty()) {
      if (!items_.empty()) items_.back().place = place();
      continue;
    }
    more_ = items_.size() == most_;
    if (more_) break;
    if (to_skip_ > 0) {
      skip_one();
    } else {
      items_.push_back(std::move(item));
    }
  }
  read_workflows();
}

void SharedList::skip_one() {
  if (--to_skip_ > 0 || !query_.with_nodes) return;
  // What has been read ahead came without nodes.
  local_ = {.end = query_.kept_only, .last = std::move(local_.last)};
}

Result<bool> SharedList::take(Item& item) {
  const bool has_local = local_.at < local_.items.size(), has_row = rows_.at < rows_.keys.size();
  if (!has_local && !has_row) return false;
  const bool local_first =
      has_local && (!has_row || seconds_of(local_.places[local_.at]) >= persist::seconds_of(rows_.keys[rows_.at]));
  if (local_first) {
    item.object = std::move(local_.items[local_.at]);
    local_.last = local_.places[local_.at++];
  } else {
    rows_.last = rows_.keys[rows_.at++];
    if (!query_.kept_only) {
      TIPHYS_TRY(const bool shown, local_store_.has_ended(rows_.last.uid));
      if (shown) return true;
    }
    item.uid = rows_.last.uid;
  }
  item.place = place();
  return true;
}

void SharedList::read_local() {
  store::ArchiveQuery query = query_;
  query.after = local_.last;
  query.offset = 0;
  query.counts_rest = false;
  query.with_nodes = query_.with_nodes && to_skip_ == 0;
  // With those that are passed over, and one more.
  query.limit = std::min(query.with_nodes ? kWorkflowsWithNodesAtOnce : kKeysAtOnce, to_skip_ + most_ + 1);
  local_store_.list_archive(std::move(query), [self = shared_from_this()](Result<store::ArchivePage> page) {
    if (!page) return self->fail_with(std::move(page.error()));
    self->local_.items = std::move(page->items);
    self->local_.places = std::move(page->places);
    self->local_.at = 0;
    self->local_.end = page->next.empty();
    self->merge();
  });
}

void SharedList::read_keys() {
  const std::size_t most = std::min(kKeysAtOnce, to_skip_ + most_ + 1);
  database_.run<std::vector<RowKey>>(
      executor_,
      [statement = database_.sql.keys(query_, rows_.last, most)](Connection& connection) {
        return persist::read_keys(connection, statement);
      },
      [self = shared_from_this(), most](Result<std::vector<RowKey>> keys) {
        if (!keys) return self->fail_with(std::move(keys.error()));
        self->rows_.end = keys->size() < most;
        self->rows_.keys = std::move(*keys);
        self->rows_.at = 0;
        self->merge();
      });
}

/// Those of the next rows that are on the page, until it has bytes enough.
void SharedList::read_workflows() {
  const std::size_t most = query_.with_nodes ? kWorkflowsWithNodesAtOnce : kWorkflowsAtOnce;
  std::vector<std::string> uids;
  std::size_t to = filled_;
  for (; to < items_.size() && uids.size() < most; ++to) {
    if (!items_[to].object) uids.push_back(items_[to].uid);
  }
  if (uids.empty()) {
    return query_.counts_rest ? count_rest() : end();
  }
  database_.run<std::map<std::string, ReadWorkflow>>(
      executor_,
      [statement = database_.sql.workflows(uids, query_.with_nodes), dialect = database_.sql.dialect()](
          Connection& connection) { return persist::read_workflows(connection, statement, dialect); },
      [self = shared_from_this(), to](Result<std::map<std::string, ReadWorkflow>> found) {
        if (!found) return self->fail_with(std::move(found.error()));
        for (; self->filled_ < to; ++self->filled_) {
          Item& item = self->items_[self->filled_];
          const auto row = found->find(item.uid);
          if (item.object || row == found->end()) continue;
          item.object = std::move(row->second.object);
          self->bytes_ += row->second.bytes;
        }
        if (self->bytes_ >= kMostPageBytes && to < self->items_.size()) {
          self->items_.resize(to);
          self->more_ = true;
        }
        self->read_workflows();
      });
}

/// What the store has that is not in the database, and all of that.
void SharedList::count_rest() {
  if (!items_.empty()) {
    if (Status there = go_to(items_.back().place); !there) return fail_with(std::move(there.error()));
  }
  if (query_.kept_only) return count_rows(0);
  store::ArchiveQuery query = query_;
  query.after = local_.last;
  query.offset = 0;
  query.limit = 1;
  query.with_nodes = false;
  query.without_archived = true;
  local_store_.list_archive(std::move(query), [self = shared_from_this()](Result<store::ArchivePage> page) {
    if (!page) return self->fail_with(std::move(page.error()));
    self->count_rows(page->items.size() + page->rest.value_or(0));
  });
}

void SharedList::count_rows(std::size_t local) {
  database_.run<std::size_t>(
      executor_,
      [statement = database_.sql.count(query_, rows_.last)](Connection& connection) {
        return read_count(connection, statement);
      },
      [self = shared_from_this(), local](Result<std::size_t> rows) {
        if (!rows) return self->fail_with(std::move(rows.error()));
        self->page_.rest = local + *rows;
        self->end();
      });
}

void SharedList::end() {
  if (more_) page_.next = items_.back().place;
  for (Item& item : items_) {
    if (!item.object) continue;  // it has gone since
    page_.items.push_back(std::move(item.object));
    page_.places.push_back(std::move(item.place));
  }
  if (page_.rest && !more_) page_.rest = 0;
  done_(std::move(page_));
}

}  // namespace tiphys::persist
