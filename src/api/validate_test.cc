// What tests/bad does not show: manifests that are right, and rules that need a closer look.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/container_set.h"
#include "api/parse.h"
#include "api/task_graph.h"
#include "api/variables.h"

namespace tiphys::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Case {
  const char* rule;
  const char* templates;  ///< in flow style; "work" and "needy" are given
  const char* error;      ///< a part of the only error; "" for none
};

std::vector<std::string> errors_of(const std::string& templates) {
  const std::string text =
      "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w, labels: {l: v}}\nspec:\n"
      "  entrypoint: main\n  arguments: {parameters: [{name: wp, value: v}]}\n  templates:\n" +
      templates +
      "\n  - {name: work, container: {image: x}, outputs: {parameters: [{name: o, valueFrom: {path: /o}, globalName: "
      "g}],"
      " artifacts: [{name: a, path: /a}]}}\n"
      "  - {name: needy, inputs: {parameters: [{name: p}], artifacts: [{name: a, path: /a}]}, container: {image: x}}\n"
      "  - {name: many, steps: [[{name: s, template: work}]], outputs: {parameters: [{name: m, valueFrom: {parameter: "
      "\"{{steps.s.outputs.parameters.o}}\"}}]}}\n";
  const auto documents = doc::parse_yaml(text, "f.yaml");
  if (!documents) return {documents.error().message};
  std::vector<Finding> findings;
  const Workflow workflow = parse_workflow(documents->front().root, findings);
  validate_workflow(workflow, findings);
  std::vector<std::string> errors;
  for (const Finding& each : findings) {
    if (each.severity == Finding::Severity::kError) errors.push_back(each.message);
  }
  return errors;
}

void check(const Case& row) {
  const auto errors = errors_of(row.templates);
  if (std::string_view(row.error).empty()) {
    EXPECT_THAT(errors, IsEmpty()) << row.rule;
  } else {
    EXPECT_THAT(errors, ElementsAre(HasSubstr(row.error))) << row.rule;
  }
}

TEST(Validate, ResolvesVariables) {
  for (
      const Case& row : {
          Case{
              "globals",
              "  - {name: main, container: {image: x, args: ['{{workflow.name}} {{workflow.uid}} {{workflow.labels.l}} "
              "{{workflow.parameters.wp}} {{workflow.parameters}} {{workflow.creationTimestamp.s}} {{pod.name}} "
              "{{workflow.outputs.parameters.g}} {{workflow.status}} {{workflow.duration}}']}}",
              ""},
          Case{"what is not Argo's stays",
               "  - {name: main, container: {image: x, args: ['{{.Names}} {{item}} {{a b}}']}}", ""},
          Case{"expressions are not resolved",
               "  - {name: main, container: {image: x, args: ['{{=inputs.parameters.x}}']}}", ""},
          Case{"all inputs of a template that takes none: null",
               "  - {name: main, script: {image: x, command: [cat], source: '{{inputs.parameters}}'}}", ""},
          Case{"a tag in a tag",
               "  - {name: main, container: {image: x, args: ['{{inputs.parameters.{{workflow.name}}}}']}}", ""},
          Case{"an unknown label", "  - {name: main, container: {image: x, args: ['{{workflow.labels.m}}']}}",
               "failed to resolve {{workflow.labels.m}}; did you mean \"workflow.labels.l\"?"},
          Case{"failures need an exit handler",
               "  - {name: main, container: {image: x, args: ['{{workflow.failures}}']}}",
               "failed to resolve {{workflow.failures}}"},
          Case{"priority needs a priority", "  - {name: main, container: {image: x, args: ['{{workflow.priority}}']}}",
               "failed to resolve {{workflow.priority}}"},
          Case{"paths of outputs",
               "  - {name: main, container: {image: x, args: ['{{outputs.artifacts.a.path}}']}, outputs: {artifacts: "
               "[{name: a, path: /a}]}}",
               ""},
          Case{
              "outputs of steps before",
              "  - {name: main, steps: [[{name: a, template: work}], [{name: b, template: work, when: "
              "\"'{{steps.a.outputs.result}}{{steps.a.outputs.parameters.o}}{{steps.a.status}}{{steps.a.exitCode}}' == "
              "x\"}]]}",
              ""},
          Case{"a steps template has no result",
               "  - {name: main, steps: [[{name: a, template: many}], [{name: b, template: work, when: "
               "\"{{steps.a.outputs.result}} == x\"}]]}",
               "failed to resolve {{steps.a.outputs.result}}"},
          Case{"a loop's outputs as a list",
               "  - {name: main, steps: [[{name: a, template: work, withItems: [1]}], [{name: b, template: work, "
               "withParam: "
               "\"{{steps.a.outputs.parameters}}\"}]]}",
               ""},
          Case{"outputs of later steps",
               "  - {name: main, steps: [[{name: a, template: work, when: \"{{steps.b.outputs.result}} == x\"}], "
               "[{name: "
               "b, template: work}]]}",
               "failed to resolve {{steps.b.outputs.result}}"},
          Case{
              "a template named by a tag gives anything",
              "  - {name: main, inputs: {parameters: [{name: t, value: work}]}, steps: [[{name: a, template: "
              "\"{{inputs.parameters.t}}\"}], [{name: b, template: work, when: \"{{steps.a.outputs.parameters.any}} == "
              "x\"}]]}",
              ""},
          Case{"members of items",
               "  - {name: main, steps: [[{name: a, template: needy, withItems: [{k: 1}], arguments: {parameters: "
               "[{name: p, "
               "value: \"{{item.k}}\"}], artifacts: [{name: a, raw: {data: x}}]}}]]}",
               ""},
          Case{"unknown members of items",
               "  - {name: main, steps: [[{name: a, template: needy, withItems: [{k: 1}], arguments: {parameters: "
               "[{name: p, "
               "value: \"{{item.j}}\"}], artifacts: [{name: a, raw: {data: x}}]}}]]}",
               "failed to resolve {{item.j}}"},
          Case{"members of computed items",
               "  - {name: main, steps: [[{name: a, template: needy, withParam: \"[]\", arguments: {parameters: "
               "[{name: p, "
               "value: \"{{item.j}}\"}], artifacts: [{name: a, raw: {data: x}}]}}]]}",
               ""},
          Case{"inline templates see their own inputs and the step's",
               "  - {name: main, inputs: {parameters: [{name: p, value: v}]}, steps: [[{name: a, arguments: "
               "{parameters: "
               "[{name: q, value: v}]}, inline: {inputs: {parameters: [{name: q}]}, container: {image: x, args: "
               "['{{inputs.parameters.q}} {{inputs.parameters.p}} {{pod.name}}']}}}]]}",
               ""},
      }) {
    check(row);
  }
}

TEST(Validate, ChecksTasks) {
  for (const Case& row : {
           Case{"a task sees those it waits for",
                "  - {name: main, dag: {tasks: [{name: a, template: work}, {name: b, template: work}, {name: c, "
                "template: "
                "work, depends: 'a && b.Failed', when: \"{{tasks.a.status}} == x\"}]}}",
                ""},
           Case{"indirectly too",
                "  - {name: main, dag: {tasks: [{name: a, template: work}, {name: b, template: work, dependencies: "
                "[a]}, "
                "{name: c, template: work, dependencies: [b], when: \"{{tasks.a.status}} == x\"}]}}",
                ""},
           Case{"a status needs a dependency",
                "  - {name: main, dag: {tasks: [{name: a, template: work}, {name: b, template: work, when: "
                "\"{{tasks.a.status}} == x\"}]}}",
                "failed to resolve {{tasks.a.status}}: missing dependency 'a'"},
           Case{"names that begin with a digit",
                "  - {name: main, dag: {tasks: [{name: 1a, template: work}, {name: b, template: work, dependencies: "
                "[1a]}]}}",
                ""},
           Case{"that wait",
                "  - {name: main, dag: {tasks: [{name: a, template: work}, {name: 1b, template: work, dependencies: "
                "[a]}]}}",
                "name cannot begin with a digit"},
           Case{"a loop's results",
                "  - {name: main, dag: {tasks: [{name: a, template: work, withItems: [1]}, {name: b, template: work, "
                "depends: a.AnySucceeded}]}}",
                ""},
           Case{"targets", "  - {name: main, dag: {target: 'a c', tasks: [{name: a, template: work}]}}",
                "target 'c' is not defined"},
           Case{"a task that waits for itself",
                "  - {name: main, dag: {tasks: [{name: a, template: work, dependencies: [a]}]}}",
                "dependency cycle detected: a->a"},
           Case{"no tasks", "  - {name: main, dag: {tasks: []}}", "must have at least one task"},
       }) {
    check(row);
  }
}

TEST(Validate, ChecksCallsAndArtifacts) {
  for (const Case& row : {
           Case{"an artifact from an expression",
                "  - {name: main, steps: [[{name: a, template: needy, arguments: {parameters: [{name: p, value: v}], "
                "artifacts: [{name: a, fromExpression: 'true ? 1 : 2'}]}}]]}",
                "from, artifact location, or key is required: fromExpression is for outputs of steps and dag"},
           Case{"an artifact from nowhere",
                "  - {name: main, steps: [[{name: a, template: needy, arguments: {parameters: [{name: p, value: v}], "
                "artifacts: [{name: a}]}}]]}",
                "from, artifact location, or key is required"},
           Case{"an argument without value",
                "  - {name: main, steps: [[{name: a, template: work, arguments: {parameters: [{name: p}]}}]]}",
                ".value or templates.main.steps[0].a.arguments.p.valueFrom is required"},
           Case{"a reference with tags: nothing is known of it",
                "  - {name: main, steps: [[{name: a, withItems: [t, u], templateRef: {name: '{{workflow.name}}', "
                "template: "
                "'{{item}}'}, arguments: {parameters: [{name: any, value: v}]}}], [{name: b, template: work, when: "
                "'{{steps.a.outputs.parameters.any}} == {{workflow.outputs.parameters.any}}'}]]}",
                ""},
           Case{"tags of a reference",
                "  - {name: main, steps: [[{name: a, templateRef: {name: lib, template: "
                "'{{inputs.parameters.none}}'}}]]}",
                "failed to resolve {{inputs.parameters.none}}"},
           Case{"a hook's reference",
                "  - {name: main, steps: [[{name: a, template: work, hooks: {exit: {templateRef: {name: "
                "'{{workflow.name}}', template: t}}}}]]}",
                ""},
           Case{"neither template nor inline", "  - {name: main, steps: [[{name: a}]]}",
                "template, templateRef or inline is required"},
           Case{"the entrypoint's inputs", "  - {name: main, inputs: {parameters: [{name: q}]}, container: {image: x}}",
                "inputs.parameters.q had no value"},
           Case{"given by the workflow", "  - {name: main, inputs: {parameters: [{name: wp}]}, container: {image: x}}",
                ""},
           Case{"no image", "  - {name: main, script: {source: x}}", "templates.main.script.image may not be empty"},
           Case{"paths of groups",
                "  - {name: main, inputs: {artifacts: [{name: a, path: /a, optional: true}]}, steps: [[{name: s, "
                "template: work}]]}",
                "path only valid in container/script templates"},
           Case{"paths that leave their folder",
                "  - {name: main, inputs: {artifacts: [{name: a, path: /a/../b, optional: true}]}, container: {image: "
                "x}}",
                "Directory traversal is not permitted"},
           Case{"a manifest with tags",
                "  - {name: main, resource: {action: create, manifest: 'a: {{workflow.name}}'}}", ""},
           Case{"no manifest", "  - {name: main, resource: {action: create}}",
                "manifest or manifestFrom must be specified"},
           Case{"no manifest is needed to get", "  - {name: main, resource: {action: get}}", ""},
           Case{"a step's name with a tag",
                "  - {name: main, steps: [[{name: 'a-{{workflow.name}}', template: work}]]}", ""},
       }) {
    check(row);
  }
}

TEST(Validate, TakesNamesThatTagsFillIn) {
  const std::string_view head = "  - {name: main, inputs: {parameters: [{name: d, value: x}]}, ";
  for (const auto& [rule, members, error] : {
           Case{"a step and what refers to it",
                "steps: [[{name: 'a-{{inputs.parameters.d}}', template: work}], [{name: b, template: work, when: "
                "'{{steps.a-x.status}} == {{steps.a-{{inputs.parameters.d}}.outputs.parameters.o}}'}]]",
                ""},
           Case{"what no name can become",
                "steps: [[{name: 'a-{{inputs.parameters.d}}', template: work}], [{name: b, template: work, when: "
                "'{{steps.c-x.status}} == 1'}]]",
                "failed to resolve {{steps.c-x.status}}"},
           Case{"an output that its template does not give",
                "steps: [[{name: 'a-{{inputs.parameters.d}}', template: work}], [{name: b, template: work, when: "
                "'{{steps.a-v1.2.outputs.parameters.none}} == 1'}]]",
                "failed to resolve {{steps.a-v1.2.outputs.parameters.none}}"},
           Case{"tasks",
                "dag: {target: 'b-x c', tasks: [{name: 'a-{{inputs.parameters.d}}', template: work}, {name: "
                "'b-{{inputs.parameters.d}}', template: work, dependencies: ['a-{{inputs.parameters.d}}', a-x]}, "
                "{name: c, template: work, dependencies: ['{{workflow.parameters.wp}}-x', 'b-{{ inputs.parameters.d "
                "}}']}]}",
                ""},
           Case{"depends",
                "dag: {tasks: [{name: 'a-{{inputs.parameters.d}}', template: work}, {name: b, template: work, depends: "
                "'a-{{inputs.parameters.d}}.Succeeded || a-x'}]}",
                ""},
           Case{"a dependency that no name can become",
                "dag: {tasks: [{name: 'a-{{inputs.parameters.d}}', template: work}, {name: b, template: work, "
                "dependencies: [c-x]}]}",
                "dependency 'c-x' not defined"},
           Case{"depends that is none",
                "dag: {tasks: [{name: 'a-{{inputs.parameters.d}}', template: work}, {name: b, template: work, depends: "
                "'a-{{inputs.parameters.d}} &&'}]}",
                "templates.main.tasks.b: "},
           Case{"an argument",
                "steps: [[{name: a, template: needy, arguments: {parameters: [{name: '{{inputs.parameters.d}}', value: "
                "v}], artifacts: [{name: a, raw: {data: x}}]}}]]",
                ""},
           Case{"an argument that cannot be it",
                "steps: [[{name: a, template: needy, arguments: {parameters: [{name: 'q{{inputs.parameters.d}}', "
                "value: v}], artifacts: [{name: a, raw: {data: x}}]}}]]",
                "inputs.parameters.p had no value"},
           Case{"a task that has its item's", "dag: {tasks: [{name: 'a-{{item}}', withItems: [1], template: work}]}",
                "'a-{{item}}' is invalid"},
           Case{"what an inline template's step knows",
                "steps: [[{name: g, template: work}], [{name: a, withItems: [p], inline: {dag: {tasks: [{name: "
                "'b-{{item}}-{{steps.g.outputs.parameters.o}}', template: work}]}}}]]",
                ""},
           Case{"what it does not know",
                "steps: [[{name: a, inline: {steps: [[{name: 'b-{{item}}', template: work}]]}}]]",
                "'b-{{item}}' is invalid"},
       }) {
    check({rule, (std::string(head) + members + "}").c_str(), error});
  }
}

TEST(Variables, MayBecome) {
  struct Row {
    const char* written;
    const char* text;
    bool may;
  };
  for (const auto& [written, text, may] : {
           Row{"a-{{x}}", "a-1", true},
           Row{"a-{{x}}", "a-", true},
           Row{"a-{{x}}", "b-1", false},
           Row{"{{x}}-a", "1-a", true},
           Row{"{{x}}-a", "1-b", false},
           Row{"a{{x}}b{{y}}c", "a1b2c", true},
           Row{"a{{x}}b{{y}}c", "a1c2b", false},
           Row{"a{{x}}a", "a", false},
           Row{"{{x}}", "", true},
           Row{"a", "a", true},
           Row{"a", "ab", false},
       }) {
    EXPECT_EQ(may_become(written, text), may) << written << " " << text;
  }
}

TEST(Validate, WarnsOfMisspelledRoots) {
  EXPECT_EQ(misspelled_root("input.parameters.x"), "inputs.parameters.x");
  EXPECT_EQ(misspelled_root("inputs.parameters.x"), "");
  EXPECT_EQ(misspelled_root("node.name"), "");
  EXPECT_EQ(misspelled_root("retries"), "");
}

TEST(TaskGraph, WalksLongChains) {
  std::vector<std::vector<std::size_t>> waits(200'000);
  for (std::size_t i = 1; i < waits.size(); ++i) waits[i] = {i - 1};
  EXPECT_THAT(TaskGraph(waits).find_cycle(), IsEmpty());
  EXPECT_TRUE(TaskGraph(waits).comes_after(199'999, 0));
  waits[0] = {199'999};
  EXPECT_EQ(TaskGraph(waits).find_cycle().size(), 200'001u);
}

/// "ATTEMPTS PAUSE", or the error.
std::string attempts_of(std::string_view set) {
  const auto read = command_attempts(doc::parse_json(set).value());
  return read ? std::to_string(read->most) + " " + format_go_duration(read->pause) : read.error().message;
}

TEST(ContainerSetRetry, IsReadAsTheOriginalReadsIt) {
  EXPECT_EQ(attempts_of("{}"), "1 0s");
  EXPECT_EQ(attempts_of(R"({"retryStrategy": {"duration": "1s"}})"), "1 0s");
  EXPECT_EQ(attempts_of(R"({"retryStrategy": {"retries": "3", "duration": "1m"}})"), "3 1m0s");
  EXPECT_EQ(attempts_of(R"({"retryStrategy": {"retries": 3}})"), "3 0s");
  EXPECT_EQ(attempts_of(R"({"retryStrategy": {"retries": 0}})"), "1 0s");
  EXPECT_EQ(attempts_of(R"({"retryStrategy": {"retries": "-1"}})"), "retryStrategy.retries: \"-1\" is no whole number");
  EXPECT_THAT(attempts_of(R"({"retryStrategy": {"retries": 1, "duration": "5"}})"),
              HasSubstr("retryStrategy.duration: "));
  EXPECT_THAT(attempts_of(R"({"retryStrategy": {"retries": 1, "duration": "-5s"}})"), HasSubstr("has to be positive"));
}

TEST(ContainerSetRetry, IsLookedAtOnceItHoldsNoTags) {
  for (const Case& row :
       {Case{"a tag",
             "  - {name: main, inputs: {parameters: [{name: count, value: '2'}]}, containerSet: {retryStrategy: "
             "{retries: "
             "'{{inputs.parameters.count}}'}, containers: [{name: main, image: x}]}}",
             ""},
        Case{"no number",
             "  - {name: main, containerSet: {retryStrategy: {retries: two}, containers: [{name: main, image: x}]}}",
             "containerSet.retryStrategy.retries: \"two\" is no whole number"}}) {
    check(row);
  }
}

}  // namespace
}  // namespace tiphys::api
