#include "node/container/docker_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/percent.h"
#include "base/strings.h"
#include "node/network_holder.h"

namespace tiphys::node {
namespace {

constexpr std::int64_t kCpuPeriodMicros = 100'000;
constexpr std::int64_t kLeastCpuQuotaMicros = 1'000;  // the kernel's own limit
constexpr std::size_t kMostHostnameLetters = 63;
constexpr int kSigKill = 9;
constexpr int kSignalBase = 128;
constexpr int kHighestSignal = 64;

template <typename Strings>
doc::Array array_of(const Strings& strings) {
  doc::Array array;
  for (const auto& text : strings) array.emplace_back(std::string_view(text));
  return array;
}

std::string user_of(const ContainerSpec& spec) {
  if (!spec.run_as_user && !spec.run_as_group) return "";
  std::string user = std::to_string(spec.run_as_user.value_or(0));
  if (spec.run_as_group) user += fmt::format(":{}", *spec.run_as_group);
  return user;
}

/// As a kubelet shortens a pod's name.
std::string hostname_of(std::string_view name) {
  std::string host(name.substr(0, kMostHostnameLetters));
  while (!host.empty() && (host.back() == '-' || host.back() == '.')) host.pop_back();
  return host;
}

doc::Object bind(const Mount& mount) {
  return {{"Type", "bind"}, {"Source", mount.host_path}, {"Target", mount.path}, {"ReadOnly", mount.read_only}};
}

doc::Array mounts_of(const ContainerSpec& spec) {
  doc::Array mounts;
  for (const Mount& mount : spec.mounts) mounts.push_back(bind(mount));
  // Nothing can be copied into a root that is read-only.
  if (spec.read_only_root) {
    for (const auto& [path, host_path] : spec.inputs) {
      mounts.push_back(bind({.host_path = host_path, .path = path, .read_only = true}));
    }
  }
  return mounts;
}

doc::Object host_config(const ContainerSpec& spec, const EngineTraits& traits, const std::string& network) {
  doc::Object host;
  if (traits.init && spec.image != kNetworkHolderImage) host["Init"] = true;
  if (!spec.network_of.empty()) {
    host["NetworkMode"] = "container:" + engine_name(spec.network_of);
  } else if (!network.empty()) {
    host["NetworkMode"] = network;
  }
  host["Mounts"] = mounts_of(spec);
  // Binds of folders that were not labelled for containers are unreadable under SELinux otherwise.
  host["SecurityOpt"] = {"label=disable"};
  if (spec.memory_bytes) {
    host["Memory"] = *spec.memory_bytes;
    // Memory and swap together: no swap beyond the limit, as in Kubernetes.
    host["MemorySwap"] = *spec.memory_bytes;
  }
  if (spec.cpus) {
    host["CpuPeriod"] = kCpuPeriodMicros;
    host["CpuQuota"] =
        std::max(kLeastCpuQuotaMicros, static_cast<std::int64_t>(std::llround(*spec.cpus * double(kCpuPeriodMicros))));
  }
  if (spec.read_only_root) host["ReadonlyRootfs"] = true;
  if (spec.privileged) host["Privileged"] = true;
  // A log that can be read again, whatever the engine's own default is, and without the rotation that would lose lines.
  host["LogConfig"] = {{"Type", "json-file"}, {"Config", {{"max-size", "1000000g"}}}};
  return host;
}

std::string base64_decode(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    std::uint32_t value = 0;
    if (c >= 'A' && c <= 'Z') {
      value = static_cast<std::uint32_t>(c - 'A');
    } else if (c >= 'a' && c <= 'z') {
      value = static_cast<std::uint32_t>(c - 'a') + 26;
    } else if (c >= '0' && c <= '9') {
      value = static_cast<std::uint32_t>(c - '0') + 52;
    } else if (c == '+' || c == '-') {
      value = 62;
    } else if (c == '/' || c == '_') {
      value = 63;
    } else {
      break;
    }
    bits = bits << 6 | value;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out.push_back(static_cast<char>(bits >> count & 0xff));
  }
  return out;
}

Time time_of(const doc::Value& state, std::string_view key) {
  const std::string_view text = doc::find_string(state, key);
  // Go's zero time says "never", and lies beyond what a Time can hold.
  if (text.starts_with("0001-")) return {};
  return parse_rfc3339(text).value_or(Time{});
}

bool true_at(const doc::Value& state, std::string_view key) {
  const doc::Value* value = doc::find(state, key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

}  // namespace

std::string engine_name(std::string_view id) {
  std::string name = "tiphys-";
  for (const char c : id) {
    const bool allowed =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    name.push_back(allowed ? c : '_');
  }
  return name;
}

doc::Value create_body(const ContainerSpec& spec, const EngineTraits& traits, const EnginePlace& place) {
  doc::Object body;
  body["Image"] = spec.image;
  if (!spec.command.empty()) body["Entrypoint"] = array_of(spec.command);
  if (!spec.args.empty()) body["Cmd"] = array_of(spec.args);
  doc::Array env;
  for (const auto& [name, value] : spec.env) env.emplace_back(name + "=" + value);
  body["Env"] = std::move(env);
  if (!spec.working_dir.empty()) body["WorkingDir"] = spec.working_dir;
  if (const std::string user = user_of(spec); !user.empty()) body["User"] = user;
  // In dockerd the name goes with the network; podman wants to be told.
  if (!spec.hostname.empty() && (spec.network_of.empty() || traits.podman)) {
    body["Hostname"] = hostname_of(spec.hostname);
  }
  body["Labels"] = {
      {kIdLabel, spec.id},           {kPlaneLabel, place.plane},     {kPodUidLabel, spec.pod_uid},
      {kPodNamespaceLabel, spec.ns}, {kPodNameLabel, spec.pod_name}, {kContainerNameLabel, spec.container_name}};
  body["HostConfig"] = host_config(spec, traits, place.network);
  return body;
}

std::string list_target(std::string_view plane) {
  doc::Array labels;
  labels.emplace_back(plane.empty() ? std::string(kIdLabel) : fmt::format("{}={}", kPlaneLabel, plane));
  const doc::Value filters = {{"label", std::move(labels)}};
  return "/containers/json?all=1&filters=" + percent_encode(doc::to_json(filters));
}

Result<std::vector<std::string>> parse_list(std::string_view body) {
  TIPHYS_TRY(const doc::Value document, doc::parse_json(body));
  const doc::Array* containers = document.if_array();
  if (containers == nullptr) return fail(Code::kInternal, "the container engine lists containers in an unknown form");
  std::vector<std::string> ids;
  for (const doc::Value& container : *containers) {
    const std::string_view id = doc::find_string(container, "Labels", kIdLabel);
    if (!id.empty()) ids.emplace_back(id);
  }
  return ids;
}

ImageReference parse_image(std::string_view image) {
  if (image.find('@') != std::string_view::npos) return {std::string(image), ""};
  const std::size_t slash = image.rfind('/');
  const std::size_t colon = image.rfind(':');
  // A colon before the last slash belongs to a registry's port.
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    return {std::string(image.substr(0, colon)), std::string(image.substr(colon + 1))};
  }
  return {std::string(image), "latest"};
}

PullPolicy pull_policy(std::string_view policy, std::string_view image) {
  if (policy == "Always") return PullPolicy::kAlways;
  if (policy == "IfNotPresent") return PullPolicy::kIfNotPresent;
  if (policy == "Never") return PullPolicy::kNever;
  return parse_image(image).tag == "latest" ? PullPolicy::kAlways : PullPolicy::kIfNotPresent;
}

Result<EngineState> parse_inspect(std::string_view body) {
  TIPHYS_TRY(const doc::Value document, doc::parse_json(body));
  const doc::Value* state = doc::find(document, "State");
  if (state == nullptr) return fail(Code::kInternal, "the container engine describes a container without a state");
  EngineState out;
  out.label_id = doc::find_string(document, "Config", "Labels", kIdLabel);
  out.engine_id = doc::find_string(document, "Id");
  if (const doc::Value* process = doc::find(*state, "Pid"); process && process->is_int64()) {
    out.process = static_cast<int>(process->get_int64());
  }
  out.shares_host_network = doc::find_string(document, "HostConfig", "NetworkMode") == "host";
  out.status = doc::find_string(*state, "Status");
  out.ended = out.status == "exited" || out.status == "stopped" || out.status == "dead";
  out.oom_killed = true_at(*state, "OOMKilled");
  if (const doc::Value* code = doc::find(*state, "ExitCode"); code != nullptr && code->is_int64()) {
    out.exit_code = static_cast<int>(code->get_int64());
  }
  out.error = doc::find_string(*state, "Error");
  out.started_at = time_of(*state, "StartedAt");
  out.finished_at = time_of(*state, "FinishedAt");
  out.started = out.started_at != Time{};
  out.log_path = doc::find_string(document, "LogPath");
  out.address = doc::find_string(document, "NetworkSettings", "IPAddress");
  const doc::Value* networks = doc::find(document, "NetworkSettings", "Networks");
  if (out.address.empty() && networks && networks->is_object()) {
    for (const auto& [name, network] : networks->get_object()) {
      if (out.address.empty()) out.address = doc::find_string(network, "IPAddress");
    }
  }
  return out;
}

ContainerExit exit_of(const EngineState& state, bool limited, bool we_killed) {
  ContainerExit out;
  // Engines tell of an exit they could not learn by a negative code.
  out.exit_code = state.exit_code < 0 ? 255 : state.exit_code;
  if (out.exit_code > kSignalBase && out.exit_code <= kSignalBase + kHighestSignal) {
    out.signal = out.exit_code - kSignalBase;
  }
  // Engines note the start when they have learned of it, which may be after a short step's end.
  out.finished_at = state.finished_at == Time{} ? state.started_at : state.finished_at;
  out.started_at = std::min(state.started_at, out.finished_at);
  out.message = state.error;
  if (out.exit_code == 0) {
    out.reason = "Completed";
  } else if (out.signal == kSigKill && !we_killed && (limited || state.oom_killed)) {
    out.reason = "OOMKilled";
  } else {
    out.reason = "Error";
  }
  return out;
}

std::optional<std::string> pull_error(std::string_view stream) {
  for (const std::string_view line : split(stream, '\n')) {
    if (trim(line).empty()) continue;
    const auto document = doc::parse_json(trim(line));
    if (!document) continue;
    std::string_view error = doc::find_string(*document, "errorDetail", "message");
    if (error.empty()) error = doc::find_string(*document, "error");
    if (!error.empty()) return std::string(error);
  }
  return std::nullopt;
}

std::string link_target(std::string_view path_stat_base64) {
  const auto document = doc::parse_json(base64_decode(path_stat_base64));
  if (!document) return "";
  constexpr std::uint64_t kGoModeSymlink = 1u << 27;
  const doc::Value* mode = doc::find(*document, "mode");
  if (mode == nullptr || !mode->is_number() || (mode->to_number<std::uint64_t>() & kGoModeSymlink) == 0) return "";
  return std::string(doc::find_string(*document, "linkTarget"));
}

}  // namespace tiphys::node
