#include "engine/resubmit_nodes.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "engine/fake_world.h"
#include "engine/node_graph_testing.h"

namespace tiphys::engine {
namespace {

struct Case {
  std::string_view rule, before, after;  ///< as node_graph_testing.h writes them
};

constexpr Case kCases[] = {
    {"what has succeeded is skipped, what failed is left out, what is around goes on",
     "wf DAG Failed -> a\na Pod Succeeded @wf -> b\nb Pod Failed @wf", "a Skipped\nnew Pending -> a"},
    {"a group that has succeeded is looked at again",
     "wf DAG Failed -> d x\nd DAG Succeeded @wf -> p => p\np Pod Succeeded @d\nx Pod Failed @wf",
     "d Pending -> p => p\nnew Pending -> d\np Skipped"},
    {"what was skipped or omitted is left out",
     "wf DAG Failed -> a b x\na Skipped Skipped @wf\nb Pod Failed @wf -> c\nc Skipped Omitted @wf\nx Pod Succeeded @wf",
     "new Pending -> x\nx Skipped"},
    {"unless something after it has succeeded", "wf DAG Failed -> a\na Skipped Skipped @wf -> b\nb Pod Succeeded @wf",
     "a Skipped -> b\nb Skipped\nnew Pending -> a"},
    {"what came after a failure that was let pass hangs on what was before it",
     "wf DAG Failed -> a\na Pod Failed @wf -> b\nb Pod Succeeded @wf", "b Skipped\nnew Pending -> b"},
    {"a retry node that failed tries anew",
     "wf DAG Failed -> r\nr Retry Failed @wf -> r(0) r(1)\nr(0) Pod Failed retried @wf\nr(1) Pod Failed retried @wf",
     ""},
    {"attempts before one that succeeded stay as they were",
     "wf DAG Failed -> r\nr Retry Succeeded @wf -> r(0) r(1)\nr(0) Pod Failed retried @wf\nr(1) Pod Succeeded retried "
     "@wf",
     "new Pending -> r\nr Pending -> r(0) r(1)\nr(0) Failed\nr(1) Skipped"},
    {"a suspend node waits again", "wf DAG Failed -> s\ns Suspend Succeeded @wf", "new Pending -> s\ns Pending"},
    {"exit handlers are left out",
     "wf DAG Failed -> a\na Pod Failed @wf -> a.onExit\na.onExit Pod Succeeded hooked @wf\nwf.onExit Pod Succeeded",
     ""},
};

TEST(ResubmitNodes, Rules) {
  for (const Case& each : kCases) {
    std::vector<api::NodeStatus> copies = resubmit_nodes("wf", read_graph(each.before), "new", kStart);
    std::map<std::string, std::string> names;
    for (const api::NodeStatus& node : copies) names[node.id] = node.name;
    for (api::NodeStatus& node : copies) {
      EXPECT_EQ(node.id, node_id("new", node.name)) << each.rule;
      node.id = node.name;
      for (auto* list : {&node.children, &node.outbound_nodes}) {
        for (std::string& id : *list) id = names.at(id);
      }
    }
    EXPECT_EQ(write_graph(copies), each.after) << each.rule;
  }
}

TEST(ResubmitNodes, TellWhereTheyComeFrom) {
  auto nodes = read_graph("wf DAG Failed -> wf.a\nwf.a Pod Succeeded @wf");
  nodes[1].outputs.emplace().result = "out";
  nodes[1].template_scope = "local/wf";
  const auto copies = resubmit_nodes("wf", nodes, "new", kStart);
  const api::NodeStatus& a = copies.back();
  EXPECT_EQ(a.name, "new.a");
  EXPECT_EQ(a.boundary_id, "new");
  EXPECT_EQ(a.message, "original pod: wf.a");
  EXPECT_EQ(a.outputs->result, "out");
  EXPECT_EQ(a.template_scope, "local/new");
  EXPECT_EQ(a.started_at, kStart);
  EXPECT_EQ(a.finished_at, kStart);
  EXPECT_EQ(copies.front().finished_at, Time{});
}

}  // namespace
}  // namespace tiphys::engine
