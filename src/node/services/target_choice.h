// Which endpoint a client of a Service gets: each in turn, or the one that it had before. Pure.
#pragma once

#include <chrono>
#include <list>
#include <unordered_map>
#include <vector>

#include "node/services/service_record.h"

namespace tiphys::node {

class TargetChoice {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  /// Clients that are remembered at a time; of more the one that has been away longest is forgotten.
  static constexpr std::size_t kMostClients = 10'000;

  /// Clients keep their endpoint as long as it is among the targets.
  void set(std::vector<TcpAddress> targets, std::chrono::seconds affinity);
  /// The targets in the order in which they are to be tried.
  std::vector<TcpAddress> order(Ipv4 client, Instant now);
  /// It has answered.
  void keep(Ipv4 client, const TcpAddress& target, Instant now);

 private:
  struct Client {
    Ipv4 address;
    TcpAddress target;
    Instant seen;
  };

  std::vector<TcpAddress> targets_;
  std::chrono::seconds affinity_{0};
  std::size_t next_ = 0;
  std::list<Client> clients_;  ///< who has been away longest first
  std::unordered_map<Ipv4, std::list<Client>::iterator> by_address_;
};

}  // namespace tiphys::node
