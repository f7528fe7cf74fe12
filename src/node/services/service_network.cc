#include "node/services/service_network.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/network_doors.h"
#include "node/services/network_join.h"
#include "node/services/redirect_rules.h"

namespace tiphys::node {
namespace {

/// Engines name control groups by their containers; podman that of the monitor too, which is not in the container.
bool is_of_container(std::string_view process, const std::string& engine_id) {
  std::ifstream groups(fmt::format("/proc/{}/cgroup", process));
  for (std::string line; std::getline(groups, line);) {
    if (line.contains(engine_id) && !line.contains("conmon")) return true;
  }
  return false;
}

/// Whether what watches over the container has started it: where an ordinary user may make no control groups, those do
/// not tell.
bool is_of_monitor(pid_t process, const std::string& engine_id) {
  std::ifstream status(fmt::format("/proc/{}/status", process));
  constexpr std::string_view kParent = "PPid:\t";
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with(kParent)) continue;
    std::ifstream command("/proc/" + line.substr(kParent.size()) + "/cmdline");
    std::string words;
    return std::getline(command, words) && words.contains(engine_id);
  }
  return false;
}

/// Whether it is the first one of its own view of processes.
bool is_first(std::string_view process) {
  std::ifstream status(fmt::format("/proc/{}/status", process));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("NSpid:")) return line.ends_with("\t1");
  }
  return false;
}

Error advice(const Error& error) {
  if (error.code != Code::kPermissionDenied) return error;
  return {error.code, error.message +
                          ": only root, or the user whose engine it is, can enter a container's network; "
                          "run tiphys as root, or with a rootless podman"};
}

}  // namespace

Result<pid_t> find_container_process(const std::string& engine_id, pid_t process) {
  if (engine_id.empty()) return fail(Code::kNotFound, "the engine tells no id of the container");
  if (process > 0 && (is_of_container(std::to_string(process), engine_id) || is_of_monitor(process, engine_id))) {
    return process;
  }
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    pid_t number = 0;
    const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (failed != std::errc() || end != name.data() + name.size()) continue;
    if (is_of_container(name, engine_id) && is_first(name)) return number;
  }
  return fail(Code::kNotFound,
              fmt::format("no process of container {} is on this machine: the engine must run on it, and may not hide "
                          "its processes",
                          engine_id.substr(0, 12)));
}

Status ServiceNetwork::open(const std::string& name, const std::string& engine_id, pid_t process) {
  TIPHYS_TRY(const pid_t number, find_container_process(engine_id, process));
  auto sockets = open_sockets_beside(number);
  if (!sockets) return std::unexpected(advice(sockets.error()));
  // It shares this network: what listens here is reached as it is.
  if (!sockets->listener) return {};
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (::getsockname(sockets->listener.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return fail_errno("getsockname", errno);
  }
  TIPHYS_CHECK_OK(apply_rules(sockets->netfilter.get(), redirect_rules(ntohs(address.sin_port))));
  relay_.open_redirected(name, std::move(sockets->listener));
  return {};
}

Status ServiceNetwork::open_door(const std::string& name, const std::string& address, const std::string& engine_id,
                                 pid_t process) {
  const auto number = parse_ipv4(address);
  if (!number) return fail(Code::kUnimplemented, address + " is no address of IPv4");
  TIPHYS_TRY(const pid_t found, find_container_process(engine_id, process));
  if (Status added = NetworkDoors::of_process().add(*number, found); !added) {
    return std::unexpected(advice(added.error()));
  }
  const std::lock_guard lock(mutex_);
  doors_[name] = *number;
  return {};
}

void ServiceNetwork::close(const std::string& name) {
  relay_.close_redirected(name);
  const std::lock_guard lock(mutex_);
  const auto found = doors_.find(name);
  if (found == doors_.end()) return;
  NetworkDoors::of_process().remove(found->second);
  doors_.erase(found);
}

}  // namespace tiphys::node
