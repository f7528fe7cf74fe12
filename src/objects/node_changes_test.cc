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
    ask_for_node_changes(before, after);
    auto asked = doc::parse_json(doc::find_string(after, "metadata", "annotations", cluster::kNodeRequestsAnnotation));
    if (asked) {
      for (doc::Value& request : asked->as_array()) EXPECT_EQ(request.as_object().erase("id"), 1U) << one.rule;
    }
    EXPECT_EQ(asked.value_or(nullptr), doc::parse_json(one.requests).value_or(nullptr)) << one.rule;
  }
}

TEST(NodeChangesTest, RequestsThatWaitStay) {
  const doc::Value before = doc::parse_yaml(kBefore, "before")->front().root;
  doc::Value after = before;
  after.at("metadata").as_object()["annotations"] = doc::Object{{cluster::kNodeRequestsAnnotation, R"([{"id":"1"}])"}};
  after.at("status").at("nodes").at("ask").as_object()["phase"] = "Succeeded";
  EXPECT_TRUE(shows_suspended_nodes(after));
  ask_for_node_changes(before, after);
  const auto asked =
      doc::parse_json(doc::find_string(after, "metadata", "annotations", cluster::kNodeRequestsAnnotation));
  ASSERT_TRUE(asked);
  ASSERT_EQ(asked->as_array().size(), 2U);
  EXPECT_EQ(doc::find_string(asked->as_array()[0], "id"), "1");
}

}  // namespace
}  // namespace tiphys::objects
