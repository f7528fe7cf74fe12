#include "api/references.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/join.h"
#include "api/parse.h"

namespace tiphys::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

doc::Value yaml(std::string_view text) {
  auto documents = doc::parse_yaml(text, "f.yaml");
  EXPECT_TRUE(documents) << documents.error().message;
  return std::move(documents->front().root);
}

std::string json(std::string_view text) {
  return doc::to_json(yaml(text));
}

TEST(JoinWorkflowSpec, TheWorkflowGoesFirst) {
  struct Case {
    const char* rule;
    const char* workflow;
    const char* tmpl;
    const char* joined;
  };
  for (const Case& row : {
           Case{"what the workflow does not say is the template's", "{}", "{entrypoint: a, parallelism: 2}",
                "{entrypoint: a, parallelism: 2}"},
           Case{"the entrypoint is overridden", "{entrypoint: b}", "{entrypoint: a}", "{entrypoint: b}"},
           Case{"a null says nothing", "{entrypoint: null}", "{entrypoint: a}", "{entrypoint: a}"},
           Case{"suspend is the workflow's alone", "{}", "{suspend: true, entrypoint: a}", "{entrypoint: a}"},
           Case{"parameters merge by name, the workflow's in front",
                "{arguments: {parameters: [{name: q, value: '2'}]}}",
                "{arguments: {parameters: [{name: p, value: '1'}, {name: q, value: '1', description: d}]}}",
                "{arguments: {parameters: [{name: p, value: '1'}, {name: q, value: '2'}]}}"},
           Case{"a parameter without a value keeps the template's", "{arguments: {parameters: [{name: p}]}}",
                "{arguments: {parameters: [{name: p, value: '1', enum: ['1', '2']}]}}",
                "{arguments: {parameters: [{name: p, value: '1', enum: ['1', '2']}]}}"},
           Case{"a value that replaces a valueFrom leaves nothing of it",
                "{arguments: {parameters: [{name: p, value: '1'}]}}",
                "{arguments: {parameters: [{name: p, valueFrom: {default: d}}]}}",
                "{arguments: {parameters: [{name: p, value: '1'}]}}"},
           Case{"an artifact in the same kind of place keeps what is left out of it",
                "{arguments: {artifacts: [{name: a, s3: {key: mine}}]}}",
                "{arguments: {artifacts: [{name: a, s3: {key: theirs, bucket: b}}]}}",
                "{arguments: {artifacts: [{name: a, s3: {key: mine, bucket: b}}]}}"},
           Case{"an artifact in another kind of place is the workflow's whole",
                "{arguments: {artifacts: [{name: a, raw: {data: x}}]}}",
                "{arguments: {artifacts: [{name: a, s3: {key: theirs, bucket: b}}]}}",
                "{arguments: {artifacts: [{name: a, raw: {data: x}}]}}"},
           Case{"a hook is taken whole", "{hooks: {exit: {template: mine}}}",
                "{hooks: {exit: {template: theirs, arguments: {parameters: [{name: p, value: v}]}}}}",
                "{hooks: {exit: {template: mine}}}"},
           Case{"a hook that the workflow lacks is the template's", "{}", "{hooks: {exit: {template: theirs}}}",
                "{hooks: {exit: {template: theirs}}}"},
           Case{"each of labelsFrom is taken whole", "{workflowMetadata: {labelsFrom: {a: {expression: \"'mine'\"}}}}",
                "{workflowMetadata: {labels: {x: z}, labelsFrom: {a: {expression: \"'theirs'\"}, b: {expression: "
                "\"'b'\"}}}}",
                "{workflowMetadata: {labels: {x: z}, labelsFrom: {a: {expression: \"'mine'\"}, b: {expression: "
                "\"'b'\"}}}}"},
           Case{"metadata of pods merges", "{podMetadata: {labels: {a: '1'}}}",
                "{podMetadata: {labels: {a: '2', b: '2'}}}", "{podMetadata: {labels: {a: '1', b: '2'}}}"},
           Case{"volumes merge by name", "{volumes: [{name: v, emptyDir: {}}]}", "{volumes: [{name: w, emptyDir: {}}]}",
                "{volumes: [{name: v, emptyDir: {}}, {name: w, emptyDir: {}}]}"},
       }) {
    const auto joined = join_workflow_spec(yaml(row.workflow), yaml(row.tmpl));
    ASSERT_TRUE(joined) << row.rule << ": " << joined.error().message;
    EXPECT_EQ(doc::to_json(*joined), json(row.joined)) << row.rule;
  }
}

TEST(JoinWorkflowSpec, TheDefaultsOfThePlaneGoLast) {
  struct Case {
    const char* rule;
    const char* workflow;
    const char* tmpl;
    const char* defaults;
    const char* joined;
  };
  for (const Case& row : {
           Case{"what nobody says is the defaults'", "{}", "{entrypoint: a}", "{parallelism: 2, entrypoint: z}",
                "{parallelism: 2, entrypoint: a}"},
           Case{"suspend is the workflow's alone", "{}", "{entrypoint: a}", "{suspend: true, entrypoint: a}",
                "{entrypoint: a}"},
           Case{"hooks of all three", "{hooks: {a: {template: w}}}", "{hooks: {a: {template: t}, b: {template: t}}}",
                "{hooks: {b: {template: d}, c: {template: d}}}",
                "{hooks: {a: {template: w}, b: {template: t}, c: {template: d}}}"},
           Case{"a value of the template leaves nothing of a default's valueFrom", "{}",
                "{arguments: {parameters: [{name: p, value: '1'}]}}",
                "{arguments: {parameters: [{name: p, valueFrom: {default: d}}, {name: q, value: '2'}]}}",
                "{arguments: {parameters: [{name: p, value: '1'}, {name: q, value: '2'}]}}"},
           Case{"strategies merge field by field", "{ttlStrategy: {secondsAfterSuccess: 1}}", "{}",
                "{ttlStrategy: {secondsAfterSuccess: 5, secondsAfterFailure: 6}}",
                "{ttlStrategy: {secondsAfterSuccess: 1, secondsAfterFailure: 6}}"},
       }) {
    const doc::Value defaults = yaml(row.defaults);
    const auto joined = join_workflow_spec(yaml(row.workflow), yaml(row.tmpl), &defaults);
    ASSERT_TRUE(joined) << row.rule << ": " << joined.error().message;
    EXPECT_EQ(*joined, yaml(row.joined)) << row.rule << "\n" << doc::to_json(*joined);
  }
}

TEST(WorkflowDefaults, FillWhatAWorkflowLeavesUnsaid) {
  struct Case {
    const char* rule;
    const char* workflow;
    const char* defaults;
    const char* whole;
  };
  for (const Case& row : {
           Case{"labels and annotations", "{metadata: {name: w, labels: {a: '1'}}}",
                "{metadata: {name: d, labels: {a: '2', b: '2'}, annotations: {c: '3'}}}",
                "{metadata: {name: w, labels: {a: '1', b: '2'}, annotations: {c: '3'}}}"},
           Case{"the spec, here with suspend", "{spec: {entrypoint: a, parallelism: null}}",
                "{spec: {entrypoint: z, parallelism: 4, suspend: true}}",
                "{spec: {entrypoint: a, parallelism: 4, suspend: true}}"},
           Case{"a default's valueFrom stays beside a value, as in the original",
                "{spec: {arguments: {parameters: [{name: p, value: '1'}]}}}",
                "{spec: {arguments: {parameters: [{name: p, valueFrom: {default: d}}]}}}",
                "{spec: {arguments: {parameters: [{name: p, value: '1', valueFrom: {default: d}}]}}}"},
           Case{"the spec of one that refers to a template is joined with that",
                "{spec: {workflowTemplateRef: {name: t}}}", "{metadata: {labels: {b: '2'}}, spec: {parallelism: 4}}",
                "{metadata: {labels: {b: '2'}}, spec: {workflowTemplateRef: {name: t}}}"},
       }) {
    const doc::Value defaults = yaml(row.defaults);
    const auto whole = with_workflow_defaults(yaml(row.workflow), defaults);
    ASSERT_TRUE(whole) << row.rule << ": " << whole.error().message;
    EXPECT_EQ(*whole, yaml(row.whole)) << row.rule << "\n" << doc::to_json(*whole);
    EXPECT_EQ(*with_workflow_defaults(*whole, defaults), *whole) << row.rule << ", again";
  }
}

TEST(TemplateDefaults, FillWhatATemplateLacks) {
  struct Case {
    const char* rule;
    const char* tmpl;
    const char* defaults;
    const char* merged;
  };
  for (const Case& row : {
           Case{"a container's fields", "{name: t, container: {command: [c]}}", "{container: {image: i}}",
                "{container: {image: i, command: [c]}, name: t}"},
           Case{"other types' fields are left out", "{name: t, container: {image: i}}", "{script: {image: j}, dag: {}}",
                "{name: t, container: {image: i}}"},
           Case{"the template's own value stays", "{name: t, timeout: 1s, container: {image: i}}", "{timeout: 9s}",
                "{timeout: 1s, name: t, container: {image: i}}"},
           Case{"limits of leaves are not given to groups", "{name: t, steps: []}",
                "{timeout: 9s, activeDeadlineSeconds: 3, retryStrategy: {limit: 2}}",
                "{retryStrategy: {limit: 2}, name: t, steps: []}"},
           Case{"limits of groups are not given to leaves", "{name: t, suspend: {}}", "{parallelism: 2, timeout: 1s}",
                "{name: t, suspend: {}}"},
           Case{"inline templates too", "{name: t, steps: [[{name: a, inline: {container: {command: [c]}}}]]}",
                "{container: {image: i}}",
                "{name: t, steps: [[{name: a, inline: {container: {image: i, command: [c]}}}]]}"},
           Case{"tasks' too", "{name: t, dag: {tasks: [{name: a, inline: {container: {command: [c]}}}]}}",
                "{container: {image: i}}",
                "{name: t, dag: {tasks: [{name: a, inline: {container: {image: i, command: [c]}}}]}}"},
       }) {
    const auto merged = with_template_defaults(yaml(row.tmpl), yaml(row.defaults));
    ASSERT_TRUE(merged) << row.rule << ": " << merged.error().message;
    EXPECT_EQ(doc::to_json(*merged), json(row.merged)) << row.rule;
  }
}

constexpr std::string_view kHead = "apiVersion: argoproj.io/v1alpha1\nkind: ";

/// WorkflowTemplates and ClusterWorkflowTemplates of a plane.
doc::Shared library(const TemplateHolder& holder) {
  struct Held {
    TemplateHolder holder;
    const char* spec;
  };
  static const Held kHeld[] = {
      {{false, "lib"},
       "{podMetadata: {labels: {of: lib}}, templates: [{name: leaf, container: {image: i}},"
       " {name: group, steps: [[{name: own, template: leaf}, {name: deep, templateRef: {name: far, template: t, "
       "clusterScope: true}}, {name: here, inline: {container: {image: j}}}]]}]}"},
      {{true, "far"}, "{templates: [{name: t, suspend: {}}, {name: unused, suspend: {}}]}"},
      {{false, "circle"}, "{templates: [{name: t, steps: [[{name: a, template: t}]]}]}"},
      {{false, "base"},
       "{entrypoint: main, arguments: {parameters: [{name: p, value: theirs}]}, templates: [{name: main, steps: "
       "[[{name: "
       "a, templateRef: {name: far, template: t, clusterScope: true}}]]}]}"},
      {{false, "broken"}, "{templates: [{name: t, container: 3}]}"},
  };
  for (const Held& each : kHeld) {
    if (each.holder != holder) continue;
    return std::make_shared<const doc::Value>(yaml(std::string(kHead) + (holder.cluster_scope ? "Cluster" : "") +
                                                   "WorkflowTemplate\nmetadata: {name: " + holder.name +
                                                   "}\nspec: " + each.spec));
  }
  return nullptr;
}

doc::Value workflow(std::string_view spec) {
  return yaml(std::string(kHead) + "Workflow\nmetadata: {name: w}\nspec: " + std::string(spec));
}

References resolve(const doc::Value& document) {
  std::vector<Finding> findings;
  References references(parse_workflow(document, findings));
  EXPECT_THAT(findings, IsEmpty());
  for (int i = 0; !references.wanted().empty(); ++i) {
    EXPECT_LT(i, 100);
    const TemplateHolder next = *references.wanted().begin();
    references.add(next, library(next));
  }
  return references;
}

std::vector<std::string> stored_keys(const References& references) {
  std::vector<std::string> keys;
  const doc::Object fields = references.status_fields();
  const doc::Value* templates = fields.if_contains("storedTemplates");
  if (!templates) return keys;
  for (const auto& [key, value] : templates->get_object()) keys.emplace_back(key);
  return keys;
}

constexpr const char* kCall = "{entrypoint: m, templates: [{name: m, steps: [[{name: s, templateRef: {%s}}]]}]}";

std::string calling(std::string_view ref) {
  std::string text(kCall);
  return text.replace(text.find("%s"), 2, ref);
}

TEST(References, HoldTheWholeClosure) {
  const References references = resolve(workflow(calling("name: lib, template: group")));
  EXPECT_THAT(stored_keys(references), ElementsAre("namespaced/lib/group", "namespaced/lib/inline/here",
                                                   "namespaced/lib/leaf", "cluster/far/t"));
  const doc::Object fields = references.status_fields();
  EXPECT_EQ(doc::to_json(*doc::find(doc::Value(fields), "storedTemplates", "namespaced/lib/leaf")),
            R"({"name":"leaf","container":{"image":"i"},"metadata":{"labels":{"of":"lib"}}})")
      << "what the object says of its pods comes along";
  EXPECT_FALSE(fields.contains("storedWorkflowTemplateSpec"));
}

TEST(References, EndWhereTemplatesCallThemselves) {
  EXPECT_THAT(stored_keys(resolve(workflow(calling("name: circle, template: t")))), ElementsAre("namespaced/circle/t"));
}

TEST(References, LeaveOutWhatIsMissing) {
  for (const char* ref : {"name: nowhere, template: t", "name: lib, template: nothing"}) {
    const doc::Value document = workflow(calling(ref));
    const References references = resolve(document);
    EXPECT_FALSE(references.error()) << ref;
    EXPECT_FALSE(references.any()) << ref;
    std::vector<Finding> findings;
    validate_workflow(parse_resolved_workflow(references.stored_in(document), findings), findings,
                      {.references = true});
    ASSERT_EQ(findings.size(), 1u) << ref;
    EXPECT_THAT(findings[0].message, HasSubstr(" not found"));
    EXPECT_EQ(findings[0].pointer, "/spec/templates/0/steps/0/0/templateRef");
  }
}

TEST(References, JoinTheSpecOfAWorkflowTemplateRef) {
  const doc::Value document =
      workflow("{workflowTemplateRef: {name: base}, arguments: {parameters: [{name: p, value: mine}]}}");
  const References references = resolve(document);
  EXPECT_THAT(stored_keys(references), ElementsAre("namespaced/base/main", "cluster/far/t"));
  const auto stored = parse_stored_workflow(references.stored_in(document));
  ASSERT_TRUE(stored) << stored.error().message;
  EXPECT_TRUE(stored->joined);
  EXPECT_EQ(stored->spec.entrypoint, "main");
  EXPECT_EQ(stored->spec.arguments.parameters.at(0).value, "mine");
  ASSERT_TRUE(stored->spec.workflow_template_ref);
  std::vector<Finding> findings;
  validate_workflow(*stored, findings, {.references = true});
  EXPECT_THAT(findings, IsEmpty());
}

TEST(References, TellWhyAWorkflowCannotRun) {
  const References missing = resolve(workflow("{workflowTemplateRef: {name: nowhere, clusterScope: true}}"));
  ASSERT_TRUE(missing.error());
  EXPECT_EQ(missing.error()->message, "clusterworkflowtemplate.argoproj.io \"nowhere\" not found");
  const References broken = resolve(workflow(calling("name: broken, template: t")));
  ASSERT_TRUE(broken.error());
  EXPECT_EQ(broken.error()->message,
            "WorkflowTemplate broken: spec.templates[0].container must be an object, not a number");
}

TEST(References, AreValidatedInTheirOwnScope) {
  const doc::Value document = workflow(calling("name: lib, template: group"));
  std::vector<Finding> findings;
  validate_workflow(parse_resolved_workflow(resolve(document).stored_in(document), findings), findings,
                    {.references = true});
  EXPECT_THAT(findings, IsEmpty());
}

}  // namespace
}  // namespace tiphys::api
