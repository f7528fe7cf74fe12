#include "api/artifact_location.h"
#include "api/fields.h"

namespace tiphys::api {
namespace {

constexpr Shape kTextList{Shape::Type::kText, Shape::Around::kList};

constexpr FieldTable kSuppliedTable("Supplied", std::span<const Field<Unread>>());

constexpr Field<ConfigMapKey> kConfigMapKeyFields[] = {
    field<&ConfigMapKey::name>("name", "The ConfigMap's name.", "ConfigMapValues.Rules"),
    field<&ConfigMapKey::key>("key", "The key in the ConfigMap.", "ConfigMapValues.Rules"),
    field<&ConfigMapKey::optional>("optional",
                                   "No effect, as in the original: give a `default` where either may be missing."),
};
constexpr FieldTable kConfigMapKeyTable("ConfigMapKeySelector", kConfigMapKeyFields);

constexpr Field<ValueFrom> kValueFromFields[] = {
    field<&ValueFrom::path>("path", "A file in the container whose content is the value. For outputs of pods.",
                            "AgentOutputs.AreCollected"),
    field<&ValueFrom::json_path>("jsonPath", "A JSONPath, as kubectl takes it, into the object of a resource template.",
                                 "ResourceRunnerTest.GetReadsOutputs"),
    field<&ValueFrom::jq_filter>("jqFilter", "A jq filter over the object of a resource template.",
                                 "ResourceRunnerTest.JqFiltersGiveOutputs"),
    field<&ValueFrom::parameter>("parameter",
                                 "The output of a step or task: \"{{steps.a.outputs.parameters.x}}\". For outputs of "
                                 "steps and dag templates.",
                                 "Outputs.GoUpAndBecomeGlobal"),
    field<&ValueFrom::expression>("expression",
                                  "An expression over steps, tasks, inputs and workflow. For outputs of steps and dag "
                                  "templates.",
                                  "Outputs.GoUpAndBecomeGlobal"),
    {"supplied", Handling::kRead, [](const Place& place, ValueFrom& out) { out.supplied = expect_object(place); },
     "{}: a user gives the value while the suspend template waits.", &kObject<kSuppliedTable>,
     "Suspend.AUserGivesOutputs"},
    any_string_field<&ValueFrom::default_value>("default", "The value where the source gives none.",
                                                "Outputs.OfSkippedStepsGiveWayToDefaults"),
    {"event", Handling::kLater, nullptr, "An expression over the event that submits the workflow.", &kString, "",
     "Of the arguments that a WorkflowEventBinding submits alone."},
    {"configMapKeyRef", Handling::kRead,
     [](const Place& place, ValueFrom& out) {
       read_object<ConfigMapKey>(place, out.config_map.emplace(), kConfigMapKeyFields);
     },
     "Of arguments and inputs: a key of a ConfigMap that has the label workflows.argoproj.io/configmap-type: "
     "Parameter.",
     &kObject<kConfigMapKeyTable>, "ConfigMapValues.Rules",
     "A workflow's own arguments are read once, as it begins, not again at each step."},
};
constexpr FieldTable kValueFromTable("ValueFrom", kValueFromFields);

constexpr Field<Parameter> kParameterFields[] = {
    field<&Parameter::name>("name", "How {{inputs.parameters.NAME}} and its like call it."),
    any_string_field<&Parameter::value>(
        "value", "The value; numbers and booleans become text, lists and objects an empty one.", "test_parameters"),
    any_string_field<&Parameter::default_value>("default", "The value when no argument gives one.",
                                                "Outputs.OfSkippedStepsGiveWayToDefaults"),
    {"valueFrom", Handling::kRead,
     [](const Place& place, Parameter& out) {
       read_object<ValueFrom>(place, out.value_from.emplace(), kValueFromFields);
     },
     "Where the value comes from instead.", &kObject<kValueFromTable>, "ConfigMapValues.Rules"},
    field<&Parameter::global_name>("globalName",
                                   "Of an output: {{workflow.outputs.parameters.GLOBALNAME}} has it everywhere.",
                                   "Outputs.GoUpAndBecomeGlobal"),
    any_string_field<&Parameter::description>("description", "What it is for, for people."),
    {"enum", Handling::kRead,
     [](const Place& place, Parameter& out) {
       if (!expect_array(place)) return;
       const doc::Array& values = place.value().get_array();
       for (std::size_t i = 0; i < values.size(); ++i) {
         out.enum_values.push_back(read_any_string(place.element(i, values[i])));
       }
       if (values.empty()) place.error(place.name() + " should contain at least one value");
     },
     "All that the value may be.", &kTextList, "BadManifests.AreExplained"},
};

constexpr Field<Artifact> kTarFields[] = {
    {"compressionLevel", Handling::kRead,
     [](const Place& place, Artifact& out) {
       read(place, out.compression_level.emplace());
       if (*out.compression_level < -1 || *out.compression_level > 9) {
         place.error(place.name() + " must be between -1 and 9");
       }
     },
     "gzip's level, 1 to 9; 0 packs without compression, -1 is gzip's default.", &kInteger},
};
constexpr FieldTable kTarTable("TarStrategy", kTarFields);
constexpr FieldTable kNoneTable("NoneStrategy", std::span<const Field<Unread>>());
constexpr FieldTable kZipTable("ZipStrategy", std::span<const Field<Unread>>());

constexpr Field<Artifact> kArchiveFields[] = {
    {"tar", Handling::kRead, [](const Place& place, Artifact& out) { read_object<Artifact>(place, out, kTarFields); },
     "A tar with gzip; what happens without a word.", &kObject<kTarTable>, "test_artifacts_keep_their_form"},
    {"none", Handling::kRead,
     [](const Place& place, Artifact& out) {
       if (expect_object(place)) out.archive = Artifact::Archive::kNone;
     },
     "{}: the file or folder as it is.", &kObject<kNoneTable>, "test_artifacts_keep_their_form"},
    {"zip", Handling::kRead,
     [](const Place& place, Artifact& out) {
       if (expect_object(place)) out.archive = Artifact::Archive::kZip;
     },
     "{}: a zip.", &kObject<kZipTable>, "test_artifacts_keep_their_form"},
};
constexpr FieldTable kArchiveTable("ArchiveStrategy", kArchiveFields);

constexpr Field<Artifact> kArtifactFields[] = {
    field<&Artifact::name>("name", "How {{inputs.artifacts.NAME}} and its like call it."),
    field<&Artifact::path>("path", "The file or folder in the container.", "AgentTest.InputsAreStaged"),
    field<&Artifact::from>("from", "The output of a step or task: \"{{steps.a.outputs.artifacts.x}}\".",
                           "Outputs.ArtifactsGoFromStepToStep"),
    field<&Artifact::from_expression>("fromExpression", "An expression that gives the artifact.",
                                      "ArtifactOutputs.Rules"),
    field<&Artifact::sub_path>("subPath", "A file or folder inside of what `from` gives.",
                               "Outputs.ArtifactsGoFromStepToStep"),
    field<&Artifact::global_name>("globalName",
                                  "Of an output: {{workflow.outputs.artifacts.GLOBALNAME}} is it everywhere.",
                                  "Outputs.OfGroupsGiveArtifactsNoGlobalName"),
    field<&Artifact::mode>("mode", "The file's permissions, as a decimal number.", "test_artifacts_keep_their_form"),
    field<&Artifact::recurse_mode>("recurseMode", "The permissions are those of all files in a folder too.",
                                   "test_artifacts_keep_their_form"),
    field<&Artifact::optional>("optional", "It may be missing.",
                               "PodBuilder.InputArtifactsCarryTheirPlaceAndOptionalOnesMayHaveNone"),
    {"archive", Handling::kRead,
     [](const Place& place, Artifact& out) {
       read_object<Artifact>(place, out, kArchiveFields);
       if (place.value().is_object() && place.value().get_object().size() > 1) {
         place.error(place.name() + " has several strategies: choose one of tar, none, zip");
       }
     },
     "How it is packed for the repository.", &kObject<kArchiveTable>, "test_artifacts_keep_their_form"},
    {"raw", Handling::kRead, [](const Place& place, Artifact&) { check_raw(place); }, "The content is in the manifest.",
     &kObject<kRawTable>, "AgentTest.InputsAreStaged"},
    {"s3", Handling::kRead, [](const Place& place, Artifact&) { check_s3(place); }, "In an S3 store.",
     &kObject<kS3Table>, "test_s3_artifacts"},
    {"git", Handling::kRead, [](const Place& place, Artifact&) { check_git(place); }, "A git repository; for inputs.",
     &kObject<kGitTable>, "test_git_artifacts", "It is cloned by the git of this host."},
    {"http", Handling::kRead, [](const Place& place, Artifact&) { check_http_artifact(place); }, "A URL.",
     &kObject<kHttpArtifactTable>, "test_http_artifacts"},
    {"artifactory", Handling::kRead, [](const Place& place, Artifact&) { check_artifactory(place); }, "In Artifactory.",
     &kObject<kArtifactoryTable>, "test_artifactory"},
    {"archiveLogs", Handling::kCarry, nullptr, "No effect: it is a field of templates' archiveLocation.", &kBoolean},
    {"deleted", Handling::kCarry, nullptr, "Written by the engine: the artifact is no more.", &kBoolean},
    {"artifactGC", Handling::kRead, [](const Place& place, Artifact&) { check_artifact_gc(place); },
     "Of an output: when it is deleted.", &kObject<kArtifactGcTable>, "test_artifacts_go_with_their_workflow",
     "The plane deletes it itself, without a pod."},
    {"hdfs", Handling::kRead, [](const Place& place, Artifact&) { check_hdfs(place); }, "In HDFS.",
     &kObject<kHdfsTable>, "test_hdfs_artifacts", "By the program `hdfs` of this host."},
    {"oss", Handling::kRead, [](const Place& place, Artifact&) { check_oss(place); }, "In Alibaba's store.",
     &kObject<kOssTable>, "test_oss_artifacts"},
    {"gcs", Handling::kRead, [](const Place& place, Artifact&) { check_gcs(place); }, "In Google's store.",
     &kObject<kGcsTable>, "test_gcs_artifacts"},
    {"azure", Handling::kRead, [](const Place& place, Artifact&) { check_azure(place); }, "In Azure's store.",
     &kObject<kAzureTable>, "test_azure_artifacts"},
    {"plugin", Handling::kRead, [](const Place& place, Artifact&) { check_plugin_artifact(place); },
     "By an artifact plugin.", &kObject<kPluginArtifactTable>, "test_plugin_artifacts",
     "One plugin serves the whole plane and sees copies of artifacts; in the original each pod has its own."},
};

constexpr Field<Inputs> kInputsFields[] = {
    field<&Inputs::parameters>("parameters", "Texts."),
    field<&Inputs::artifacts>("artifacts", "Files and folders."),
};

constexpr Field<Outputs> kOutputsFields[] = {
    field<&Outputs::parameters>("parameters", "Texts."),
    field<&Outputs::artifacts>("artifacts", "Files and folders."),
    field<&Outputs::result>("result", "Written by the engine: what the container printed."),
    field<&Outputs::exit_code>("exitCode", "Written by the engine: the container's exit code."),
};

}  // namespace

constexpr FieldTable kParameterTable("Parameter", kParameterFields);
constexpr FieldTable kArtifactTable("Artifact", kArtifactFields);
/// An object of arguments has the same fields.
constexpr FieldTable kInputsTable("Inputs", kInputsFields);
constexpr FieldTable kOutputsTable("Outputs", kOutputsFields);

void read(const Place& place, Parameter& out) {
  read_object<Parameter>(place, out, kParameterFields);
}

void read(const Place& place, Artifact& out) {
  read_object<Artifact>(place, out, kArtifactFields);
  const doc::Object* object = place.value().if_object();
  if (!object) return;
  out.raw = *object;
  check_one_place(place);
  const std::string_view kind = location_kind(*object);
  if (!kind.empty()) out.location[kind] = object->at(kind);
}

void read(const Place& place, Inputs& out) {
  read_object<Inputs>(place, out, kInputsFields);
}

void read(const Place& place, Outputs& out) {
  read_object<Outputs>(place, out, kOutputsFields);
}

}  // namespace tiphys::api
