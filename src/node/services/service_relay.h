// Takes connections to Services and relays them to endpoints, on a thread of its own: however much goes over, nothing
// else waits for it. There is no thread before there is something to listen at. Any thread may call.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"
#include "node/services/endpoint_slice.h"

namespace tiphys::node {

/// A socket that listens there. kAlreadyExists: something else does; kPermissionDenied: a port below 1024 is not for
/// everybody.
Result<UniqueFd> listen_at(const TcpAddress& address);

class ServiceRelay {
 public:
  /// Beyond these, clients wait in the kernel's queue. Each has two descriptors.
  static constexpr std::size_t kMostConnections = 1024;

  explicit ServiceRelay(std::size_t most_connections = kMostConnections);
  /// Cuts all connections.
  ~ServiceRelay();
  ServiceRelay(const ServiceRelay&) = delete;
  ServiceRelay& operator=(const ServiceRelay&) = delete;

  /// Where new connections to an address of a Service go.
  void set(const TcpAddress& at, Listener listener);
  /// It is an address of no Service any more.
  void forget(const TcpAddress& at);

  /// Takes connections to that address by a socket that listens there.
  void open(const TcpAddress& at, UniqueFd socket);
  void close(const TcpAddress& at);

  /// Takes connections to all addresses, which nftables have led to this socket of another network namespace. `name`
  /// is its own.
  void open_redirected(const std::string& name, UniqueFd socket);
  void close_redirected(const std::string& name);

 private:
  class Thread;
  Thread& thread();
  Thread* running();

  std::size_t most_;
  std::mutex mutex_;  ///< of the making of `thread_`
  std::unique_ptr<Thread> thread_;
};

}  // namespace tiphys::node
