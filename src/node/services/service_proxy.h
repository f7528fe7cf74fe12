// Has Services answer on this host, as kube-proxy does on a node: at their addresses, which are of the loopback
// network, and at localhost for node ports. Follows Services and EndpointSlices by watches; what no Service has costs
// nothing.
//
// A port is listened on only while there are endpoints, so that clients are refused at once otherwise. One that a pod
// of this host has on all addresses (0.0.0.0), at the same number as the Service, is left to it: the pod answers
// itself.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/executor.h"
#include "base/unique_fd.h"
#include "cluster/cluster.h"
#include "node/services/endpoint_slice.h"
#include "node/services/node_events.h"
#include "node/services/service_directory.h"
#include "node/services/service_relay.h"

namespace tiphys::node {

class ServiceProxy : public std::enable_shared_from_this<ServiceProxy> {
 public:
  /// `directory` and `relay` outlive it.
  ServiceProxy(Executor& executor, cluster::Cluster& cluster, ServiceDirectory& directory, ServiceRelay& relay,
               std::string node_name)
      : executor_(executor),
        cluster_(cluster),
        directory_(directory),
        relay_(relay),
        events_(executor, cluster, "kube-proxy", std::move(node_name)) {}

  void start();

 private:
  using Name = ServiceDirectory::Name;
  struct Port {
    Name service;
    Listener listener;
    UniqueFd socket{};      ///< while it is listened on; the relay has another descriptor of it
    std::string complaint;  ///< why it is not, as it was told
  };

  void watch();
  void on_event(const cluster::WatchEvent& event);
  void look_soon(const Name& service);
  void look();
  void look_at(const Name& service);
  void forget(const TcpAddress& at, Port& port);
  void apply(const TcpAddress& at, const ServiceRecord& service, Listener listener);
  void stop_listening(const TcpAddress& at, Port& port);
  void complain(const ServiceRecord& service, Port& port, std::string message);
  void tell_of_other_protocols(const ServiceRecord& service);

  Executor& executor_;
  cluster::Cluster& cluster_;
  ServiceDirectory& directory_;
  ServiceRelay& relay_;
  NodeEvents events_;
  std::map<Name, std::map<std::string, SliceRecord>> slices_;  ///< by Service and their own names
  std::map<TcpAddress, Port> ports_;
  std::set<Name> to_look_at_;
  std::set<Name> told_of_protocols_;
  bool looks_soon_ = false;
  bool synced_ = false;
  std::unique_ptr<cluster::Watch> watch_;
};

/// What a person is told who wants to know why a port is not listened on.
std::string why_not_listening(const TcpAddress& at, const Error& error);

}  // namespace tiphys::node
