// A Kubernetes cluster as a plane.
#pragma once

#include <memory>

#include "base/executor.h"
#include "base/random.h"
#include "cluster/cluster.h"
#include "kube/kubeconfig.h"

namespace boost::asio {
class io_context;
}

namespace tiphys::kube {

/// Server-side apply: the fields of `object` are the manager's from now on, and those that it had before and that are
/// not there any more go.
struct ApplyOptions {
  std::string field_manager = "tiphys";
  bool force = false;  ///< also fields that other managers have: without, they are a conflict (kAborted)
};

class KubeCluster : public cluster::Cluster {
 public:
  virtual void apply(const cluster::Key& key, doc::Value object, ApplyOptions options,
                     cluster::Done<cluster::Object> done) = 0;
  /// The server's version, such as "v1.34.4": an error tells why it cannot be reached.
  virtual void server_version(cluster::Done<std::string> done) = 0;
};

/// `context` is what `executor` runs on. Destroyed, it answers nothing more.
///
/// Strategic merge patches of custom resources, which Kubernetes does not take, are applied here and written as what
/// they change. Of the options of watches `uncommitted` means nothing, and `without_status_updates` leaves out what
/// this client has written itself.
Result<std::unique_ptr<KubeCluster>> make_kube_cluster(boost::asio::io_context& context, Executor& executor,
                                                       Random& random, const Access& access);

}  // namespace tiphys::kube
