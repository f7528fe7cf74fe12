// What the API says of itself, and lists as tables.
#include <gmock/gmock.h>

#include "objects/discovery.h"
#include "objects/human_duration.h"
#include "objects/openapi.h"
#include "objects/table.h"
#include "objects/testing.h"

namespace tiphys::objects {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(HumanDuration, IsThatOfKubectl) {
  using namespace std::chrono_literals;
  const std::pair<Duration, const char*> rows[] = {
      {-5s, "<invalid>"}, {0s, "0s"},          {119s, "119s"},       {120s, "2m"},
      {200s, "3m20s"},    {10min, "10m"},      {3h, "3h"},           {5h + 7min, "5h7m"},
      {8h, "8h"},         {47h, "47h"},        {48h, "2d"},          {75h, "3d3h"},
      {24h * 8, "8d"},    {24h * 729, "729d"}, {24h * 800, "2y70d"}, {24h * 365 * 8, "8y"}};
  for (const auto& [duration, text] : rows) EXPECT_EQ(human_duration(duration), text);
}

TEST(Discovery, NamesWhatIsServed) {
  const Kinds kinds;
  EXPECT_THAT(
      doc::to_json(api_resources(kinds, "", "v1")),
      HasSubstr(R"({"name":"pods","singularName":"pod","namespaced":true,"kind":"Pod","verbs":["create","delete",)"
                R"("deletecollection","get","list","patch","update","watch"],"shortNames":["po"],)"
                R"("categories":["all"]},{"name":"pods/attach")"));
  EXPECT_TRUE(api_resources(kinds, "example.com", "v1").is_null());
  EXPECT_THAT(doc::to_json(api_groups(kinds)),
              HasSubstr(R"({"name":"batch","versions":[{"groupVersion":"batch/v1","version":"v1"}],)"
                        R"("preferredVersion":{"groupVersion":"batch/v1","version":"v1"}})"));
  EXPECT_THAT(doc::to_json(api_group(kinds, "batch")),
              HasSubstr(R"("kind":"APIGroup","apiVersion":"v1","name":"batch")"));
  EXPECT_TRUE(api_group(kinds, "example.com").is_null());
  EXPECT_THAT(doc::to_json(aggregated_groups(kinds, true)),
              HasSubstr(R"({"resource":"configmaps","responseKind":{"group":"","version":"v1","kind":"ConfigMap"},)"
                        R"("scope":"Namespaced","singularResource":"configmap")"));
}

TEST(OpenApi, HasAllThatItRefersTo) {
  const Kinds kinds;
  const doc::Value index = openapi_v3_index(kinds);
  for (const auto& [path, place] : doc::find(index, "paths")->get_object()) {
    const doc::Value document = openapi_v3(kinds, path);
    ASSERT_FALSE(document.is_null()) << path;
    const doc::Object& schemas = doc::find(document, "components", "schemas")->get_object();
    const std::string text = doc::to_json(document);
    constexpr std::string_view kReference = R"("$ref":"#/components/schemas/)";
    for (auto at = text.find(kReference); at != text.npos; at = text.find(kReference, at + 1)) {
      const auto begin = at + kReference.size();
      const std::string name = text.substr(begin, text.find('"', begin) - begin);
      EXPECT_TRUE(schemas.contains(name)) << path << " lacks " << name;
    }
    EXPECT_THAT(text, Not(HasSubstr("x-number")));
  }
  EXPECT_TRUE(openapi_v3(kinds, "apis/example.com/v1").is_null());
  const std::string argo = doc::to_json(openapi_v3(kinds, "apis/argoproj.io/v1alpha1"));
  EXPECT_THAT(argo, HasSubstr(R"("/apis/argoproj.io/v1alpha1/namespaces/{namespace}/workflows/{name}")"));
  EXPECT_THAT(argo, HasSubstr(R"("name":"fieldValidation")")) << "what tells kubectl that the server checks fields";
  EXPECT_THAT(doc::to_json(openapi_v2(kinds)), Not(HasSubstr("#/components")));
}

TEST(OpenApi, SaysWhatFieldsAreFor) {
  const Kinds kinds;
  const doc::Value v3 = openapi_v3(kinds, "api/v1");
  const doc::Value* pod = doc::find(v3, "components", "schemas", "io.k8s.api.core.v1.Pod");
  EXPECT_THAT(doc::find_string(*pod, "description"), HasSubstr("Containers that run together"));
  const doc::Value* spec = doc::find(*pod, "properties", "spec");
  EXPECT_EQ(doc::to_json(*doc::find(*spec, "allOf")),
            R"([{"$ref":"#/components/schemas/io.k8s.api.core.v1.PodSpec"}])");
  EXPECT_EQ(doc::find(*spec, "$ref"), nullptr) << "nothing may stand beside a reference";
  EXPECT_EQ(doc::find_string(*spec, "description"), "What runs in it, and how.");
  const doc::Value v2 = openapi_v2(kinds);
  const doc::Value* old = doc::find(v2, "definitions", "io.k8s.api.core.v1.Pod", "properties", "spec");
  EXPECT_EQ(doc::find_string(*old, "$ref"), "#/definitions/io.k8s.api.core.v1.PodSpec");
  EXPECT_EQ(doc::find_string(*old, "description"), "What runs in it, and how.");
}

std::string cells(const char* api_version, const char* kind, const char* object, Time now = {}) {
  const Kinds kinds;
  return doc::to_json(*doc::find(
      table_row(kinds.find_kind(api_version, kind)->columns, parse_one(object), RowObject::kNone, now), "cells"));
}

TEST(Table, ShowsPodsAsKubectlDoes) {
  struct Row {
    const char* rule;
    const char* status;
    const char* cells;
  };
  const Row rows[] = {
      {"not begun", "{phase: Pending}", R"("0/2","Pending","0")"},
      {"at work",
       "{phase: Running, containerStatuses: [{ready: true, restartCount: 0, state: {running: {}}}, {ready: false, "
       "restartCount: 0, state: {running: {}}}]}",
       R"("1/2","Running","0")"},
      {"waiting", "{phase: Pending, containerStatuses: [{state: {waiting: {reason: ImagePullBackOff}}}]}",
       R"("0/2","ImagePullBackOff","0")"},
      {"ended", "{phase: Failed, containerStatuses: [{state: {terminated: {exitCode: 3}}}]}",
       R"("0/2","ExitCode:3","0")"},
      {"killed", "{phase: Failed, containerStatuses: [{state: {terminated: {signal: 9, exitCode: 137}}}]}",
       R"("0/2","Signal:9","0")"},
      {"starting over",
       "{phase: Running, containerStatuses: [{restartCount: 4, ready: true, state: {running: {}}, lastState: "
       "{terminated: "
       "{finishedAt: '1970-01-01T00:00:00Z'}}}]}",
       R"x("1/2","Running","4 (60s ago)")x"},
      {"initialising",
       "{phase: Pending, initContainerStatuses: [{state: {terminated: {exitCode: 0}}}, {state: {running: {}}}]}",
       R"("0/2","Init:1/3","0")"},
      {"a failed beginning",
       "{phase: Failed, initContainerStatuses: [{state: {terminated: {exitCode: 1, reason: Error}}}]}",
       R"("0/2","Init:Error","0")"},
  };
  for (const Row& row : rows) {
    const std::string object =
        std::string(
            "{metadata: {name: p, creationTimestamp: '1970-01-01T00:00:00Z'}, spec: {containers: [{}, {}], "
            "initContainers: [{}, {}, {}]}, status: ") +
        row.status + "}";
    EXPECT_THAT(cells("v1", "Pod", object.c_str(), Time(std::chrono::seconds(60))),
                HasSubstr(std::string(R"(["p",)") + row.cells + R"(,"60s")"))
        << row.rule;
  }
}

TEST(Table, CountsInitContainersThatKeepRunning) {
  struct Row {
    const char* rule;
    const char* status;
    const char* cells;
  };
  for (const auto& [rule, status, expected] : {
           Row{"not started", "{phase: Pending, initContainerStatuses: [{name: s, state: {running: {}}}]}",
               R"("0/2","Init:0/2","0")"},
           Row{"started, the next is at work",
               "{phase: Pending, initContainerStatuses: [{name: s, started: true, ready: true, state: {running: {}}}, "
               "{name: i, state: {running: {}}}]}",
               R"("1/2","Init:1/2","0")"},
           Row{"beside the others",
               "{phase: Running, initContainerStatuses: [{name: s, started: true, ready: true, restartCount: 2, state: "
               "{running: {}}}, {name: i, restartCount: 1, state: {terminated: {exitCode: 0}}}], containerStatuses: "
               "[{ready: true, state: {running: {}}}]}",
               R"("2/2","Running","2")"},
           Row{"ended after the others",
               "{phase: Succeeded, initContainerStatuses: [{name: s, state: {terminated: {exitCode: 143, reason: "
               "Error}}}, {name: i, state: {terminated: {exitCode: 0}}}], containerStatuses: [{state: {terminated: "
               "{exitCode: 0, reason: Completed}}}]}",
               R"("0/2","Completed","0")"},
       }) {
    const std::string object =
        std::string(
            "{metadata: {name: p, creationTimestamp: '1970-01-01T00:00:00Z'}, spec: {containers: "
            "[{}], initContainers: [{name: s, restartPolicy: Always}, {name: i}]}, status: ") +
        status + "}";
    EXPECT_THAT(cells("v1", "Pod", object.c_str(), Time(std::chrono::seconds(60))),
                HasSubstr(std::string(R"(["p",)") + expected + R"(,"60s")"))
        << rule;
  }
}

TEST(Table, ShowsOtherKinds) {
  EXPECT_EQ(cells("v1", "ConfigMap", "{metadata: {name: c}, data: {a: b}, binaryData: {d: ''}}"),
            R"(["c",2,"<unknown>"])");
  EXPECT_EQ(cells("v1", "Service",
                  "{metadata: {name: s}, spec: {type: ClusterIP, clusterIP: None, selector: {a: b}, ports: [{port: 80, "
                  "protocol: TCP}, {port: 81, nodePort: 30000, protocol: UDP}]}}"),
            R"(["s","ClusterIP","None","<none>","80/TCP,81:30000/UDP","<unknown>","a=b"])");
  EXPECT_EQ(cells("argoproj.io/v1alpha1", "Workflow", "{metadata: {name: w}, status: {phase: Failed, message: why}}"),
            R"(["w","Failed",null,"why"])");
  EXPECT_EQ(cells("batch/v1", "Job",
                  "{metadata: {name: j}, spec: {completions: 3, selector: {matchLabels: {a: b}}, template: {spec: "
                  "{containers: [{name: c, image: i}]}}}, status: {succeeded: 3, startTime: '1970-01-01T00:00:00Z', "
                  "completionTime: '1970-01-01T00:00:07Z', conditions: [{type: Complete, status: 'True'}]}}"),
            R"(["j","Complete","3/3","7s","<unknown>","c","i","a=b"])");
}

}  // namespace
}  // namespace tiphys::objects
