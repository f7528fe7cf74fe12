#include "objects/node_changes.h"

#include <gtest/gtest.h>

#include "cluster/node_requests.h"
#include "doc/yaml.h"

namespace tiphys::objects {
namespace {

constexpr const char* kBefore = R"(
metadata: {name: w}
status:
  nodes:
    ask: {id: ask, type: Suspend, phase: Running, message: waits, outputs: {parameters: [{name: a, valueFrom: {supplied: {}}}, {name: b, value: x}]}}
    done: {id: done, type: Suspend, phase: Succeeded}
    pod: {id: pod, type: Pod, phase: Running}
)";

struct NodeChangeCase {
  const char* rule;
  const char* nodes;     ///< as the client writes them
  const char* requests;  ///< without their ids; "": none
};

TEST(NodeChangesTest, ChangesOfSuspendedNodesAreRequests) {
  const NodeChangeCase cases[] = {
      {"nothing is changed",
       "{ask: {type: Suspend, phase: Running, message: waits, outputs: {parameters: [{name: b, value: x}]}}}", ""},
      {"a value",
       "{ask: {type: Suspend, phase: Running, outputs: {parameters: [{name: a, value: v}, {name: b, value: x}]}}}",
       R"([{"fields":[["id","ask"]],"outputParameters":{"a":"v"}}])"},
      {"its end, and why", "{ask: {type: Suspend, phase: Succeeded, message: 'Resumed by: me'}}",
       R"([{"fields":[["id","ask"]],"phase":"Succeeded","message":"Resumed by: me"}])"},
      {"both", "{ask: {type: Suspend, phase: Failed, message: waits, outputs: {parameters: [{name: a, value: v}]}}}",
       R"([{"fields":[["id","ask"]],"phase":"Failed","outputParameters":{"a":"v"}}])"},
      {"a message alone", "{ask: {type: Suspend, phase: Running, message: other}}", ""},
      {"of one that has ended", "{done: {type: Suspend, phase: Failed}}", ""},
      {"of a pod", "{pod: {type: Pod, phase: Succeeded}}", ""},
      {"of one that is not there", "{new: {type: Suspend, phase: Succeeded}}", ""},
      {"of a wrong form", "{ask: 1, pod: [2]}", ""},
  };
  for (const NodeChangeCase& one : cases) {
    const doc::Value before = doc::parse_yaml(kBefore, "before")->front().root;
    doc::Value after = before;
    after.at("status").as_object()["nodes"] = doc::parse_yaml(one.nodes, "nodes")->front().root;
    ask_for_changes(before, after);
    auto asked = doc::parse_json(doc::find_string(after, "metadata", "annotations", cluster::kNodeRequestsAnnotation));
    if (asked) {
      for (doc::Value& request : asked->as_array()) EXPECT_EQ(request.as_object().erase("id"), 1U) << one.rule;
    }
    EXPECT_EQ(asked.value_or(nullptr), doc::parse_json(one.requests).value_or(nullptr)) << one.rule;
  }
}

TEST(NodeChangesTest, APhaseThatIsTakenAwayFromWhatHasEndedIsARetry) {
  constexpr const char* kEnded = R"(
metadata: {name: w, annotations: {tiphys.io/node-requests: '[]'}}
spec: {arguments: {parameters: [{name: code, value: "3"}]}}
status: {phase: Failed, nodes: {w: {id: w, phase: Failed}, good: {id: good, phase: Succeeded}, bad: {id: bad, phase: Failed}}}
)";
  const struct {
    const char* rule;
    const char* spec;
    const char* status;
    const char* asked;  ///< "": nothing
  } cases[] = {
      {"nodes that are left out", "{arguments: {parameters: [{name: code, value: '3'}]}}",
       "{phase: '', nodes: {w: {phase: Running}, good: {}}}", R"({"restart":["bad"],"otherParameters":false})"},
      {"all of them, with a parameter", "{arguments: {parameters: [{name: code, value: '0'}]}}", "{progress: 0/1}",
       R"({"restart":["w","good","bad"],"otherParameters":true})"},
      {"no arguments any more", "{}", "{nodes: {w: {}, good: {}, bad: {}}}",
       R"({"restart":[],"otherParameters":true})"},
      {"it has its phase", "{}", "{phase: Failed}", ""},
  };
  for (const auto& one : cases) {
    const doc::Value before = doc::parse_yaml(kEnded, "before")->front().root;
    doc::Value after = before;
    after.as_object()["spec"] = doc::parse_yaml(one.spec, "spec")->front().root;
    after.as_object()["status"] = doc::parse_yaml(one.status, "status")->front().root;
    EXPECT_EQ(may_ask(after), *one.asked != '\0') << one.rule;
    ask_for_changes(before, after);
    EXPECT_EQ(doc::find_string(after, "metadata", "annotations", cluster::kRetryAnnotation), one.asked) << one.rule;
    const bool void_ones = doc::find(after, "metadata", "annotations", cluster::kNodeRequestsAnnotation) == nullptr;
    EXPECT_EQ(void_ones, *one.asked != '\0') << one.rule;
  }
}

TEST(NodeChangesTest, WhoAsksForARetryHimselfIsLeftAlone) {
  doc::Value before = doc::parse_yaml(kBefore, "before")->front().root;
  before.at("status").as_object()["phase"] = "Failed";
  doc::Value after =
      doc::parse_yaml("metadata: {name: w, annotations: {tiphys.io/retry: '{}'}}\nstatus: {}\n", "after")->front().root;
  const doc::Value written = after;
  EXPECT_FALSE(may_ask(after));
  ask_for_changes(before, after);
  EXPECT_EQ(after, written);
}

TEST(NodeChangesTest, WhatHasNotEndedIsNotRetried) {
  const doc::Value before = doc::parse_yaml(kBefore, "before")->front().root;
  doc::Value after = before;
  ask_for_changes(before, after);
  EXPECT_EQ(after, before);
}

TEST(NodeChangesTest, RequestsThatWaitStay) {
  const doc::Value before = doc::parse_yaml(kBefore, "before")->front().root;
  doc::Value after = before;
  after.at("metadata").as_object()["annotations"] = doc::Object{{cluster::kNodeRequestsAnnotation, R"([{"id":"1"}])"}};
  after.at("status").at("nodes").at("ask").as_object()["phase"] = "Succeeded";
  EXPECT_TRUE(may_ask(after));
  ask_for_changes(before, after);
  const auto asked =
      doc::parse_json(doc::find_string(after, "metadata", "annotations", cluster::kNodeRequestsAnnotation));
  ASSERT_TRUE(asked);
  ASSERT_EQ(asked->as_array().size(), 2U);
  EXPECT_EQ(doc::find_string(asked->as_array()[0], "id"), "1");
}

}  // namespace
}  // namespace tiphys::objects
