// Readers of the parts that templates are made of.
#pragma once

#include "api/reader.h"
#include "api/workflow.h"

namespace tiphys::api {

extern const FieldTable kParameterTable;
extern const FieldTable kArtifactTable;
extern const FieldTable kInputsTable;
extern const FieldTable kOutputsTable;
extern const FieldTable kRetryStrategyTable;
extern const FieldTable kExecutorTable;
extern const FieldTable kTemplateRefTable;
extern const FieldTable kHookTable;
extern const FieldTable kStepTable;
extern const FieldTable kDagTable;
extern const FieldTable kTemplateTable;
extern const FieldTable kSynchronizationTable;
extern const FieldTable kSpecTable;
extern const FieldTable kWorkflowTable;
extern const FieldTable kCronWorkflowTable;
extern const FieldTable kMetadataTable;
extern const FieldTable kContainerTable;
extern const FieldTable kScriptTable;
extern const FieldTable kFurtherContainerTable;
extern const FieldTable kVolumeMountTable;
extern const FieldTable kContainerNodeTable;
extern const FieldTable kContainerSetTable;
extern const FieldTable kHttpTable;
extern const FieldTable kDataTable;
extern const FieldTable kExecutorPluginTable;
extern const FieldTable kRawTable;
extern const FieldTable kS3Table;
extern const FieldTable kGcsTable;
extern const FieldTable kOssTable;
extern const FieldTable kAzureTable;
extern const FieldTable kHdfsTable;
extern const FieldTable kPluginArtifactTable;
extern const FieldTable kGitTable;
extern const FieldTable kHttpArtifactTable;
extern const FieldTable kArtifactoryTable;
extern const FieldTable kArchiveLocationTable;
extern const FieldTable kArtifactGcTable;
extern const FieldTable kWorkflowGcTable;
extern const FieldTable kArtifactRepositoryRefTable;
extern const FieldTable kVolumeTable;
extern const FieldTable kPodMetadataTable;
extern const FieldTable kMetricsTable;

template <>
inline constexpr const FieldTable* kTableOf<Parameter> = &kParameterTable;
template <>
inline constexpr const FieldTable* kTableOf<Artifact> = &kArtifactTable;
template <>
inline constexpr const FieldTable* kTableOf<Inputs> = &kInputsTable;
template <>
inline constexpr const FieldTable* kTableOf<Outputs> = &kOutputsTable;
template <>
inline constexpr const FieldTable* kTableOf<RetryStrategy> = &kRetryStrategyTable;
template <>
inline constexpr const FieldTable* kTableOf<TemplateRef> = &kTemplateRefTable;
template <>
inline constexpr const FieldTable* kTableOf<Template> = &kTemplateTable;
template <>
inline constexpr const FieldTable* kTableOf<Synchronization> = &kSynchronizationTable;

/// What these fields may say.
inline constexpr std::string_view kRetryPolicies[] = {"Always", "OnFailure", "OnError", "OnTransientError"};
inline constexpr std::string_view kResourceActions[] = {"get", "create", "apply", "delete", "replace", "patch"};
inline constexpr std::string_view kMergeStrategies[] = {"strategic", "merge", "json"};
inline constexpr std::string_view kConcurrencyPolicies[] = {"Allow", "Forbid", "Replace"};
inline constexpr std::string_view kShutdowns[] = {"Stop", "Terminate"};
inline constexpr std::string_view kGaugeOperations[] = {"Set", "Add", "Sub"};
inline constexpr std::string_view kDnsPolicies[] = {"ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"};
inline constexpr std::string_view kPullPolicies[] = {"Always", "IfNotPresent", "Never"};

/// False with an error when an object is of another version than ours.
bool check_api_version(const Place& place);
/// An object's metadata: its part of a Workflow.
void read_metadata(const Place& place, Workflow& out);

void read(const Place& place, Parameter& out);
void read(const Place& place, Artifact& out);
void read(const Place& place, Inputs& out);
void read(const Place& place, Outputs& out);

void read(const Place& place, RetryStrategy& out);
void read(const Place& place, TemplateRef& out);
void read(const Place& place, Synchronization& out);
void read(const Place& place, Template& out);
void read(const Place& place, std::shared_ptr<const Template>& out);

void read(const Place& place, WorkflowSpec& out);
void read(const Place& place, Dag& out);
void read_metrics(const Place& place, std::vector<Metric>& out);
void read(const Place& place, ContainerSet& out);
void read_steps(const Place& place, Template& out);

/// onExit of a workflow, step or task, which wins over hooks.exit.
void read_on_exit(const Place& place, std::optional<LifecycleHook>& exit);
void read_hooks(const Place& place, std::optional<LifecycleHook>& exit, std::vector<LifecycleHook>& others);

/// Kubernetes' own objects: checked, not read.
void check_container(const Place& place);
void check_script(const Place& place);
/// initContainers and sidecars.
void check_further_containers(const Place& place);
void check_volumes(const Place& place);
void check_volume_mounts(const Place& place);
/// A request, its headers and body.
void check_http(const Place& place);
/// What is listed, and what becomes of the list.
void check_data(const Place& place);
/// What one plugin is asked: one member, whose name tells which.
void check_plugin(const Place& place);
/// The sidecars that plugins are.
void check_executor_plugins(const Place& place);
/// Places of artifacts, by their kinds.
void check_raw(const Place& place);
void check_s3(const Place& place);
void check_gcs(const Place& place);
void check_oss(const Place& place);
void check_azure(const Place& place);
void check_hdfs(const Place& place);
void check_plugin_artifact(const Place& place);
void check_git(const Place& place);
void check_http_artifact(const Place& place);
void check_artifactory(const Place& place);
void check_archive_location(const Place& place);
/// Of all the kinds that the object may have, it has one at most.
void check_one_place(const Place& place);
/// When artifacts are deleted: one, and those of a workflow.
void check_artifact_gc(const Place& place);
void check_workflow_gc(const Place& place);
void check_artifact_repository_ref(const Place& place);
/// A container of a containerSet, its dependencies included.
void check_container_node(const Place& place);
/// labels and annotations of pods.
void check_metadata(const Place& place);
/// Whose account what runs beside the containers has.
void check_executor(const Place& place);

}  // namespace tiphys::api
