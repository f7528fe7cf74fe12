#include "node/agent/node_object.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <cstdint>
#include <fstream>

namespace tiphys::node {
namespace {

constexpr int kMostPods = 1000;

std::string os_image() {
  std::ifstream release("/etc/os-release");
  constexpr std::string_view kKey = "PRETTY_NAME=";
  for (std::string line; std::getline(release, line);) {
    if (!line.starts_with(kKey)) continue;
    std::string name = line.substr(kKey.size());
    if (name.size() > 1 && name.front() == '"') name = name.substr(1, name.size() - 2);
    return name;
  }
  return "Linux";
}

std::string architecture(std::string_view machine) {
  if (machine == "x86_64") return "amd64";
  return machine == "aarch64" ? "arm64" : std::string(machine);
}

doc::Object condition(const char* type, bool holds, const char* reason, const char* message, const std::string& at) {
  return {{"type", type},
          {"status", holds ? "True" : "False"},
          {"lastHeartbeatTime", at},
          {"lastTransitionTime", at},
          {"reason", reason},
          {"message", message}};
}

}  // namespace

doc::Value node_object(const NodeFacts& facts, Time now) {
  utsname system{};
  ::uname(&system);
  const std::string arch = architecture(system.machine);
  const std::string at = format_rfc3339(now);
  const doc::Object room{{"cpu", fmt::format("{}", static_cast<std::int64_t>(facts.cpus))},
                         {"memory", fmt::format("{}Ki", static_cast<std::int64_t>(facts.memory_bytes / 1024))},
                         {"pods", std::to_string(kMostPods)}};
  const doc::Object info{{"architecture", arch},
                         {"operatingSystem", "linux"},
                         {"kernelVersion", system.release},
                         {"osImage", os_image()},
                         {"kubeletVersion", facts.version},
                         {"kubeProxyVersion", facts.version},
                         {"containerRuntimeVersion", "tiphys://" + facts.version},
                         {"machineID", ""},
                         {"systemUUID", ""},
                         {"bootID", ""}};
  const doc::Array addresses{doc::Object{{"type", "InternalIP"}, {"address", "127.0.0.1"}},
                             doc::Object{{"type", "Hostname"}, {"address", facts.name}}};
  const doc::Array conditions{
      condition("MemoryPressure", false, "KubeletHasSufficientMemory", "there is enough memory", at),
      condition("DiskPressure", false, "KubeletHasNoDiskPressure", "there is enough room on the disk", at),
      condition("PIDPressure", false, "KubeletHasSufficientPID", "there are enough process ids", at),
      condition("Ready", true, "KubeletReady", "the plane runs pods", at)};
  const doc::Object labels{
      {"kubernetes.io/hostname", facts.name}, {"kubernetes.io/os", "linux"}, {"kubernetes.io/arch", arch}};
  return doc::Object{{"metadata", doc::Object{{"name", facts.name}, {"labels", labels}}},
                     {"spec", doc::Object()},
                     {"status", doc::Object{{"capacity", room},
                                            {"allocatable", room},
                                            {"conditions", conditions},
                                            {"addresses", addresses},
                                            {"nodeInfo", info}}}};
}

doc::Value node_lease(const NodeFacts& facts, Time now) {
  constexpr int kYearSeconds = 365 * 24 * 3600;
  return doc::Object{{"metadata", doc::Object{{"name", facts.name}, {"namespace", kNodeLeases}}},
                     {"spec", doc::Object{{"holderIdentity", facts.name},
                                          {"leaseDurationSeconds", kYearSeconds},
                                          {"renewTime", format_rfc3339_micro(now)}}}};
}

}  // namespace tiphys::node
