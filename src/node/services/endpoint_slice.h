// What the node keeps of an EndpointSlice, and what a Service's slices come to: pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "node/services/service_record.h"

namespace tiphys::node {

struct SliceRecord {
  struct Port {
    std::string name, protocol;
    std::uint16_t number = 0;
  };
  struct Endpoint {
    Ipv4 address = 0;
    bool ready = false;
    bool leaving = false;  ///< it still serves, though it is about to end
  };
  std::vector<Port> ports{};
  std::vector<Endpoint> endpoints{};
};
/// Only addresses of IPv4 are kept.
SliceRecord slice_record(const doc::Value& slice);
/// The Service that it is of: a label says so. "" for none.
std::string_view service_of(const doc::Value& slice);

/// Where a Service's TCP ports are listened on, and to where each leads. Without targets nothing is to listen.
struct Listener {
  std::vector<TcpAddress> targets{};
  std::chrono::seconds affinity{0};
  bool operator==(const Listener&) const = default;
};
using Listeners = std::map<TcpAddress, Listener>;

/// Ready endpoints, each once, in their order; those that are about to end when no other is left, as of kube-proxy.
std::vector<TcpAddress> targets_of(const std::vector<SliceRecord>& slices, const ServicePort& port);
/// At its own address, and at localhost for node ports.
Listeners listeners_of(const ServiceRecord& service, const std::vector<SliceRecord>& slices);

}  // namespace tiphys::node
