#include <fmt/format.h>

#include <algorithm>

#include "api/fields.h"
#include "api/kubernetes_types.h"
#include "base/time.h"

namespace tiphys::api {
namespace {

constexpr Field<TemplateRef> kWorkflowTemplateRefFields[] = {
    field<&TemplateRef::name>("name", "The WorkflowTemplate.",
                              "WorkflowControllerTest.RunsTheTemplateThatAWorkflowRefersTo"),
    field<&TemplateRef::cluster_scope>("clusterScope", "It is a ClusterWorkflowTemplate.",
                                       "TemplateRef.NamesAreLookedUpWhereTheyAreWritten"),
};
constexpr FieldTable kWorkflowTemplateRefTable("WorkflowTemplateRef", kWorkflowTemplateRefFields);

void read_workflow_template_ref(const Place& place, WorkflowSpec& out) {
  TemplateRef& ref = out.workflow_template_ref.emplace();
  read_object<TemplateRef>(place, ref, kWorkflowTemplateRefFields);
  if (ref.name.empty()) place.error(place.name() + ".name is required");
}

constexpr Field<Unread> kLabelFromFields[] = {
    {"expression", Handling::kRead, check_as<std::string>, "An expression that gives the label's value.", &kString,
     "WorkflowMetadata.IsSubstitutedAndEvaluated"},
};
constexpr FieldTable kLabelFromTable("LabelValueFrom", kLabelFromFields);

constexpr Field<Unread> kWorkflowMetadataFields[] = {
    {"labels", Handling::kRead, check_as<std::map<std::string, std::string>>, "Labels that the workflow gets.",
     &kStringMap, "WorkflowMetadata.IsSubstitutedAndEvaluated"},
    {"annotations", Handling::kRead, check_as<std::map<std::string, std::string>>,
     "Annotations that the workflow gets.", &kStringMap, "WorkflowMetadata.IsSubstitutedAndEvaluated"},
    {"labelsFrom", Handling::kRead,
     [](const Place& place, Unread&) {
       if (!expect_object(place)) return;
       for (const auto& [name, from] : place.value().get_object()) {
         check_object(place.member(name, from), kLabelFromFields);
       }
     },
     "Labels whose values are expressions.", &kObject<kLabelFromTable, Shape::Around::kMap>,
     "WorkflowMetadata.IsSubstitutedAndEvaluated"},
};
constexpr FieldTable kWorkflowMetadataTable("WorkflowMetadata", kWorkflowMetadataFields);

/// Labels and annotations that the workflow gives itself as it begins.
void check_workflow_metadata(const Place& place) {
  check_object(place, kWorkflowMetadataFields);
}

void read_template_defaults(const Place& place, WorkflowSpec& out) {
  Template checked;
  read(place, checked);
  if (place.value().is_object()) out.template_defaults = place.shared();
}

constexpr Shape kSecurityContext = kubernetes("PodSecurityContext");
constexpr Shape kAffinity = kubernetes("Affinity");
constexpr Shape kTolerations = kubernetes("Toleration", Shape::Around::kList);
constexpr Shape kLocalReferences = kubernetes("LocalObjectReference", Shape::Around::kList);
constexpr Shape kHostAliases = kubernetes("HostAlias", Shape::Around::kList);
constexpr Shape kDnsConfig = kubernetes("PodDNSConfig");
constexpr Shape kResources = kubernetes("ResourceRequirements");
constexpr Shape kResourceClaims = kubernetes("PodResourceClaim", Shape::Around::kList);
constexpr Shape kClaims = kubernetes("PersistentVolumeClaim", Shape::Around::kList);
constexpr Shape kObjects{Shape::Type::kObject, Shape::Around::kList};

void check_seconds(const Place& place, Unread&) {
  std::int64_t seconds = 0;
  read(place, seconds);
}

constexpr Field<Unread> kTtlFields[] = {
    {"secondsAfterCompletion", Handling::kRead, check_seconds, "However it ended.", &kInteger, "TimeToLive.Rules"},
    {"secondsAfterSuccess", Handling::kRead, check_seconds, "When it succeeded; goes before the one for any end.",
     &kInteger, "TimeToLive.Rules"},
    {"secondsAfterFailure", Handling::kRead, check_seconds,
     "When it failed or met an error; goes before the one for any end.", &kInteger, "TimeToLive.Rules"},
};
constexpr FieldTable kTtlTable("TTLStrategy", kTtlFields);

constexpr std::string_view kPodGcStrategies[] = {"", "OnPodCompletion", "OnPodSuccess", "OnWorkflowCompletion",
                                                 "OnWorkflowSuccess"};
constexpr Shape kLabelSelector = kubernetes("LabelSelector");

void check_pod_gc_strategy(const Place& place, Unread&) {
  std::string strategy;
  read(place, strategy);
  if (std::ranges::find(kPodGcStrategies, strategy) != std::end(kPodGcStrategies)) return;
  place.error(fmt::format("{} unknown strategy '{}'", place.name(), strategy));
}

void check_claim_gc_strategy(const Place& place, Unread&) {
  std::string strategy;
  read(place, strategy);
  if (strategy.empty() || strategy == "OnWorkflowCompletion" || strategy == "OnWorkflowSuccess") return;
  place.error(fmt::format("unknown volume gc strategy: {}: take OnWorkflowCompletion or OnWorkflowSuccess", strategy));
}

void check_label_selector(const Place& place, Unread&) {
  if (!expect_object(place)) return;
  const doc::Value* expressions = doc::find(place.value(), "matchExpressions");
  if (!expressions || !expressions->is_array()) return;
  const Place list = place.member("matchExpressions", *expressions);
  for (std::size_t i = 0; i < expressions->get_array().size(); ++i) {
    const doc::Value& expression = expressions->get_array()[i];
    const std::string_view op = doc::find_string(expression, "operator");
    const doc::Value* values = doc::find(expression, "values");
    const bool some = values && values->is_array() && !values->get_array().empty();
    const bool listed = op == "In" || op == "NotIn";
    if (!listed && op != "Exists" && op != "DoesNotExist") {
      list.element(i, expression)
          .error(fmt::format("{} invalid: \"{}\" is not a valid label selector operator", place.name(), op));
    } else if (listed != some) {
      list.element(i, expression)
          .error(fmt::format("{} invalid: values must be {} for {}", place.name(), listed ? "given" : "empty", op));
    }
  }
}

void check_delay(const Place& place, Unread&) {
  std::string delay;
  read(place, delay);
  if (!delay.empty() && !parse_seconds_or_duration(delay)) {
    place.warn(fmt::format("{} is no duration such as 30s; the default of 5s is taken", place.name()));
  }
}

constexpr Field<Unread> kPodGcFields[] = {
    {"strategy", Handling::kRead, check_pod_gc_strategy, "Which pods, and when; without one none is.",
     &kChoice<kPodGcStrategies>, "PodGc.Strategies"},
    {"labelSelector", Handling::kRead, check_label_selector, "Only pods with these labels.", &kLabelSelector,
     "PodGc.OnlyOfPodsWithTheLabels"},
    {"deleteDelayDuration", Handling::kRead, check_delay, "How long after that; 5s without a word.", &kString,
     "PodGc.WaitsForTheDelay"},
};
constexpr FieldTable kPodGcTable("PodGC", kPodGcFields);

constexpr std::string_view kClaimGcStrategies[] = {"", "OnWorkflowCompletion", "OnWorkflowSuccess"};

constexpr Field<Unread> kClaimGcFields[] = {
    {"strategy", Handling::kRead, check_claim_gc_strategy,
     "However the workflow ends, or, without a word, when it succeeds; else with the workflow's deletion.",
     &kChoice<kClaimGcStrategies>, "WorkflowClaims.AreGivenBack"},
};
constexpr FieldTable kClaimGcTable("VolumeClaimGC", kClaimGcFields);

/// What the original finds when it claims them, and what a cluster asks of every claim.
void check_claims(const Place& place) {
  if (!expect_array(place)) return;
  const doc::Array& claims = place.value().get_array();
  for (std::size_t i = 0; i < claims.size(); ++i) {
    const Place claim = place.element(i, claims[i]);
    if (!expect_object(claim)) continue;
    if (doc::find_string(claims[i], "metadata", "name").empty()) {
      claim.error(claim.name() + ".metadata.name is required");
    }
    const doc::Value* modes = doc::find(claims[i], "spec", "accessModes");
    if (!modes || !modes->is_array() || modes->get_array().empty()) {
      claim.error(claim.name() +
                  ".spec.accessModes is required: at least one of ReadWriteOnce, ReadOnlyMany, "
                  "ReadWriteMany, ReadWriteOncePod");
    }
    if (!doc::find(claims[i], "spec", "resources", "requests", "storage")) {
      claim.error(claim.name() + ".spec.resources.requests.storage is required");
    }
    if (doc::find_string(claims[i], "spec", "volumeMode") == "Block") {
      claim.error(claim.name() + ".spec.volumeMode: only a cluster has Block; this machine mounts claims as folders");
    }
  }
}

void check_budget(const Place& place) {
  check_kubernetes_type(place, "io.k8s.api.policy.v1.PodDisruptionBudgetSpec");
  if (doc::find(place.value(), "minAvailable") && doc::find(place.value(), "maxUnavailable")) {
    place.error(place.name() + " has both minAvailable and maxUnavailable: choose one");
  }
}

constexpr Field<WorkflowSpec> kSpecFields[] = {
    field<&WorkflowSpec::entrypoint>("entrypoint", "The template that runs first.", "test_hello_world"),
    field<&WorkflowSpec::arguments>("arguments", "What the workflow gets: {{workflow.parameters.x}} in its texts.",
                                    "test_parameters"),
    {"templates", Handling::kRead, [](const Place& place, WorkflowSpec& out) { read(place, out.templates); },
     "What can run.", &kObject<kTemplateTable, Shape::Around::kList>, "Rules.GiveTheNodes"},
    {"onExit", Handling::kRead, [](const Place& place, WorkflowSpec& out) { read_on_exit(place, out.exit); },
     "A template that runs at the end, however it ends; `hooks.exit` does the same and more.", &kString,
     "Exit.TheWorkflowsHandlerKnowsHowItWent"},
    {"hooks", Handling::kRead, [](const Place& place, WorkflowSpec& out) { read_hooks(place, out.exit, out.hooks); },
     "Templates that run when their expressions are true; `exit` at the end.",
     &kObject<kHookTable, Shape::Around::kMap>, "Hooks.Rules"},
    field<&WorkflowSpec::parallelism>("parallelism", "How many pods run at the same time.",
                                      "Parallelism.OfTheWorkflow"),
    field<&WorkflowSpec::active_deadline_seconds>("activeDeadlineSeconds",
                                                  "The workflow fails when it has not ended after so many seconds.",
                                                  "Control.TheDeadlineFailsWhatRuns"),
    field<&WorkflowSpec::retry_strategy>("retryStrategy", "That of all templates which have none.",
                                         "Retry.AttemptsFollowUntilOneSucceeds"),
    deviating(
        field<&WorkflowSpec::synchronization>("synchronization", "Mutexes and semaphores that it holds while it runs.",
                                              "Locks.TheWorkflowBeginsWithItsOwn"),
        "Stop ends one that waits, as Terminate does. As in the original, a workflow whose node wants one lock, and "
        "that itself holds another, waits for ever behind an older one that waits for both."),
    field<&WorkflowSpec::suspend>("suspend", "Nothing new begins while it is true.",
                                  "Suspend.ASuspendedRunBeginsNothing"),
    {"shutdown", Handling::kRead,
     [](const Place& place, WorkflowSpec& out) {
       read(place, out.shutdown);
       if (!out.shutdown.empty() && out.shutdown != "Stop" && out.shutdown != "Terminate") {
         place.error(place.name() + " must be Stop or Terminate");
       }
     },
     "Ends the workflow; Stop lets exit handlers run.", &kChoice<kShutdowns>,
     "Control.StopFailsPodsAndRunsExitHandlers"},
    {"workflowTemplateRef", Handling::kRead, read_workflow_template_ref,
     "Runs a WorkflowTemplate; what is written here wins. Not beside `templates`.", &kObject<kWorkflowTemplateRefTable>,
     "WorkflowControllerTest.RunsTheTemplateThatAWorkflowRefersTo"},
    {"templateDefaults", Handling::kRead, read_template_defaults, "What every template has unless it says otherwise.",
     &kObject<kTemplateTable>, "TemplateDefaults.AreInEveryTemplate"},
    {"workflowMetadata", Handling::kRead, [](const Place& place, WorkflowSpec&) { check_workflow_metadata(place); },
     "Labels and annotations that the workflow gets as it begins.", &kObject<kWorkflowMetadataTable>,
     "WorkflowControllerTest.GivesAWorkflowTheMetadataThatItAsksFor"},
    deviating(field<&WorkflowSpec::service_account_name>("serviceAccountName", "Who its pods are at the API."),
              "By `tiphys run` nobody asks who a pod is; by `tiphys up` an account that does not exist is no error."),
    deviating(field<&WorkflowSpec::priority>("priority",
                                             "Higher ones go first where workflows wait for locks, or for their turn.",
                                             "LockedWorkflowsTest.HigherPriorityGoesFirstAlsoWhenItIsGivenLater"),
              "For locks that of a template which the workflow refers to counts too."),
    {"volumes", Handling::kRead, [](const Place& place, WorkflowSpec&) { check_volumes(place); },
     "Volumes that pods of all templates may mount.", &kObject<kVolumeTable, Shape::Around::kList>,
     "PodBuilder.OnlyMountedVolumesComeAlongAndTheTemplatesWin"},
    {"podMetadata", Handling::kRead, [](const Place& place, WorkflowSpec&) { check_metadata(place); },
     "Labels and annotations of all pods.", &kObject<kPodMetadataTable>, "PodBuilder.MetadataNamesWorkflowAndNode"},
    {"podSpecPatch", Handling::kRead, check_as<std::string>,
     "A strategic merge patch of all pods' specs, as a text; a template's comes after it.", &kString,
     "PodBuilder.PodSpecPatchesApplyOneAfterTheOther"},
    {"archiveLogs", Handling::kRead, check_as<bool>, "Keeps the logs of the containers as artifacts.", &kBoolean,
     "test_logs_are_archived"},
    {"securityContext", Handling::kCarry, nullptr, "User and groups of all containers.", &kSecurityContext,
     "PodBuilder.TemplateSchedulingWinsOverTheWorkflows"},
    {"automountServiceAccountToken", Handling::kCarry, nullptr, "Whether pods have the account's token.", &kBoolean,
     "test_steps_have_tokens_where_they_are_of_use",
     "Where nothing is said, steps have one if roles give the account rights; by `tiphys run` there are none."},
    {"nodeSelector", Handling::kCluster, nullptr, "Labels of the machines that may run its pods.", &kStringMap},
    {"affinity", Handling::kCluster, nullptr, "Which machines its pods prefer.", &kAffinity},
    {"tolerations", Handling::kCluster, nullptr, "Which taints of machines its pods do not mind.", &kTolerations},
    {"schedulerName", Handling::kCluster, nullptr, "The scheduler of its pods.", &kString},
    {"podPriorityClassName", Handling::kCluster, nullptr, "How important its pods are.", &kString,
     "AdmissionTest.PodsHaveThePriorityOfTheirClass", "A PriorityClass that does not exist is no error."},
    {"imagePullSecrets", Handling::kCluster, nullptr, "Secrets for registries.", &kLocalReferences},
    {"hostNetwork", Handling::kCluster, nullptr, "Pods have the host's network.", &kBoolean},
    {"hostAliases", Handling::kCluster, nullptr, "Further lines of /etc/hosts.", &kHostAliases},
    {"dnsPolicy", Handling::kCluster, nullptr, "Whom pods ask for names.", &kChoice<kDnsPolicies>},
    {"dnsConfig", Handling::kCluster, nullptr, "Whom else pods ask for names.", &kDnsConfig},
    {"podDisruptionBudget", Handling::kCluster, [](const Place& place, WorkflowSpec&) { check_budget(place); },
     "How many of its pods may be moved away.", &kEmptyObject},
    {"executor", Handling::kCluster, [](const Place& place, WorkflowSpec&) { check_executor(place); },
     "The account of what runs beside the containers.", &kObject<kExecutorTable>},
    {"podResources", Handling::kCluster, nullptr, "What all containers of a pod share.", &kResources},
    {"resourceClaims", Handling::kCluster, nullptr, "Devices that its pods claim.", &kResourceClaims},
    {"artifactRepositoryRef", Handling::kRead,
     [](const Place& place, WorkflowSpec&) { check_artifact_repository_ref(place); },
     "The ConfigMap that names the repository of artifacts. Without it that of the ConfigMap artifact-repositories, if "
     "there is one; else it is the plane's own.",
     &kObject<kArtifactRepositoryRefTable>, "test_repositories_of_config_maps",
     "It is looked for in the workflow's namespace alone: the embedded plane's controller has none of its own."},
    {"volumeClaimTemplates", Handling::kRead, [](const Place& place, WorkflowSpec&) { check_claims(place); },
     "Storage claimed for the workflow's life: a PersistentVolumeClaim <workflow>-<name>, which volumeMounts call by "
     "its name here.",
     &kClaims, "test_storage_is_shared_by_steps_and_given_back",
     "A claim is a folder of this host; its size, class and access modes are shown, and not enforced."},
    {"volumeClaimGC", Handling::kRead, [](const Place& place, WorkflowSpec&) { check_object(place, kClaimGcFields); },
     "When that storage is given back, data and all.", &kObject<kClaimGcTable>, "WorkflowClaims.AreGivenBack"},
    {"ttlStrategy", Handling::kRead, [](const Place& place, WorkflowSpec&) { check_object(place, kTtlFields); },
     "How many seconds after its end the workflow is deleted, with its pods and their logs.", &kObject<kTtlTable>,
     "ExpiryControllerTest.DeletesWhatHasExpired", "By the embedded plane while it runs, else at its next start."},
    {"podGC", Handling::kRead, [](const Place& place, WorkflowSpec&) { check_object(place, kPodGcFields); },
     "When finished pods are deleted, and their logs with them.", &kObject<kPodGcTable>, "PodGc.Strategies"},
    {"artifactGC", Handling::kRead, [](const Place& place, WorkflowSpec&) { check_workflow_gc(place); },
     "When artifacts are deleted.", &kObject<kWorkflowGcTable>, "test_artifacts_go_with_their_workflow",
     "The embedded plane deletes them itself, without pods, while it runs, else at its next start."},
    {"metrics", Handling::kRead, [](const Place& place, WorkflowSpec& out) { read_metrics(place, out.metrics); },
     "Metrics that the workflow emits as it ends, for Prometheus.", &kObject<kMetricsTable>,
     "test_metrics_are_scraped"},
    {"executorPlugins", Handling::kRead, [](const Place& place, WorkflowSpec&) { check_executor_plugins(place); },
     "Plugins for its plugin templates, in place of those of its namespace's ConfigMaps.",
     &kObject<kExecutorPluginTable, Shape::Around::kList>, "test_a_plugin_executes_its_templates"},
};

}  // namespace

constexpr FieldTable kSpecTable("WorkflowSpec", kSpecFields);

void read(const Place& place, WorkflowSpec& out) {
  read_object<WorkflowSpec>(place, out, kSpecFields);
  out.document = place.shared();
}

}  // namespace tiphys::api
