// What has ended, searched and kept: reads of the archive's tables, a slice in each turn, and what goes from them.
#include <fmt/format.h>

#include <set>

#include "store/archive_scan.h"
#include "store/local_store.h"
#include "store/workflow_nodes.h"

namespace tiphys::store {
namespace {

constexpr std::size_t kMostPageBytes = 16U << 20;
/// What a workflow costs of that besides its nodes.
constexpr std::size_t kBytesOfOne = 2048;
constexpr std::size_t kObjectsAtOnce = 64;
constexpr std::size_t kBytesAtOnce = 1U << 20;
constexpr std::size_t kMostLabels = 10'000;

Error no_such_workflow(const ArchivedName& which) {
  return {Code::kNotFound, which.uid.empty()
                               ? fmt::format("the archive has no workflow {} of namespace {}", which.name, which.ns)
                               : fmt::format("the archive has no workflow with the UID {}", which.uid)};
}

}  // namespace

/// A page under way.
struct LocalStore::ArchiveJob {
  ArchiveScan scan;
  ArchiveQuery query;
  cluster::Done<ArchivePage> done;
  ArchivePage page{};
  std::size_t passed = 0;
  std::size_t bytes = 0;
  bool full = false;  ///< all items are there
  bool more = false;  ///< and there is at least one behind them
};

void LocalStore::list_archive(ArchiveQuery query, cluster::Done<ArchivePage> done) {
  after(ticket_of(cluster::kWorkflows), [this, query = std::move(query), done = std::move(done)]() mutable {
    archive_slice(std::make_shared<ArchiveJob>(
        ArchiveJob{.scan = ArchiveScan(archive_index_, query), .query = query, .done = std::move(done)}));
  });
}

void LocalStore::archive_slice(std::shared_ptr<ArchiveJob> job) {
  job->scan.rest();
  const auto whole = fill_page(*job);
  if (!whole) return job->done(std::unexpected(whole.error()));
  if (!*whole) return poster_.post([this, job = std::move(job)]() mutable { archive_slice(std::move(job)); });
  if (job->more) job->page.next = job->page.places.back();
  job->done(std::move(job->page));
}

Result<bool> LocalStore::fill_page(ArchiveJob& job) {
  using Found = ArchiveScan::Found;
  for (; job.passed < job.query.offset; ++job.passed) {
    TIPHYS_TRY(const Found found, job.scan.pass());
    if (found != Found::kMatch) return found == Found::kEnd;
  }
  const std::size_t bytes_before = job.bytes, items_before = job.page.items.size();
  while (!job.full) {
    TIPHYS_TRY(const Found found, job.scan.next());
    if (found == Found::kEnd) {
      if (job.query.counts_rest) job.page.rest = 0;
      return true;
    }
    if (found == Found::kPause) return false;
    TIPHYS_TRY(const RevisionPtr revision, archived_revision(job.scan.row()));
    if (!revision) continue;
    job.page.places.push_back(job.scan.place());
    if (job.query.with_nodes) {
      TIPHYS_TRY(WholeWorkflow workflow, whole_workflow(disk_, *revision, {.newest = hub_.version()}));
      job.bytes += workflow.bytes;
      job.page.items.push_back(std::move(workflow.object));
    } else {
      job.page.items.push_back(revision->object());
    }
    job.bytes += kBytesOfOne;
    job.full = job.page.items.size() == job.query.limit || job.bytes >= kMostPageBytes;
    const bool enough =
        job.page.items.size() - items_before >= kObjectsAtOnce || job.bytes - bytes_before >= kBytesAtOnce;
    if (enough && !job.full) return false;
  }
  if (job.query.counts_rest) {
    TIPHYS_TRY(const auto rest, job.scan.count_rest());
    if (!rest) return false;
    job.page.rest = *rest;
    job.more = *rest > 0;
    return true;
  }
  TIPHYS_TRY(const Found found, job.scan.pass());
  job.more = found == Found::kMatch;
  return found != Found::kPause;
}

Result<RevisionPtr> LocalStore::archived_revision(const ArchiveRow& row) {
  TIPHYS_TRY(const auto body, archive_index_.body(row.id));
  if (body) return disk_.workflow(row.uid, *body);
  TIPHYS_TRY(const RevisionPtr found, disk_.find(cluster::kWorkflows, row.name));
  return found && found->uid() == row.uid ? found : nullptr;
}

Result<std::optional<ArchiveRow>> LocalStore::ended_row(std::string_view uid) {
  TIPHYS_TRY(const auto id, archive_index_.id_of(uid));
  return id ? archive_index_.row(*id) : std::nullopt;
}

Result<bool> LocalStore::has_ended(std::string_view uid) {
  TIPHYS_TRY(const auto id, archive_index_.id_of(uid));
  return id.has_value();
}

Result<ArchiveRow> LocalStore::archived_row(const ArchivedName& which) {
  std::optional<ArchiveRow> found;
  if (!which.uid.empty()) {
    TIPHYS_TRY(found, ended_row(which.uid));
  } else {
    ArchivePlace after = ArchivePlace::before_all();
    const ArchiveStretch stretch{.by = ArchiveStretch::By::kName, .ns = which.ns, .name = which.name};
    while (!found || !found->kept) {
      TIPHYS_TRY(const auto places, archive_index_.places(stretch, after, 1));
      if (places.empty()) break;
      after = places.front();
      TIPHYS_TRY(found, archive_index_.row(after.id));
    }
  }
  if (!found || !found->kept) return std::unexpected(no_such_workflow(which));
  return std::move(*found);
}

void LocalStore::get_archived(ArchivedName which, cluster::Done<cluster::Object> done) {
  after(ticket_of(cluster::kWorkflows), [this, which = std::move(which), done = std::move(done)]() mutable {
    done([&]() -> Result<cluster::Object> {
      TIPHYS_TRY(const ArchiveRow row, archived_row(which));
      TIPHYS_TRY(const RevisionPtr found, archived_revision(row));
      if (!found) return std::unexpected(no_such_workflow(which));
      return object_with_nodes(*found);
    }());
  });
}

void LocalStore::remove_archived(std::string uid, cluster::Done<void> done) {
  after(ticket_of(cluster::kWorkflows), [this, uid = std::move(uid), done = std::move(done)]() mutable {
    const Status begun = unarchive(uid, done);
    if (!begun) done(std::unexpected(begun.error()));
  });
}

Result<RevisionPtr> LocalStore::object_of(const ArchiveRow& row) {
  TIPHYS_TRY(RevisionPtr object, current(cluster::kWorkflows, row.name));
  return object && object->uid() == row.uid ? std::move(object) : nullptr;
}

/// Null: without a mark.
Status LocalStore::remark(const ArchiveRow& row, RevisionPtr object, const char* mark, Write& write) {
  doc::Value marked = object->copy();
  doc::Object& labels = doc::ensure_object(doc::ensure_object(marked.as_object(), "metadata"), "labels");
  mark ? void(labels[kArchivingStatusLabel] = mark) : void(labels.erase(kArchivingStatusLabel));
  TIPHYS_TRY(Change change, make_update(cluster::kWorkflows, row.name, std::move(object), std::move(marked)));
  if (change.before != change.after) write.changes.push_back(std::move(change));
  return {};
}

void LocalStore::write_archive(Write write, std::string uid, cluster::Done<void> done) {
  write.answer = [this, uid = std::move(uid), collects = !write.unarchived.empty(), done = std::move(done)](
                     const Status& outcome, const auto&) mutable {
    if (outcome && collects) collect(uid, "");
    done(outcome);
  };
  enqueue(std::move(write));
}

/// Takes `done` unless there is an error.
Status LocalStore::unarchive(const std::string& uid, cluster::Done<void>& done) {
  TIPHYS_CHECK_OK(admit());
  TIPHYS_TRY(const auto row, ended_row(uid));
  if (!row) return std::unexpected(no_such_workflow({.uid = uid}));
  TIPHYS_TRY(RevisionPtr object, object_of(*row));
  Write write;
  if (object) {
    if (doc::find_string(*object->base(), "metadata", "labels", kArchivingStatusLabel).empty()) {
      return std::unexpected(no_such_workflow({.uid = uid}));
    }
    TIPHYS_CHECK_OK(remark(*row, std::move(object), nullptr, write));
  } else {
    write.unarchived.push_back(uid);
  }
  write_archive(std::move(write), uid, std::move(done));
  return {};
}

void LocalStore::confirm_archived(std::string uid, std::string resource_version, cluster::Done<void> done) {
  after(ticket_of(cluster::kWorkflows),
        [this, uid = std::move(uid), version = std::move(resource_version), done = std::move(done)]() mutable {
          const Status begun = confirm(uid, version, done);
          if (!begun) done(std::unexpected(begun.error()));
        });
}

/// Takes `done` unless there is an error.
Status LocalStore::confirm(const std::string& uid, std::string_view resource_version, cluster::Done<void>& done) {
  TIPHYS_CHECK_OK(admit());
  Write write;
  TIPHYS_TRY(const auto row, ended_row(uid));
  if (row) {
    TIPHYS_TRY(RevisionPtr object, object_of(*row));
    if (!object) {
      write.unarchived.push_back(uid);
    } else if (doc::find_string(*object->base(), "metadata", "resourceVersion") == resource_version &&
               archive_keeps(*object, archived_elsewhere_)) {
      TIPHYS_CHECK_OK(remark(*row, std::move(object), kArchivedStatus, write));
    }
  }
  write_archive(std::move(write), uid, std::move(done));
  return {};
}

/// Labels under way, of a namespace.
struct LocalStore::LabelsJob {
  ArchiveScan scan;
  std::string key;
  cluster::Done<std::vector<std::string>> done;
  std::set<std::string> found{};
  std::size_t seen = 0;
};

void LocalStore::archive_labels(std::string ns, std::string key, cluster::Done<std::vector<std::string>> done) {
  after(ticket_of(cluster::kWorkflows), [this, ns = std::move(ns), key = std::move(key),
                                         done = std::move(done)]() mutable {
    if (ns.empty()) {
      return done(key.empty() ? archive_index_.label_keys(kMostLabels) : archive_index_.label_values(key, kMostLabels));
    }
    labels_slice(std::make_shared<LabelsJob>(
        LabelsJob{.scan = ArchiveScan(archive_index_, {.ns = ns}), .key = std::move(key), .done = std::move(done)}));
  });
}

void LocalStore::labels_slice(std::shared_ptr<LabelsJob> job) {
  constexpr std::size_t kRowsAtOnce = 500;
  job->scan.rest();
  const auto finished = [&]() -> Result<bool> {
    for (std::size_t i = 0; i < kRowsAtOnce; ++i, ++job->seen) {
      if (job->seen == kMostLabels) return true;
      TIPHYS_TRY(const auto found, job->scan.pass());
      if (found == ArchiveScan::Found::kEnd) return true;
      if (found == ArchiveScan::Found::kPause) return false;
      TIPHYS_TRY(const doc::Object labels, archive_index_.labels(job->scan.id()));
      for (const auto& [key, value] : labels) {
        if (job->key.empty()) job->found.emplace(key);
        if (job->key == key) job->found.insert(doc::scalar_text(value));
      }
    }
    return false;
  }();
  if (!finished) return job->done(std::unexpected(finished.error()));
  if (!*finished) return poster_.post([this, job = std::move(job)]() mutable { labels_slice(std::move(job)); });
  job->done(std::vector<std::string>(job->found.begin(), job->found.end()));
}

}  // namespace tiphys::store
