// Objects of kind Event go by themselves: when they are old, and when there are too many.
#include <algorithm>

#include "base/log.h"
#include "store/local_store.h"

namespace tiphys::store {
namespace {

/// As long as Kubernetes' API server keeps them.
constexpr Duration kKeptFor = std::chrono::hours(1);
constexpr std::size_t kMostPerStep = 1000;
/// Those after one that may stay were written later and may stay, too, but for some whose clients have told another
/// time: so many that may stay are looked at.
constexpr int kMostLooksPastDue = 8;
constexpr Duration kBetweenLooks = std::chrono::minutes(1);

}  // namespace

void LocalStore::count_event(const Change& change) {
  if (!kept_events_) {
    const auto counted = disk_.count_events();
    if (!counted) return log::error("Event objects cannot be counted: {}", counted.error().message);
    kept_events_ = static_cast<std::size_t>(*counted);
  } else if (!change.before) {
    ++*kept_events_;
  } else if (!change.after) {
    --*kept_events_;
  }
  const bool too_many = *kept_events_ > most_kept_events_;
  if ((!too_many && events_timer_ != 0) || trimming_) return;
  trimming_ = true;
  poster_.post([this] { trim_events(); });
}

/// Removes some at a time, then waits until the next one is due. A plane looks from the first Event on that it writes.
void LocalStore::trim_events() {
  trimming_ = false;
  if (!kept_events_ || !admit()) return;
  // Some more than needed, so that not every Event brings a removal.
  const std::size_t surplus =
      *kept_events_ > most_kept_events_ ? *kept_events_ - most_kept_events_ + most_kept_events_ / 10 : 0;
  const Time now = executor_.now();
  Time next = Time::max();
  std::vector<Name> due;
  int may_stay = 0;
  const auto visited = disk_.visit_oldest_events([&](Name name, Time last_at) {
    if (due.size() >= surplus && last_at + kKeptFor > now) {
      next = std::min(next, last_at + kKeptFor);
      ++may_stay;
    } else {
      due.push_back(std::move(name));
    }
    return may_stay < kMostLooksPastDue && due.size() < kMostPerStep;
  });
  if (!visited) return log::error("old Event objects cannot be found: {}", visited.error().message);
  Write write;
  for (const Name& name : due) {
    auto change = make_remove(cluster::kEvents, name, {});
    if (change && change->before != change->after) write.changes.push_back(std::move(*change));
  }
  if (write.changes.empty()) return expect_old_events(next);
  trimming_ = true;
  write.answer = [this](const Status&, const auto&) { trim_events(); };
  enqueue(std::move(write));
}

void LocalStore::expect_old_events(Time when) {
  executor_.cancel(std::exchange(events_timer_, 0));
  if (when == Time::max()) return;
  events_timer_ = executor_.schedule(std::max(when, executor_.now() + kBetweenLooks), [this] {
    events_timer_ = 0;
    trim_events();
  });
}

}  // namespace tiphys::store
