// Gives Services addresses and ports of this plane's ranges, each to one (k8s.io/kubernetes/pkg/registry/core/service).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "cluster/cluster.h"
#include "schema/field_error.h"

namespace tiphys::objects {

class ServiceAddresses {
 public:
  /// Of the loopback network, where a plane can listen without being root.
  static constexpr std::string_view kRange = "127.96.0.0/16";

  /// `seed` tells this plane from others on the same machine: theirs begin to look elsewhere for what is free.
  explicit ServiceAddresses(std::string seed = "") : seed_(std::move(seed)) {}

  /// Fills in what is missing; tells what is asked for and not to be had. To do so again changes nothing.
  schema::FieldErrors give(doc::Value& service);
  /// The address that a Service has or would be given.
  std::string address_for(std::string_view ns, std::string_view name) const;
  /// What is on disk: null before for a new one, null after for one that is gone.
  void learn(const cluster::Object& before, const cluster::Object& after);

 private:
  using Owner = std::string;  ///< namespace/name

  void give_address(doc::Value& service, const Owner& owner, schema::FieldErrors& errors);
  void give_ports(doc::Value& service, const Owner& owner, schema::FieldErrors& errors);

  /// The first that is free, or has this owner; nullopt when there is none.
  std::optional<std::uint32_t> find_offset(const Owner& owner) const;

  std::string seed_;
  std::map<std::uint32_t, Owner> addresses_;            ///< by offset in the range
  std::map<std::pair<std::string, int>, Owner> ports_;  ///< by protocol and number
};

}  // namespace tiphys::objects
