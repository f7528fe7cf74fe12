#include "controllers/node_requests.h"

#include <gtest/gtest.h>

namespace tiphys::controllers {
namespace {

TEST(NodeRequests, AllFieldsAreRead) {
  const auto requests = parse_node_requests(
      R"([{"id":"r1","fields":[["displayName","approve"]],"phase":"Failed","message":"no","outputParameters":{"a":"1","b":2}},{"id":"r2"}])");
  ASSERT_TRUE(requests.has_value()) << requests.error().message;
  ASSERT_EQ(requests->size(), 2U);
  const NodeRequest& first = requests->front();
  EXPECT_EQ(first.id, "r1");
  ASSERT_EQ(first.event.fields.size(), 1U);
  EXPECT_EQ(first.event.fields[0], (std::pair<std::string, std::string>("displayName", "approve")));
  EXPECT_EQ(first.event.phase, api::NodePhase::kFailed);
  EXPECT_EQ(first.event.message, "no");
  EXPECT_EQ(first.event.output_parameters, (std::map<std::string, std::string>{{"a", "1"}, {"b", "2"}}));
  EXPECT_FALSE(requests->back().event.phase.has_value());
  EXPECT_TRUE(requests->back().event.fields.empty());
}

struct Row {
  std::string name;
  std::string text;
  std::string error;
};

class BadNodeRequests : public testing::TestWithParam<Row> {};

TEST_P(BadNodeRequests, AreRefused) {
  const auto requests = parse_node_requests(GetParam().text);
  ASSERT_FALSE(requests.has_value());
  EXPECT_EQ(requests.error().message, GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(Rules, BadNodeRequests,
                         testing::Values(Row{"NoList", R"({})", "it is no list"},
                                         Row{"NoId", R"([{"phase":"Failed"}])", "an entry has no id"},
                                         Row{"NoSuchPhase", R"([{"id":"a","phase":"Done"}])", "there is no phase Done"},
                                         Row{"FieldsThatAreNoPairs", R"([{"id":"a","fields":["x"]}])",
                                             "a field is no pair of name and value"}),
                         [](const auto& row) { return row.param.name; });

TEST(NodeRequests, DoneIdsGoThereAndBack) {
  const std::set<std::string> ids{"a", "b"};
  EXPECT_EQ(parse_done_requests(render_done_requests(ids)), ids);
  EXPECT_TRUE(parse_done_requests("").empty());
  EXPECT_TRUE(parse_done_requests("nonsense").empty());
}

}  // namespace
}  // namespace tiphys::controllers
