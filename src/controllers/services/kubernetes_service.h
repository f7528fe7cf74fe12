// The Service `kubernetes`, by which pods reach the plane's API, with its Endpoints and its EndpointSlice: made when
// they are not there, made right when they are otherwise.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "base/executor.h"
#include "cluster/cluster.h"

namespace tiphys::controllers {

struct KubernetesServiceOptions {
  std::string address;           ///< of the Service
  std::int64_t port = 443;       ///< at that address
  std::int64_t target_port = 0;  ///< of 127.0.0.1, where the API listens
};

class KubernetesService : public std::enable_shared_from_this<KubernetesService> {
 public:
  KubernetesService(Executor& executor, cluster::Cluster& cluster, KubernetesServiceOptions options);

  /// `ready` is called once all three are right, or cannot be written.
  void start(Executor::Task ready);

 private:
  struct Part {
    const cluster::Resource* resource = nullptr;
    doc::Value wanted{};
    bool seen = false;
    bool settled = false;
    std::unique_ptr<cluster::Watch> watch{};
  };

  void follow(Part& part);
  void on_event(Part& part, const cluster::WatchEvent& event);
  void create(Part& part);
  cluster::Done<cluster::Object> written(Part& part);
  void settle(Part& part);

  Executor& executor_;
  cluster::Cluster& cluster_;
  std::array<Part, 3> parts_;
  Executor::Task ready_;
};

}  // namespace tiphys::controllers
