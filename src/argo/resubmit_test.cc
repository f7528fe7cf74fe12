#include "argo/resubmit.h"

#include <gtest/gtest.h>

#include "doc/yaml.h"

namespace tiphys::argo {
namespace {

struct Case {
  std::string_view rule, before, after;
};

constexpr Case kCases[] = {
    {"a prefix stays", "metadata: {name: a-x1, generateName: a-, namespace: ns, uid: u}\nspec: {entrypoint: m}",
     "metadata: {generateName: a-, namespace: ns, labels: {workflows.argoproj.io/resubmitted-from-workflow: a-x1}}\n"
     "spec: {entrypoint: m}"},
    {"a name becomes the prefix, the status is left out",
     "metadata: {name: a, namespace: ns}\nspec: {entrypoint: m}\nstatus: {phase: Failed}",
     "metadata: {generateName: a-, namespace: ns, labels: {workflows.argoproj.io/resubmitted-from-workflow: a}}\n"
     "spec: {entrypoint: m}"},
    {"labels of state and creator are left out, the previous origin is replaced",
     "metadata: {name: b, namespace: ns, labels: {app: x, workflows.argoproj.io/phase: Failed, "
     "workflows.argoproj.io/completed: 'true', workflows.argoproj.io/workflow-archiving-status: Archived, "
     "workflows.argoproj.io/creator: c, workflows.argoproj.io/creator-email: e, "
     "workflows.argoproj.io/creator-preferred-username: p, workflows.argoproj.io/resubmitted-from-workflow: a}}\n"
     "spec: {}",
     "metadata: {generateName: b-, namespace: ns, labels: {app: x, "
     "workflows.argoproj.io/resubmitted-from-workflow: b}}\nspec: {}"},
    {"annotations and owners stay, requests to the nodes of that run do not",
     "metadata: {name: a, namespace: ns, annotations: {note: x, tiphys.io/node-requests: '[]', "
     "tiphys.io/node-requests-done: '[]'}, ownerReferences: [{name: o}]}\nspec: {}",
     "metadata: {generateName: a-, namespace: ns, labels: {workflows.argoproj.io/resubmitted-from-workflow: a}, "
     "annotations: {note: x}, ownerReferences: [{name: o}]}\nspec: {}"},
    {"shutdown and a deadline of 0 are undone",
     "metadata: {name: a, namespace: ns}\nspec: {shutdown: Stop, activeDeadlineSeconds: 0, priority: 1}",
     "metadata: {generateName: a-, namespace: ns, labels: {workflows.argoproj.io/resubmitted-from-workflow: a}}\n"
     "spec: {priority: 1}"},
    {"another deadline stays", "metadata: {name: a, namespace: ns}\nspec: {activeDeadlineSeconds: 5}",
     "metadata: {generateName: a-, namespace: ns, labels: {workflows.argoproj.io/resubmitted-from-workflow: a}}\n"
     "spec: {activeDeadlineSeconds: 5}"},
};

doc::Value workflow(std::string_view text) {
  auto documents =
      doc::parse_yaml("apiVersion: argoproj.io/v1alpha1\nkind: Workflow\n" + std::string(text), "test.yaml");
  EXPECT_TRUE(documents) << text;
  return std::move(documents->front().root);
}

TEST(Resubmit, Rules) {
  for (const Case& each : kCases) {
    EXPECT_EQ(doc::to_yaml(resubmitted(workflow(each.before))), doc::to_yaml(workflow(each.after))) << each.rule;
  }
}

}  // namespace
}  // namespace tiphys::argo
