// What goes into a pod's containers before they start and what is taken out of them after: the annotations of
// cluster/pod_annotations.h carried out.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "artifact/stores.h"
#include "base/workers.h"
#include "doc/value.h"
#include "node/runtime.h"

namespace tiphys::node {

/// Pairs of a path in the container and the host file or folder to copy there.
using StagedInputs = std::vector<std::pair<std::string, std::string>>;

struct Staged {
  StagedInputs inputs;
  std::vector<std::string> mirrored;  ///< the containers beside main that see the same files, by name
};

/// The places of the artifacts that an inputs or outputs-wanted annotation names, in full.
std::vector<doc::Value> artifact_locations(std::string_view annotation);

/// Puts files and artifacts of the inputs annotation below `dir`. Blocking, as all of these are. Doing it again after a
/// crash finishes what was begun.
Result<Staged> stage_inputs(std::string_view annotation, const std::string& dir, const artifact::Stores& stores,
                            const artifact::Credentials& credentials);

/// Those whose path lies in a volume are copied into it, and are no longer in `staged`: every container that mounts the
/// volume sees them.
Status put_into_volumes(const std::vector<Mount>& mounts, StagedInputs& staged);

struct OutputsRequest {
  std::string annotation;  ///< the outputs-wanted annotation, "" for none
  std::string container_id;
  std::string log_path;
  std::vector<std::pair<std::string, std::string>> logs;  ///< of all containers, by name
  std::string scratch_dir;
  artifact::Credentials credentials;
  std::optional<int> exit_code = 0;  ///< of main; a containerSet may have none
};

/// Argo's Outputs of an ended container: the exit code, and what the annotation asks for. An error says what could not
/// be had; what could is lost with it unless the container failed, whose own failure says more: then what could not be
/// had is left out.
void collect_outputs(Runtime& runtime, const artifact::Stores& stores, Workers& workers, OutputsRequest request,
                     std::move_only_function<void(Result<doc::Object>)> done);

}  // namespace tiphys::node
