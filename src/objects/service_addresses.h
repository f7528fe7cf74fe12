// Gives Services addresses and ports of this plane's ranges, each to one (k8s.io/kubernetes/pkg/registry/core/service).
#pragma once

#include <map>
#include <string>

#include "cluster/cluster.h"
#include "schema/field_error.h"

namespace tiphys::objects {

class ServiceAddresses {
 public:
  static constexpr std::string_view kRange = "10.96.0.0/16";
  /// Of the Service "kubernetes".
  static constexpr std::string_view kFirst = "10.96.0.1";

  /// Fills in what is missing; tells what is asked for and not to be had. To do so again changes nothing.
  schema::FieldErrors give(doc::Value& service);
  /// What is on disk: null before for a new one, null after for one that is gone.
  void learn(const cluster::Object& before, const cluster::Object& after);

 private:
  using Owner = std::string;  ///< namespace/name

  void give_address(doc::Value& service, const Owner& owner, schema::FieldErrors& errors);
  void give_ports(doc::Value& service, const Owner& owner, schema::FieldErrors& errors);

  std::map<std::uint32_t, Owner> addresses_;            ///< by offset in the range
  std::map<std::pair<std::string, int>, Owner> ports_;  ///< by protocol and number
};

}  // namespace tiphys::objects
