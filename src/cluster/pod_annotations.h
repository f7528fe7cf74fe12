// What the workflow controller asks of whoever runs a pod beyond Kubernetes' own fields, as annotations of the pod:
// files in, outputs out.
//
// They stand in for Argo's init and wait containers: the node agent reads and writes the container's file system
// itself.
#pragma once

#include <string_view>

namespace tiphys::cluster {

/// JSON: {"files": [{"path", "content", "mode"?}], "artifacts": [{"name", "path", "mode"?, "recurseMode"?, "archive"?,
/// "optional"?, "subPath"?, "location": {...}}], "mirrored"?: [container]}, put in place before the first container
/// starts: into the volume that a path lies in, else into main's own files; those that are mirrored see the same files.
/// `location` is the artifact's place in full, such as {"raw": {"data"}} or {"s3": {"endpoint", "bucket", "key"}};
/// {"s3": {"key"}} is in the plane's own repository.
inline constexpr std::string_view kInputsAnnotation = "tiphys.io/inputs";
/// JSON: {"result": bool, "parameters": [{"name", "path", "default"?}], "artifacts": [{"name", "path", "place",
/// "location"?, "archive"?: "tar"|"none"|"zip", "compressionLevel"?, "optional"?, "mode"?, "artifactGC"?}], "logs"?:
/// [{"name", "container", "place", "location"?}]}: what to collect after the main container has ended (also when it
/// failed). `place` is what the outputs tell, `location` the same in full where that is more.
inline constexpr std::string_view kOutputsWantedAnnotation = "tiphys.io/outputs-wanted";
/// Argo's Outputs as JSON: {"result"?, "parameters": [{"name", "value"}], "artifacts": [{"name", "path", "s3": {"key"},
/// ...}], "exitCode"}. Written in the same status change that ends the pod.
inline constexpr std::string_view kOutputsAnnotation = "workflows.argoproj.io/outputs";
/// "N/M", how far a pod is: first that of its template's metadata, then what its containers write to the file that
/// ARGO_PROGRESS_FILE names.
inline constexpr std::string_view kProgressAnnotation = "workflows.argoproj.io/progress";
inline constexpr std::string_view kProgressFolder = "/var/run/argo";
inline constexpr std::string_view kProgressFileName = "progress";

/// "process" or "container": which runtime runs the pod; absent: the plane's default.
inline constexpr std::string_view kRuntimeAnnotation = "tiphys.io/runtime";

/// Of pods that the process runtime runs: "true", or modules such as "numpy,hera.workflows", has commands of Python run
/// by forks of an interpreter that is kept with these imported; "false" has not. Absent: as the plane is told.
inline constexpr std::string_view kWarmPythonAnnotation = "tiphys.io/warm-python";

/// On a template: how long `tiphys simulate` takes it to run, as "90" or "1m30s".
inline constexpr std::string_view kDurationAnnotation = "tiphys.io/duration";

/// JSON, of a pod that runs a containerSet: {container: [those that must have succeeded before it starts]} for each
/// container of the set. It stands in for what Argo's emissary does in each container: a container of which one that it
/// depends on has failed ends with exit code 64, and the others are ended.
inline constexpr std::string_view kContainerSetAnnotation = "tiphys.io/container-set";

/// JSON: {"attempts", "pause"}, of a pod that runs a containerSet: how often in all the command of each container is
/// run while it fails, and how long the agent waits in between ("1m30s"). The original's emissary does it in the
/// container.
inline constexpr std::string_view kCommandAttemptsAnnotation = "tiphys.io/command-attempts";

/// "true": the pod's containers are to end, as the original's controller ends them by signals. The pod and its logs
/// stay; a pod none of whose containers has begun is removed.
inline constexpr std::string_view kEndAnnotation = "tiphys.io/end";

/// With a container's name after it: what ends that container when main has ended, in place of SIGTERM: a command as a
/// JSON list, run in the container, with the signal's number for %d.
inline constexpr std::string_view kKillCommandAnnotation = "workflows.argoproj.io/kill-cmd-";

/// outputs.result keeps the last 256 KiB of standard output, less one newline at the end.
inline constexpr std::size_t kMostResultBytes = 256 * 1024;

}  // namespace tiphys::cluster
