#include "api/convert.h"

#include <gtest/gtest.h>

#include "doc/yaml.h"

namespace tiphys::api {
namespace {

struct ConvertCase {
  const char* rule;
  const char* before;
  const char* after;
};

TEST(ConvertTest, SingularFieldsBecomeLists) {
  const ConvertCase cases[] = {
      {"a schedule, which wins",
       "{kind: CronWorkflow, spec: {schedule: '* * * * *', schedules: ['@daily'], workflowSpec: {}}}",
       "{kind: CronWorkflow, spec: {schedules: ['* * * * *'], workflowSpec: {}}}"},
      {"an empty schedule", "{kind: CronWorkflow, spec: {schedule: '', schedules: ['@daily']}}",
       "{kind: CronWorkflow, spec: {schedules: ['@daily']}}"},
      {"locks of a CronWorkflow's workflow",
       "{kind: CronWorkflow, spec: {workflowSpec: {synchronization: {mutex: {name: a}}}}}",
       "{kind: CronWorkflow, spec: {workflowSpec: {synchronization: {mutexes: [{name: a}]}}}}"},
      {"behind those that are listed",
       "{kind: Workflow, spec: {synchronization: {mutexes: [{name: a}], mutex: {name: b}, semaphore: {configMapKeyRef: "
       "{name: c, key: d}}}}}",
       "{kind: Workflow, spec: {synchronization: {mutexes: [{name: a}, {name: b}], semaphores: [{configMapKeyRef: "
       "{name: c, key: d}}]}}}"},
      {"of templates, theirs in them, and of their defaults",
       "{kind: WorkflowTemplate, spec: {templateDefaults: {synchronization: {mutex: {name: a}}}, templates: ["
       "{name: m, synchronization: {mutex: {name: b}}, steps: [[{name: s, inline: {synchronization: {mutex: {name: "
       "c}}}}]]}, "
       "{name: d, dag: {tasks: [{name: t, inline: {synchronization: {mutex: {name: e}}}}]}}]}}",
       "{kind: WorkflowTemplate, spec: {templateDefaults: {synchronization: {mutexes: [{name: a}]}}, templates: ["
       "{name: m, synchronization: {mutexes: [{name: b}]}, steps: [[{name: s, inline: {synchronization: {mutexes: "
       "[{name: c}]}}}]]}, "
       "{name: d, dag: {tasks: [{name: t, inline: {synchronization: {mutexes: [{name: e}]}}}]}}]}}"},
      {"other kinds stay", "{kind: ConfigMap, spec: {schedule: a, synchronization: {mutex: {name: b}}}}",
       "{kind: ConfigMap, spec: {schedule: a, synchronization: {mutex: {name: b}}}}"},
      {"what is no workflow at all", "[1, {spec: 2}]", "[1, {spec: 2}]"},
      {"fields of the wrong form", "{kind: Workflow, spec: {synchronization: [1], templates: {a: 1}}}",
       "{kind: Workflow, spec: {synchronization: [1], templates: {a: 1}}}"},
  };
  for (const ConvertCase& one : cases) {
    doc::Value made = doc::parse_yaml(one.before, "before")->front().root;
    convert_to_current(made);
    EXPECT_EQ(made, doc::parse_yaml(one.after, "after")->front().root) << one.rule << ": " << doc::to_json(made);
  }
}

}  // namespace
}  // namespace tiphys::api
