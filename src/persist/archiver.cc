#include "persist/archiver.h"

#include <algorithm>

#include "base/log.h"
#include "persist/archive_rows.h"

namespace tiphys::persist {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::size_t kAtOnce = 64;
constexpr Duration kFirstPause = seconds(1), kLongestPause = minutes(1);
constexpr std::size_t kOldAtOnce = 1000;
constexpr Duration kBetweenExpiries = hours(1), kExpiryTriedAgain = minutes(1);

std::string_view meta(const doc::Value& workflow, std::string_view field) {
  return doc::find_string(workflow, "metadata", field);
}

/// Nobody answers, or nobody can be asked: the next workflow would fare the same.
bool is_of_the_database(const Error& error) {
  return error.code != Code::kInternal && error.code != Code::kDataLoss;
}

}  // namespace

Archiver::Archiver(Executor& executor, store::Store& store, ArchiveDatabase& database)
    : executor_(executor), store_(store), database_(database) {}

Archiver::~Archiver() {
  store_.set_archive_notice(nullptr);
  executor_.cancel(timer_);
}

void Archiver::start() {
  store_.set_archive_notice([this] { look(); });
  look();
}

void Archiver::look() {
  again_ = true;
  if (busy_ || timer_ != 0) return;
  busy_ = true;
  again_ = failed_ = false;
  next_page("");
}

void Archiver::next_page(std::string after) {
  store_.list_archive({.kept_only = true, .after = std::move(after), .limit = kAtOnce},
                      [this](Result<store::ArchivePage> page) {
                        if (!page) {
                          log::error("what waits for the archive cannot be read: {}", page.error().message);
                          failed_ = true;
                          return end_round();
                        }
                        page_ = std::move(*page);
                        at_ = 0;
                        next_item();
                      });
}

void Archiver::next_item() {
  if (at_ == page_.items.size()) return page_.next.empty() ? end_round() : next_page(page_.next);
  const doc::Value& workflow = *page_.items[at_++];
  const auto status = doc::find_string(workflow, "metadata", "labels", store::kArchivingStatusLabel);
  status == store::kArchivedStatus ? mark_again(workflow) : read(workflow);
}

/// It was archived in the store, before there was a database.
void Archiver::mark_again(const doc::Value& workflow) {
  const doc::Value pending{
      {"metadata",
       {{"uid", meta(workflow, "uid")}, {"labels", {{store::kArchivingStatusLabel, store::kPendingStatus}}}}}};
  const cluster::Key key{&cluster::kWorkflows, std::string(meta(workflow, "namespace")),
                         std::string(meta(workflow, "name"))};
  // The write is noticed, and looked for in another round.
  store_.patch(key, cluster::PatchType::kMerge, pending,
               [this, workflow = page_.items[at_ - 1]](const Result<cluster::Object>& marked) {
                 marked ? next_item() : failed(*workflow, marked.error());
               });
}

void Archiver::read(const doc::Value& workflow) {
  store_.get_archived({.uid = std::string(meta(workflow, "uid"))},
                      [this, version = std::string(meta(workflow, "resourceVersion")),
                       workflow = page_.items[at_ - 1]](Result<cluster::Object> whole) {
                        if (whole) return write(std::move(*whole), version);
                        // It has gone in between.
                        if (whole.error().code == Code::kNotFound) return next_item();
                        failed(*workflow, whole.error());
                      });
}

void Archiver::write(cluster::Object workflow, std::string resource_version) {
  database_.run<bool>(
      executor_,
      [workflow, sql = database_.sql](Connection& connection) -> Result<bool> {
        TIPHYS_CHECK_OK(write_row(connection, sql, *workflow));
        return true;
      },
      [this, workflow, version = std::move(resource_version)](const Result<bool>& written) {
        written ? confirm(*workflow, version) : failed(*workflow, written.error());
      });
}

void Archiver::confirm(const doc::Value& workflow, std::string resource_version) {
  store_.confirm_archived(std::string(meta(workflow, "uid")), std::move(resource_version),
                          [this, name = page_.items[at_ - 1]](const Status& confirmed) {
                            confirmed ? next_item() : failed(*name, confirmed.error());
                          });
}

void Archiver::failed(const doc::Value& workflow, const Error& error) {
  log::warn("the workflow {} of namespace {} waits for the archive: {}", meta(workflow, "name"),
            meta(workflow, "namespace"), error.message);
  failed_ = true;
  is_of_the_database(error) ? end_round() : next_item();
}

void Archiver::end_round() {
  busy_ = false;
  page_ = {};
  at_ = 0;
  if (!failed_) {
    pause_ = Duration::zero();
    if (again_) look();
    return;
  }
  pause_ = pause_ == Duration::zero() ? kFirstPause : std::min(pause_ * 2, kLongestPause);
  timer_ = executor_.schedule(executor_.now() + pause_, [this] {
    timer_ = 0;
    look();
  });
}

RowExpiry::RowExpiry(Executor& executor, ArchiveDatabase& database, Duration ttl)
    : executor_(executor), database_(database), ttl_(ttl) {}

RowExpiry::~RowExpiry() {
  executor_.cancel(timer_);
}

void RowExpiry::look() {
  database_.run<SqlResult>(
      executor_,
      [statement = database_.sql.remove_older(executor_.now() - ttl_, kOldAtOnce)](Connection& connection) {
        return connection.run(statement);
      },
      [this](const Result<SqlResult>& removed) {
        if (!removed) {
          log::warn("old rows of the archive stay for now: {}", removed.error().message);
          return look_later(kExpiryTriedAgain);
        }
        removed->affected < kOldAtOnce ? look_later(kBetweenExpiries) : look();
      });
}

void RowExpiry::look_later(Duration pause) {
  timer_ = executor_.schedule(executor_.now() + pause, [this] {
    timer_ = 0;
    look();
  });
}

}  // namespace tiphys::persist
