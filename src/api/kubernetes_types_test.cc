// Kubernetes' objects in manifests: what is said of values, fields and choices that its types do not have.
#include "api/kubernetes_types.h"

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
  const char* fields;  ///< of a template that runs a container, in flow style
  const char* says;    ///< a part of the only error; "" for none
};

std::vector<std::string> errors_of(const std::string& document) {
  const auto documents = doc::parse_yaml(document, "f.yaml");
  if (!documents) return {documents.error().message};
  std::vector<Finding> findings;
  parse_workflow(documents->front().root, findings);
  std::vector<std::string> errors;
  for (const Finding& each : findings) {
    if (each.is_error()) errors.push_back(each.message);
  }
  return errors;
}

std::string workflow_with(std::string_view spec) {
  return fmt::format(
      "{{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {{name: w}}, spec: {{entrypoint: main, {}}}}}",
      spec);
}

void check(const Case& row, const std::string& document) {
  const auto errors = errors_of(document);
  if (std::string_view(row.says).empty()) {
    EXPECT_THAT(errors, IsEmpty()) << row.rule;
  } else {
    EXPECT_THAT(errors, ElementsAre(HasSubstr(row.says))) << row.rule;
  }
}

TEST(KubernetesTypes, OfTemplates) {
  for (const Case& row : {
           Case{"a number", "container: {image: x, securityContext: {runAsUser: root}}",
                "spec.templates[0].container.securityContext.runAsUser must be a whole number, not a string"},
           Case{"no fraction", "container: {image: x, securityContext: {runAsUser: 1.5}}", "must be a whole number"},
           Case{"or a tag", "container: {image: x, securityContext: {runAsUser: '{{inputs.parameters.uid}}'}}", ""},
           Case{"a switch", "container: {image: x, securityContext: {privileged: 'yes'}}",
                "securityContext.privileged must be true or false, not a string"},
           Case{"a switch that is carried along", "container: {image: x, tty: 1}",
                "container.tty must be true or false"},
           Case{"a text that is a number", "container: {image: x, env: [{name: A, value: 1}]}",
                "env[0].value must be a string, not a number; quote it"},
           Case{"a list", "container: {image: x, securityContext: {capabilities: {add: NET_ADMIN}}}",
                "capabilities.add must be a list, not a string"},
           Case{"an object", "container: {image: x, ports: [8080]}",
                "container.ports[0] must be an object, not a number"},
           Case{"no tag for a list", "tolerations: '{{inputs.parameters.t}}', container: {image: x}",
                "tolerations must be a list"},
           Case{"32 bits", "container: {image: x, ports: [{containerPort: 3000000000}]}",
                "containerPort must be a 32-bit integer"},
           Case{"an unknown field", "container: {image: x, securityContext: {runAsUsr: 1}}",
                "unknown field \"runAsUsr\" in spec.templates[0].container.securityContext; did you mean "
                "\"runAsUser\"?"},
           Case{"one that belongs further down", "container: {image: x, securityContext: {drop: [ALL]}}",
                "it belongs in spec.templates[0].container.securityContext.capabilities"},
           Case{"a required field", "container: {image: x, ports: [{name: http}]}",
                "ports[0].containerPort is required"},
           Case{"which is told once when it is misspelt",
                "volumes: [{name: v, persistentVolumeClaim: {claimname: c}}], container: {image: x}",
                "did you mean \"claimName\"?"},
           Case{"a volume's shape", "volumes: [{name: v, hostPath: /tmp}], container: {image: x}",
                "volumes[0].hostPath must be an object, not a string"},
           Case{"its quantity", "volumes: [{name: v, emptyDir: {sizeLimit: 1GB}}], container: {image: x}",
                "sizeLimit: \"1GB\" is not a quantity"},
           Case{"what it may say", "volumes: [{name: v, hostPath: {path: /x, type: Directry}}], container: {image: x}",
                "\"Directry\" is none of BlockDevice, CharDevice, Directory, DirectoryOrCreate, File, FileOrCreate, "
                "Socket; did you mean \"Directory\"?"},
           Case{"huge pages of a size",
                "volumes: [{name: v, emptyDir: {medium: HugePages-2Mi}}], container: {image: x}", ""},
           Case{"operators", "tolerations: [{key: a, operator: Exist}], container: {image: x}",
                "tolerations[0].operator: \"Exist\" is none of Equal, Exists; did you mean \"Exists\"?"},
           Case{
               "deep in an affinity",
               "affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: high, preference: "
               "{}}]}}, container: {image: x}",
               "preferredDuringSchedulingIgnoredDuringExecution[0].weight must be a whole number"},
           Case{"and its fields", "affinity: {nodeAffinty: {}}, container: {image: x}",
                "did you mean \"nodeAffinity\"?"},
           Case{"maps of strings", "nodeSelector: {a: 1}, container: {image: x}", "nodeSelector.a must be a string"},
           Case{"sources of variables",
                "container: {image: x, env: [{name: A, valueFrom: {secretKeyRef: {name: s, ky: k}}}]}",
                "unknown field \"ky\""},
           Case{"nulls are nothing", "securityContext: {runAsUser: null, seLinuxOptions: null}, container: {image: x}",
                ""},
           Case{"affinity of retries", "retryStrategy: {affinity: {antiAffinity: {}}}, container: {image: x}",
                "unknown field \"antiAffinity\" in spec.templates[0].retryStrategy.affinity"},
           Case{"the executor's account", "executor: {serviceAccount: a}, container: {image: x}",
                "did you mean \"serviceAccountName\"?"},
       }) {
    check(row, workflow_with(fmt::format("templates: [{{name: main, {}}}]", row.fields)));
  }
}

TEST(KubernetesTypes, OfWorkflows) {
  for (
      const Case& row : {
          Case{"the security of pods", "securityContext: {fsGroup: staff}", "spec.securityContext.fsGroup must be"},
          Case{"secrets for registries", "imagePullSecrets: [registry]", "imagePullSecrets[0] must be an object"},
          Case{"aliases", "hostAliases: [{hostnames: [a]}]", "hostAliases[0].ip is required"},
          Case{"names and their servers", "dnsConfig: {nameservers: 1.1.1.1}", "dnsConfig.nameservers must be a list"},
          Case{"switches", "hostNetwork: 'true'", "spec.hostNetwork must be true or false, not a string"},
          Case{"or tags", "hostNetwork: '{{workflow.parameters.host}}'", ""},
          Case{
              "claims",
              "volumeClaimTemplates: [{metadata: {name: c}, spec: {accessModes: [ReadWriteOnes], resources: {requests: "
              "{storage: 1Gi}}}}]",
              "accessModes[0]: \"ReadWriteOnes\" is none of ReadWriteOnce, ReadOnlyMany, ReadWriteMany, "
              "ReadWriteOncePod; did you mean \"ReadWriteOnce\"?"},
          Case{
              "their sizes",
              "volumeClaimTemplates: [{metadata: {name: c}, spec: {accessModes: [ReadWriteOnce], resources: {requests: "
              "{storage: 1GB}}}}]",
              "\"1GB\" is not a quantity"},
          Case{"budgets", "podDisruptionBudget: {minAvailabel: 1}", "did you mean \"minAvailable\"?"},
          Case{"that say one thing", "podDisruptionBudget: {minAvailable: 1, maxUnavailable: 1}",
               "has both minAvailable and maxUnavailable"},
          Case{"selectors", "podGC: {labelSelector: {matchLabels: {a: 1}}}", "matchLabels.a must be a string"},
      }) {
    check(row, workflow_with(row.fields));
  }
}

}  // namespace
}  // namespace tiphys::api
