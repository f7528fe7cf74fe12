#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "argo/testing.h"
#include "controllers/names.h"

namespace tiphys::argo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kWorkflow = "workflow.WorkflowService/";
const std::string kTemplate = "workflowtemplate.WorkflowTemplateService/";
const std::string kCron = "cronworkflow.CronWorkflowService/";
const std::string kArchive = "workflowarchive.ArchivedWorkflowService/";

const char* const kSpec =
    "{entrypoint: main, templates: [{name: main, container: {image: a, command: [b]}}], "
    "arguments: {parameters: [{name: p, value: x}]}}";

class ServicesTest : public testing::Test {
 protected:
  doc::Value create(std::string_view name, std::string_view more = "") {
    return services_.get(
        kWorkflow + "CreateWorkflow",
        fmt::format("{{namespace: default, workflow: {{metadata: {{name: {}}}, spec: {} {}}}}}", name, kSpec, more));
  }
  void set_status(std::string_view name, doc::Object fields,
                  std::vector<cluster::WorkflowStatusUpdate::Node> nodes = {}) {
    cluster::WorkflowStatusUpdate update{.nodes = std::move(nodes), .fields = std::move(fields)};
    const std::string phase(doc::find_string(doc::Value(update.fields), "phase"));
    if (phase == "Succeeded" || phase == "Failed") {
      update.labels = {{controllers::kCompletedLabel, "true"}, {controllers::kPhaseLabel, phase}};
      update.completed = true;
    }
    ASSERT_TRUE(services_.store().update_workflow_status(key(name), std::move(update)));
    services_.store().run();
  }
  /// Ends a workflow as a plane does that archives; gives its uid.
  std::string archive(std::string_view name, std::string_view phase = "Failed", int second = 0) {
    create(name);
    set_status(name,
               {{"phase", phase},
                {"startedAt", fmt::format("2026-01-02T00:00:{:02}Z", second)},
                {"finishedAt", fmt::format("2026-01-02T00:01:{:02}Z", second)}},
               {{"n", R"({"id":"n","name":"n","type":"Pod","phase":"Failed"})"}});
    const doc::Value mark{{"metadata", {{"labels", {{controllers::kArchivingStatusLabel, "Archived"}}}}}};
    EXPECT_TRUE(services_.store().patch(key(name), cluster::PatchType::kMerge, mark));
    return std::string(doc::find_string(stored(name), "metadata", "uid"));
  }
  void remove(std::string_view name) {
    EXPECT_EQ(services_.ask(kWorkflow + "DeleteWorkflow", fmt::format("{{namespace: default, name: {}}}", name)), "{}");
    services_.store().run();
  }
  static cluster::Key key(std::string_view name) { return {&cluster::kWorkflows, "default", std::string(name)}; }
  doc::Value stored(std::string_view name) { return **services_.store().get(key(name)); }
  std::vector<std::string> names(const doc::Value& list) {
    std::vector<std::string> found;
    for (const doc::Value& item : list.at("items").as_array()) {
      found.emplace_back(doc::find_string(item, "metadata", "name"));
    }
    return found;
  }

  TestServices services_;
};

TEST_F(ServicesTest, MakesWorkflows) {
  const doc::Value made = create("a");
  EXPECT_EQ(doc::find_string(made, "apiVersion"), "argoproj.io/v1alpha1");
  EXPECT_EQ(doc::find_string(made, "kind"), "Workflow");
  EXPECT_EQ(doc::find_string(made, "metadata", "namespace"), "default");
  EXPECT_FALSE(doc::find_string(made, "metadata", "uid").empty());
  EXPECT_THAT(
      services_.ask(kWorkflow + "CreateWorkflow",
                    fmt::format("{{namespace: default, workflow: {{metadata: {{name: a}}, spec: {}}}}}", kSpec)),
      StartsWith("error 6: "));
}

TEST_F(ServicesTest, RefusesWhatIsNoWorkflow) {
  struct Case {
    const char *request, *error;
  };
  for (const auto& [request, error] : {
           Case{"{namespace: default}", "error 3: workflow: the request has no Workflow"},
           Case{
               "{namespace: default, workflow: {metadata: {name: a}, spec: {entrypoint: none, templates: [{name: main, "
               "container: {image: a}}]}}}",
               "error 3: spec.entrypoint: "},
           Case{"{namespace: default, workflow: {kind: Pod, metadata: {name: a}}}", "error 3: workflow.kind: "},
           Case{"{namespace: default, workflow: {metadata: {name: a, namespace: other}, spec: {}}}",
                "error 3: the namespace of the provided object does not match"},
           Case{"{namespace: default, workflow: {metadata: {name: a}, spec: {workflowTemplateRef: {name: none}}}}",
                "error 3: spec.workflowTemplateRef: "},
       }) {
    EXPECT_THAT(services_.ask(kWorkflow + "CreateWorkflow", request), StartsWith(error)) << request;
  }
}

TEST_F(ServicesTest, TakesWhatClientsSend) {
  // Zero values and fields that there are no more.
  const doc::Value made = services_.get(
      kWorkflow + "CreateWorkflow",
      "{namespace: default, createOptions: {}, workflow: {metadata: {name: a, creationTimestamp: null}, spec: "
      "{entrypoint: main, arguments: {}, unknownField: 1, templates: [{name: main, inputs: {}, outputs: {}, metadata: "
      "{}, container: {name: '', image: a, command: [b], resources: {}}}]}, status: {startedAt: null, finishedAt: "
      "null}}}");
  EXPECT_EQ(doc::find_string(made, "metadata", "name"), "a");
  EXPECT_EQ(doc::to_json(*doc::find(made, "status")), "{}") << "as Go has it";
  EXPECT_EQ(doc::find(stored("a"), "status"), nullptr);
}

TEST_F(ServicesTest, TriesWithoutMaking) {
  const std::string object = fmt::format("workflow: {{metadata: {{generateName: a-}}, spec: {}}}", kSpec);
  const doc::Value dry =
      services_.get(kWorkflow + "CreateWorkflow",
                    fmt::format("{{namespace: default, createOptions: {{dryRun: [All]}}, {}}}", object));
  EXPECT_EQ(doc::find_string(dry, "metadata", "uid"), "");
  const doc::Value of_server = services_.get(kWorkflow + "CreateWorkflow",
                                             fmt::format("{{namespace: default, serverDryRun: true, {}}}", object));
  EXPECT_THAT(std::string(doc::find_string(of_server, "metadata", "name")), StartsWith("a-"));
  EXPECT_TRUE(services_.store().list(cluster::kWorkflows)->items.empty());
}

TEST_F(ServicesTest, SubmitsFromTemplatesAndCrons) {
  services_.get(kTemplate + "CreateWorkflowTemplate",
                fmt::format("{{namespace: default, template: {{metadata: {{name: t}}, spec: {}}}}}", kSpec));
  const doc::Value made =
      services_.get(kWorkflow + "SubmitWorkflow",
                    "{namespace: default, resourceKind: workflowtemplate, resourceName: t, submitOptions: {parameters: "
                    "[p=y], labels: "
                    "'a=b', name: w, priority: 3, serviceAccount: s, annotations: 'c=d', entryPoint: main}}");
  EXPECT_EQ(doc::find_string(made, "metadata", "name"), "w");
  EXPECT_EQ(doc::find_string(made, "metadata", "labels", "a"), "b");
  EXPECT_EQ(doc::find_string(made, "metadata", "labels", "workflows.argoproj.io/workflow-template"), "t");
  EXPECT_EQ(doc::find_string(made, "metadata", "annotations", "c"), "d");
  EXPECT_EQ(doc::to_json(*doc::find(made, "spec")),
            R"({"workflowTemplateRef":{"name":"t"},"arguments":{"parameters":[{"name":"p","value":"y"}]},)"
            R"("entrypoint":"main","serviceAccountName":"s","priority":3})");

  services_.get(kCron + "CreateCronWorkflow",
                fmt::format("{{namespace: default, cronWorkflow: {{metadata: {{name: c}}, spec: {{schedules: ['0 0 1 1 "
                            "*'], workflowSpec: {}}}}}}}",
                            kSpec));
  const doc::Value of_cron =
      services_.get(kWorkflow + "SubmitWorkflow", "{namespace: default, resourceKind: cronwf, resourceName: c}");
  EXPECT_EQ(doc::find_string(of_cron, "metadata", "labels", "workflows.argoproj.io/cron-workflow"), "c");

  EXPECT_THAT(services_.ask(kWorkflow + "SubmitWorkflow", "{namespace: default, resourceKind: pod, resourceName: x}"),
              "error 3: Resource kind 'pod' is not supported for submitting");
  EXPECT_THAT(services_.ask(kWorkflow + "SubmitWorkflow",
                            "{namespace: default, resourceKind: workflowtemplate, resourceName: none}"),
              StartsWith("error 5: "));
  EXPECT_THAT(
      services_.ask(kWorkflow + "SubmitWorkflow", "{namespace: default, resourceKind: cwf, resourceName: none}"),
      StartsWith("error 5: "));
}

TEST_F(ServicesTest, Lints) {
  EXPECT_THAT(
      services_.ask(kWorkflow + "LintWorkflow",
                    fmt::format("{{namespace: default, workflow: {{metadata: {{name: a}}, spec: {}}}}}", kSpec)),
      StartsWith("{"));
  EXPECT_THAT(services_.ask(kWorkflow + "LintWorkflow",
                            "{namespace: default, workflow: {metadata: {name: a}, spec: {entrypoint: main, templates: "
                            "[{name: main, steps: [[{name: s, template: none}]]}]}}}"),
              HasSubstr("none"));
}

TEST_F(ServicesTest, GivesFieldsAndTheLatest) {
  create("a");
  create("b");
  set_status("b", {{"phase", "Running"}}, {{"n", R"({"id":"n"})"}});
  EXPECT_EQ(doc::find_string(services_.get(kWorkflow + "GetWorkflow", "{namespace: default, name: '@latest'}"),
                             "metadata", "name"),
            "b");
  EXPECT_EQ(
      services_.ask(kWorkflow + "GetWorkflow", "{namespace: default, name: b, fields: 'metadata.name,status.nodes'}"),
      R"({"metadata":{"name":"b"},"status":{"nodes":{"n":{"id":"n"}}},"spec":{"arguments":{}}})");
  EXPECT_EQ(services_.ask(kWorkflow + "GetWorkflow", "{namespace: default, name: none}"),
            "error 5: workflows.argoproj.io \"none\" not found");
  EXPECT_THAT(services_.ask(kWorkflow + "GetWorkflow", "{namespace: default, name: b, uid: other}"),
              StartsWith("error 5: "));
  EXPECT_EQ(services_.ask(kWorkflow + "GetWorkflow", "{namespace: none, name: '@latest'}"),
            "error 5: no workflows found");
}

TEST_F(ServicesTest, ListsPages) {
  for (const char* name : {"a1", "a2", "b1", "b2"}) create(name);
  set_status("a1",
             {{"phase", "Succeeded"}, {"startedAt", "2026-01-01T00:00:00Z"}, {"finishedAt", "2026-01-01T00:00:09Z"}});
  set_status("b1",
             {{"phase", "Failed"}, {"startedAt", "2026-01-02T00:00:00Z"}, {"finishedAt", "2026-01-02T00:00:09Z"}});
  struct Case {
    const char* request;
    std::vector<std::string> names;
  };
  for (const auto& [request, expected] : {
           // Running ones first, then by their ends.
           Case{"{namespace: default}", {"a2", "b2", "b1", "a1"}},
           Case{"{namespace: ''}", {"a2", "b2", "b1", "a1"}},
           Case{"{namespace: other}", {}},
           Case{"{namespace: default, listOptions: {limit: 3}}", {"a2", "b2", "b1"}},
           Case{"{namespace: default, listOptions: {limit: 3, continue: '3'}}", {"a1"}},
           Case{"{namespace: default, listOptions: {continue: '9'}}", {}},
           Case{"{namespace: default, listOptions: {labelSelector: 'workflows.argoproj.io/phase=Failed'}}", {"b1"}},
           Case{"{namespace: default, listOptions: {fieldSelector: 'metadata.name=a2'}}", {"a2"}},
           Case{"{namespace: default, listOptions: {fieldSelector: 'metadata.name!=a2'}}", {"b2", "b1", "a1"}},
           Case{"{namespace: default, listOptions: {fieldSelector: 'metadata.name=a'}, nameFilter: Prefix}",
                {"a2", "a1"}},
           Case{"{namespace: default, listOptions: {fieldSelector: 'metadata.name=1'}, nameFilter: Contains}",
                {"b1", "a1"}},
           Case{"{namespace: default, listOptions: {fieldSelector: 'metadata.name=B'}, nameFilter: Contains}",
                {"b2", "b1"}},
           Case{"{namespace: default, listOptions: {fieldSelector: 'metadata.name=B1'}, nameFilter: Exact}", {}},
           Case{"{namespace: '', listOptions: {fieldSelector: 'metadata.namespace!=default'}}", {}},
           Case{"{namespace: default, finishedBefore: '2026-01-02T00:00:00Z'}", {"a1"}},
           Case{"{namespace: default, listOptions: {fieldSelector: 'spec.startedAt>2026-01-01T12:00:00Z'}}", {"b1"}},
       }) {
    EXPECT_EQ(names(services_.get(kWorkflow + "ListWorkflows", request)), expected) << request;
  }
  EXPECT_THAT(services_.ask(kWorkflow + "ListWorkflows",
                            "{namespace: default, listOptions: {limit: 1, fieldSelector: "
                            "'ext.showRemainingItemCount=true'}, fields: 'metadata,items.metadata.name'}"),
              HasSubstr(R"("continue":"1","remainingItemCount":3},"items":[{"metadata":{"name":)"));
  EXPECT_EQ(services_.ask(kWorkflow + "ListWorkflows", "{namespace: default, fields: 'items.status.phase'}"),
            R"({"items":[{"metadata":{},"spec":{"arguments":{}},"status":{}},)"
            R"({"metadata":{},"spec":{"arguments":{}},"status":{}},)"
            R"({"status":{"phase":"Failed"},"metadata":{},"spec":{"arguments":{}}},)"
            R"({"status":{"phase":"Succeeded"},"metadata":{},"spec":{"arguments":{}}}]})");
  EXPECT_EQ(services_.ask(kWorkflow + "ListWorkflows", "{namespace: default, listOptions: {continue: x}}"),
            "error 3: listOptions.continue must be int");
  EXPECT_EQ(
      services_.ask(kWorkflow + "ListWorkflows", "{namespace: default, listOptions: {fieldSelector: 'spec.x=1'}}"),
      "error 3: unsupported requirement spec.x=1");
  EXPECT_THAT(services_.ask(kWorkflow + "ListWorkflows", "{namespace: default, createdAfter: soon}"),
              StartsWith("error 3: createdAfter: "));
}

TEST_F(ServicesTest, WatchesWorkflows) {
  create("a");
  const auto answer =
      services_.call(kWorkflow + "WatchWorkflows",
                     "{namespace: default, listOptions: {fieldSelector: 'metadata.name=@latest'}, fields: "
                     "'result.object.metadata.name,result.object.status'}");
  create("other");
  set_status("a", {{"phase", "Running"}}, {{"n", R"({"id":"n"})"}});
  services_.store().remove(key("a"));
  services_.store().run();
  std::vector<std::string> events;
  for (const doc::Value& event : answer->stream) events.push_back(doc::to_json(event));
  EXPECT_THAT(events, ElementsAre(R"({"type":"ADDED","object":{"metadata":{"name":"a"},"spec":{"arguments":{}},)"
                                  R"("status":{}}})",
                                  R"({"type":"MODIFIED","object":{"metadata":{"name":"a"},"status":)"
                                  R"({"phase":"Running","nodes":{"n":{"id":"n"}}},"spec":{"arguments":{}}}})",
                                  StartsWith(R"({"type":"DELETED")")));
  EXPECT_THAT(services_.ask(kWorkflow + "WatchWorkflows", "{namespace: default, listOptions: {resourceVersion: x}}"),
              StartsWith("error 3: "));
}

TEST_F(ServicesTest, ShutsDownAndSuspends) {
  create("a");
  EXPECT_EQ(
      doc::find_string(services_.get(kWorkflow + "StopWorkflow", "{namespace: default, name: a}"), "spec", "shutdown"),
      "Stop");
  EXPECT_EQ(doc::find_string(services_.get(kWorkflow + "TerminateWorkflow", "{namespace: default, name: a}"), "spec",
                             "shutdown"),
            "Terminate");
  create("b");
  EXPECT_TRUE(
      services_.get(kWorkflow + "SuspendWorkflow", "{namespace: default, name: b}").at("spec").at("suspend").as_bool());
  EXPECT_EQ(doc::find(services_.get(kWorkflow + "ResumeWorkflow", "{namespace: default, name: b}"), "spec", "suspend"),
            nullptr);
  set_status("b", {{"phase", "Failed"}});
  EXPECT_EQ(services_.ask(kWorkflow + "StopWorkflow", "{namespace: default, name: b}"),
            "error 9: cannot shutdown a completed workflow: workflow: \"b\", namespace: \"default\"");
  EXPECT_EQ(services_.ask(kWorkflow + "SuspendWorkflow", "{namespace: default, name: b}"),
            "error 9: cannot suspend completed workflows");
}

TEST_F(ServicesTest, AsksNodesThatWait) {
  create("a");
  set_status("a", {{"phase", "Running"}},
             {{"n", R"({"id":"n","name":"a.n","displayName":"n","type":"Suspend","phase":"Running","outputs":)"
                    R"({"parameters":[{"name":"o","valueFrom":{"supplied":{},"default":"d"}}]}})"},
              {"p", R"({"id":"p","name":"a.p","displayName":"p","type":"Pod","phase":"Running"})"}});
  const auto requests = [&] {
    return doc::parse_json(
               doc::find_string(stored("a"), "metadata", "annotations", controllers::kNodeRequestsAnnotation))
        .value_or(doc::Array());
  };
  services_.get(kWorkflow + "ResumeWorkflow", "{namespace: default, name: a}");
  services_.get(kWorkflow + "SetWorkflow",
                "{namespace: default, name: a, nodeFieldSelector: 'displayName=n', message: hi, outputParameters: "
                "'{\"o\": \"v\"}'}");
  services_.get(kWorkflow + "StopWorkflow",
                "{namespace: default, name: a, nodeFieldSelector: 'displayName=n', message: no}");
  ASSERT_EQ(requests().as_array().size(), 3u);
  EXPECT_EQ(doc::find_string(requests().at(0), "phase"), "Succeeded");
  EXPECT_EQ(doc::find_string(requests().at(1), "outputParameters", "o"), "v");
  EXPECT_EQ(doc::find_string(requests().at(1), "message"), "hi");
  EXPECT_EQ(doc::find_string(requests().at(2), "phase"), "Failed");
  struct Case {
    const char *method, *request, *error;
  };
  for (const auto& [method, request, error] : {
           Case{"ResumeWorkflow", "{namespace: default, name: a, nodeFieldSelector: 'displayName=x'}", "error 9: "},
           Case{"SetWorkflow", "{namespace: default, name: a}", "error 9: 'set' currently only targets suspend nodes"},
           Case{"SetWorkflow", "{namespace: default, name: a, phase: Running}", "error 3: Running is an invalid phase"},
           Case{"SetWorkflow", "{namespace: default, name: a, nodeFieldSelector: 'id=n', outputParameters: '[]'}",
                "error 3: unable to parse output parameter set request"},
           Case{"SetWorkflow",
                "{namespace: default, name: a, nodeFieldSelector: 'id=n', outputParameters: '{\"a\": 1}'}",
                "error 3: unable to parse output parameter set request"},
           Case{"SetWorkflow", "{namespace: default, name: a, nodeFieldSelector: 'id=p', message: m}",
                "error 9: currently, set only targets suspend nodes"},
           Case{"SetWorkflow",
                "{namespace: default, name: a, nodeFieldSelector: 'id=n', outputParameters: '{\"x\": \"1\"}'}",
                "error 9: node is not expecting output parameter 'x'"},
           Case{"StopWorkflow", "{namespace: default, name: a, nodeFieldSelector: 'id=p'}",
                "error 9: currently, set only targets suspend nodes"},
           Case{"StopWorkflow", "{namespace: default, name: a, nodeFieldSelector: 'id'}",
                "error 3: selector is invalid"},
       }) {
    EXPECT_THAT(services_.ask(kWorkflow + method, request), StartsWith(error)) << request;
  }
}

/// Nothing changes, as in the original.
TEST_F(ServicesTest, ResumesNothingWhereANodeLacksAValue) {
  create("a");
  set_status("a", {{"phase", "Running"}},
             {{"n", R"({"id":"n","name":"a.n","displayName":"n","type":"Suspend","phase":"Running","outputs":)"
                    R"({"parameters":[{"name":"o","valueFrom":{"supplied":{}}}]}})"}});
  services_.get(kWorkflow + "SuspendWorkflow", "{namespace: default, name: a}");
  EXPECT_EQ(services_.ask(kWorkflow + "ResumeWorkflow", "{namespace: default, name: a}"),
            "error 9: raw output parameter 'o' has not been set and does not have a default value");
  EXPECT_TRUE(stored("a").at("spec").at("suspend").as_bool());
  EXPECT_EQ(doc::find(stored("a"), "metadata", "annotations", controllers::kNodeRequestsAnnotation), nullptr);
}

TEST_F(ServicesTest, RetriesAndResubmits) {
  create("a");
  EXPECT_THAT(services_.ask(kWorkflow + "RetryWorkflow", "{namespace: default, name: a}"), StartsWith("error 9: "));
  set_status("a", {{"phase", "Failed"}, {"finishedAt", "2026-01-02T00:00:09Z"}},
             {{"a", R"({"id":"a","name":"a","displayName":"a","type":"Pod","phase":"Failed","templateName":"main"})"}});
  const doc::Value again =
      services_.get(kWorkflow + "ResubmitWorkflow", "{namespace: default, name: a, parameters: [p=z]}");
  EXPECT_EQ(doc::find_string(again, "metadata", "labels", "workflows.argoproj.io/resubmitted-from-workflow"), "a");
  EXPECT_EQ(doc::find_string(again.at("spec").at("arguments").at("parameters").at(0), "value"), "z");
  const doc::Value memoized =
      services_.get(kWorkflow + "ResubmitWorkflow", "{namespace: default, name: a, memoized: true}");
  EXPECT_NE(doc::find(memoized, "status"), nullptr);
  const doc::Value retried = services_.get(kWorkflow + "RetryWorkflow", "{namespace: default, name: a}");
  EXPECT_EQ(doc::find_string(retried, "metadata", "labels", controllers::kCompletedLabel), "");
  EXPECT_THAT(services_.ask(kWorkflow + "ResubmitWorkflow", "{namespace: default, name: a, parameters: [p]}"),
              StartsWith("error 3: expected parameter of the form"));
}

TEST_F(ServicesTest, DeletesWorkflows) {
  create("a");
  EXPECT_EQ(services_.ask(kWorkflow + "DeleteWorkflow", "{namespace: default, name: a}"), "{}");
  EXPECT_THAT(services_.ask(kWorkflow + "DeleteWorkflow", "{namespace: default, name: a}"), StartsWith("error 5: "));
  // What others wait for goes with force alone.
  create("b");
  ASSERT_TRUE(services_.store().patch(key("b"), cluster::PatchType::kMerge,
                                      objects::parse_one("{metadata: {finalizers: [x/y]}}")));
  EXPECT_EQ(services_.ask(kWorkflow + "DeleteWorkflow", "{namespace: default, name: b}"), "{}");
  EXPECT_NE(doc::find_string(stored("b"), "metadata", "deletionTimestamp"), "");
  EXPECT_THAT(services_.ask(kWorkflow + "DeleteWorkflow", "{namespace: default, name: b, force: true}"),
              StartsWith("{}"));
}

TEST_F(ServicesTest, ReadsLogs) {
  create("a");
  ASSERT_TRUE(services_.store().create(
      cluster::kPods,
      objects::parse_one("{metadata: {name: p, namespace: default, labels: {workflows.argoproj.io/workflow: "
                         "a}}, spec: {containers: [{name: main}]}, status: {phase: Succeeded}}")));
  services_.store()->set_log_reader([&](const cluster::Object&, cluster::LogOptions options, cluster::LogSink sink) {
    services_.store().executor().post([options, sink = std::move(sink)]() mutable {
      sink.on_line("one", Time{}, "stdout");
      sink.on_line("two " + std::to_string(options.tail), Time{}, "stdout");
      sink.on_line("no\xfftext", Time{}, "stdout");
      sink.on_end({});
    });
    return nullptr;
  });
  const auto logs = [&](const char* request) {
    const auto answer = services_.call(kWorkflow + "WorkflowLogs", request);
    std::string text;
    for (const doc::Value& line : answer->stream) text += doc::to_json(line);
    return text + (answer->ended ? "." : answer->error ? answer->error->message : "...");
  };
  EXPECT_EQ(logs("{namespace: default, name: a, logOptions: {container: main, tailLines: 5}}"),
            "{\"content\":\"one\",\"podName\":\"p\"}{\"content\":\"two 5\",\"podName\":\"p\"}"
            "{\"content\":\"no\xef\xbf\xbdtext\",\"podName\":\"p\"}.");
  EXPECT_EQ(logs("{namespace: default, name: '@latest', grep: tw}"), R"({"content":"two -1","podName":"p"}.)");
  EXPECT_EQ(logs("{namespace: default, name: a, podName: p, grep: z}"), ".");
  EXPECT_EQ(logs("{namespace: default, name: a, podName: P, grep: tw}"), R"({"content":"two -1","podName":"p"}.)")
      << "derived from a template's name with capitals";
  EXPECT_THAT(logs("{namespace: default, name: a, podName: q}"), HasSubstr("has no pod \"q\""));
  EXPECT_THAT(logs("{namespace: default, name: none}"), HasSubstr("not found"));
  EXPECT_THAT(logs("{namespace: default, name: a, grep: '('}"), HasSubstr("grep: "));
  EXPECT_THAT(logs("{namespace: default, name: a, logOptions: {sinceTime: soon}}"), HasSubstr("soon"));
}

TEST_F(ServicesTest, KeepsTemplates) {
  const std::string object = fmt::format("template: {{metadata: {{name: t}}, spec: {}}}", kSpec);
  services_.get(kTemplate + "CreateWorkflowTemplate", fmt::format("{{namespace: default, {}}}", object));
  doc::Value tmpl = services_.get(kTemplate + "GetWorkflowTemplate", "{namespace: default, name: t}");
  EXPECT_EQ(doc::find_string(tmpl, "kind"), "WorkflowTemplate");
  EXPECT_EQ(names(services_.get(kTemplate + "ListWorkflowTemplates", "{namespace: default}")),
            std::vector<std::string>{"t"});
  EXPECT_EQ(services_.get(kTemplate + "ListWorkflowTemplates", "{namespace: default, namePattern: x}")
                .at("items")
                .as_array()
                .size(),
            0u);
  tmpl.at("spec").as_object()["entrypoint"] = "none";
  const auto update = [&] {
    return services_.ask(kTemplate + "UpdateWorkflowTemplate",
                         doc::to_json(doc::Object{{"namespace", "default"}, {"name", "t"}, {"template", tmpl}}));
  };
  EXPECT_THAT(update(), StartsWith("error 3: spec.entrypoint"));
  tmpl.at("spec").as_object()["entrypoint"] = "main";
  tmpl.at("spec").as_object()["priority"] = 1;
  EXPECT_THAT(update(), HasSubstr("\"priority\":1"));
  EXPECT_THAT(update(), StartsWith("error 6: ")) << "of an older version";
  EXPECT_THAT(services_.ask(kTemplate + "LintWorkflowTemplate", fmt::format("{{namespace: default, {}}}", object)),
              StartsWith("{"));
  EXPECT_EQ(services_.ask(kTemplate + "DeleteWorkflowTemplate", "{namespace: default, name: t}"), "{}");
  EXPECT_THAT(services_.ask(kTemplate + "GetWorkflowTemplate", "{namespace: default, name: t}"),
              StartsWith("error 5: "));

  const std::string of_cluster = "clusterworkflowtemplate.ClusterWorkflowTemplateService/";
  services_.get(of_cluster + "CreateClusterWorkflowTemplate", fmt::format("{{{}}}", object));
  EXPECT_EQ(doc::find_string(services_.get(of_cluster + "GetClusterWorkflowTemplate", "{name: t}"), "kind"),
            "ClusterWorkflowTemplate");
}

TEST_F(ServicesTest, KeepsCrons) {
  services_.get(kCron + "CreateCronWorkflow",
                fmt::format("{{namespace: default, cronWorkflow: {{metadata: {{name: c}}, spec: {{schedules: ['0 0 1 1 "
                            "*'], workflowSpec: {}}}}}}}",
                            kSpec));
  const std::string named = "{namespace: default, name: c}";
  EXPECT_TRUE(services_.get(kCron + "SuspendCronWorkflow", named).at("spec").at("suspend").as_bool());
  EXPECT_FALSE(services_.get(kCron + "ResumeCronWorkflow", named).at("spec").at("suspend").as_bool());
  EXPECT_THAT(services_.ask(kCron + "CreateCronWorkflow",
                            "{namespace: default, cronWorkflow: {metadata: {name: d}, spec: {schedules: ['x'], "
                            "workflowSpec: {entrypoint: a, templates: []}}}}"),
              StartsWith("error 3: "));
  EXPECT_EQ(services_.ask(kCron + "DeleteCronWorkflow", named), "{}");
}

TEST_F(ServicesTest, HasAnArchive) {
  create("a");
  set_status("a", {{"phase", "Succeeded"}, {"finishedAt", "2026-01-01T00:00:09Z"}});
  const std::string uid = archive("b", "Succeeded");
  const std::string list = kArchive + "ListArchivedWorkflows", get = kArchive + "GetArchivedWorkflow";
  const std::string by_uid = fmt::format("{{uid: {}}}", uid), by_name = "{namespace: default, name: b}";
  const std::string values = "{listOptions: {labelSelector: workflows.argoproj.io/phase}}";
  for (const bool gone : {false, true}) {
    if (gone) remove("b");
    EXPECT_EQ(names(services_.get(list, "{}")), std::vector<std::string>{"b"}) << "a is not archived";
    EXPECT_EQ(names(services_.get(list, "{namePrefix: x}")), std::vector<std::string>{});
    for (const std::string& request : {by_uid, by_name}) {
      const doc::Value found = services_.get(get, request);
      EXPECT_EQ(doc::find_string(found, "metadata", "name"), "b");
      EXPECT_EQ(doc::find_string(found, "status", "nodes", "n", "id"), "n");
      EXPECT_EQ(doc::find_string(found, "metadata", "labels", controllers::kArchivingStatusLabel), "Persisted");
    }
    const doc::Value shown = services_.get(list, "{}").at("items").at(0);
    EXPECT_EQ(doc::find_string(shown, "status", "phase"), "Succeeded");
    EXPECT_EQ(doc::to_json(shown.at("spec")), R"({"arguments":{"parameters":[{"name":"p","value":"x"}]}})");
    EXPECT_EQ(doc::find(shown, "status", "nodes"), nullptr);
    EXPECT_EQ(names(services_.get(kWorkflow + "ListWorkflows", "{namespace: default}")),
              (std::vector<std::string>{"b", "a"}));
    EXPECT_EQ(doc::find_string(services_.get(kWorkflow + "GetWorkflow", by_name), "metadata", "uid"), uid);
  }
  EXPECT_EQ(services_.ask(get, "{uid: none}"), "error 5: not found");
  EXPECT_EQ(services_.ask(get, "{name: b}"), "error 3: both name and namespace are required if uid is not specified");
  EXPECT_THAT(services_.ask(kArchive + "ListArchivedWorkflowLabelKeys", "{}"), HasSubstr(controllers::kPhaseLabel));
  EXPECT_EQ(services_.ask(kArchive + "ListArchivedWorkflowLabelValues", values), R"({"items":["Succeeded"]})");
  EXPECT_THAT(services_.ask(kArchive + "ListArchivedWorkflowLabelValues", "{listOptions: {labelSelector: 'a=b'}}"),
              StartsWith("error 3: "));
  EXPECT_EQ(doc::find_string(services_.get(kArchive + "ResubmitArchivedWorkflow", by_uid), "metadata", "generateName"),
            "b-");
  EXPECT_EQ(services_.ask(kArchive + "DeleteArchivedWorkflow", by_uid), "{}");
  EXPECT_EQ(services_.ask(kArchive + "DeleteArchivedWorkflow", by_uid), "error 5: not found");
  EXPECT_EQ(services_.ask(kWorkflow + "GetWorkflow", by_name), "error 5: workflows.argoproj.io \"b\" not found");
}

TEST_F(ServicesTest, RetriesWhatOnlyTheArchiveHas) {
  const std::string uid = archive("a");
  const std::string by_uid = fmt::format("{{uid: {}, namespace: default, parameters: [p=y]}}", uid);
  const std::string retry = kArchive + "RetryArchivedWorkflow";
  EXPECT_EQ(services_.ask(retry, by_uid), "error 6: Workflow already exists on cluster, use argo retry {name} instead");
  remove("a");
  const doc::Value retried = services_.get(retry, by_uid);
  EXPECT_EQ(doc::find_string(retried, "metadata", "name"), "a");
  const doc::Value made = stored("a");
  EXPECT_NE(doc::find_string(made, "metadata", "uid"), uid);
  EXPECT_EQ(doc::find_string(made, "metadata", "labels", controllers::kArchivingStatusLabel), "");
  EXPECT_EQ(doc::find_string(made, "metadata", "labels", controllers::kCompletedLabel), "");
  EXPECT_NE(doc::find_string(made, "metadata", "annotations", "tiphys.io/retry"), "");
  EXPECT_EQ(doc::find_string(made, "status", "nodes", "n", "id"), "n");
  EXPECT_EQ(doc::find_string(made.at("spec").at("arguments").at("parameters").at(0), "value"), "y");
}

TEST_F(ServicesTest, GoesOnWhereAPageOfTheArchiveHasEnded) {
  for (int i = 0; i < 5; ++i) archive(fmt::format("w{}", i), "Succeeded", i);
  for (const std::string& list : {kArchive + "ListArchivedWorkflows", kWorkflow + "ListWorkflows"}) {
    const doc::Value first = services_.get(list, "{namespace: default, listOptions: {limit: 2}}");
    EXPECT_EQ(names(first), (std::vector<std::string>{"w4", "w3"}));
    EXPECT_EQ(doc::find_string(first, "metadata", "continue"), "2");
    // One that has ended since is not what shifts the others.
    const std::string newer = archive("newer", "Succeeded", 30);
    EXPECT_EQ(names(services_.get(list, "{namespace: default, listOptions: {limit: 2, continue: '2'}}")),
              (std::vector<std::string>{"w2", "w1"}));
    const doc::Value last = services_.get(list, "{namespace: default, listOptions: {limit: 2, continue: '4'}}");
    EXPECT_EQ(names(last), std::vector<std::string>{"w0"});
    EXPECT_EQ(doc::find_string(last, "metadata", "continue"), "");
    // Whoever comes with an offset alone has it counted off.
    EXPECT_EQ(names(services_.get(list, "{namespace: '', listOptions: {limit: 2, continue: '5'}}")),
              std::vector<std::string>{"w0"});
    remove("newer");
    EXPECT_EQ(services_.ask(kArchive + "DeleteArchivedWorkflow", fmt::format("{{uid: {}}}", newer)), "{}");
  }
}

TEST_F(ServicesTest, SetsLimits) {
  const std::string sync = "sync.SyncService/";
  for (const std::string place : {"type: 1", "type: CONFIGMAP, cmName: m"}) {
    const auto ask = [&](const char* method, std::string_view more) {
      return services_.ask(sync + method, fmt::format("{{namespace: default, key: k, {}{}}}", place, more));
    };
    EXPECT_THAT(ask("GetSyncLimit", ""), StartsWith("error 5: ")) << place;
    EXPECT_THAT(ask("CreateSyncLimit", ", limit: 2"), HasSubstr("\"limit\":2")) << place;
    EXPECT_THAT(ask("CreateSyncLimit", ", limit: 2"), StartsWith("error 6: ")) << place;
    EXPECT_THAT(ask("UpdateSyncLimit", ", limit: 3"), HasSubstr("\"limit\":3")) << place;
    EXPECT_THAT(ask("UpdateSyncLimit", ", limit: 0"), "error 3: limit must be greater than zero") << place;
    EXPECT_THAT(ask("GetSyncLimit", ""), HasSubstr("\"limit\":3")) << place;
    EXPECT_EQ(ask("DeleteSyncLimit", ""), "{}") << place;
  }
  EXPECT_EQ(services_.ask(sync + "GetSyncLimit", "{type: FILE, key: a}"),
            "error 3: unsupported sync config type: FILE");
}

TEST_F(ServicesTest, StartsWorkflowsByEvents) {
  services_.get(kTemplate + "CreateWorkflowTemplate",
                fmt::format("{{namespace: default, template: {{metadata: {{name: t}}, spec: {}}}}}", kSpec));
  const auto bind = [&](const char* name, const char* selector, const char* submit) {
    services_.store().create(cluster::kWorkflowEventBindings,
                             objects::parse_one(fmt::format(
                                 "{{metadata: {{name: {}, namespace: default}}, spec: {{event: {{selector: '{}'}}, "
                                 "submit: {}}}}}",
                                 name, selector, submit)));
  };
  bind("matching", "payload.message != \"\" && discriminator == \"d\"",
       "{workflowTemplateRef: {name: t}, metadata: {name: 'payload.name', labels: {from: discriminator}}, arguments: "
       "{parameters: [{name: p, valueFrom: {event: payload.message}}, {name: c, valueFrom: {event: 'payload.count'}}, "
       "{name: o, valueFrom: {event: 'payload'}}]}}");
  bind("other", "payload.message == \"no\"", "{workflowTemplateRef: {name: t}}");
  const std::string receive = "event.EventService/ReceiveEvent";
  EXPECT_EQ(services_.ask(receive, "{namespace: default, discriminator: d, payload: {message: hi, name: w, count: 2}}"),
            "{}");
  const doc::Value made = stored("w");
  EXPECT_EQ(doc::find_string(made, "metadata", "labels", "from"), "d");
  EXPECT_EQ(doc::find_string(made, "metadata", "labels", "workflows.argoproj.io/workflow-event-binding"), "matching");
  EXPECT_EQ(doc::to_json(made.at("spec").at("arguments").at("parameters")),
            R"([{"name":"p","value":"hi"},{"name":"c","value":"2"},)"
            R"({"name":"o","value":"{\"count\":2,\"message\":\"hi\",\"name\":\"w\"}"}])");
  EXPECT_EQ(services_.store().list(cluster::kWorkflows)->items.size(), 1u);
  // The same name again: it fails, and the binding is told so.
  EXPECT_THAT(services_.ask(receive, "{namespace: default, discriminator: d, payload: {message: hi, name: w}}"),
              StartsWith("error 6: failed to dispatch event: [failed to create workflow: "));
  services_.store().run();
  EXPECT_EQ(doc::find_string(*services_.store().list(cluster::kEvents)->items.at(0), "reason"),
            "WorkflowEventBindingError");
  EXPECT_THAT(services_.ask(receive, "{namespace: default, discriminator: d}"), StartsWith("error 3: "))
      << "no payload";
  EXPECT_EQ(names(services_.get("event.EventService/ListWorkflowEventBindings", "{namespace: default}")),
            (std::vector<std::string>{"matching", "other"}));
}

TEST_F(ServicesTest, TellsWhoAsks) {
  const auto account = std::make_shared<objects::Caller>(objects::service_account("default", "builder", "u"));
  const auto answer = services_.call("info.InfoService/GetUserInfo", "{}", account);
  EXPECT_EQ(doc::find_string(*answer->message, "subject"), "system:serviceaccount:default:builder");
  EXPECT_EQ(doc::find_string(*answer->message, "serviceAccountName"), "builder");
  EXPECT_THAT(services_.ask("info.InfoService/GetInfo", "{}"), HasSubstr("modals"));
  EXPECT_EQ(services_.ask("info.InfoService/CollectEvent", "{name: x}"), "{}");
  EXPECT_EQ(services_.ask("info.InfoService/None", "{}"), "error 12: info.InfoService/None is not served");

  const auto made = services_.call(
      kWorkflow + "CreateWorkflow",
      fmt::format(
          "{{namespace: default, workflow: {{metadata: {{name: a, labels: {{workflows.argoproj.io/creator-email: "
          "forged}}}}, spec: {}}}}}",
          kSpec),
      account);
  ASSERT_TRUE(made->message);
  EXPECT_EQ(doc::to_json(made->message->at("metadata").at("labels")),
            R"({"workflows.argoproj.io/creator":"system-serviceaccount-default-builder"})");
}

TEST_F(ServicesTest, TellsWhoHasSignedIn) {
  auto account = std::make_shared<objects::Caller>(objects::service_account("argo", "staff", "u"));
  account->person = std::make_shared<const objects::Person>(objects::Person{.issuer = "argo-server",
                                                                            .subject = "u|7",
                                                                            .email = "ann@example.com",
                                                                            .name = "Ann",
                                                                            .preferred_username = "ann",
                                                                            .email_verified = true,
                                                                            .groups = {"staff"},
                                                                            .service_account_name = "staff",
                                                                            .service_account_namespace = "argo"});
  const auto told = services_.call("info.InfoService/GetUserInfo", "{}", account);
  EXPECT_EQ(doc::to_json(*told->message),
            R"({"issuer":"argo-server","subject":"u|7","groups":["staff"],"email":"ann@example.com",)"
            R"("emailVerified":true,"serviceAccountName":"staff","serviceAccountNamespace":"argo","name":"Ann"})");
  const auto made = services_.call(
      kWorkflow + "CreateWorkflow",
      fmt::format("{{namespace: default, workflow: {{metadata: {{name: a}}, spec: {}}}}}", kSpec), account);
  EXPECT_EQ(doc::to_json(made->message->at("metadata").at("labels")),
            R"({"workflows.argoproj.io/creator":"u-7","workflows.argoproj.io/creator-email":"ann.at.example.com",)"
            R"("workflows.argoproj.io/creator-preferred-username":"ann"})");
}

/// Lets nobody do anything but what is named here.
class OnlyThese : public objects::Authorizer {
 public:
  std::string allowed;
  objects::Decision decide(const objects::Caller&, const objects::Attributes& asked) const override {
    return {allowed.contains(fmt::format("{} {};", asked.verb, asked.resource)), ""};
  }
  Rules rules_of(const objects::Caller&, std::string_view) const override { return {}; }
};

/// A node of workflow "a".
void let_wait_for_a_user(TestServices& services) {
  ASSERT_TRUE(services.store().update_workflow_status(
      {&cluster::kWorkflows, "default", "a"},
      {.nodes = {{"n", R"({"id":"n","name":"a.n","displayName":"n","type":"Suspend","phase":"Running"})"}}}));
}

TEST(ServicesOfCallers, DoWhatTheirObjectsAllow) {
  OnlyThese authorizer;
  TestServices services(&authorizer);
  const auto caller = std::make_shared<objects::Caller>(objects::Caller{.name = "someone"});
  const std::string object = fmt::format("{{metadata: {{name: a}}, spec: {}}}", kSpec);
  struct Case {
    std::string method, request, right;
  };
  const std::vector<Case> cases{
      {kWorkflow + "CreateWorkflow", fmt::format("{{namespace: default, workflow: {}}}", object), "create workflows;"},
      {kWorkflow + "GetWorkflow", "{namespace: default, name: a}", "get workflows;"},
      {kWorkflow + "GetWorkflow", "{namespace: default, name: '@latest'}", "list workflows;get workflows;"},
      {kWorkflow + "ListWorkflows", "{namespace: default}", "list workflows;"},
      {kWorkflow + "SuspendWorkflow", "{namespace: default, name: a}", "get workflows;patch workflows;"},
      {kWorkflow + "ResumeWorkflow", "{namespace: default, name: a}", "get workflows;patch workflows;"},
      {kWorkflow + "SuspendWorkflow", "{namespace: default, name: a}", "get workflows;update workflows;"},
      {kWorkflow + "ResumeWorkflow", "{namespace: default, name: a}", "get workflows;update workflows;"},
      {kWorkflow + "SetWorkflow", "{namespace: default, name: a, nodeFieldSelector: id=n}",
       "get workflows;patch workflows;"},
      {kWorkflow + "SetWorkflow", "{namespace: default, name: a, nodeFieldSelector: id=n}",
       "get workflows;update workflows;"},
      {kWorkflow + "StopWorkflow", "{namespace: default, name: a}", "get workflows;patch workflows;"},
      {kWorkflow + "DeleteWorkflow", "{namespace: default, name: a}", "delete workflows;"},
      {kTemplate + "CreateWorkflowTemplate", fmt::format("{{namespace: default, template: {}}}", object),
       "create workflowtemplates;"},
      {kTemplate + "ListWorkflowTemplates", "{namespace: default}", "list workflowtemplates;"},
      {kTemplate + "DeleteWorkflowTemplate", "{namespace: default, name: a}", "delete workflowtemplates;"},
      {kArchive + "ListArchivedWorkflows", "{namespace: default}", "list workflows;"},
      {kArchive + "ListArchivedWorkflowLabelKeys", "{namespace: default}", "list workflows;"},
      {"sync.SyncService/CreateSyncLimit", "{namespace: default, key: k, cmName: m, limit: 1}",
       "get configmaps;update configmaps;create configmaps;"},
  };
  for (const auto& [method, request, right] : cases) {
    SCOPED_TRACE(method);
    authorizer.allowed.clear();
    const auto refused = services.call(method, request, caller);
    ASSERT_TRUE(refused->error) << method;
    EXPECT_EQ(refused->error->code, Code::kPermissionDenied) << method << ": " << refused->error->message;
    authorizer.allowed = right;
    if (method.ends_with("/SetWorkflow")) let_wait_for_a_user(services);
    const auto answered = services.call(method, request, caller);
    EXPECT_TRUE(answered->message) << method << ": " << (answered->error ? answered->error->message : "no answer");
  }
  authorizer.allowed.clear();
  for (const std::string method : {"WatchWorkflows", "WatchEvents", "WorkflowLogs"}) {
    const auto refused = services.call(kWorkflow + method, "{namespace: default, name: a}", caller);
    ASSERT_TRUE(refused->error) << method;
    EXPECT_EQ(refused->error->code, Code::kPermissionDenied) << method;
  }
}

TEST(ServicesOfCallers, AreNamedByWhatTheyDo) {
  TestServices services;
  const auto caller = std::make_shared<objects::Caller>(objects::Caller{.name = "someone"});
  services.get(kWorkflow + "CreateWorkflow",
               fmt::format("{{namespace: default, workflow: {{metadata: {{name: a}}, spec: {}}}}}", kSpec));
  const cluster::Key key{&cluster::kWorkflows, "default", "a"};
  struct Case {
    const char *method, *request, *action;
  };
  for (const auto& [method, request, action] : {
           Case{"SuspendWorkflow", "{namespace: default, name: a}", "Suspend"},
           Case{"SetWorkflow", "{namespace: default, name: a, nodeFieldSelector: id=n}", ""},
           Case{"ResumeWorkflow", "{namespace: default, name: a}", "Resume"},
           Case{"StopWorkflow", "{namespace: default, name: a, nodeFieldSelector: id=n}", "Stop"},
           Case{"TerminateWorkflow", "{namespace: default, name: a}", "Terminate"},
           Case{"RetryWorkflow", "{namespace: default, name: a}", "Retry"},
       }) {
    if (std::string_view(method) == "SetWorkflow") let_wait_for_a_user(services);
    if (std::string_view(method) == "RetryWorkflow") {
      ASSERT_TRUE(services.store().update_workflow_status(
          key, {.fields = {{"phase", "Failed"}, {"finishedAt", "2026-01-02T00:00:09Z"}}, .completed = true}));
    }
    const auto answered = services.call(kWorkflow + method, request, caller);
    EXPECT_TRUE(answered->message) << method << ": " << (answered->error ? answered->error->message : "no answer");
    const doc::Value stored = **services.store().get(key);
    EXPECT_EQ(doc::find_string(stored, "metadata", "labels", "workflows.argoproj.io/actor"), "someone") << method;
    EXPECT_EQ(doc::find_string(stored, "metadata", "labels", "workflows.argoproj.io/action"), action) << method;
  }
}

}  // namespace
}  // namespace tiphys::argo
