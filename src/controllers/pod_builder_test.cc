#include "controllers/pod_builder.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/parse.h"
#include "cluster/pod_annotations.h"
#include "doc/yaml.h"

namespace tiphys::controllers {
namespace {

using testing::HasSubstr;

doc::Value yaml(std::string_view text) {
  auto documents = doc::parse_yaml(text, "test.yaml");
  EXPECT_TRUE(documents.has_value() && documents->size() == 1) << (documents ? text : documents.error().message);
  return documents->front().root;
}

api::Workflow workflow_with(std::string_view spec) {
  api::Workflow workflow;
  workflow.name = "wf";
  workflow.ns = "argo";
  workflow.uid = "uid-1";
  workflow.spec.arguments.parameters.push_back({.name = "claim", .value = "data"});
  workflow.spec.document = std::make_shared<const doc::Value>(yaml(spec));
  return workflow;
}

engine::CreatePod request_for(std::string_view pod_template) {
  engine::CreatePod request;
  request.node_id = "wf-7";
  request.node_name = "wf[0].a";
  request.pod_name = "wf-a-7";
  request.template_document = std::make_shared<const doc::Value>(yaml(pod_template));
  return request;
}

expr::Ambient ambient() {
  static SeededRandom random(1);
  return {Time{}, &random};
}

constexpr std::string_view kContainer = "name: a\ncontainer: {image: x, command: [a]}\n";

doc::Value build(std::string_view spec, const engine::CreatePod& request) {
  auto pod = PodBuilder(workflow_with(spec), ambient()).build(request);
  EXPECT_TRUE(pod.has_value()) << pod.error().message;
  return pod ? *pod : doc::Value();
}

doc::Value annotation(const doc::Value& pod, std::string_view name) {
  const std::string_view text = doc::find_string(pod, "metadata", "annotations", name);
  return text.empty() ? doc::Value() : doc::parse_json(text).value_or(doc::Value());
}

TEST(PodBuilder, MetadataNamesWorkflowAndNode) {
  engine::CreatePod request = request_for(kContainer);
  request.on_exit = true;
  const doc::Value pod = build("entrypoint: a", request);
  EXPECT_EQ(doc::to_json(pod.at("metadata")),
            R"({"name":"wf-a-7","namespace":"argo","labels":{"workflows.argoproj.io/workflow":"wf",)"
            R"("workflows.argoproj.io/completed":"false","workflows.argoproj.io/on-exit":"true"},)"
            R"("annotations":{"workflows.argoproj.io/node-name":"wf[0].a","workflows.argoproj.io/node-id":"wf-7",)"
            R"("kubectl.kubernetes.io/default-container":"main"},"ownerReferences":[{"apiVersion":)"
            R"("argoproj.io/v1alpha1","kind":"Workflow","name":"wf","uid":"uid-1","controller":true,)"
            R"("blockOwnerDeletion":true}]})");
}

TEST(PodBuilder, AnnotatesPodsWithWhatBecomesOfThem) {
  struct Row {
    const char* spec;
    const char* annotation;
  };
  for (const auto& [spec, annotation] : {
           Row{"{}", "/5s"},
           Row{"{strategy: OnPodCompletion}", "OnPodCompletion/5s"},
           Row{"{strategy: OnWorkflowSuccess, deleteDelayDuration: '90'}", "OnWorkflowSuccess/1m30s"},
           Row{"{strategy: OnPodSuccess, deleteDelayDuration: 0s}", "OnPodSuccess/0s"},
           Row{"{strategy: OnPodSuccess, deleteDelayDuration: soon}", "OnPodSuccess/5s"},
       }) {
    const doc::Value pod = build(fmt::format("podGC: {}", spec), request_for(kContainer));
    EXPECT_EQ(doc::find_string(pod, "metadata", "annotations", "workflows.argoproj.io/pod-gc-strategy"), annotation);
  }
}

TEST(PodBuilder, ContainerBecomesMainWithArgosEnvironment) {
  const doc::Value pod = build("entrypoint: a", request_for(R"(
name: a
container:
  name: other
  image: busybox
  command: [sh, -c]
  args: [echo hi]
  workingDir: /work
  env: [{name: A, value: "1"}]
  resources: {limits: {memory: 1Gi}}
  securityContext: {runAsUser: 7}
)"));
  EXPECT_EQ(
      doc::to_json(pod.at("spec")),
      R"({"containers":[{"name":"main","image":"busybox","command":["sh","-c"],"args":["echo hi"],)"
      R"("workingDir":"/work","env":[{"name":"A","value":"1"},{"name":"ARGO_CONTAINER_NAME","value":"main"},)"
      R"({"name":"ARGO_NODE_ID","value":"wf-7"},{"name":"ARGO_INCLUDE_SCRIPT_OUTPUT","value":"false"},)"
      R"({"name":"ARGO_DEADLINE","value":"0001-01-01T00:00:00Z"},{"name":"ARGO_WORKFLOW_NAME","value":"wf"},)"
      R"({"name":"ARGO_PROGRESS_FILE","value":"/var/run/argo/progress"}],"resources":{"limits":{"memory":"1Gi"}},)"
      R"("securityContext":{"runAsUser":7}}],"restartPolicy":"Never"})");
}

/// Clients in Python write what is not set as null.
TEST(PodBuilder, WhatIsNullIsNotThere) {
  const doc::Value pod = build("entrypoint: a", request_for(R"(
name: a
container:
  image: x
  livenessProbe: null
  env: [{name: A, value: "1", valueFrom: null}]
  volumeMounts: []
)"));
  const doc::Value& main = pod.at("spec").at("containers").at(0);
  EXPECT_FALSE(main.as_object().contains("livenessProbe"));
  EXPECT_EQ(doc::to_json(main.at("env").at(0)), R"({"name":"A","value":"1"})");
}

TEST(PodBuilder, TellsTheDeadline) {
  engine::CreatePod request = request_for("name: a\ncontainer: {image: x}");
  request.run_deadline = Time(std::chrono::seconds(1'700'000'000));
  const doc::Value pod = build("entrypoint: a", request);
  EXPECT_THAT(doc::to_json(pod.at("spec").at("containers").at(0).at("env")),
              HasSubstr(R"({"name":"ARGO_DEADLINE","value":"2023-11-14T22:13:20Z"})"));
}

TEST(PodBuilder, ArgumentsThatAreTooLongAreFiles) {
  const std::string most(131'072, 'a'), longer = most + "b";
  const auto args = [&](const std::string& one) {
    return build("entrypoint: a",
                 request_for("name: a\ncontainer: {image: x, command: [sh, -c], args: [run, " + one + "]}"));
  };
  const doc::Value pod = args(longer);
  EXPECT_EQ(doc::to_json(pod.at("spec").at("containers").at(0).at("args")), R"(["run","@/tmp/argo_arg_2.txt"])");
  EXPECT_EQ(doc::to_json(annotation(pod, cluster::kInputsAnnotation)),
            R"({"files":[{"path":"/tmp/argo_arg_2.txt","content":")" + longer + R"("}]})");
  EXPECT_EQ(args(most).at("spec").at("containers").at(0).at("args").at(1), doc::Value(most));
}

TEST(PodBuilder, ScriptSourceIsAFileAndTheLastArgument) {
  const doc::Value pod = build("entrypoint: a", request_for(R"(
name: a
script: {image: python, command: [python], args: [-u], source: print 1}
)"));
  const doc::Value& main = pod.at("spec").at("containers").at(0);
  EXPECT_EQ(doc::to_json(main.at("args")), R"(["-u","/argo/staging/script"])");
  EXPECT_FALSE(main.as_object().contains("source"));
  EXPECT_EQ(doc::to_json(annotation(pod, cluster::kInputsAnnotation)),
            R"({"files":[{"path":"/argo/staging/script","content":"print 1","mode":493}]})");
}

TEST(PodBuilder, InputArtifactsCarryTheirPlaceAndOptionalOnesMayHaveNone) {
  const doc::Value pod = build("entrypoint: a", request_for(R"(
name: a
inputs:
  artifacts:
  - {name: raw, path: /tmp/raw, mode: 448, raw: {data: hello}}
  - {name: model, path: /tmp/model, archive: {none: {}}, s3: {key: wf/x/model.tgz}}
  - {name: absent, path: /tmp/absent, optional: true}
container: {image: x, command: [a]}
)"));
  EXPECT_EQ(doc::to_json(annotation(pod, cluster::kInputsAnnotation)),
            R"({"artifacts":[{"name":"raw","path":"/tmp/raw","mode":448,"location":{"raw":{"data":"hello"}}},)"
            R"({"name":"model","path":"/tmp/model","archive":"none","location":{"s3":{"key":"wf/x/model.tgz"}}}]})");
}

TEST(PodBuilder, OutputsWantedNameKeysAsTheDefaultFormatGives) {
  engine::CreatePod request = request_for(R"(
name: a
outputs:
  parameters:
  - {name: p, valueFrom: {path: /tmp/p, default: 3}}
  - {name: q, valueFrom: {path: /tmp/q}}
  artifacts:
  - {name: tar, path: /tmp/tar}
  - {name: plain, path: /tmp/dir/plain.txt, archive: {none: {}}, optional: true}
  - {name: zip, path: /tmp/zip, archive: {zip: {}}}
  - {name: own, path: /tmp/own, s3: {key: my/own.tgz}, archive: {tar: {compressionLevel: 0}}}
container: {image: x, command: [a]}
)");
  request.include_result = true;
  const doc::Value pod = build("entrypoint: a", request);
  EXPECT_EQ(
      doc::to_json(annotation(pod, cluster::kOutputsWantedAnnotation)),
      R"({"result":true,"parameters":[{"name":"p","path":"/tmp/p","default":"3"},{"name":"q","path":"/tmp/q"}],)"
      R"("artifacts":[{"name":"tar","path":"/tmp/tar","place":{"s3":{"key":"wf/wf-a-7/tar.tgz"}}},)"
      R"({"name":"plain","path":"/tmp/dir/plain.txt","place":{"s3":{"key":"wf/wf-a-7/plain.txt"}},"archive":"none",)"
      R"("optional":true},{"name":"zip","path":"/tmp/zip","place":{"s3":{"key":"wf/wf-a-7/zip.zip"}},"archive":"zip"},)"
      R"({"name":"own","path":"/tmp/own","place":{"s3":{"key":"my/own.tgz"}},"archive":"tar","compressionLevel":0}]})");
}

TEST(PodBuilder, TheArchivesPlaceHasNoTagsLeft) {
  const auto pod = PodBuilder(workflow_with("entrypoint: a"), ambient()).build(request_for(R"(
name: a
archiveLocation: {s3: {bucket: b, endpoint: e, key: "k/{{nope}}"}}
container: {image: x}
outputs: {artifacts: [{name: o, path: /o}]}
)"));
  ASSERT_FALSE(pod);
  EXPECT_EQ(pod.error().message, "failed to resolve {{nope}}");
}

TEST(PodBuilder, OnlyMountedVolumesComeAlongAndTheTemplatesWin) {
  const doc::Value pod = build(R"(
entrypoint: a
volumes:
- {name: work, emptyDir: {}}
- {name: data, persistentVolumeClaim: {claimName: "{{workflow.parameters.claim}}"}}
- {name: unused, emptyDir: {}}
)",
                               request_for(R"(
name: a
volumes: [{name: work, hostPath: {path: /srv}}]
container:
  image: x
  command: [a]
  volumeMounts: [{name: work, mountPath: /w}, {name: data, mountPath: /d}]
)"));
  EXPECT_EQ(doc::to_json(pod.at("spec").at("volumes")),
            R"([{"name":"work","hostPath":{"path":"/srv"}},)"
            R"({"name":"data","persistentVolumeClaim":{"claimName":"data"}}])");
}

TEST(PodBuilder, UnknownVolumeIsAnError) {
  const auto pod =
      PodBuilder(workflow_with("entrypoint: a"), ambient())
          .build(request_for("name: a\ncontainer: {image: x, volumeMounts: [{name: nope, mountPath: /w}]}\n"));
  ASSERT_FALSE(pod.has_value());
  EXPECT_EQ(pod.error().message, "volume 'nope' not found in workflow spec");
}

TEST(PodBuilder, TemplateSchedulingWinsOverTheWorkflows) {
  const doc::Value pod = build(R"(
entrypoint: a
serviceAccountName: robot
nodeSelector: {disk: hdd}
podPriorityClassName: low
hostAliases: [{ip: 1.2.3.4}]
podMetadata: {labels: {team: a, tier: one}, annotations: {note: wf}}
)",
                               request_for(R"(
name: a
nodeSelector: {disk: ssd}
metadata: {labels: {tier: two}}
container: {image: x, command: [a]}
)"));
  EXPECT_EQ(doc::find_string(pod, "spec", "serviceAccountName"), "robot");
  EXPECT_EQ(doc::find_string(pod, "spec", "nodeSelector", "disk"), "ssd");
  EXPECT_EQ(doc::find_string(pod, "spec", "priorityClassName"), "low");
  EXPECT_EQ(doc::to_json(pod.at("spec").at("hostAliases")), R"([{"ip":"1.2.3.4"}])");
  EXPECT_EQ(doc::find_string(pod, "metadata", "labels", "team"), "a");
  EXPECT_EQ(doc::find_string(pod, "metadata", "labels", "tier"), "two");
  EXPECT_EQ(doc::find_string(pod, "metadata", "annotations", "note"), "wf");
}

TEST(PodBuilder, DeadlineIsWholeSecondsRoundedUp) {
  engine::CreatePod request = request_for(kContainer);
  request.active_deadline = std::chrono::milliseconds(1500);
  EXPECT_EQ(build("entrypoint: a", request).at("spec").at("activeDeadlineSeconds"), 2);
  request.active_deadline = Duration(0);
  EXPECT_EQ(build("entrypoint: a", request).at("spec").at("activeDeadlineSeconds"), 1);
}

TEST(PodBuilder, SidecarsMirrorMountsOfMain) {
  const doc::Value pod = build("entrypoint: a\nvolumes: [{name: w, emptyDir: {}}]", request_for(R"(
name: a
container: {image: x, command: [a], volumeMounts: [{name: w, mountPath: /w}]}
sidecars: [{name: helper, image: y, mirrorVolumeMounts: true}]
initContainers: [{name: prepare, image: z}]
)"));
  const doc::Value& helper = pod.at("spec").at("containers").at(1);
  EXPECT_EQ(doc::to_json(helper.at("volumeMounts")), R"([{"name":"w","mountPath":"/w"}])");
  EXPECT_FALSE(helper.as_object().contains("mirrorVolumeMounts"));
  EXPECT_EQ(doc::find_string(pod.at("spec").at("initContainers").at(0), "name"), "prepare");
}

TEST(PodBuilder, AContainerSetBecomesItsContainers) {
  const doc::Value pod =
      build("entrypoint: a\nvolumes: [{name: w, emptyDir: {}}, {name: x, emptyDir: {}}]", request_for(R"(
name: a
containerSet:
  volumeMounts: [{name: w, mountPath: /w}]
  containers:
  - {name: first, image: x, volumeMounts: [{name: x, mountPath: /x}]}
  - {name: main, image: x, dependencies: [first]}
  - {name: last, image: x, dependencies: [first, main]}
sidecars: [{name: helper, image: y, mirrorVolumeMounts: true}]
)"));
  const doc::Value& containers = pod.at("spec").at("containers");
  EXPECT_EQ(doc::to_json(containers.at(0).at("volumeMounts")),
            R"([{"name":"x","mountPath":"/x"},{"name":"w","mountPath":"/w"}])");
  EXPECT_EQ(doc::find_string(containers.at(1), "name"), "main");
  EXPECT_FALSE(containers.at(1).as_object().contains("dependencies"));
  EXPECT_EQ(doc::to_json(containers.at(3).at("volumeMounts")), R"([{"name":"w","mountPath":"/w"}])");
  EXPECT_EQ(pod.at("spec").at("volumes").get_array().size(), 2U);
  EXPECT_EQ(doc::find_string(pod, "metadata", "annotations", cluster::kContainerSetAnnotation),
            R"({"first":[],"main":["first"],"last":["first","main"]})");
}

TEST(PodBuilder, ASetsRetryStrategyIsTheAgents) {
  const auto attempts = [](const std::string& strategy) {
    const doc::Value pod = build("entrypoint: a", request_for("{name: a, containerSet: {retryStrategy: " + strategy +
                                                              ", containers: [{name: b, image: x}]}}"));
    return std::string(doc::find_string(pod, "metadata", "annotations", cluster::kCommandAttemptsAnnotation));
  };
  EXPECT_EQ(attempts("{retries: '3', duration: 90s}"), R"({"attempts":3,"pause":"1m30s"})");
  EXPECT_EQ(attempts("{retries: 1}"), "");
}

TEST(PodBuilder, TheLastContainerOfASetIsTheDefaultWhereNoneIsMain) {
  const doc::Value pod =
      build("entrypoint: a",
            request_for("{name: a, containerSet: {containers: [{name: b, image: x}, {name: c, image: x}]}}"));
  EXPECT_EQ(doc::find_string(pod, "metadata", "annotations", "kubectl.kubernetes.io/default-container"), "c");
}

TEST(PodBuilder, PodSpecPatchesApplyOneAfterTheOther) {
  const doc::Value pod = build("entrypoint: a\npodSpecPatch: '{\"terminationGracePeriodSeconds\": 3}'", request_for(R"(
name: a
podSpecPatch: |
  containers:
  - {name: main, resources: {limits: {cpu: "2"}}}
container: {image: x, command: [a]}
)"));
  EXPECT_EQ(pod.at("spec").at("terminationGracePeriodSeconds"), 3);
  EXPECT_EQ(doc::find_string(pod.at("spec").at("containers").at(0), "image"), "x");
  EXPECT_EQ(doc::find_string(pod.at("spec").at("containers").at(0), "resources", "limits", "cpu"), "2");
}

TEST(PodBuilder, TheWorkflowsPatchMayNameInputs) {
  const doc::Value pod =
      build("entrypoint: a\npodSpecPatch: 'hostname: \"{{inputs.parameters.who}}-{{pod.name}}\"'", request_for(R"(
name: a
inputs: {parameters: [{name: who, value: me}]}
container: {image: x, command: [a]}
)"));
  EXPECT_EQ(doc::find_string(pod, "spec", "hostname"), "me-" + std::string(doc::find_string(pod, "metadata", "name")));
}

}  // namespace
}  // namespace tiphys::controllers
