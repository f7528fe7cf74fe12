#include "api/parse.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "api/begun_workflow.h"

namespace tiphys::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kHead = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\n";

struct Parsed {
  Workflow workflow;
  std::vector<std::string> errors, warnings;
};

Parsed parse(const std::string& yaml) {
  const auto documents = doc::parse_yaml(kHead + yaml, "f.yaml");
  if (!documents) return {{}, {documents.error().message}, {}};
  std::vector<Finding> findings;
  Parsed parsed{parse_workflow(documents->front().root, findings), {}, {}};
  for (const Finding& each : findings) {
    (each.severity == Finding::Severity::kError ? parsed.errors : parsed.warnings).push_back(each.message);
  }
  return parsed;
}

/// A workflow with one template whose fields are `fields`, indented by four.
Parsed parse_template(const std::string& fields) {
  return parse("metadata: {name: w}\nspec:\n  entrypoint: main\n  templates:\n  - name: main\n" + fields);
}

const Template& first_template(const Parsed& parsed) {
  return *parsed.workflow.spec.templates.at(0);
}

TEST(Parse, ReadsMetadataAndSpec) {
  const Parsed parsed = parse(R"(metadata:
  name: w
  namespace: ns
  uid: u
  creationTimestamp: "2026-11-24T12:00:00Z"
  labels: {a: b}
  annotations: {c: d}
spec:
  entrypoint: main
  parallelism: 3
  activeDeadlineSeconds: 60
  priority: 5
  suspend: true
  shutdown: Stop
  serviceAccountName: s
  onExit: bye
  retryStrategy: {limit: "2"}
  arguments:
    parameters:
    - {name: text, value: hi}
    - {name: number, value: 1.50}
    - {name: flag, value: yes}
    - {name: big, value: 12345678901}
    - {name: none, value: null, default: 7, enum: [7, x]}
    artifacts:
    - {name: raw, raw: {data: d}}
    - {name: key, s3: {key: k}}
  templates: []
status:
  phase: Running
  nodes: {a: {}}
)");
  EXPECT_THAT(parsed.errors, IsEmpty());
  const Workflow& workflow = parsed.workflow;
  EXPECT_EQ(workflow.name, "w");
  EXPECT_EQ(workflow.ns, "ns");
  EXPECT_EQ(workflow.uid, "u");
  EXPECT_EQ(format_rfc3339(workflow.created), "2026-11-24T12:00:00Z");
  EXPECT_EQ(workflow.labels.at("a"), "b");
  EXPECT_EQ(workflow.annotations.at("c"), "d");
  EXPECT_EQ(workflow.spec.parallelism, 3);
  EXPECT_EQ(workflow.spec.active_deadline_seconds, 60);
  EXPECT_EQ(workflow.spec.priority, 5);
  EXPECT_TRUE(workflow.spec.suspend);
  EXPECT_EQ(workflow.spec.shutdown, "Stop");
  EXPECT_EQ(workflow.spec.exit->template_name, "bye");
  EXPECT_EQ(workflow.spec.retry_strategy->limit, "2");
  const auto& parameters = workflow.spec.arguments.parameters;
  EXPECT_EQ(parameters[0].value, "hi");
  EXPECT_EQ(parameters[1].value, "1.5");
  EXPECT_EQ(parameters[2].value, "true");
  EXPECT_EQ(parameters[3].value, "12345678901");
  EXPECT_EQ(parameters[4].value, std::nullopt);
  EXPECT_EQ(parameters[4].default_value, "7");
  EXPECT_THAT(parameters[4].enum_values, ElementsAre("7", "x"));
  EXPECT_EQ(doc::to_json(workflow.spec.arguments.artifacts[0].location), R"({"raw":{"data":"d"}})");
  EXPECT_EQ(doc::to_json(workflow.spec.arguments.artifacts[1].location), R"({"s3":{"key":"k"}})");
  EXPECT_EQ(doc::find_string(*workflow.document, "status", "phase"), "Running");
  EXPECT_EQ(doc::find(*workflow.document, "status", "nodes"), nullptr);
  EXPECT_EQ(doc::find_string(*workflow.spec.document, "entrypoint"), "main");
}

TEST(Parse, ReadsSteps) {
  const Parsed parsed = parse_template(R"(    steps:
    - - {name: a, template: t, withItems: [1, {k: v}], when: "x == x", continueOn: {failed: true}}
      - {name: b, template: t, withParam: "[1]", onExit: bye, hooks: {exit: {template: other}}}
    - - {name: c, template: t, withSequence: {start: 1, end: "5", format: "%d"}, hooks: {exit: {template: hook}}}
      - {name: d, inline: {suspend: {}}, arguments: {parameters: [{name: p, value: 1}]}}
)");
  EXPECT_THAT(parsed.errors, IsEmpty());
  const Template& tmpl = first_template(parsed);
  EXPECT_EQ(tmpl.type, Template::Type::kSteps);
  ASSERT_EQ(tmpl.steps.size(), 2u);
  const Step& a = tmpl.steps[0][0];
  EXPECT_EQ(doc::to_json(*a.with_items), R"([1,{"k":"v"}])");
  EXPECT_EQ(a.when, "x == x");
  EXPECT_TRUE(a.continue_on.failed);
  EXPECT_FALSE(a.continue_on.error);
  EXPECT_EQ(tmpl.steps[0][1].with_param, "[1]");
  EXPECT_EQ(tmpl.steps[0][1].exit->template_name, "bye");
  const Step& c = tmpl.steps[1][0];
  EXPECT_EQ(c.with_sequence->start, "1");
  EXPECT_EQ(c.with_sequence->end, "5");
  EXPECT_EQ(c.with_sequence->count, "");
  EXPECT_EQ(c.exit->template_name, "hook");
  const Step& d = tmpl.steps[1][1];
  ASSERT_TRUE(d.inline_template);
  EXPECT_EQ(d.inline_template->type, Template::Type::kSuspend);
  EXPECT_EQ(d.arguments.parameters[0].value, "1");
  EXPECT_EQ(doc::to_json(*d.inline_template->document), R"({"suspend":{}})");
}

TEST(Parse, ReadsDag) {
  const Parsed parsed = parse_template(R"(    dag:
      target: a b
      failFast: false
      tasks:
      - {name: a, template: t, dependencies: [b, c]}
      - {name: d, template: t, depends: "a && b.Failed"}
)");
  EXPECT_THAT(parsed.errors, IsEmpty());
  const Dag& dag = *first_template(parsed).dag;
  EXPECT_EQ(dag.target, "a b");
  EXPECT_FALSE(dag.fail_fast);
  EXPECT_THAT(dag.tasks[0].dependencies, ElementsAre("b", "c"));
  EXPECT_EQ(dag.tasks[1].depends, "a && b.Failed");
}

TEST(Parse, ReadsTheRestOfATemplate) {
  const Parsed parsed = parse_template(R"(    inputs:
      parameters: [{name: p, default: d, description: text}]
      artifacts: [{name: a, path: /a, mode: 0644, optional: true, archive: {none: {}}}]
    outputs:
      parameters: [{name: o, valueFrom: {path: /o, default: 1}, globalName: g}]
      artifacts: [{name: b, path: /b, archive: {tar: {compressionLevel: 0}}}]
    retryStrategy:
      limit: 3
      retryPolicy: Always
      expression: "true"
      backoff: {duration: "1", factor: 2, cap: 1m, maxDuration: 5m}
    memoize: {key: k, maxAge: 1h, cache: {configMap: {name: c}}}
    activeDeadlineSeconds: "{{x}}"
    timeout: 5s
    annotations: {workflows.argoproj.io/display-name: shown}
    metadata: {labels: {a: b}}
    volumes: [{name: v, emptyDir: {}}]
    script:
      image: python
      command: [python]
      source: print()
      env: [{name: A, value: "1"}, {name: B, valueFrom: {secretKeyRef: {name: s, key: k}}}]
      volumeMounts: [{name: v, mountPath: /v}]
      resources: {limits: {cpu: 1}}
)");
  EXPECT_THAT(parsed.errors, IsEmpty());
  EXPECT_THAT(parsed.warnings, IsEmpty());
  const Template& tmpl = first_template(parsed);
  EXPECT_EQ(tmpl.type, Template::Type::kScript);
  EXPECT_TRUE(tmpl.runs_pod());
  EXPECT_EQ(tmpl.inputs.artifacts[0].mode, 0644);
  EXPECT_EQ(tmpl.inputs.artifacts[0].archive, Artifact::Archive::kNone);
  EXPECT_TRUE(tmpl.inputs.artifacts[0].optional);
  EXPECT_EQ(tmpl.outputs.parameters[0].value_from->path, "/o");
  EXPECT_EQ(tmpl.outputs.parameters[0].value_from->default_value, "1");
  EXPECT_EQ(tmpl.outputs.parameters[0].global_name, "g");
  EXPECT_EQ(tmpl.outputs.artifacts[0].compression_level, 0);
  EXPECT_EQ(tmpl.retry_strategy->limit, "3");
  EXPECT_EQ(tmpl.retry_strategy->backoff->factor, "2");
  EXPECT_EQ(tmpl.memoize->config_map, "c");
  EXPECT_EQ(tmpl.active_deadline_seconds, "{{x}}");
  EXPECT_EQ(tmpl.timeout, "5s");
  EXPECT_EQ(tmpl.display_name, "shown");
  EXPECT_EQ(doc::find_string(*tmpl.document, "script", "image"), "python");
}

TEST(Parse, WarnsOfWhatIsRead) {
  struct Case {
    const char* rule;
    const char* fields;
    const char* warning;
  };
  for (const auto& [rule, fields, warning] : {
           Case{"only for clusters", "    nodeSelector: {a: b}\n    suspend: {}\n",
                "only a cluster honours spec.templates[0].nodeSelector"},
           Case{"retry affinity", "    retryStrategy: {affinity: {nodeAntiAffinity: {}}}\n    suspend: {}\n",
                "only a cluster honours spec.templates[0].retryStrategy.affinity"},
           Case{"volumes that a machine has not",
                "    volumes: [{name: v, nfs: {server: s, path: /p}}, {name: w, nfs: {server: s, path: /q}}]\n    "
                "suspend: {}\n",
                "only a cluster honours spec.templates[0].volumes[0].nfs"},
           Case{"bare step", "    steps:\n    - {name: a, template: t}\n    - {name: b, template: t}\n",
                "spec.templates[0].steps[0] is a bare step; it is taken as a group of one: write \"- - name:\""},
           Case{"withItems that is a text", "    steps:\n    - - {name: a, template: t, withItems: \"{{x}}\"}\n",
                "spec.templates[0].steps[0][0].withItems takes a list; a string is read as withParam"},
           Case{"a parameter that is a list", "    inputs: {parameters: [{name: a, value: [1]}]}\n    suspend: {}\n",
                "spec.templates[0].inputs.parameters[0].value is a list: it is taken as an empty text; quote it"},
           Case{"a choice that is null", "    inputs: {parameters: [{name: a, enum: [null, x]}]}\n    suspend: {}\n",
                "spec.templates[0].inputs.parameters[0].enum[0] is null: it is taken as an empty text; quote it"},
       }) {
    const Parsed parsed = parse_template(fields);
    EXPECT_THAT(parsed.errors, IsEmpty()) << rule;
    EXPECT_THAT(parsed.warnings, ElementsAre(warning)) << rule;
  }
}

TEST(Parse, ParametersAreTexts) {
  struct Case {
    const char* rule;
    const char* value;
    std::optional<std::string> text;
  };
  for (const auto& [rule, value, text] :
       {Case{"a string", "x", "x"}, Case{"a number", "5", "5"}, Case{"a fraction", "1.50", "1.5"},
        Case{"a boolean", "true", "true"}, Case{"null is no value", "null", std::nullopt},
        Case{"an empty list", "[]", ""}, Case{"a list", "[1, 2]", ""}, Case{"an empty object", "{}", ""},
        Case{"an object", "{a: b}", ""}}) {
    const Parsed parsed =
        parse_template(fmt::format("    inputs: {{parameters: [{{name: a, value: {0}, default: {0}}}]}}\n"
                                   "    suspend: {{}}\n",
                                   value));
    EXPECT_THAT(parsed.errors, IsEmpty()) << rule;
    const Parameter& parameter = first_template(parsed).inputs.parameters.at(0);
    EXPECT_EQ(parameter.value, text) << rule;
    EXPECT_EQ(parameter.default_value, text) << rule;
  }
}

TEST(Parse, NoWarningOfWhatSaysNothing) {
  for (const char* fields : {"    nodeSelector: {}\n    suspend: {}\n", "    nodeSelector:\n    suspend: {}\n",
                             "    affinity: {}\n    tolerations: []\n    schedulerName: \"\"\n    suspend: {}\n"}) {
    const Parsed parsed = parse_template(fields);
    EXPECT_THAT(parsed.errors, IsEmpty()) << fields;
    EXPECT_THAT(parsed.warnings, IsEmpty()) << fields;
  }
}

TEST(Parse, RefusesWhatItCannotHonour) {
  struct Case {
    const char* rule;
    const char* fields;
    const char* error;
  };
  for (const auto& [rule, fields, error] : {
           Case{"a plugin and another one", "    plugin: {a: x, b: y}\n",
                "spec.templates[0].plugin: expected exactly one key, got 2"},
           Case{"a plugin that is to listen before it runs",
                "    inputs: {artifacts: [{name: a, plugin: {name: p, key: k, connectionTimeoutSeconds: -1}}]}\n    "
                "suspend: "
                "{}\n",
                "spec.templates[0].inputs.artifacts[0].plugin.connectionTimeoutSeconds must not be negative"},
           Case{"a source of values to come",
                "    inputs: {parameters: [{name: a, valueFrom: {event: x}}]}\n    suspend: {}\n",
                "spec.templates[0].inputs.parameters[0].valueFrom.event is not supported yet"},
           Case{"a claim of no name", "    volumes: [{name: v, persistentVolumeClaim: {}}]\n    suspend: {}\n",
                "spec.templates[0].volumes[0].persistentVolumeClaim.claimName is required"},
           Case{"a hook without a condition",
                "    steps: [[{name: a, template: t, hooks: {running: {template: t}}}]]\n",
                "spec.templates[0].steps[0][0].hooks.running needs an expression: only exit goes without"},
           Case{"a field of tasks in a step", "    steps: [[{name: a, template: t, dependences: [b]}]]\n",
                "unknown field \"dependences\" in spec.templates[0].steps[0][0]"},
           Case{"a step that is text", "    steps: [[a]]\n",
                "spec.templates[0].steps[0][0] must be an object, not a string"},
           Case{"a duration that is a number", "    suspend: {duration: 5}\n",
                "spec.templates[0].suspend.duration must be a string, not a number; quote it"},
           Case{"a limit that is no whole number", "    retryStrategy: {limit: 1.5}\n    suspend: {}\n",
                "spec.templates[0].retryStrategy.limit must be a whole number or a string, not a number"},
           Case{"a label that is a number", "    metadata: {labels: {a: 1}}\n    suspend: {}\n",
                "spec.templates[0].metadata.labels.a must be a string, not a number; quote it"},
           Case{"a compression level",
                "    outputs: {artifacts: [{name: a, archive: {tar: {compressionLevel: 10}}}]}\n",
                "spec.templates[0].outputs.artifacts[0].archive.tar.compressionLevel must be between -1 and 9"},
           Case{"source in a container", "    container: {image: x, source: y}\n",
                "unknown field \"source\" in spec.templates[0].container"},
       }) {
    EXPECT_THAT(parse_template(fields).errors, ElementsAre(error)) << rule;
  }
}

TEST(Parse, NullCountsAsAbsent) {
  const Parsed parsed = parse_template("    daemon: null\n    timeout:\n    suspend: {}\n");
  EXPECT_THAT(parsed.errors, IsEmpty());
  EXPECT_EQ(first_template(parsed).timeout, "");
}

TEST(Parse, ChecksTheKind) {
  struct Case {
    const char* json;
    const char* error;
  };
  for (const auto& [json, error] : {
           Case{R"({"apiVersion":"argoproj.io/v1alpha1"})", "kind is required: Workflow"},
           Case{R"({"apiVersion":"apps/v1","kind":"Deployment"})", "kind must be Workflow, not \"Deployment\""},
           Case{R"({"kind":"Workflow"})", "apiVersion is required: argoproj.io/v1alpha1"},
           Case{R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow"})", "spec is required"},
           Case{"[]", "the document must be an object, not a list"},
       }) {
    std::vector<Finding> findings;
    parse_workflow(*doc::parse_json(json), findings);
    ASSERT_EQ(findings.size(), 1u) << json;
    EXPECT_EQ(findings[0].message, error);
  }
}

TEST(Parse, StoredWorkflowsAreWholeOrAnError) {
  const doc::Value good = *doc::parse_json(
      R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow","metadata":{"name":"w"},"spec":{"entrypoint":"m"}})");
  const auto workflow = parse_stored_workflow(good);
  ASSERT_TRUE(workflow);
  EXPECT_EQ(workflow->spec.entrypoint, "m");
  doc::Value bad = good;
  bad.at("spec").get_object()["entrypoint"] = 1;
  const auto refused = parse_stored_workflow(bad);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kDataLoss);
  EXPECT_THAT(refused.error().message, HasSubstr("spec.entrypoint must be a string"));
}

TEST(Parse, OfWhatHasBegunPassesOverWhatWouldBeRefused) {
  struct Row {
    const char* rule;
    const char* document;
    std::vector<std::string> passed_over;  ///< pointers
    const char* error;
  };
  for (
      const auto& [rule, document, passed_over, error] : {
          Row{"a field that is not known, and a wrong type",
              R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow","metadata":{"name":"w"},"spec":{"entrypoint":"m",)"
              R"("new":1,"parallelism":"two","templateDefaults":{"activeDeadlineSeconds":7},"templates":[{"name":"m",)"
              R"("container":{"image":"i","tty":"maybe"}}]}})",
              {"/spec/new", "/spec/parallelism", "/spec/templates/0/container/tty", "/spec/templates/0/container/tty"},
              ""},
          Row{"another kind", R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Pod","spec":{}})", {}, "kind must be"},
          Row{"no spec", R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow"})", {}, "spec is required"},
          Row{"a null",
              R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow","spec":null})",
              {},
              "spec is required"},
      }) {
    std::vector<Finding> findings;
    const auto workflow = parse_begun_workflow(*doc::parse_json(document), findings);
    EXPECT_EQ(workflow                                                    ? ""
              : workflow.error().message.find(error) != std::string::npos ? error
                                                                          : "another",
              std::string(error))
        << rule;
    std::vector<std::string> pointers;
    for (const Finding& finding : findings) pointers.push_back(finding.pointer);
    std::ranges::sort(pointers);
    EXPECT_EQ(pointers, passed_over) << rule;
    if (!workflow) continue;
    EXPECT_EQ(workflow->spec.find_template("m")->active_deadline_seconds, "7") << "defaults are put in";
  }
}

TEST(Parse, SetsArguments) {
  struct Case {
    const char* rule;
    const char* before;
    const char* after;
  };
  for (const auto& [rule, before, after] : {
           Case{"a value is replaced",
                R"({"spec":{"arguments":{"parameters":[{"name":"p","value":"1"},{"name":"q"}]}}})",
                R"({"spec":{"arguments":{"parameters":[{"name":"p","value":"new"},{"name":"q"}]}}})"},
           Case{"a parameter is added", R"({"spec":{"arguments":{"parameters":[{"name":"q"}]}}})",
                R"({"spec":{"arguments":{"parameters":[{"name":"q"},{"name":"p","value":"new"}]}}})"},
           Case{"all is made", R"({})", R"({"spec":{"arguments":{"parameters":[{"name":"p","value":"new"}]}}})"},
           Case{"a source gives way", R"({"spec":{"arguments":{"parameters":[{"name":"p","valueFrom":{}}]}}})",
                R"({"spec":{"arguments":{"parameters":[{"name":"p","value":"new"}]}}})"},
       }) {
    doc::Value workflow = *doc::parse_json(before);
    set_argument(workflow, "p", "new");
    EXPECT_EQ(doc::to_json(workflow), after) << rule;
  }
}

}  // namespace
}  // namespace tiphys::api
