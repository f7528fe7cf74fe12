#include "node/services/port_claims.h"

#include <fmt/format.h>

#include <algorithm>

#include "node/services/service_record.h"

namespace tiphys::node {
namespace {

void add_ports(const doc::Value& container, std::vector<PortClaims::Port>& to) {
  const doc::Value* ports = doc::find(container, "ports");
  if (!ports || !ports->is_array()) return;
  for (const doc::Value& port : ports->get_array()) {
    for (const char* member : {"containerPort", "hostPort"}) {
      const PortClaims::Port one{protocol_of(port), port_at(port, member)};
      if (one.second != 0 && std::ranges::find(to, one) == to.end()) to.push_back(one);
    }
  }
}

}  // namespace

std::vector<PortClaims::Port> ports_of_pod(const doc::Value& pod) {
  std::vector<PortClaims::Port> ports;
  const doc::Value* containers = doc::find(pod, "spec", "containers");
  if (!containers || !containers->is_array()) return ports;
  for (const doc::Value& container : containers->get_array()) add_ports(container, ports);
  return ports;
}

std::vector<std::string> PortClaims::claim(const doc::Value& pod) {
  std::vector<std::string> conflicts;
  const std::string uid(doc::find_string(pod, "metadata", "uid"));
  for (const Port& port : ports_of_pod(pod)) {
    const auto [begin, end] = holders_.equal_range(port);
    const auto other = std::find_if(begin, end, [&](const auto& one) { return one.second.uid != uid; });
    if (other != end) {
      conflicts.push_back(
          fmt::format("port {}/{} is also that of pod {}: in the process runtime pods share the network of this host, "
                      "where one of them alone can listen there; give them different ports, or run them in containers",
                      port.second, port.first, other->second.name));
    }
    holders_.emplace(port, Holder{uid, fmt::format("{}/{}", doc::find_string(pod, "metadata", "namespace"),
                                                   doc::find_string(pod, "metadata", "name"))});
  }
  return conflicts;
}

void PortClaims::release(const std::string& uid) {
  if (!holders_.empty()) std::erase_if(holders_, [&](const auto& one) { return one.second.uid == uid; });
}

}  // namespace tiphys::node
