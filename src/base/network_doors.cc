#include "base/network_doors.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <vector>

#include "base/namespace_sockets.h"

namespace tiphys {

struct NetworkDoors::Door {
  NetworkNamespace leads_to;
  std::mutex mutex;
  std::vector<UniqueFd> stock;  ///< sockets that nobody has used

  Result<UniqueFd> take();
};

Result<UniqueFd> NetworkDoors::Door::take() {
  const std::lock_guard lock(mutex);
  if (stock.empty()) {
    std::array<SocketKind, kMostNamespaceSockets> kinds{};
    kinds.fill({AF_INET, SOCK_STREAM, 0});
    TIPHYS_TRY(stock, open_sockets(leads_to, kinds));
  }
  UniqueFd taken = std::move(stock.back());
  stock.pop_back();
  return taken;
}

NetworkDoors& NetworkDoors::of_process() {
  static NetworkDoors doors;
  return doors;
}

Status NetworkDoors::add(std::uint32_t address, pid_t pid) {
  auto door = std::make_shared<Door>();
  TIPHYS_TRY(door->leads_to, network_namespace_of(pid));
  const std::lock_guard lock(mutex_);
  doors_[address] = std::move(door);
  return {};
}

void NetworkDoors::remove(std::uint32_t address) {
  const std::lock_guard lock(mutex_);
  doors_.erase(address);
}

std::optional<Result<UniqueFd>> NetworkDoors::open(std::uint32_t address) {
  std::shared_ptr<Door> door;
  {
    const std::lock_guard lock(mutex_);
    const auto found = doors_.find(address);
    if (found == doors_.end()) return std::nullopt;
    door = found->second;
  }
  return door->take();
}

int NetworkDoors::open_tcp(std::uint32_t address) {
  auto behind = open(address);
  if (!behind) return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (*behind) return (*behind)->release();
  errno = EHOSTUNREACH;
  return -1;
}

}  // namespace tiphys
