#include "argo/change.h"

#include <memory>
#include <utility>

namespace tiphys::argo {
namespace {

constexpr int kMostTries = 10;

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

}  // namespace tiphys::argo
