// Addresses that only another network of this machine reaches, as those of the pods of a rootless container engine:
// what this process connects to them goes by sockets of that network. A part of its routing table, so it has one for
// all.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "base/error.h"
#include "base/unique_fd.h"

namespace tiphys {

/// Any thread may call.
class NetworkDoors {
 public:
  static NetworkDoors& of_process();

  /// `address` (IPv4, in host order) is reached from the network of process `pid`, which may belong to a user
  /// namespace of ours. It is kept until remove(), whatever becomes of the process.
  Status add(std::uint32_t address, pid_t pid);
  void remove(std::uint32_t address);

  /// A TCP socket that reaches the address; nullopt when it is reached as any other. Every eighth one takes a fork.
  std::optional<Result<UniqueFd>> open(std::uint32_t address);
  /// The same for who wants any socket: that of the door, or one of this network; -1 and errno when neither can be had.
  int open_tcp(std::uint32_t address);

 private:
  struct Door;

  std::mutex mutex_;  ///< of `doors_`
  std::map<std::uint32_t, std::shared_ptr<Door>> doors_;
};

}  // namespace tiphys
