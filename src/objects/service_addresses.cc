#include "objects/service_addresses.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

#include "objects/service_rules.h"

namespace tiphys::objects {
namespace {

constexpr std::uint32_t kNetwork = 127U << 24 | 96U << 16;
constexpr std::uint32_t kAddresses = 1U << 16;
/// Those below are left to people who choose.
constexpr std::uint32_t kFirstGiven = 256;
constexpr int kFirstPort = 30000, kLastPort = 32767;

std::optional<std::uint32_t> address_of(std::string_view text) {
  std::uint32_t address = 0;
  for (int i = 0; i < 4; ++i) {
    unsigned part = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), part);
    if (error != std::errc() || part > 255) return std::nullopt;
    address = address << 8 | part;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (i == 3) break;
    if (!text.starts_with('.')) return std::nullopt;
    text.remove_prefix(1);
  }
  return text.empty() ? std::optional(address) : std::nullopt;
}

std::string text_of(std::uint32_t offset) {
  const std::uint32_t address = kNetwork + offset;
  return fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
}

std::optional<std::uint32_t> offset_of(std::string_view text) {
  const auto address = address_of(text);
  if (!address || *address <= kNetwork || *address - kNetwork >= kAddresses - 1) return std::nullopt;
  return *address - kNetwork;
}

/// FNV-1a: the same Service is tried at the same place.
std::uint32_t hash_of(std::string_view text) {
  std::uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}

std::string owner_of(const doc::Value& service) {
  auto name = doc::find_string(service, "metadata", "name");
  if (name.empty()) name = doc::find_string(service, "metadata", "generateName");
  return fmt::format("{}/{}", doc::find_string(service, "metadata", "namespace"), name);
}

doc::Array* ports_of(doc::Value& service) {
  doc::Value* spec = service.get_object().if_contains("spec");
  doc::Value* ports = spec && spec->is_object() ? spec->get_object().if_contains("ports") : nullptr;
  return ports && ports->is_array() ? &ports->get_array() : nullptr;
}

int node_port_of(const doc::Value& port) {
  const doc::Value* found = doc::find(port, "nodePort");
  return found && found->is_int64() ? static_cast<int>(found->get_int64()) : 0;
}

}  // namespace

schema::FieldErrors ServiceAddresses::give(doc::Value& service) {
  schema::FieldErrors errors;
  // One without a name yet is told from others that are.
  static std::uint64_t nameless = 0;
  Owner owner = owner_of(service);
  if (doc::find_string(service, "metadata", "name").empty()) owner += fmt::format("#{}", ++nameless);
  if (has_cluster_ip(service)) give_address(service, owner, errors);
  if (has_node_ports(service)) give_ports(service, owner, errors);
  return errors;
}

void ServiceAddresses::give_address(doc::Value& service, const Owner& owner, schema::FieldErrors& errors) {
  doc::Object& spec = doc::ensure_object(service.get_object(), "spec");
  const std::string given(doc::find_string(service, "spec", "clusterIP"));
  if (!given.empty()) {
    const auto offset = offset_of(given);
    const auto refuse = [&](std::string_view why) {
      errors.push_back(schema::invalid("spec.clusterIPs", doc::Array{given},
                                       fmt::format("failed to allocate IP {}: {}", given, why)));
    };
    if (!offset) {
      return refuse(
          fmt::format("the provided IP ({}) is not in the valid range. The range of valid IPs is {}", given, kRange));
    }
    const auto [taken, free] = addresses_.try_emplace(*offset, owner);
    if (!free && taken->second != owner) refuse("provided IP is already allocated");
    return;
  }
  const auto offset = find_offset(owner);
  if (!offset) {
    errors.push_back(schema::invalid("spec.clusterIPs", doc::Array(), "failed to allocate a serviceIP: range is full"));
    return;
  }
  addresses_[*offset] = owner;
  spec["clusterIP"] = text_of(*offset);
  spec["clusterIPs"] = doc::Array{text_of(*offset)};
}

std::optional<std::uint32_t> ServiceAddresses::find_offset(const Owner& owner) const {
  constexpr std::uint32_t kMany = kAddresses - 1 - kFirstGiven;
  const std::uint32_t start = hash_of(seed_ + owner) % kMany;
  for (std::uint32_t i = 0; i < kMany; ++i) {
    const std::uint32_t offset = kFirstGiven + (start + i) % kMany;
    const auto taken = addresses_.find(offset);
    if (taken == addresses_.end() || taken->second == owner) return offset;
  }
  return std::nullopt;
}

std::string ServiceAddresses::address_for(std::string_view ns, std::string_view name) const {
  const Owner owner = fmt::format("{}/{}", ns, name);
  for (const auto& [offset, holder] : addresses_) {
    if (holder == owner) return text_of(offset);
  }
  const auto offset = find_offset(owner);
  return offset ? text_of(*offset) : std::string();
}

void ServiceAddresses::give_ports(doc::Value& service, const Owner& owner, schema::FieldErrors& errors) {
  doc::Array* ports = ports_of(service);
  if (!ports) return;
  for (std::size_t i = 0; i < ports->size(); ++i) {
    doc::Value& port = (*ports)[i];
    if (!port.is_object()) continue;
    const std::string protocol(doc::find_string(port, "protocol"));
    const std::string at = fmt::format("spec.ports[{}].nodePort", i);
    if (const int given = node_port_of(port); given != 0) {
      if (given < kFirstPort || given > kLastPort) {
        errors.push_back(
            schema::invalid(at, doc::Value(given),
                            fmt::format("provided port is not in the valid range. The range of valid ports is {}-{}",
                                        kFirstPort, kLastPort)));
        continue;
      }
      const auto [taken, free] = ports_.try_emplace({protocol, given}, owner);
      if (!free && taken->second != owner) {
        errors.push_back(schema::invalid(at, doc::Value(given), "provided port is already allocated"));
      }
      continue;
    }
    constexpr int kPorts = kLastPort - kFirstPort + 1;
    // Of one Service each port has its own place.
    const auto start = static_cast<int>(
        hash_of(fmt::format("{}{}:{}", seed_, owner, doc::to_json(port.get_object()["port"]))) % kPorts);
    int found = 0;
    for (int k = 0; k < kPorts && found == 0; ++k) {
      const int number = kFirstPort + (start + k) % kPorts;
      if (ports_.try_emplace({protocol, number}, owner).second) found = number;
    }
    if (found == 0) {
      errors.push_back(schema::invalid(at, doc::Value(0), "failed to allocate a nodePort: range is full"));
    } else {
      port.get_object()["nodePort"] = found;
    }
  }
}

void ServiceAddresses::learn(const cluster::Object& before, const cluster::Object& after) {
  const Owner owner = owner_of(after ? *after : *before);
  std::erase_if(addresses_, [&](const auto& each) { return each.second == owner; });
  std::erase_if(ports_, [&](const auto& each) { return each.second == owner; });
  if (!after) return;
  if (const auto offset = offset_of(doc::find_string(*after, "spec", "clusterIP"))) addresses_[*offset] = owner;
  doc::Value copy = *after;
  const doc::Array* ports = ports_of(copy);
  if (!ports) return;
  for (const doc::Value& port : *ports) {
    if (const int number = node_port_of(port); number != 0)
      ports_[{std::string(doc::find_string(port, "protocol")), number}] = owner;
  }
}

}  // namespace tiphys::objects
