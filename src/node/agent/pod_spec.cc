#include "node/agent/pod_spec.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/beneath.h"
#include "base/quantity.h"
#include "doc/truth.h"
#include "node/agent/env_file.h"
#include "node/agent/pod_io.h"

namespace tiphys::node {
namespace {

using Env = std::vector<std::pair<std::string, std::string>>;

Result<double> quantity(const doc::Value& container, std::string_view kind, std::string_view resource) {
  const doc::Value* value = doc::find(container, "resources", kind, resource);
  if (!value || value->is_null()) return -1.0;
  auto parsed = parse_quantity(doc::scalar_text(*value));
  if (!parsed) return std::unexpected(parsed.error().in(fmt::format("resources.{}.{}", kind, resource)));
  return parsed;
}

Result<double> request(const doc::Value& container, std::string_view resource) {
  TIPHYS_TRY(const double asked, quantity(container, "requests", resource));
  if (asked >= 0) return asked;
  TIPHYS_TRY(const double limit, quantity(container, "limits", resource));
  return std::max(limit, 0.0);
}

std::vector<std::string> texts(const doc::Value& container, std::string_view field) {
  std::vector<std::string> out;
  const doc::Value* list = doc::find(container, field);
  if (!list || !list->is_array()) return out;
  for (const doc::Value& item : list->get_array()) out.push_back(doc::scalar_text(item));
  return out;
}

const doc::Value* security(const doc::Value& pod, const doc::Value& container, std::string_view field) {
  const doc::Value* own = doc::find(container, "securityContext", field);
  return own ? own : doc::find(pod, "spec", "securityContext", field);
}

std::optional<std::int64_t> number(const doc::Value* value) {
  return value && value->is_int64() ? std::optional(value->get_int64()) : std::nullopt;
}

/// subPath, or what subPathExpr comes to.
Result<std::string> sub_path(const doc::Value& mount, const Env& env) {
  const std::string_view below = doc::find_string(mount, "subPath"), text = doc::find_string(mount, "subPathExpr");
  if (text.empty()) return std::string(below);
  if (!below.empty()) return fail(Code::kInvalidArgument, "subPathExpr and subPath are mutually exclusive");
  std::vector<std::string> unknown;
  std::string path = expand_variables(text, env, &unknown);
  if (unknown.empty()) return path;
  return fail(Code::kInvalidArgument, fmt::format("subPathExpr \"{}\": missing value for \"{}\"", text, unknown[0]));
}

/// A file or folder of a volume, made as a folder when it is missing. A container may have filled the volume: its links
/// do not lead out of it.
Result<std::string> part_of_volume(const std::string& volume, const std::string& below) {
  auto part = open_beneath(volume, below, O_PATH);
  if (!part && part.error().code == Code::kNotFound) part = make_folder_beneath(volume, below);
  if (!part) return std::unexpected(part.error().in("subPath"));
  TIPHYS_TRY(const std::string path, path_of(*part));
  TIPHYS_TRY(const UniqueFd top, open_beneath(volume, "", O_PATH));
  TIPHYS_TRY(const std::string top_path, path_of(top));
  // The volume keeps the name that it has in messages and for engines.
  return volume + path.substr(top_path.size());
}

/// One a volumeMount. Unless `complete` the environment lacks variables from files, and a subPathExpr waits for them.
Result<std::vector<Mount>> mounts_of(const doc::Value& container, const HostVolumes& volumes, const Env& env,
                                     bool complete) {
  std::vector<Mount> mounts;
  const doc::Value* list = doc::find(container, "volumeMounts");
  if (!list || !list->is_array()) return mounts;
  for (const doc::Value& mount : list->get_array()) {
    const std::string name(doc::find_string(mount, "name"));
    const auto volume = volumes.find(name);
    if (volume == volumes.end())
      return fail(Code::kNotFound, fmt::format("volume \"{}\" of a mount does not exist in the pod", name));
    Mount made{volume->second.path, std::string(doc::find_string(mount, "mountPath")),
               volume->second.read_only || doc::is_true(mount, "readOnly")};
    if (!made.path.starts_with('/'))
      return fail(Code::kInvalidArgument, fmt::format("mountPath \"{}\" must be absolute", made.path));
    if (!complete && doc::find(mount, "subPathExpr")) {
      mounts.push_back(std::move(made));
      continue;
    }
    TIPHYS_TRY(const std::string below, sub_path(mount, env));
    if (!below.empty()) {
      const std::filesystem::path parts(below);
      if (parts.is_absolute() || std::find(parts.begin(), parts.end(), "..") != parts.end()) {
        return fail(Code::kInvalidArgument, fmt::format("subPath \"{}\" must be relative and without ..", below));
      }
      TIPHYS_TRY(made.host_path, part_of_volume(made.host_path, below));
    }
    mounts.push_back(std::move(made));
  }
  return mounts;
}

/// What it runs, with the variables of its environment.
void set_command(const doc::Value& container, ContainerSpec& spec) {
  spec.command = texts(container, "command");
  spec.args = texts(container, "args");
  for (std::vector<std::string>* words : {&spec.command, &spec.args}) {
    for (std::string& word : *words) word = expand_variables(word, spec.env);
  }
}

Result<ContainerSpec> container_spec(const doc::Value& pod, const doc::Value& container, const PodSources& sources,
                                     const HostVolumes& volumes, const PodPlace& place) {
  ContainerSpec spec;
  spec.container_name = doc::find_string(container, "name");
  spec.pod_uid = doc::find_string(pod, "metadata", "uid");
  spec.pod_name = doc::find_string(pod, "metadata", "name");
  spec.ns = doc::find_string(pod, "metadata", "namespace");
  spec.id = fmt::format("{}.{}", spec.pod_uid, spec.container_name);
  spec.dir = container_dir(place.dir, spec.container_name);
  spec.image = doc::find_string(container, "image");
  spec.image_pull_policy = doc::find_string(container, "imagePullPolicy");
  spec.working_dir = doc::find_string(container, "workingDir");
  const std::string_view hostname = doc::find_string(pod, "spec", "hostname");
  spec.hostname = (hostname.empty() ? std::string_view(spec.pod_name) : hostname).substr(0, 63);
  TIPHYS_TRY(spec.env, container_env(pod, container, sources, place));
  set_command(container, spec);
  if (const doc::Value* devices = doc::find(container, "volumeDevices");
      devices && devices->is_array() && !devices->get_array().empty()) {
    return fail(Code::kUnimplemented, "only a cluster has volumeDevices; this machine mounts volumes as folders");
  }
  TIPHYS_TRY(spec.mounts, mounts_of(container, volumes, spec.env, !has_file_keys(container)));
  TIPHYS_TRY(const double memory, quantity(container, "limits", "memory"));
  if (memory > 0) spec.memory_bytes = static_cast<std::int64_t>(memory);
  TIPHYS_TRY(const double cpus, quantity(container, "limits", "cpu"));
  if (cpus > 0) spec.cpus = cpus;
  spec.run_as_user = number(security(pod, container, "runAsUser"));
  spec.run_as_group = number(security(pod, container, "runAsGroup"));
  spec.privileged = doc::is_true(container, "securityContext", "privileged");
  spec.read_only_root = doc::is_true(container, "securityContext", "readOnlyRootFilesystem");
  spec.warm_python = doc::find_string(pod, "metadata", "annotations", cluster::kWarmPythonAnnotation);
  return spec;
}

const doc::Array& list_of(const doc::Value& pod, std::string_view field) {
  static const doc::Array kNone;
  const doc::Value* containers = doc::find(pod, "spec", field);
  return containers && containers->is_array() ? containers->get_array() : kNone;
}

Result<PodRequests> requests_of(const doc::Value& container) {
  PodRequests requests;
  TIPHYS_TRY(requests.cpus, request(container, "cpu"));
  TIPHYS_TRY(requests.memory_bytes, request(container, "memory"));
  return requests;
}

Status set_attempts(const doc::Value& pod, std::vector<ContainerSpec>& containers) {
  const std::string_view text = doc::find_string(pod, "metadata", "annotations", kCommandAttemptsAnnotation);
  if (text.empty()) return {};
  const auto wanted = doc::parse_json(text);
  const doc::Value* attempts = wanted ? doc::find(*wanted, "attempts") : nullptr;
  const auto pause = parse_go_duration(wanted ? doc::find_string(*wanted, "pause") : "");
  if (!attempts || !attempts->is_int64() || !pause) {
    return fail(Code::kInvalidArgument, fmt::format("annotation {} cannot be read", kCommandAttemptsAnnotation));
  }
  for (ContainerSpec& spec : containers) {
    spec.attempts = static_cast<int>(attempts->get_int64());
    spec.attempt_pause = *pause;
  }
  return {};
}

}  // namespace

std::string container_dir(const std::string& pod_dir, std::string_view name) {
  return name == "main" ? pod_dir : fmt::format("{}/containers/{}", pod_dir, name);
}

bool is_sidecar(const doc::Value& init_container) {
  return doc::find_string(init_container, "restartPolicy") == "Always";
}

Result<PodRequests> pod_requests(const doc::Value& pod) {
  PodRequests sum, before, most;
  for (const doc::Value& container : list_of(pod, "containers")) {
    TIPHYS_TRY(const PodRequests asked, requests_of(container));
    sum.cpus += asked.cpus;
    sum.memory_bytes += asked.memory_bytes;
  }
  for (const doc::Value& container : list_of(pod, "initContainers")) {
    TIPHYS_TRY(const PodRequests asked, requests_of(container));
    most.cpus = std::max(most.cpus, before.cpus + asked.cpus);
    most.memory_bytes = std::max(most.memory_bytes, before.memory_bytes + asked.memory_bytes);
    if (!is_sidecar(container)) continue;
    before.cpus += asked.cpus;
    before.memory_bytes += asked.memory_bytes;
  }
  return PodRequests{std::max(sum.cpus + before.cpus, most.cpus),
                     std::max(sum.memory_bytes + before.memory_bytes, most.memory_bytes)};
}

Result<PodContainers> container_specs(const doc::Value& pod, const PodSources& sources, const HostVolumes& volumes,
                                      const PodPlace& place) {
  PodContainers made;
  const auto add = [&](const doc::Value& container, std::vector<ContainerSpec>& to) -> Status {
    auto spec = container_spec(pod, container, sources, volumes, place);
    if (!spec)
      return std::unexpected(spec.error().in(fmt::format("container \"{}\"", doc::find_string(container, "name"))));
    to.push_back(std::move(*spec));
    return {};
  };
  for (const doc::Value& container : list_of(pod, "initContainers")) TIPHYS_CHECK_OK(add(container, made.init));
  for (const doc::Value& container : list_of(pod, "containers")) TIPHYS_CHECK_OK(add(container, made.containers));
  if (made.containers.empty()) return fail(Code::kInvalidArgument, "the pod has no containers");
  std::stable_partition(made.containers.begin(), made.containers.end(),
                        [](const ContainerSpec& spec) { return spec.container_name == "main"; });
  TIPHYS_CHECK_OK(set_attempts(pod, made.containers));
  // It starts first and stays; where it does not, a holder keeps the network (PodNetwork).
  for (std::size_t i = 1; i < made.containers.size(); ++i) made.containers[i].network_of = made.containers[0].id;
  return made;
}

Status give_file_keys(const doc::Value& pod, const doc::Value& container, const PodSources& sources,
                      const HostVolumes& volumes, const PodPlace& place, ContainerSpec& spec) {
  TIPHYS_TRY(const FileValues values,
             keep_file_keys(container, volumes, fmt::format("{}/variables/{}", place.dir, spec.id)));
  TIPHYS_TRY(spec.env, container_env(pod, container, sources, place, &values));
  set_command(container, spec);
  TIPHYS_TRY(std::vector<Mount> mounts, mounts_of(container, volumes, spec.env, true));
  // What came to them since, inputs among it, stays.
  std::ranges::move(mounts, spec.mounts.begin());
  return {};
}

}  // namespace tiphys::node
