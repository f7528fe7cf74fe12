// The ports of this host that running pods have: those of the process runtime share its network.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "doc/value.h"

namespace tiphys::node {

class PortClaims {
 public:
  using Port = std::pair<std::string, std::uint16_t>;  ///< protocol and number

  /// Takes the container and host ports that a pod names; gives a sentence for each that another running one has.
  std::vector<std::string> claim(const doc::Value& pod);
  /// The pod of this uid has ended; one that has claimed nothing is ignored.
  void release(const std::string& uid);

 private:
  struct Holder {
    std::string uid, name;  ///< name: "namespace/name"
  };
  std::multimap<Port, Holder> holders_;
};

/// What its containers listen on; a host port is told by its own number.
std::vector<PortClaims::Port> ports_of_pod(const doc::Value& pod);

}  // namespace tiphys::node
