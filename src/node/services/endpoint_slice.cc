#include "node/services/endpoint_slice.h"

#include <algorithm>

namespace tiphys::node {
namespace {

const doc::Array& list_at(const doc::Value& object, std::string_view member) {
  static const doc::Array kNone;
  const doc::Value* found = doc::find(object, member);
  return found && found->is_array() ? found->get_array() : kNone;
}

bool condition(const doc::Value& endpoint, std::string_view name, bool unsaid) {
  const doc::Value* found = doc::find(endpoint, "conditions", name);
  return found && found->is_bool() ? found->get_bool() : unsaid;
}

}  // namespace

std::string_view service_of(const doc::Value& slice) {
  return doc::find_string(slice, "metadata", "labels", "kubernetes.io/service-name");
}

SliceRecord slice_record(const doc::Value& slice) {
  SliceRecord record;
  for (const doc::Value& port : list_at(slice, "ports")) {
    const std::uint16_t number = port_at(port, "port");
    if (number == 0) continue;
    record.ports.push_back({.name = std::string(doc::find_string(port, "name")),
                            .protocol = std::string(protocol_of(port)),
                            .number = number});
  }
  for (const doc::Value& endpoint : list_at(slice, "endpoints")) {
    const bool ready = condition(endpoint, "ready", true);
    const bool leaving = condition(endpoint, "serving", ready) && condition(endpoint, "terminating", false);
    if (!ready && !leaving) continue;
    // The first of them stands for all.
    const doc::Array& addresses = list_at(endpoint, "addresses");
    const auto address = addresses.empty() ? std::nullopt : parse_ipv4(doc::scalar_text(addresses.front()));
    if (address) record.endpoints.push_back({.address = *address, .ready = ready, .leaving = leaving});
  }
  return record;
}

std::vector<TcpAddress> targets_of(const std::vector<SliceRecord>& slices, const ServicePort& port) {
  std::vector<TcpAddress> ready, leaving;
  const auto add = [](std::vector<TcpAddress>& to, const TcpAddress& target) {
    if (std::ranges::find(to, target) == to.end()) to.push_back(target);
  };
  for (const SliceRecord& slice : slices) {
    for (const SliceRecord::Port& at : slice.ports) {
      if (at.name != port.name || at.protocol != port.protocol) continue;
      for (const SliceRecord::Endpoint& endpoint : slice.endpoints) {
        add(endpoint.ready ? ready : leaving, {endpoint.address, at.number});
      }
    }
  }
  return ready.empty() ? leaving : ready;
}

Listeners listeners_of(const ServiceRecord& service, const std::vector<SliceRecord>& slices) {
  Listeners made;
  const auto address = parse_ipv4(service.address);
  if (!address) return made;
  for (const ServicePort& port : service.ports) {
    if (port.protocol != "TCP" || port.port == 0) continue;
    const std::vector<TcpAddress> targets = targets_of(slices, port);
    const auto listen = [&](const TcpAddress& at) {
      Listener listener{.targets = targets, .affinity = service.affinity};
      // What leads to itself would do so for ever.
      std::erase(listener.targets, at);
      made.emplace(at, std::move(listener));
    };
    listen({*address, port.port});
    if (port.node_port != 0) listen({kLocalhost, port.node_port});
  }
  return made;
}

}  // namespace tiphys::node
