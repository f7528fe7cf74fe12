// What the node keeps of a Service: where it is to answer, and what pods are told of it.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "doc/value.h"

namespace tiphys::node {

/// An IPv4 address in host order.
using Ipv4 = std::uint32_t;
inline constexpr Ipv4 kLocalhost = 127U << 24 | 1U;
/// nullopt for anything but four numbers with dots.
std::optional<Ipv4> parse_ipv4(std::string_view text);
std::string ipv4_text(Ipv4 address);

/// One end of a TCP connection.
struct TcpAddress {
  Ipv4 address = 0;
  std::uint16_t port = 0;
  auto operator<=>(const TcpAddress&) const = default;
  bool operator==(const TcpAddress&) const = default;
};
/// "127.96.3.4:80"
std::string text_of(const TcpAddress& address);

/// The number of a port that a document has; 0: none, or one that no port has.
std::uint16_t port_at(const doc::Value& object, std::string_view member);
/// "TCP" where the port does not say.
std::string_view protocol_of(const doc::Value& port);

struct ServicePort {
  std::string name;      ///< "" for the only one
  std::string protocol;  ///< "TCP", "UDP", "SCTP"
  std::uint16_t port = 0;
  std::uint16_t node_port = 0;  ///< 0: none
};

struct ServiceRecord {
  std::string ns, name, uid;
  std::string address{};  ///< "" when it has none: headless ones, external names
  std::vector<ServicePort> ports{};
  std::chrono::seconds affinity{0};  ///< how long a client stays with one endpoint; 0: not at all
};
ServiceRecord service_record(const doc::Value& service);

using Variables = std::vector<std::pair<std::string, std::string>>;
/// {SVC}_SERVICE_HOST and what else a kubelet tells containers of a Service that has an address
/// (k8s.io/kubernetes/pkg/kubelet/envvars).
void add_service_variables(const ServiceRecord& service, Variables& to);

}  // namespace tiphys::node
