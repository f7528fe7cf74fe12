// From a pod's document to what a runtime starts. Kubernetes' meaning of every field read; the messages are a kubelet's
// where it has one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "node/agent/pod_sources.h"
#include "node/runtime.h"
#include "node/services/service_record.h"

namespace tiphys::node {

/// An init container that keeps running beside those after it (restartPolicy: Always): a sidecar, in Kubernetes' word.
bool is_sidecar(const doc::Value& init_container);

/// What the pod asks of the machine: the sums of its containers' and sidecars' requests (limits where there is no
/// request), or what an init container asks with the sidecars before it, when that is more.
struct PodRequests {
  double cpus = 0;
  double memory_bytes = 0;
};
Result<PodRequests> pod_requests(const doc::Value& pod);

struct PodPlace {
  std::string dir;         ///< of this pod on this host
  std::string claims_dir;  ///< where the folders of claims lie, named by their uids
  std::string node_name;
  double cpus = 0;  ///< of the machine: what a container may use that has no limit
  double memory_bytes = 0;
  Variables variables{};        ///< what containers are told of services, below what they say themselves
  std::string why_no_tokens{};  ///< of a service account; "" where they are to be had
};

/// Where a container's log and root lie. Nearly all pods are one container: that of main is the pod's own, as making a
/// folder is among what a short step costs.
std::string container_dir(const std::string& pod_dir, std::string_view name);

struct HostVolume {
  std::string path;
  bool read_only = false;
};
using HostVolumes = std::map<std::string, HostVolume>;  ///< by the volume's name

/// Where a volume lies that is the pod's own.
std::string volume_folder(const PodPlace& place, std::string_view volume);
/// Makes the pod's volumes, most of them below `place.dir`, but for the tokens in them (pod_tokens.h). Doing it again
/// changes nothing.
Result<HostVolumes> make_volumes(const doc::Value& pod, const PodSources& sources, const PodPlace& place);
/// Removes what make_volumes has written of Secrets, once nothing of the pod runs.
void remove_secret_volumes(const doc::Value& pod, const PodPlace& place);

struct PodContainers {
  std::vector<ContainerSpec> init;        ///< one after the other, before those of `containers`
  std::vector<ContainerSpec> containers;  ///< main first where there is one
  /// Those that start after the first sidecar share its network; without one those after the first container its.
};
/// The containers of the pod, in its order. `inputs` is left to the caller. Variables from files (fileKeyRef) are not
/// in `env` yet, and what a subPathExpr makes of them is not in `mounts`: give_file_keys adds them.
Result<PodContainers> container_specs(const doc::Value& pod, const PodSources& sources, const HostVolumes& volumes,
                                      const PodPlace& place);

/// Reads what init containers have written into files for variables of the container, once they have ended, and makes
/// its command, environment and mounts anew with that; the same again when this container (by its id) was asked for
/// before. An error has a kubelet's message.
Status give_file_keys(const doc::Value& pod, const doc::Value& container, const PodSources& sources,
                      const HostVolumes& volumes, const PodPlace& place, ContainerSpec& spec);

/// What a fieldRef means: "metadata.name", "metadata.labels['app']".
Result<std::string> field_value(const doc::Value& pod, std::string_view path, const PodPlace& place);
/// What a resourceFieldRef means, in units of its divisor, rounded up. `own` is the container that it is in, if any.
Result<std::string> resource_value(const doc::Value& pod, const doc::Value& reference, std::string_view own,
                                   const PodPlace& place);
/// $(NAME) becomes the value of a variable, $$ a dollar. Names that are not known stay, and are put into `unknown`.
std::string expand_variables(std::string_view text, const std::vector<std::pair<std::string, std::string>>& env,
                             std::vector<std::string>* unknown = nullptr);

/// By the order of a container's variables that come from files (env_file.h); nullopt: optional and not there.
using FileValues = std::vector<std::optional<std::string>>;

/// A container's environment: envFrom, then env with $(NAME) expanded. Variables from files get what `files` holds;
/// without it they are left out.
Result<std::vector<std::pair<std::string, std::string>>> container_env(const doc::Value& pod,
                                                                       const doc::Value& container,
                                                                       const PodSources& sources, const PodPlace& place,
                                                                       const FileValues* files = nullptr);

}  // namespace tiphys::node
