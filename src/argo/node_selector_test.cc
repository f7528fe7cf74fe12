#include "argo/node_selector.h"

#include <gtest/gtest.h>

namespace tiphys::argo {
namespace {

TEST(NodeSelector, fields) {
  api::NodeStatus node;
  node.id = "i";
  node.name = "w.n";
  node.display_name = "n";
  node.template_name = "t";
  node.phase = api::NodePhase::kFailed;
  node.inputs.emplace();
  node.inputs->parameters.push_back({.name = "p", .value = "1"});
  struct Row {
    const char* selector;
    bool expected;
  };
  for (const Row& row : {Row{"", true}, Row{"phase=Failed", true}, Row{"phase!=Failed", false},
                         Row{"name=w.n,displayName=n", true}, Row{"name=w.n,displayName=m", false},
                         Row{"templateName==t", true}, Row{"id=i", true}, Row{"inputs.parameters.p.value=1", true},
                         Row{"inputs.parameters.q.value=1", false}, Row{"unknown=x", false}, Row{"unknown!=x", true}}) {
    EXPECT_EQ(NodeSelector::parse(row.selector, "").value().matches(node), row.expected) << row.selector;
  }
  EXPECT_TRUE(NodeSelector::parse("", "Failed").value().matches(node)) << "--status is a phase";
  EXPECT_FALSE(NodeSelector::parse("phase=Failed", "Failed")) << "not both";
  EXPECT_FALSE(NodeSelector::parse("phase", "")) << "a field alone is none";
}

}  // namespace
}  // namespace tiphys::argo
