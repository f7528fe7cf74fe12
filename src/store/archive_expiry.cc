// What has been in the archive for its time goes from it: a timer waits for the next, nothing is looked at before.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "store/local_store.h"

namespace tiphys::store {
namespace {

constexpr int kMostPerStep = 64;
/// So that those that ended one after the other go together.
constexpr Duration kBetweenLooks = std::chrono::minutes(1);

}  // namespace

void LocalStore::expire_archived() {
  if (archive_ttl_ <= Duration::zero() || read_only_ || expiring_) return;
  if (degraded_) return;  // what tries again to write looks again
  if (!admit()) return expect_old_archived(executor_.now());
  const auto oldest = archive_index_.oldest(kMostPerStep);
  if (!oldest) return log::error("old workflows of the archive cannot be found: {}", oldest.error().message);
  if (oldest->empty()) return;
  Write write;
  std::optional<Time> next;
  for (const ArchiveIndex::Oldest& each : *oldest) {
    const Time due = Time(std::chrono::seconds(each.finished)) + archive_ttl_;
    if (due > executor_.now()) {
      next = due;
      break;
    }
    write.unarchived.push_back(each.uid);
  }
  if (write.unarchived.empty()) return expect_old_archived(*next);
  expiring_ = true;
  write.answer = [this, uids = write.unarchived](const Status& outcome, const auto&) {
    expiring_ = false;
    if (!outcome) return;  // it is tried again when writing is
    for (const std::string& uid : uids) collect(uid, "");
    expire_archived();
  };
  enqueue(std::move(write));
}

void LocalStore::expect_old_archived(Time when) {
  executor_.cancel(std::exchange(archive_timer_, 0));
  archive_timer_ = executor_.schedule(std::max(when, executor_.now() + kBetweenLooks), [this] {
    archive_timer_ = 0;
    expire_archived();
  });
}

}  // namespace tiphys::store
