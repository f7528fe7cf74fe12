#include "node/services/service_record.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace tiphys::node {
namespace {

constexpr std::int64_t kDefaultAffinitySeconds = 10800;

std::string upper(std::string_view text) {
  std::string made(text);
  std::ranges::transform(made, made.begin(), [](unsigned char c) { return c == '-' ? '_' : std::toupper(c); });
  return made;
}

std::string lower(std::string_view text) {
  std::string made(text);
  std::ranges::transform(made, made.begin(), [](unsigned char c) { return std::tolower(c); });
  return made;
}

std::chrono::seconds affinity_of(const doc::Value& service) {
  if (doc::find_string(service, "spec", "sessionAffinity") != "ClientIP") return std::chrono::seconds(0);
  const doc::Value* given = doc::find(service, "spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds");
  return std::chrono::seconds(given && given->is_int64() ? given->get_int64() : kDefaultAffinitySeconds);
}

}  // namespace

std::optional<Ipv4> parse_ipv4(std::string_view text) {
  in_addr parsed{};
  if (::inet_pton(AF_INET, std::string(text).c_str(), &parsed) != 1) return std::nullopt;
  return ntohl(parsed.s_addr);
}

std::string ipv4_text(Ipv4 address) {
  return fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
}

std::string text_of(const TcpAddress& address) {
  return fmt::format("{}:{}", ipv4_text(address.address), address.port);
}

std::uint16_t port_at(const doc::Value& object, std::string_view member) {
  const doc::Value* found = doc::find(object, member);
  if (!found || !found->is_int64() || found->get_int64() < 0 || found->get_int64() > 65535) return 0;
  return static_cast<std::uint16_t>(found->get_int64());
}

std::string_view protocol_of(const doc::Value& port) {
  const std::string_view protocol = doc::find_string(port, "protocol");
  return protocol.empty() ? "TCP" : protocol;
}

ServiceRecord service_record(const doc::Value& service) {
  ServiceRecord record{.ns = std::string(doc::find_string(service, "metadata", "namespace")),
                       .name = std::string(doc::find_string(service, "metadata", "name")),
                       .uid = std::string(doc::find_string(service, "metadata", "uid"))};
  const std::string_view address = doc::find_string(service, "spec", "clusterIP");
  if (address != "None" && doc::find_string(service, "spec", "type") != "ExternalName") record.address = address;
  const doc::Value* ports = doc::find(service, "spec", "ports");
  if (ports && ports->is_array()) {
    for (const doc::Value& port : ports->get_array()) {
      record.ports.push_back({.name = std::string(doc::find_string(port, "name")),
                              .protocol = std::string(protocol_of(port)),
                              .port = port_at(port, "port"),
                              .node_port = port_at(port, "nodePort")});
    }
  }
  record.affinity = affinity_of(service);
  return record;
}

void add_service_variables(const ServiceRecord& service, Variables& to) {
  if (service.address.empty() || service.ports.empty()) return;
  const std::string prefix = upper(service.name);
  const auto add = [&](std::string name, std::string value) { to.emplace_back(std::move(name), std::move(value)); };
  add(prefix + "_SERVICE_HOST", service.address);
  add(prefix + "_SERVICE_PORT", std::to_string(service.ports.front().port));
  for (const ServicePort& port : service.ports) {
    if (!port.name.empty()) add(prefix + "_SERVICE_PORT_" + upper(port.name), std::to_string(port.port));
  }
  const auto url_of = [&](const ServicePort& port) {
    return fmt::format("{}://{}:{}", lower(port.protocol), service.address, port.port);
  };
  add(prefix + "_PORT", url_of(service.ports.front()));
  for (const ServicePort& port : service.ports) {
    const std::string link = fmt::format("{}_PORT_{}_{}", prefix, port.port, upper(port.protocol));
    add(link, url_of(port));
    add(link + "_PROTO", lower(port.protocol));
    add(link + "_PORT", std::to_string(port.port));
    add(link + "_ADDR", service.address);
  }
}

}  // namespace tiphys::node
