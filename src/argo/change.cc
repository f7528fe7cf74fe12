#include "argo/change.h"

#include <memory>
#include <utility>

#include "doc/patch.h"

namespace tiphys::argo {
namespace {

constexpr int kMostTries = 10;

/// Updates do not change them, and they are the most of a workflow.
void leave_out_nodes(doc::Value& object) {
  doc::Value* status = object.as_object().if_contains("status");
  if (status && status->is_object()) status->get_object().erase("nodes");
}

struct Changing : std::enable_shared_from_this<Changing> {
  cluster::Cluster& cluster;
  cluster::Key key;
  std::move_only_function<Status(doc::Value&)> edit;
  cluster::Done<cluster::Object> done;
  int tries = 0;

  Changing(cluster::Cluster& plane, cluster::Key of, std::move_only_function<Status(doc::Value&)> how,
           cluster::Done<cluster::Object> then)
      : cluster(plane), key(std::move(of)), edit(std::move(how)), done(std::move(then)) {}

  void start() {
    cluster.get(key, [self = shared_from_this()](Result<cluster::Object> current) {
      if (!current) return self->done(std::unexpected(std::move(current.error())));
      doc::Value changed = **current;
      if (const Status edited = self->edit(changed); !edited) {
        return self->done(std::unexpected(edited.error()));
      }
      leave_out_nodes(changed);
      self->write(std::move(changed));
    });
  }

  void write(doc::Value changed) {
    cluster.update(key, std::move(changed), [self = shared_from_this()](Result<cluster::Object> written) {
      if (!written && written.error().code == Code::kAborted && ++self->tries < kMostTries) return self->start();
      self->done(std::move(written));
    });
  }
};

}  // namespace

void change(cluster::Cluster& cluster, const cluster::Key& key,
            std::move_only_function<Status(doc::Value& object)> edit, cluster::Done<cluster::Object> done) {
  std::make_shared<Changing>(cluster, key, std::move(edit), std::move(done))->start();
}

void merge(cluster::Cluster& cluster, const cluster::Key& key, doc::Value patch, cluster::Done<cluster::Object> done) {
  doc::Value asked = patch;
  cluster.patch(
      key, cluster::PatchType::kMerge, std::move(asked),
      [&cluster, key, patch = std::move(patch), done = std::move(done)](Result<cluster::Object> patched) mutable {
        if (patched || patched.error().code != Code::kPermissionDenied) return done(std::move(patched));
        change(
            cluster, key,
            [patch = std::move(patch)](doc::Value& object) { return doc::apply_merge_patch(object, patch); },
            std::move(done));
      });
}

}  // namespace tiphys::argo
