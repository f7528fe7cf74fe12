#include "api/node_status.h"

#include <gtest/gtest.h>

namespace tiphys::api {
namespace {

using namespace std::chrono_literals;

TEST(NodeStatus, WritesFieldsInGosOrder) {
  NodeStatus node;
  node.id = "w-1";
  node.name = "w";
  EXPECT_EQ(to_json(node), R"({"id":"w-1","name":"w","type":"Pod","startedAt":null,"finishedAt":null})");

  node.display_name = "d";
  node.type = NodeType::kDag;
  node.phase = NodePhase::kError;
  node.template_name = "t";
  node.template_scope = "local/w";
  node.boundary_id = "b";
  node.message = "m \"q\"";
  node.progress = "0/1";
  node.started_at = Time{1'700'000'000s} + 500ms;
  node.finished_at = Time{1'700'000'001s};
  node.hooked = node.daemoned = true;
  node.pod_ip = "127.0.0.1";
  node.host_node_name = "h";
  node.inputs.emplace();
  node.outputs.emplace();
  node.outputs->result = "";
  node.outputs->exit_code = "0";
  Parameter& parameter = node.outputs->parameters.emplace_back();
  parameter.name = "p";
  parameter.value = "1";
  parameter.global_name = "g";
  node.children = {"c1", "c2"};
  node.outbound_nodes = {"o"};
  node.memoization = MemoizationStatus{false, "k", "c"};
  const std::string json =
      R"({"id":"w-1","name":"w","displayName":"d","type":"DAG","templateName":"t","templateScope":"local/w",)"
      R"("phase":"Error","boundaryID":"b","message":"m \"q\"","startedAt":"2023-11-14T22:13:20Z",)"
      R"("finishedAt":"2023-11-14T22:13:21Z","progress":"0/1","podIP":"127.0.0.1","daemoned":true,)"
      R"("nodeFlag":{"hooked":true},"inputs":{},)"
      R"("outputs":{"parameters":[{"name":"p","value":"1","globalName":"g"}],"result":"","exitCode":"0"},)"
      R"("children":["c1","c2"],"outboundNodes":["o"],"hostNodeName":"h",)"
      R"("memoizationStatus":{"hit":false,"key":"k","cacheName":"c"}})";
  EXPECT_EQ(to_json(node), json);
  const auto back = parse_node_status(std::string_view(json));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_json(*back), json);
}

TEST(NodeStatus, ArtifactsKeepWhereTheyAre) {
  for (const char* json : {
           R"({"artifacts":[{"name":"a","path":"/x","s3":{"key":"k"}}]})",
           R"({"artifacts":[{"name":"a","mode":420,"raw":{"data":"d"},"archive":{"none":{}},"optional":true}]})",
           R"({"artifacts":[{"name":"a","from":"{{x}}","archive":{"tar":{"compressionLevel":0}},"subPath":"s"}]})",
           R"({"parameters":[{"name":"p","default":"1","valueFrom":{"path":"/x","default":"d"},"enum":["1","2"]}]})",
           R"({"parameters":[{"name":"p","valueFrom":{"supplied":{}},"description":"d"}]})",
           R"({"result":"r","exitCode":"64"})",
       }) {
    const auto outputs = parse_outputs(*doc::parse_json(json));
    ASSERT_TRUE(outputs) << outputs.error().message;
    EXPECT_EQ(doc::to_json(to_document(*outputs)), json);
  }
}

TEST(NodeStatus, RefusesWhatItDidNotWrite) {
  for (const char* json :
       {"[]", R"({"id":1})", R"({"phase":"Odd"})", R"({"type":"Odd"})", R"({"startedAt":"x"})", "{"}) {
    EXPECT_FALSE(parse_node_status(std::string_view(json))) << json;
  }
  EXPECT_TRUE(parse_node_status(std::string_view(R"({"id":"a","startedAt":null})")));
}

TEST(NodeStatus, NamesTypesAndPhases) {
  for (int i = 0; i <= static_cast<int>(NodeType::kPlugin); ++i) {
    const auto type = static_cast<NodeType>(i);
    EXPECT_EQ(parse_node_type(node_type_name(type)), type);
  }
  for (int i = 0; i <= static_cast<int>(NodePhase::kOmitted); ++i) {
    const auto phase = static_cast<NodePhase>(i);
    EXPECT_EQ(parse_node_phase(node_phase_name(phase)), phase);
  }
  EXPECT_EQ(node_type_name(NodeType::kPlugin), "Plugin");
  EXPECT_EQ(node_phase_name(NodePhase::kOmitted), "Omitted");
  EXPECT_FALSE(parse_node_phase("Odd"));
}

}  // namespace
}  // namespace tiphys::api
