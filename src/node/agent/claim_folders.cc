#include "node/agent/claim_folders.h"

#include <fmt/format.h>

#include <filesystem>

#include "artifact/file_tree.h"
#include "base/log.h"

namespace tiphys::node {
namespace {

namespace fs = std::filesystem;

std::string uid_of(const doc::Value& claim) {
  return std::string(doc::find_string(claim, "metadata", "uid"));
}

/// As the volume is: of the size that was asked for.
doc::Object bound_status(const doc::Value& claim) {
  doc::Object status{{"phase", "Bound"}};
  if (const doc::Value* modes = doc::find(claim, "spec", "accessModes")) status["accessModes"] = *modes;
  if (const doc::Value* size = doc::find(claim, "spec", "resources", "requests")) status["capacity"] = *size;
  return status;
}

void warn_of(const Status& removed) {
  if (!removed) log::warn("{}", removed.error().message);
}

}  // namespace

ClaimFolders::ClaimFolders(Executor& executor, cluster::Cluster& cluster, Workers& workers, std::string folder)
    : executor_(executor), cluster_(cluster), workers_(workers), folder_(std::move(folder)) {}

void ClaimFolders::start() {
  in_step_ = false;
  known_.clear();
  cluster::WatchSink sink;
  sink.on_event = [this](const cluster::WatchEvent& event) { on_event(event); };
  sink.on_end = [this](const Error& error) {
    log::warn("the watch of persistent volume claims ended: {}", error.message);
    // Not from inside its own callback.
    executor_.post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->start();
    });
  };
  watch_ = cluster_.watch(cluster::kPersistentVolumeClaims, {}, std::move(sink));
}

std::string ClaimFolders::path(std::string_view uid) const {
  return fmt::format("{}/{}", folder_, uid);
}

ClaimFolders::Use ClaimFolders::use(const std::string& uid) {
  std::weak_ptr<void>& used = used_[uid];
  if (auto held = used.lock()) return held;
  Use made(this, [weak = weak_from_this(), uid](void*) {
    const auto self = weak.lock();
    if (!self) return;
    self->used_.erase(uid);
    if (self->in_step_ && !self->known_.contains(uid)) self->remove(uid);
  });
  used = made;
  return made;
}

void ClaimFolders::on_event(const cluster::WatchEvent& event) {
  if (event.type == cluster::WatchEvent::Type::kSynced) {
    in_step_ = true;
    return remove_unknown();
  }
  const std::string uid = uid_of(*event.object);
  if (event.type == cluster::WatchEvent::Type::kDeleted) {
    known_.erase(uid);
    if (!used_.contains(uid)) remove(uid);
    return;
  }
  known_.insert(uid);
  if (doc::find_string(*event.object, "status", "phase") != "Bound") bind(*event.object);
}

void ClaimFolders::bind(const doc::Value& claim) {
  const cluster::Key key{&cluster::kPersistentVolumeClaims,
                         std::string(doc::find_string(claim, "metadata", "namespace")),
                         std::string(doc::find_string(claim, "metadata", "name"))};
  doc::Value patch =
      doc::Object{{"spec", doc::Object{{"volumeName", "pvc-" + uid_of(claim)}}}, {"status", bound_status(claim)}};
  cluster_.patch(key, cluster::PatchType::kMerge, std::move(patch), [key](const Result<cluster::Object>& answer) {
    if (!answer && answer.error().code != Code::kNotFound) {
      log::warn("claim {}/{} is not marked as bound: {}", key.ns, key.name, answer.error().message);
    }
  });
}

/// What a crash has left of claims that are gone.
void ClaimFolders::remove_unknown() {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_, error)) {
    const std::string uid = entry.path().filename();
    if (!known_.contains(uid) && !used_.contains(uid)) remove(uid);
  }
}

void ClaimFolders::remove(const std::string& uid) {
  workers_.run([path = path(uid)] { return artifact::remove_tree(path); }, warn_of);
}

}  // namespace tiphys::node
