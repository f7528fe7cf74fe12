#include <fmt/format.h>

#include "api/fields.h"

namespace tiphys::api {
namespace {

constexpr Field<Suspend> kSuspendFields[] = {
    field<&Suspend::duration>("duration", "Goes on by itself after this: \"90\" seconds, or \"1h30m\".",
                              "Suspend.ADurationResumesByItself"),
};
constexpr FieldTable kSuspendTable("SuspendTemplate", kSuspendFields);

constexpr Shape kPluginAsked{Shape::Type::kObject};
constexpr Field<Unread> kManifestFromFields[] = {
    {"artifact", Handling::kRead, check_as<Artifact>, "Which one of the template's input artifacts, by its name.",
     &kObject<kArtifactTable>, "test_a_manifest_from_an_artifact"},
};
constexpr FieldTable kManifestFromTable("ManifestFrom", kManifestFromFields);

constexpr Field<ResourceAction> kResourceFields[] = {
    field<&ResourceAction::action>("action", "What is done.", "ResourceRunnerTest.CreatesAnObjectThatTheWorkflowOwns",
                                   &kChoice<kResourceActions>),
    field<&ResourceAction::merge_strategy>("mergeStrategy", "How `patch` merges; strategic without a word.",
                                           "ResourceRunnerTest.PatchTakesTheThreeStrategies",
                                           &kChoice<kMergeStrategies>),
    field<&ResourceAction::manifest>("manifest", "The object, as YAML in a text.",
                                     "ResourceRunnerTest.CreatesAnObjectThatTheWorkflowOwns"),
    field<&ResourceAction::success_condition>(
        "successCondition", "The step waits until this is true of the object: \"status.succeeded > 0\".",
        "ResourceRunnerTest.AwaitsItsConditionByAWatch"),
    field<&ResourceAction::failure_condition>("failureCondition", "The step fails as soon as this is true.",
                                              "ResourceRunnerTest.AnyRequirementOfTheFailureConditionFails"),
    field<&ResourceAction::set_owner_reference>("setOwnerReference", "The object goes when the workflow goes.",
                                                "ResourceRunnerTest.CreatesAnObjectThatTheWorkflowOwns"),
    {"flags", Handling::kRead, [](const Place& place, ResourceAction& out) { read(place, out.flags); },
     "Further words for kubectl: KIND NAME, KIND/NAME, -n, --ignore-not-found; of delete selectors, "
     "--all, --grace-period, --force, --wait; of patch --type.",
     &kStrings, "ResourceRunnerTest.DeletesAllThatFlagsName",
     "Of other flags those that change nothing here are taken, with a warning, and the rest is refused."},
    {"manifestFrom", Handling::kRead,
     [](const Place& place, ResourceAction&) { check_object(place, kManifestFromFields); },
     "The manifest is an input artifact.", &kObject<kManifestFromTable>, "test_a_manifest_from_an_artifact"},
};
constexpr FieldTable kResourceTable("ResourceTemplate", kResourceFields);

constexpr Field<Backoff> kBackoffFields[] = {
    field<&Backoff::duration>("duration", "The first wait: \"10\" seconds, or \"1m\".",
                              "Retry.BackoffWaitsLongerEachTime"),
    int_or_string_field<&Backoff::factor>("factor", "Each wait is so many times the one before.",
                                          "Retry.BackoffWaitsLongerEachTime"),
    field<&Backoff::cap>("cap", "No wait is longer.", "Retry.BackoffWaitsLongerEachTime"),
    field<&Backoff::max_duration>("maxDuration", "No attempt begins later than this after the first one.",
                                  "Retry.NoWaitBeyondTheMaximumDuration"),
};
constexpr FieldTable kBackoffTable("Backoff", kBackoffFields);

constexpr Field<Unread> kRetryAffinityFields[] = {
    {"nodeAntiAffinity", Handling::kCarry, nullptr, "{}: not where it failed.", &kEmptyObject,
     "RetryHosts.AttemptsAvoidThoseThatFailed"},
};
constexpr FieldTable kRetryAffinityTable("RetryAffinity", kRetryAffinityFields);

constexpr Field<RetryStrategy> kRetryStrategyFields[] = {
    int_or_string_field<&RetryStrategy::limit>("limit", "How often it is tried again; without end when absent.",
                                               "Retry.TheLimitEndsIt"),
    field<&RetryStrategy::retry_policy>(
        "retryPolicy", "What is tried again. OnFailure without a word, Always when there is an expression.",
        "Retry.ByDefaultErrorsAreNotTriedAgain", &kChoice<kRetryPolicies>),
    {"backoff", Handling::kRead,
     [](const Place& place, RetryStrategy& out) { read_object<Backoff>(place, out.backoff.emplace(), kBackoffFields); },
     "How long it waits between attempts. Without a limit it does not wait.", &kObject<kBackoffTable>,
     "Retry.BackoffWaitsLongerEachTime"},
    field<&RetryStrategy::expression>("expression",
                                      "Tried again only when this is true: \"asInt(lastRetry.exitCode) > 1\".",
                                      "Retry.AnExpressionDecides"),
    {"affinity", Handling::kCluster,
     [](const Place& place, RetryStrategy&) { check_object(place, kRetryAffinityFields); },
     "On which machines the next attempt runs.", &kObject<kRetryAffinityTable>,
     "RetryHosts.AttemptsAvoidThoseThatFailed"},
};

constexpr Field<Memoize> kConfigMapKeyFields[] = {
    field<&Memoize::config_map>("name", "The ConfigMap's name.",
                                "MemoCacheTest.WhatWasSavedIsFoundAndTheEntryIsTheOriginals"),
    {"key", Handling::kCarry, nullptr, "Not used.", &kString},
    {"optional", Handling::kCarry, nullptr, "Not used.", &kBoolean},
};
constexpr FieldTable kConfigMapKeyTable("CacheConfigMap", kConfigMapKeyFields);

constexpr Field<Memoize> kCacheFields[] = {
    {"configMap", Handling::kRead,
     [](const Place& place, Memoize& out) { read_object<Memoize>(place, out, kConfigMapKeyFields); },
     "The ConfigMap that keeps the outputs.", &kObject<kConfigMapKeyTable>, "Memoize.AMissIsSavedAndAHitRunsNothing"},
};
constexpr FieldTable kCacheTable("Cache", kCacheFields);

constexpr Field<Memoize> kMemoizeFields[] = {
    field<&Memoize::key>("key", "Steps with the same key have the same outputs.",
                         "Memoize.AMissIsSavedAndAHitRunsNothing"),
    field<&Memoize::max_age>("maxAge", "Outputs older than this do not count: \"24h\".",
                             "MemoCacheTest.AnEntryOlderThanItsMaximumAgeDoesNotCount"),
    {"cache", Handling::kRead, [](const Place& place, Memoize& out) { read_object<Memoize>(place, out, kCacheFields); },
     "Where outputs are kept.", &kObject<kCacheTable>, "Memoize.AMissIsSavedAndAHitRunsNothing"},
};
constexpr FieldTable kMemoizeTable("Memoize", kMemoizeFields);

void read_annotations(const Place& place, Template& out) {
  std::map<std::string, std::string> annotations;
  read(place, annotations);
  out.display_name = annotations["workflows.argoproj.io/display-name"];
}

void read_container(const Place& place, Template& out) {
  out.type = Template::Type::kContainer;
  check_container(place);
}

void read_script(const Place& place, Template& out) {
  out.type = Template::Type::kScript;
  check_script(place);
}

constexpr Shape kSecurityContext = kubernetes("PodSecurityContext");
constexpr Shape kAffinity = kubernetes("Affinity");
constexpr Shape kTolerations = kubernetes("Toleration", Shape::Around::kList);
constexpr Shape kHostAliases = kubernetes("HostAlias", Shape::Around::kList);
constexpr Shape kResources = kubernetes("ResourceRequirements");
constexpr Shape kResourceClaims = kubernetes("PodResourceClaim", Shape::Around::kList);

constexpr Field<Template> kTemplateFields[] = {
    field<&Template::name>("name", "How steps, tasks, hooks and the entrypoint call it.", "Rules.GiveTheNodes"),
    field<&Template::inputs>("inputs", "What it takes: {{inputs.parameters.x}} in its texts.", "Rules.GiveTheNodes"),
    field<&Template::outputs>("outputs", "What it gives to those after it.", "Outputs.GoUpAndBecomeGlobal"),
    {"container", Handling::kRead, read_container, "Runs a container.", &kObject<kContainerTable>,
     "PodBuilder.ContainerBecomesMainWithArgosEnvironment"},
    {"script", Handling::kRead, read_script, "Runs a script in a container; what it prints is its result.",
     &kObject<kScriptTable>, "PodBuilder.ScriptSourceIsAFileAndTheLastArgument"},
    {"containerSet", Handling::kRead,
     [](const Place& place, Template& out) {
       out.type = Template::Type::kContainerSet;
       read(place, out.container_set.emplace());
     },
     "Runs several containers in one pod.", &kObject<kContainerSetTable>, "test_a_set_of_containers_runs_as_a_graph"},
    {"steps", Handling::kRead,
     [](const Place& place, Template& out) {
       out.type = Template::Type::kSteps;
       read_steps(place, out);
     },
     "Runs templates in groups: members of a group at the same time, one group after the other.",
     &kObject<kStepTable, Shape::Around::kListOfLists>, "Rules.GiveTheNodes"},
    {"dag", Handling::kRead,
     [](const Place& place, Template& out) {
       out.type = Template::Type::kDag;
       read(place, out.dag.emplace());
     },
     "Runs templates as tasks, each as soon as what it waits for has happened.", &kObject<kDagTable>,
     "Rules.GiveTheNodes"},
    {"suspend", Handling::kRead,
     [](const Place& place, Template& out) {
       out.type = Template::Type::kSuspend;
       read_object<Suspend>(place, out.suspend.emplace(), kSuspendFields);
     },
     "Waits for a user, or some time.", &kObject<kSuspendTable>, "Suspend.AUserGivesOutputs"},
    {"resource", Handling::kRead,
     [](const Place& place, Template& out) {
       out.type = Template::Type::kResource;
       read_object<ResourceAction>(place, out.resource.emplace(), kResourceFields);
     },
     "Creates, changes, reads or deletes an object as kubectl does.", &kObject<kResourceTable>,
     "Resource.IsAPodNodeWithItsOwnEffect"},
    {"http", Handling::kRead,
     [](const Place& place, Template& out) {
       out.type = Template::Type::kHttp;
       check_http(place);
     },
     "Makes an HTTP request; its result is the body of the answer.", &kObject<kHttpTable>, "test_http_requests"},
    {"data", Handling::kRead,
     [](const Place& place, Template& out) {
       out.type = Template::Type::kData;
       check_data(place);
     },
     "Lists artifacts and transforms the list, which is its result.", &kObject<kDataTable>, "test_data_of_artifacts"},
    {"plugin", Handling::kRead,
     [](const Place& place, Template& out) {
       out.type = Template::Type::kPlugin;
       check_plugin(place);
     },
     "Asks an executor plugin: a sidecar of the workflow's agent pod that answers requests.", &kPluginAsked,
     "test_a_plugin_executes_its_templates"},
    field<&Template::retry_strategy>("retryStrategy", "Tries it again when it fails.",
                                     "Retry.AttemptsFollowUntilOneSucceeds"),
    {"memoize", Handling::kRead,
     [](const Place& place, Template& out) { read_object<Memoize>(place, out.memoize.emplace(), kMemoizeFields); },
     "Takes the outputs of an earlier run with the same key instead of running.", &kObject<kMemoizeTable>,
     "Memoize.AMissIsSavedAndAHitRunsNothing"},
    deviating(
        field<&Template::synchronization>("synchronization", "Mutexes and semaphores that it holds while it runs.",
                                          "Locks.ANodeHasThemUntilItsEnd"),
        "What waits beside a failed node of a template with failFast fails too; there it stays Pending."),
    int_or_string_field<&Template::active_deadline_seconds>(
        "activeDeadlineSeconds", "The pod is ended after so many seconds. For templates that run pods.",
        "AgentTest.TheDeadlineStopsThePod"),
    field<&Template::timeout>("timeout", "It fails when it has not ended after this, waiting included: \"1h\".",
                              "Control.ATemplatesTimeoutEndsAPodThatWaits"),
    field<&Template::pending_timeout>("pendingTimeout", "It fails when it has not begun after this: \"10m\".",
                                      "PendingTimeout.EndsANodeThatStaysPending"),
    field<&Template::daemon>("daemon", "What follows starts as soon as the container is ready.",
                             "Daemon.LetsStepsGoOnAndEndsWithThem"),
    field<&Template::parallelism>("parallelism", "How many of its steps or tasks run at the same time.",
                                  "Parallelism.OfATemplate"),
    field<&Template::fail_fast>("failFast", "With parallelism: nothing more begins once something failed.",
                                "Rules.GiveTheNodes"),
    {"annotations", Handling::kRead, read_annotations,
     "Of its nodes; workflows.argoproj.io/display-name is their name for people.", &kStringMap,
     "TaggedNames.GiveDisplayNamesAndOutputs"},
    {"metadata", Handling::kRead, [](const Place& place, Template&) { check_metadata(place); },
     "Labels and annotations of its pods.", &kObject<kPodMetadataTable>, "PodBuilder.MetadataNamesWorkflowAndNode"},
    {"volumes", Handling::kRead, [](const Place& place, Template&) { check_volumes(place); },
     "Volumes of its pods, beside the workflow's.", &kObject<kVolumeTable, Shape::Around::kList>,
     "PodBuilder.OnlyMountedVolumesComeAlongAndTheTemplatesWin"},
    {"initContainers", Handling::kRead, [](const Place& place, Template&) { check_further_containers(place); },
     "Containers that run before the main one, one after the other.",
     &kObject<kFurtherContainerTable, Shape::Around::kList>, "test_init_containers_and_sidecars"},
    {"sidecars", Handling::kRead, [](const Place& place, Template&) { check_further_containers(place); },
     "Containers that run beside the main one and end with it.", &kObject<kFurtherContainerTable, Shape::Around::kList>,
     "test_init_containers_and_sidecars"},
    {"podSpecPatch", Handling::kRead, check_as<std::string>, "A strategic merge patch of the pod's spec, as a text.",
     &kString, "PodBuilder.PodSpecPatchesApplyOneAfterTheOther"},
    {"archiveLocation", Handling::kRead, [](const Place& place, Template&) { check_archive_location(place); },
     "Where its artifacts go that name no place: a folder of a store, in full, in place of the workflow's repository.",
     &kObject<kArchiveLocationTable>, "test_archive_location"},
    {"securityContext", Handling::kCarry, nullptr, "User and groups of all containers.", &kSecurityContext,
     "AgentTest.LimitsAndSecurityReachTheRuntime"},
    {"serviceAccountName", Handling::kCarry, nullptr, "Who its pods are at the API.", &kString,
     "test_steps_have_tokens_where_they_are_of_use",
     "By `tiphys run` nobody asks who a pod is; by `tiphys up` an account that does not exist is no error."},
    {"automountServiceAccountToken", Handling::kCarry, nullptr, "Whether its pods have the account's token.", &kBoolean,
     "test_steps_have_tokens_where_they_are_of_use",
     "Where nothing is said, steps have one if roles give the account rights; by `tiphys run` there are none."},
    {"nodeSelector", Handling::kCluster, nullptr, "Labels of the machines that may run it.", &kStringMap},
    {"affinity", Handling::kCluster, nullptr, "Which machines it prefers.", &kAffinity},
    {"tolerations", Handling::kCluster, nullptr, "Which taints of machines it does not mind.", &kTolerations},
    {"schedulerName", Handling::kCluster, nullptr, "The scheduler of its pods.", &kString},
    {"priorityClassName", Handling::kCluster, nullptr, "How important its pods are.", &kString,
     "AdmissionTest.PodsHaveThePriorityOfTheirClass", "A PriorityClass that does not exist is no error."},
    {"hostAliases", Handling::kCluster, nullptr, "Further lines of /etc/hosts.", &kHostAliases},
    {"executor", Handling::kCluster, [](const Place& place, Template&) { check_executor(place); },
     "The account of what runs beside its containers.", &kObject<kExecutorTable>},
    {"podResources", Handling::kCluster, nullptr, "What all containers of a pod share.", &kResources},
    {"resourceClaims", Handling::kCluster, nullptr, "Devices that its pods claim.", &kResourceClaims},
    {"metrics", Handling::kRead, [](const Place& place, Template& out) { read_metrics(place, out.metrics); },
     "Metrics that its nodes emit as they end, for Prometheus.", &kObject<kMetricsTable>, "test_metrics_are_scraped"},
};

constexpr Field<Unread> kExecutorFields[] = {
    {"serviceAccountName", Handling::kCarry, nullptr, "Its account.", &kString},
};

}  // namespace

constexpr FieldTable kExecutorTable("ExecutorConfig", kExecutorFields);
constexpr FieldTable kRetryStrategyTable("RetryStrategy", kRetryStrategyFields);
constexpr FieldTable kTemplateTable("Template", kTemplateFields);

void check_executor(const Place& place) {
  check_object(place, kExecutorFields);
}

void read(const Place& place, RetryStrategy& out) {
  read_object<RetryStrategy>(place, out, kRetryStrategyFields);
}

void read(const Place& place, Template& out) {
  read_object<Template>(place, out, kTemplateFields);
  out.document = place.shared();
}

void read(const Place& place, std::shared_ptr<const Template>& out) {
  auto made = std::make_shared<Template>();
  read(place, *made);
  out = std::move(made);
}

}  // namespace tiphys::api
