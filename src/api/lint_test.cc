// What lint accepts and refuses, rule by rule: the original's own rules (workflow/validate), and what it lets through.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/parse.h"

namespace tiphys::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Case {
  const char* rule;
  const char* templates;  ///< in flow style, of a workflow whose entrypoint is main
  const char* says;       ///< a part of the only finding; "" for none
  const char* spec = "";  ///< more fields of the spec
  Finding::Severity severity = Finding::Severity::kError;
};

std::vector<Finding> findings_of(const Case& row) {
  const std::string text = fmt::format(
      "{{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {{name: w}}, spec: {{entrypoint: main, {}\n"
      "templates: [{},\n{{name: work, container: {{image: x}}, outputs: {{parameters: [{{name: o, valueFrom: {{path: "
      "/o}}}}]}}}},\n"
      "{{name: needy, inputs: {{parameters: [{{name: p, enum: [a, b]}}]}}, container: {{image: x}}}}]}}}}",
      row.spec, row.templates);
  const auto documents = doc::parse_yaml(text, "f.yaml");
  if (!documents) return {{.message = documents.error().message}};
  std::vector<Finding> findings;
  const Workflow workflow = parse_workflow(documents->front().root, findings);
  if (!any_error(findings)) validate_workflow(workflow, findings, {.lint = true});
  // Rows use one or the other of the two templates.
  std::erase_if(findings, [](const Finding& each) {
    return each.message.find("\"work\" is never run") != std::string::npos ||
           each.message.find("\"needy\" is never run") != std::string::npos ||
           each.message.starts_with("only a cluster");
  });
  return findings;
}

void check(const Case& row) {
  std::vector<std::string> messages;
  for (const Finding& each : findings_of(row)) {
    messages.push_back(each.message);
    EXPECT_EQ(each.severity, row.severity) << row.rule << ": " << each.message;
  }
  if (std::string_view(row.says).empty()) {
    EXPECT_THAT(messages, IsEmpty()) << row.rule;
  } else {
    EXPECT_THAT(messages, ElementsAre(HasSubstr(row.says))) << row.rule;
  }
}

TEST(Lint, KeepsTheOriginalsRulesOfWorkflows) {
  constexpr const char* kMain = "{name: main, container: {image: x}}";
  for (const Case& row : {
           Case{"a value is given later", kMain, "", "arguments: {parameters: [{name: p}]},"},
           Case{"enums hold values", kMain, "enum should contain at least one value",
                "arguments: {parameters: [{name: p, enum: []}]},"},
           Case{"values are of their enum", kMain, "should be present in spec.arguments.p.enum list",
                "arguments: {parameters: [{name: p, value: c, enum: [a, b]}]},"},
           Case{"names of parameters", kMain, "spec.arguments.parameters[0].name: 'a.b' is invalid",
                "arguments: {parameters: [{name: a.b, value: v}]},"},
           Case{"a parameter twice", kMain, "spec.arguments.parameters[1].name 'p' is not unique",
                "arguments: {parameters: [{name: p, value: v}, {name: p, value: v}]},"},
           Case{"artifacts have a place", kMain, "spec.arguments.a.from, artifact location, or key is required",
                "arguments: {artifacts: [{name: a}]},"},
           Case{"hooks need an expression", kMain, "needs an expression", "hooks: {h: {template: main}},"},
           Case{"the exit hook needs none", kMain, "", "hooks: {exit: {template: main}},"},
           Case{"the exit handler is there", kMain, "template name 'bye' undefined", "onExit: bye,"},
           Case{"pod resources are cpu and memory", kMain, "spec.podResources: \"nvidia.com/gpu\" is not a valid",
                "podResources: {limits: {cpu: 1, nvidia.com/gpu: 1}},"},
           Case{"some run at least", kMain, "spec.parallelism must be at least 1", "parallelism: 0,"},
           Case{"deadlines lie ahead", kMain, "activeDeadlineSeconds must not be negative",
                "activeDeadlineSeconds: -1,"},
           Case{"so do ends of lives", kMain, "spec.ttlStrategy.secondsAfterSuccess must not be negative",
                "ttlStrategy: {secondsAfterSuccess: -1},"},
           Case{"priorities", kMain, "spec.priority must be a 32-bit integer", "priority: 3000000000,"},
           Case{"labels of pods", kMain, "spec.podMetadata.labels[a b]: ", "podMetadata: {labels: {a b: c}},"},
           Case{"their values", kMain, "spec.podMetadata.labels[a]: a valid label must be",
                "podMetadata: {labels: {a: 'b c'}},"},
           Case{"of the workflow", kMain,
                "spec.workflowMetadata.labels[a]: ", "workflowMetadata: {labels: {a: 'b c'}},"},
           Case{"annotations may say anything", kMain, "", "podMetadata: {annotations: {a: 'b c'}},"},
           Case{"and huge pages", kMain, "", "podResources: {limits: {hugepages-2Mi: 1Gi}},"},
           Case{"pods claim nothing as a whole", kMain, "spec.podResources.claims is not supported",
                "podResources: {claims: [{name: c}]},"},
       }) {
    check(row);
  }
}

TEST(Lint, KeepsTheOriginalsRulesOfTemplates) {
  for (const Case& row : {
           Case{"one type", "{name: main}", "template type unspecified"},
           Case{"not two", "{name: main, container: {image: x}, suspend: {}}", "multiple template types"},
           Case{"a template twice", "{name: main, suspend: {}}, {name: main, suspend: {}}", "'main' is not unique"},
           Case{"images", "{name: main, container: {command: [a]}}", "container.image may not be empty"},
           Case{"images of templateDefaults", "{name: main, container: {command: [a]}}", "",
                "templateDefaults: {container: {image: x}},"},
           Case{"deadlines are of leaves",
                "{name: main, activeDeadlineSeconds: 1, steps: [[{name: a, template: work}]]}",
                "activeDeadlineSeconds is only valid for leaf templates"},
           Case{"deadlines are numbers", "{name: main, activeDeadlineSeconds: abc, container: {image: x}}",
                "must be a positive integer > 0 or an argo variable"},
           Case{"or tags",
                "{name: main, inputs: {parameters: [{name: d, value: 1}]}, activeDeadlineSeconds: "
                "'{{inputs.parameters.d}}', container: {image: x}}",
                ""},
           Case{"parallelism is of groups", "{name: main, parallelism: 1, container: {image: x}}",
                "parallelism is only valid for steps and dag templates"},
           Case{"none of them is no limit", "{name: main, parallelism: 0, steps: [[{name: a, template: work}]]}",
                "parallelism of 0 holds nothing back", "", Finding::Severity::kWarning},
           Case{"fewer are wrong", "{name: main, parallelism: -1, steps: [[{name: a, template: work}]]}",
                "parallelism must be at least 1"},
           Case{"timeouts are of leaves", "{name: main, timeout: 1m, steps: [[{name: a, template: work}]]}",
                "doesn't support timeout field"},
           Case{"timeouts have units", "{name: main, timeout: '10', container: {image: x}}",
                "invalid duration format in timeout"},
           Case{"policies of retries", "{name: main, retryStrategy: {retryPolicy: Alwys}, container: {image: x}}",
                "Alwys is not a valid RetryPolicy"},
           Case{"actions", "{name: main, resource: {action: make, manifest: '{apiVersion: v1, kind: Pod}'}}",
                "resource.action must be one of"},
           Case{"manifests", "{name: main, resource: {action: create}}", "manifest or manifestFrom must be specified"},
           Case{"not to read one", "{name: main, resource: {action: get, flags: [pod]}}", ""},
           Case{"quantities have units of their own",
                "{name: main, container: {image: x, resources: {limits: {memory: 64MB}}}}",
                "limits.memory: \"64MB\" is not a quantity; write it like 500m, 2 or 128Mi"},
           Case{
               "or tags",
               "{name: main, inputs: {parameters: [{name: m, value: 64Mi}]}, container: {image: x, resources: {limits: "
               "{memory: '{{inputs.parameters.m}}', cpu: 0.5}}}}",
               ""},
           Case{"scripts have a source", "{name: main, script: {image: x, command: [sh]}}",
                "script has no source: its command runs without one", "", Finding::Severity::kWarning},
           Case{"which may be empty", "{name: main, script: {image: x, command: [sh], source: ''}}", ""},
           Case{"variables have names", "{name: main, container: {image: x, env: [{value: a}]}}",
                "env[0].name is required"},
           Case{"and one value",
                "{name: main, container: {image: x, env: [{name: A, value: a, valueFrom: {fieldRef: {fieldPath: "
                "metadata.name}}}]}}",
                "a variable has a value or valueFrom, not both"},
           Case{"of a key",
                "{name: main, container: {image: x, env: [{name: A, valueFrom: {configMapKeyRef: {name: a}}}]}}",
                "env[0].valueFrom.configMapKeyRef.key is required"},
           Case{"what is null is not there",
                "{name: main, container: {image: x, env: [{name: A, value: a, valueFrom: null}, {name: B, valueFrom: "
                "{configMapKeyRef: null, fileKeyRef: null, secretKeyRef: {name: s, key: k}}}], livenessProbe: null, "
                "lifecycle: {preStop: null, postStart: {exec: {command: [x]}, httpGet: null}}}}",
                ""},
           Case{"policies of images", "{name: main, container: {image: x, imagePullPolicy: Sometimes}}",
                "imagePullPolicy: \"Sometimes\" is none of Always, IfNotPresent, Never"},
           Case{"mounts twice",
                "{name: main, volumes: [{name: v, emptyDir: {}}], container: {image: x, volumeMounts: [{name: v, "
                "mountPath: /a}, {name: v, mountPath: /a}]}}",
                "mountPath '/a' already mounted in"},
           Case{"files of variables lie in volumes",
                "{name: main, container: {image: x, env: [{name: X, valueFrom: {fileKeyRef: {volumeName: v, path: f, "
                "key: X}}}]}}",
                "env[0].valueFrom.fileKeyRef.volumeName: there is no volume \"v\""},
           Case{"of the pod's own",
                "{name: main, volumes: [{name: v, hostPath: {path: /x}}], container: {image: x, env: [{name: X, "
                "valueFrom: {fileKeyRef: {volumeName: v, path: f, key: X}}}]}}",
                "volume \"v\" must be an emptyDir"},
           Case{"and inside them",
                "{name: main, volumes: [{name: v, emptyDir: {}}], container: {image: x, env: [{name: X, "
                "valueFrom: {fileKeyRef: {volumeName: v, path: a/../../f, key: X}}}]}}",
                "path must be relative to the volume and without '..'"},
           Case{"with a key",
                "{name: main, volumes: [{name: v, emptyDir: {}}], container: {image: x, env: [{name: X, "
                "valueFrom: {fileKeyRef: {volumeName: v, path: f}}}]}}",
                "fileKeyRef.key is required"},
           Case{"and that is all",
                "{name: main, volumes: [{name: v, emptyDir: {}}], container: {image: x, env: [{name: X, "
                "valueFrom: {fileKeyRef: {volumeName: v, path: f, key: X, optional: true}}}]}}",
                ""},
           Case{"mounts and artifacts",
                "{name: main, volumes: [{name: v, emptyDir: {}}], inputs: {artifacts: [{name: a, path: /a, raw: {data: "
                "x}}]}, container: {image: x, volumeMounts: [{name: v, mountPath: /a}]}}",
                "path '/a' of inputs.artifacts[0] already mounted in"},
           Case{"names of others' containers",
                "{name: main, container: {image: x}, sidecars: [{name: wait, image: x}]}",
                "\"wait\" is a reserved Argo container name"},
           Case{"init containers have names", "{name: main, container: {image: x}, initContainers: [{image: x}]}",
                "initContainers must all have container name"},
           Case{"inputs come from arguments",
                "{name: main, inputs: {artifacts: [{name: a, path: /a, from: '{{x}}', optional: true}]}, container: "
                "{image: x}}",
                ".from not valid in inputs"},
           Case{"paths stay inside",
                "{name: main, inputs: {artifacts: [{name: a, path: /a/../b, optional: true}]}, container: {image: x}}",
                "containing '..'"},
           Case{"names of outputs may be computed",
                "{name: main, inputs: {parameters: [{name: v, value: 1}]}, container: {image: x}, outputs: {artifacts: "
                "[{name: 'r-{{inputs.parameters.v}}', path: /r}]}}",
                ""},
           Case{"those of inputs not",
                "{name: main, inputs: {parameters: [{name: '{{workflow.name}}', value: 1}]}, container: {image: x}}",
                "is invalid: Parameter/Artifact name"},
           Case{"outputs have a source", "{name: main, container: {image: x}, outputs: {parameters: [{name: o}]}}",
                "does not have valueFrom or value specified"},
           Case{"of their template's kind",
                "{name: main, container: {image: x}, outputs: {parameters: [{name: o, valueFrom: {expression: "
                "\"1\"}}]}}",
                "path must be specified for Container templates"},
           Case{"one source only",
                "{name: main, container: {image: x}, outputs: {parameters: [{name: o, valueFrom: {path: /a, jsonPath: "
                "b}}]}}",
                "has multiple types specified"},
           Case{"paths of outputs stay inside too",
                "{name: main, container: {image: x}, outputs: {artifacts: [{name: a, path: /a/../b}]}}",
                "containing '..'"},
           Case{"modes",
                "{name: main, inputs: {artifacts: [{name: a, path: /a, mode: 755, optional: true}]}, container: "
                "{image: x}}",
                "mode must be between 0 and 511, which is 0777"},
           Case{"pods of agents share their resources",
                "{name: main, podResources: {limits: {cpu: 1}}, http: {url: 'http://x'}}",
                "podResources is not supported for HTTP templates"},
           Case{"names for people",
                "{name: main, annotations: {workflows.argoproj.io/display-name: 'a b'}, container: {image: x}}",
                "the display name \"a b\" must have"},
           Case{"backoff has a first wait",
                "{name: main, retryStrategy: {limit: 1, backoff: {factor: 2}}, container: {image: x}}",
                "retryStrategy.backoff.duration is required"},
           Case{"caches are ConfigMaps",
                "{name: main, memoize: {key: k, cache: {configMap: {name: My_Cache}}}, container: {image: x}}",
                "memoize.cache.configMap.name \"My_Cache\": a lowercase RFC 1123 subdomain"},
           Case{"conditions are selectors",
                "{name: main, resource: {action: get, flags: [pod, x], successCondition: 'status.phase in'}}",
                "resource.successCondition: "},
           Case{"or hold tags",
                "{name: main, resource: {action: get, flags: [pod, x], successCondition: 'status.phase == "
                "{{workflow.name}}'}}",
                ""},
           Case{"manifests are objects", "{name: main, resource: {action: create, manifest: 'kind: b'}}",
                "manifest lacks apiVersion", ""},
           Case{"addresses are of HTTP", "{name: main, http: {url: 'ftp://x'}}",
                "http.url must begin with http:// or https://"},
           Case{"or tags", "{name: main, http: {url: '{{workflow.name}}'}}", ""},
           Case{"methods are words", "{name: main, http: {url: 'http://x', method: 'GE T'}}",
                "\"GE T\" is no HTTP method"},
           Case{"data is transformed", "{name: main, data: {source: {artifactPaths: {s3: {key: a}}}}}",
                "data.transformation is required"},
           Case{"by nothing if need be",
                "{name: main, data: {source: {artifactPaths: {name: files, s3: {key: a}}}, transformation: []}}", ""},
           Case{"steps of it are expressions",
                "{name: main, data: {source: {artifactPaths: {name: files, s3: {key: a}}}, transformation: [{}]}}",
                "transformation[0].expression is required"},
           Case{"headers have names", "{name: main, http: {url: 'http://x', headers: [{value: v}]}}",
                "http.headers[0].name is required"},
           Case{"bodies are base64", "{name: main, http: {url: 'http://x', bodyFrom: {bytes: '%'}}}", "must be base64"},
           Case{
               "one way to pack",
               "{name: main, container: {image: x}, outputs: {artifacts: [{name: a, path: /a, archive: {none: {}, zip: "
               "{}}}]}}",
               "has several strategies: choose one of tar, none, zip"},
           Case{"JSONPath",
                "{name: main, resource: {action: get, flags: [pod, x]}, outputs: {parameters: [{name: a, valueFrom: "
                "{jsonPath: '{.a['}}]}}",
                "valueFrom.jsonPath: "},
           Case{"retries of sets",
                "{name: main, containerSet: {retryStrategy: {duration: 1s}, containers: [{name: main, image: x}]}}",
                "retryStrategy.retries is required"},
           Case{"addresses of artifacts",
                "{name: main, inputs: {artifacts: [{name: a, path: /a, optional: true, http: {}}]}, container: {image: "
                "x}}",
                "http.url is required"},
           Case{"contents of artifacts",
                "{name: main, inputs: {artifacts: [{name: a, path: /a, optional: true, raw: {}}]}, container: {image: "
                "x}}",
                "raw.data is required"},
           Case{"objects are named", "{name: main, resource: {action: delete}}", "needs flags, such as [pod, NAME]"},
           Case{"a template or its own", "{name: main, steps: [[{name: a, template: work, inline: {suspend: {}}}]]}",
                "beside the one that it names: choose one"},
           Case{"sources of inputs",
                "{name: main, inputs: {parameters: [{name: a, valueFrom: {path: /a}}]}, container: {image: x}}",
                "an input takes configMapKeyRef alone"},
           Case{"outputs of others",
                "{name: main, steps: [[{name: a, template: work}]], outputs: {parameters: [{name: p, valueFrom: "
                "{parameter: "
                "steps.a.outputs.parameters.x}}]}}",
                "there is no \"steps.a.outputs.parameters.x\" to take"},
           Case{"braces or not",
                "{name: main, steps: [[{name: a, template: work}]], outputs: {parameters: [{name: p, valueFrom: "
                "{parameter: "
                "steps.a.outputs.parameters.o}}]}}",
                ""},
           Case{"claims are of pods", "{name: main, resourceClaims: [{name: c}], steps: [[{name: a, template: work}]]}",
                "resourceClaims is not supported for Steps templates"},
           Case{"pods of a template claim nothing as a whole",
                "{name: main, podResources: {claims: [{name: c}]}, container: {image: x}}",
                "templates.main.podResources.claims is not supported"},
       }) {
    check(row);
  }
}

TEST(Lint, KeepsTheOriginalsRulesOfStepsAndTasks) {
  for (const Case& row : {
           Case{"a step twice", "{name: main, steps: [[{name: a, template: work}], [{name: a, template: work}]]}",
                "name 'a' is not unique"},
           Case{"names of steps may be computed",
                "{name: main, steps: [[{name: 'a-{{workflow.name}}', template: work}]]}", ""},
           Case{"but not by an item", "{name: main, steps: [[{name: 'a-{{item}}', template: work, withItems: [1]}]]}",
                "is invalid"},
           Case{"those of tasks by parameters",
                "{name: main, inputs: {parameters: [{name: p, value: x}]}, dag: {tasks: [{name: "
                "'a-{{inputs.parameters.p}}', template: work}]}}",
                ""},
           Case{"and not by all else", "{name: main, dag: {tasks: [{name: 'a-{{workflow.name}}', template: work}]}}",
                "is invalid"},
           Case{"one loop", "{name: main, steps: [[{name: a, template: work, withItems: [1], withParam: '[1]'}]]}",
                "only one of withItems, withParam, withSequence"},
           Case{"count or end", "{name: main, steps: [[{name: a, template: work, withSequence: {count: 1, end: 2}}]]}",
                "only one of count or end"},
           Case{"counts are numbers", "{name: main, steps: [[{name: a, template: work, withSequence: {count: many}}]]}",
                "withSequence.count must be a whole number, not \"many\""},
           Case{"or tags",
                "{name: main, steps: [[{name: a, template: work, withSequence: {count: "
                "'{{workflow.parameters.many}}'}}]]}",
                "", "arguments: {parameters: [{name: many, value: 3}]},"},
           Case{"items are something", "{name: main, steps: [[{name: a, template: work, withItems: [1, null]}]]}",
                "withItems[1] must be a string, number, boolean, list or map, not null"},
           Case{"no steps", "{name: main, steps: []}", "templates.main must have at least one step"},
           Case{"a template or one elsewhere",
                "{name: main, steps: [[{name: a, template: work, templateRef: {name: t, template: u}}]]}",
                "template name cannot be specified with templateRef"},
           Case{"targets", "{name: main, dag: {target: b, tasks: [{name: a, template: work}]}}",
                "target 'b' is not defined"},
           Case{"tags of targets",
                "{name: main, dag: {target: '{{inputs.parameters.t}}', tasks: [{name: a, template: "
                "work}]}}",
                "templates.main.targets: failed to resolve {{inputs.parameters.t}}"},
           Case{"no tasks", "{name: main, dag: {tasks: []}}", "must have at least one task"},
           Case{"a cycle",
                "{name: main, dag: {tasks: [{name: a, template: work, depends: b}, {name: b, template: work, depends: "
                "a}]}}",
                "dependency cycle detected"},
           Case{"results of depends",
                "{name: main, dag: {tasks: [{name: a, template: work}, {name: b, template: work, depends: "
                "a.Suceeded}]}}",
                "Suceeded"},
           Case{"results of loops",
                "{name: main, dag: {tasks: [{name: a, template: work}, {name: b, template: work, depends: "
                "a.AnySucceeded}]}}",
                "does not contain any items"},
           Case{"what a task takes it waits for",
                "{name: main, dag: {tasks: [{name: a, template: work}, {name: b, template: needy, arguments: "
                "{parameters: [{name: p, value: '{{tasks.a.outputs.parameters.o}}'}]}}]}}",
                "missing dependency 'a' for parameter 'p'"},
       }) {
    check(row);
  }
}

TEST(Lint, KeepsTheRulesOfPods) {
  constexpr const char* kMain = "{name: main, container: {image: x}}";
  for (const Case& row : {
           Case{"two volumes of one name",
                "{name: main, volumes: [{name: v, emptyDir: {}}, {name: v, emptyDir: {}}], container: {image: x}}",
                "templates.main.volumes[1].name: there is a volume \"v\" already"},
           Case{"one of the workflow may be another one's",
                "{name: main, volumes: [{name: v, emptyDir: {}}], container: {image: x}}", "",
                "volumes: [{name: v, emptyDir: {}}],"},
           Case{"but no claim's", kMain, "spec.volumeClaimTemplates[0].metadata.name: there is a volume \"v\" already",
                "volumes: [{name: v, emptyDir: {}}], volumeClaimTemplates: [{metadata: {name: v}, spec: {accessModes: "
                "[ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}],"},
           Case{"names of volumes", kMain, "spec.volumes[0].name \"My_Volume\": a lowercase RFC 1123 label",
                "volumes: [{name: My_Volume, emptyDir: {}}],"},
           Case{"one source", kMain, "may not specify more than 1 volume type",
                "volumes: [{name: v, emptyDir: {}, hostPath: {path: /x}}],"},
           Case{"or one by a tag", kMain, "", "volumes: [{name: '{{workflow.name}}', emptyDir: {}}],"},
           Case{"parts of volumes lie in them",
                "{name: main, volumes: [{name: v, emptyDir: {}}], container: {image: x, volumeMounts: [{name: v, "
                "mountPath: /v, subPath: ../x}]}}",
                "must not contain '..'"},
           Case{"names of containers", "{name: main, container: {image: x}, sidecars: [{name: My_Sidecar, image: x}]}",
                "sidecars[0].name \"My_Sidecar\": a lowercase RFC 1123 label"},
           Case{"names of a set's", "{name: main, containerSet: {containers: [{name: Main, image: x}]}}",
                "containerSet.containers[0].name \"Main\": a lowercase RFC 1123 label"},
           Case{"names of variables", "{name: main, container: {image: x, env: [{name: 'A=B', value: c}]}}",
                "env[0].name: Invalid value"},
           Case{"one source of a variable", "{name: main, container: {image: x, env: [{name: A, valueFrom: {}}]}}",
                "must specify one of"},
           Case{"fields of pods",
                "{name: main, container: {image: x, env: [{name: A, valueFrom: {fieldRef: {fieldPath: spec.node}}}]}}",
                "field label not supported: spec.node"},
           Case{"ports", "{name: main, container: {image: x, ports: [{containerPort: 70000}]}}",
                "ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535"},
           Case{"a probe asks somehow", "{name: main, container: {image: x, readinessProbe: {periodSeconds: 1}}}",
                "must specify a handler type"},
           Case{"no more is asked for than allowed",
                "{name: main, container: {image: x, resources: {requests: {cpu: 2}, limits: {cpu: 1}}}}",
                "must be less than or equal to cpu limit of 1"},
           Case{"unless a tag says so",
                "{name: main, inputs: {parameters: [{name: c, value: 1}]}, container: {image: x, resources: {requests: "
                "{cpu: '{{inputs.parameters.c}}'}, limits: {cpu: 1}}}}",
                ""},
           Case{"resources have names", "{name: main, container: {image: x, resources: {limits: {gpu: 1}}}}",
                "resources.limits[gpu]: Invalid value"},
           Case{"tolerations",
                "{name: main, tolerations: [{key: a, operator: Exists, value: b}], container: {image: x}}",
                "value must be empty when `operator` is 'Exists'"},
           Case{"accounts", kMain, "spec.serviceAccountName: Invalid value", "serviceAccountName: My_Account,"},
           Case{"labels of machines", kMain, "spec.nodeSelector: Invalid value", "nodeSelector: {'a b': c},"},
           Case{"policies of names", kMain, "spec.dnsPolicy: \"Nobody\" is none of ClusterFirst,",
                "dnsPolicy: Nobody,"},
           Case{"priority classes", kMain, "spec.podPriorityClassName \"A_B\": a lowercase",
                "podPriorityClassName: A_B,"},
           Case{"servers of names", kMain, "must provide `dnsConfig` when `dnsPolicy` is None", "dnsPolicy: None,"},
           Case{"a patch is YAML", kMain, "spec.podSpecPatch must be YAML or JSON", "podSpecPatch: '{a: [',"},
           Case{"of a pod's spec", kMain, "spec.podSpecPatch: containers[0].resources must be an object",
                "podSpecPatch: '{containers: [{name: main, resources: 1}]}',"},
           Case{"whose elements have names", kMain, "containers[0].name is required: it tells which one is meant",
                "podSpecPatch: '{containers: [{image: x}]}',"},
           Case{"with known fields", kMain, "did you mean \"terminationGracePeriodSeconds\"?",
                "podSpecPatch: '{terminationGracePeriodSecond: 3}',"},
           Case{"and tags anywhere",
                "{name: main, inputs: {parameters: [{name: u, value: 1}]}, podSpecPatch: '{\"securityContext\": "
                "{\"runAsUser\": {{inputs.parameters.u}}}, \"volumes\": {{inputs.parameters.u}}}', container: {image: "
                "x}}",
                ""},
           Case{"and directives", kMain, "",
                "podSpecPatch: '{containers: [{name: main, $patch: delete}], $setElementOrder/containers: [{name: "
                "main}]}',"},
       }) {
    check(row);
  }
}

TEST(Lint, TellsWhatTheOriginalLetsThrough) {
  constexpr auto kWarning = Finding::Severity::kWarning;
  for (const Case& row : {
           Case{"what a task takes anywhere",
                "{name: main, dag: {tasks: [{name: a, template: work}, {name: b, template: work, when: \"x == "
                "'{{tasks.a.outputs.result}}'\"}]}}",
                "{{tasks.a.outputs.result}} needs a dependency on 'a'"},
           Case{"in the middle of an argument too",
                "{name: main, dag: {tasks: [{name: a, template: work}, {name: b, template: needy, arguments: "
                "{parameters: [{name: p, value: 'x {{tasks.a.outputs.result}}'}]}}]}}",
                "{{tasks.a.outputs.result}} needs a dependency on 'a'"},
           Case{"of a task before it",
                "{name: main, dag: {tasks: [{name: a, template: work}, {name: b, template: work, depends: a, when: "
                "\"x == '{{tasks.a.outputs.result}}'\"}]}}",
                ""},
           Case{"withParam is a list", "{name: main, steps: [[{name: a, template: work, withParam: '{\"a\": 1}'}]]}",
                "withParam must be a JSON list"},
           Case{"withParam is JSON", "{name: main, steps: [[{name: a, template: work, withParam: 'a, b'}]]}",
                "withParam must be a JSON list"},
           Case{"a constant condition", "{name: main, steps: [[{name: a, template: work, when: '1 == 2'}]]}",
                "when is always false", "", kWarning},
           Case{"an argument for nothing",
                "{name: main, steps: [[{name: a, template: needy, arguments: {parameters: [{name: p, value: a}, {name: "
                "q, value: b}]}}]]}",
                "template \"needy\" has no input parameter \"q\"", "", kWarning},
           Case{"an artifact for nothing",
                "{name: main, steps: [[{name: a, template: work, arguments: {artifacts: [{name: f, raw: {data: "
                "x}}]}}]]}",
                "template \"work\" has no input artifact \"f\"", "", kWarning},
           Case{"an argument beside the enum",
                "{name: main, steps: [[{name: a, template: needy, arguments: {parameters: [{name: p, value: c}]}}]]}",
                "\"c\" is none of those that template \"needy\" names for p: a, b", "", kWarning},
           Case{"a task beside the target",
                "{name: main, dag: {target: b, tasks: [{name: a, template: work}, {name: b, template: work, depends: "
                "a}, {name: c, template: work}]}}",
                "tasks.c never runs: target \"b\" does not need it", "", kWarning},
           Case{"a group without steps", "{name: main, steps: [[], [{name: a, template: work}]]}",
                "templates.main.steps[0] does nothing: it has no step", "", kWarning},
           Case{"a loop over nothing", "{name: main, steps: [[{name: a, template: work, withItems: []}]]}",
                "an empty withItems is no loop", "", kWarning},
           Case{"numbers without a place",
                "{name: main, steps: [[{name: a, template: work, withSequence: {count: 2, format: x}}]]}",
                "format \"x\" has no place for the number", "", kWarning},
           Case{"recursion without a condition",
                "{name: main, steps: [[{name: a, template: other}]]}, {name: other, dag: {tasks: [{name: b, template: "
                "main}]}}",
                "templates call each other without end: main->other->main", "", kWarning},
           Case{"recursion with one",
                "{name: main, steps: [[{name: a, template: work}], [{name: b, template: main, when: "
                "\"{{steps.a.outputs.result}} == x\"}]]}",
                ""},
           Case{"items of no loop", "{name: main, container: {image: x, args: ['{{item}}']}}",
                "{{item}} stays as it is", "", kWarning},
           Case{"items of a loop around",
                "{name: main, steps: [[{name: a, withItems: [1], inline: {container: {image: x, args: "
                "['{{item}}']}}}]]}",
                ""},
           Case{"an item that is a map, as a whole",
                "{name: main, steps: [[{name: a, withItems: [{k: v}], inline: {container: {image: x, args: "
                "['{{item}}']}}}]]}",
                ""},
           Case{"a default beside the enum",
                "{name: main, inputs: {parameters: [{name: a, default: z, enum: [v, w]}]}, container: {image: x}}",
                "default: \"z\" is none of its enum: v, w", "", kWarning},
           Case{"an output of nothing",
                "{name: main, steps: [[{name: a, template: work}]], outputs: {artifacts: [{name: f}]}}",
                "outputs.artifacts.f gives nothing", "", kWarning},
           Case{"an account that a cluster needs",
                "{name: main, automountServiceAccountToken: false, container: {image: x}}",
                "in a cluster executor.serviceAccountName is needed", "", kWarning},
           Case{"a template that nothing runs", "{name: main, suspend: {}}, {name: lost, suspend: {}}",
                "template \"lost\" is never run", "", kWarning},
           Case{"one of an exit handler", "{name: main, suspend: {}}, {name: bye, suspend: {}}", "", "onExit: bye,"},
           Case{"one that a tag may name",
                "{name: main, inputs: {parameters: [{name: t, value: lost}]}, steps: [[{name: a, template: "
                "'{{inputs.parameters.t}}'}]]}, {name: lost, suspend: {}}",
                ""},
           Case{"unknown names in expressions",
                "{name: main, inputs: {parameters: [{name: message, value: a}]}, container: {image: x, args: "
                "['{{=inputs.parameters.mesage}}']}}",
                "the expression reads inputs.parameters.mesage, which is not known here; did you mean "
                "\"inputs.parameters.message\"?",
                "", kWarning},
           Case{"known ones, and what guards against unknown ones",
                "{name: main, inputs: {parameters: [{name: a, value: b}]}, container: {image: x, args: "
                "['{{=inputs.parameters.a + workflow.name + toJson(inputs.parameters) + (inputs.parameters.c ?? "
                "\"\")}}']}}",
                ""},
       }) {
    check(row);
  }
}

TEST(Lint, TellsWhatAClusterTakesNoMoreOf) {
  std::string tasks;
  for (int i = 0; i < 201; ++i) tasks += fmt::format("{{name: t{}, template: work}}, ", i);
  const std::string tmpl = fmt::format("{{name: main, dag: {{tasks: [{}]}}}}", tasks);
  check({"tasks", tmpl.c_str(), "201 tasks of a dag: a cluster with the original's definitions takes 200 at most", "",
         Finding::Severity::kWarning});
}

TEST(Lint, MetricsOfOneNameAreOne) {
  check({"help",
         "{name: main, container: {image: x}, metrics: {prometheus: [{name: m, help: a, counter: {value: '1'}}, {name: "
         "m, "
         "help: b, counter: {value: '1'}}]}}",
         "its help is \"a\" elsewhere"});
  check({"type",
         "{name: main, container: {image: x}, metrics: {prometheus: [{name: m, help: a, counter: {value: '1'}}, {name: "
         "m, "
         "help: a, gauge: {value: '1'}}]}}",
         "is a gauge here and a counter elsewhere"});
}

TEST(Lint, UnknownFieldsAreMarked) {
  const auto findings = findings_of({"", "{name: main, nonsense: 1, suspend: {}}", ""});
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_TRUE(findings[0].unknown_field);
}

/// A template with one metric, or a workflow's own.
std::string with_metric(std::string_view metric) {
  return fmt::format(
      "{{name: main, inputs: {{parameters: [{{name: p, value: x}}]}}, container: {{image: x}}, metrics: "
      "{{prometheus: [{{name: m, help: h, {}}}]}}}}",
      metric);
}

TEST(Lint, TellsWhatMetricsWouldComplainOfInARun) {
  struct Row {
    const char* rule;
    const char* metric;
    const char* says;
  };
  for (const Row& row : {
           Row{"counter", "counter: {value: '1'}", ""},
           Row{"gauge", "gauge: {value: '{{outputs.parameters.o}}', operation: Add}", ""},
           Row{"histogram", "histogram: {value: '{{duration}}', buckets: [1, 2.5, 10]}", ""},
           Row{"realtime", "gauge: {realtime: true, value: '{{duration}}'}", ""},
           Row{"known variables",
               "when: \"{{status}} == Succeeded\", labels: [{key: a, value: '{{inputs.parameters.p}} {{exitCode}} "
               "{{retries}} {{workflow.status}} {{resourcesDuration.cpu}}'}], counter: {value: "
               "'{{workflow.duration}}'}",
               ""},
           Row{"no type", "when: 1 == 1", "metric 'm' type unspecified. choose one of: gauge, histogram, counter"},
           Row{"two types", "counter: {value: '1'}, gauge: {value: '1'}", "has multiple types specified"},
           Row{"a realtime value is a time", "gauge: {realtime: true, value: '{{status}}'}",
               "a realtime gauge's value must be {{duration}}, not \"{{status}}\""},
           Row{"a realtime value is one tag", "gauge: {realtime: true, value: '1'}", "must be {{duration}}"},
           Row{"buckets ascend", "histogram: {value: '1', buckets: [1, 1]}", "the buckets must ascend"},
           Row{"a number", "counter: {value: one}", "the value must be a number, not \"one\""},
           Row{"unknown variable", "counter: {value: '{{time}}'}", "{{time}} is not known to metrics"},
           Row{"one label", "labels: [{key: a, value: x}, {key: a, value: z}], counter: {value: '1'}", "given twice"},
           Row{"le", "labels: [{key: le, value: x}], histogram: {value: '1', buckets: [1]}", "Prometheus' own"},
           Row{"buckets", "histogram: {value: '1'}", "a histogram needs buckets"},
           Row{"when", "when: 'a ==', counter: {value: '1'}", "Invalid 'when' expression"},
           Row{"a label that tags name",
               "labels: [{key: 'a_{{inputs.parameters.p}}', value: x}], counter: {value: '1'}", ""},
           Row{"by what is known later", "labels: [{key: 'a_{{status}}', value: x}], counter: {value: '1'}",
               "'a_{{status}}' is invalid"},
       }) {
    const std::string tmpl = with_metric(row.metric);
    check({row.rule, tmpl.c_str(), row.says});
  }
  check({"a workflow's realtime value", "{name: main, container: {image: x}}", "must be {{workflow.duration}}",
         "metrics: {prometheus: [{name: m, help: h, gauge: {realtime: true, value: '{{duration}}'}}]},"});
  check({"a workflow's", "{name: main, container: {image: x}}", "",
         "metrics: {prometheus: [{name: m, help: h, gauge: {realtime: true, value: '{{workflow.duration}}'}}]},"});
  check({"a workflow's by what is known later", "{name: main, container: {image: x}}", "",
         "metrics: {prometheus: [{name: 'm_{{status}}', help: h, counter: {value: '1'}}]},"});
  check({"which has to be known at all", "{name: main, container: {image: x}}", "{{time}} is not known to metrics",
         "metrics: {prometheus: [{name: 'm_{{time}}', help: h, counter: {value: '1'}}]},"});
}

TEST(Lint, TellsWhatARunWouldStumbleOver) {
  using enum Finding::Severity;
  for (const Case& row : {
           Case{"a brace pair alone", "{name: main, container: {image: x, args: ['a {{ b']}}",
                "\"{{\" without \"}}\" opens no tag", "", kWarning},
           Case{"attempts that are not there", "{name: main, container: {image: x, args: ['{{retries}}']}}",
                "{{retries}} stays as it is", "", kWarning},
           Case{"their outcomes", "{name: main, container: {image: x, args: ['{{lastRetry.exitCode}}']}}",
                "{{lastRetry.exitCode}} stays as it is", "", kWarning},
           Case{"those that are",
                "{name: main, retryStrategy: {limit: 1}, container: {image: x, args: ['{{retries}}']}}", ""},
           Case{"a verdict that is none", "{name: main, retryStrategy: {expression: '1'}, container: {image: x}}",
                "retryStrategy.expression: "},
           Case{"one that is", "{name: main, retryStrategy: {expression: 'true'}, container: {image: x}}", ""},
           Case{"counts below nothing",
                "{name: main, steps: [[{name: a, template: work, withSequence: {count: -2, start: 1}}]]}",
                "counts down, from 1 to -2", "", kWarning},
           Case{"counts without end",
                "{name: main, steps: [[{name: a, template: work, withSequence: {count: 10000001}}]]}",
                "more than 10000000 items"},
           Case{"ranges without end",
                "{name: main, steps: [[{name: a, template: work, withSequence: {start: 5, end: -99999999}}]]}",
                "more than 10000000 items"},
           Case{"two bodies", "{name: main, http: {url: 'http://x', body: a, bodyFrom: {bytes: YQ==}}}",
                "body is not sent: bodyFrom is", "", kWarning},
           Case{"filters of jq",
                "{name: main, resource: {action: get, flags: [pod, x]}, outputs: {parameters: [{name: a, valueFrom: "
                "{jqFilter: '.a | foo'}}]}}",
                "foo/0 is not defined"},
           Case{"good ones",
                "{name: main, resource: {action: get, flags: [pod, x]}, outputs: {parameters: [{name: a, valueFrom: "
                "{jqFilter: 'def f: .a; f # that'}}]}}",
                ""},
           Case{"flags of kubectl", "{name: main, resource: {action: get, flags: [pod, a, --watch]}}",
                "resource.flags: --watch is not supported yet: it does not end"},
           Case{"selectors", "{name: main, resource: {action: get, flags: [pod, --selector=a]}}",
                "only delete takes selectors"},
           Case{"objects in flags", "{name: main, resource: {action: get, flags: [pod/a, pod/b]}}",
                "get of more than one object fails when all are done", "", Finding::Severity::kWarning},
           Case{"objects in a manifest",
                "{name: main, resource: {action: create, manifest: \"{apiVersion: v1, kind: Pod}\\n---\\n{apiVersion: "
                "v1, kind: Pod}\"}}",
                "create of more than one object fails when all are done", "", Finding::Severity::kWarning},
           Case{"those of delete",
                "{name: main, resource: {action: delete, flags: [svc/a, sts/b, --grace-period=0, --force]}}", ""},
           Case{"those that change nothing",
                "{name: main, resource: {action: get, flags: [--validate=false, --field-manager, me, pod, x]}}",
                "resource.flags: --validate=false, --field-manager: no effect here", "", Finding::Severity::kWarning},
       }) {
    check(row);
  }
}

}  // namespace
}  // namespace tiphys::api
