#include "node/services/port_claims.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tiphys::node {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

doc::Value pod(const std::string& name, const std::string& ports) {
  return *doc::parse_json(R"({"metadata": {"namespace": "default", "name": ")" + name + R"(", "uid": ")" + name +
                          R"("}, "spec": {"containers": [{"ports": )" + ports + "}]}}");
}

TEST(PortClaims, TwoPodsCannotHaveTheSamePort) {
  struct Row {
    const char* rule;
    const char* first;
    const char* second;
    std::vector<std::string> ports;
  };
  const Row rows[] = {
      {"the same", R"([{"containerPort": 80}])", R"([{"containerPort": 80}])", {"port 80/TCP"}},
      {"another", R"([{"containerPort": 80}])", R"([{"containerPort": 81}])", {}},
      {"another protocol", R"([{"containerPort": 80}])", R"([{"containerPort": 80, "protocol": "UDP"}])", {}},
      {"a host port",
       R"([{"containerPort": 80, "hostPort": 8080}])",
       R"([{"containerPort": 8080}])",
       {"port 8080/TCP"}},
      {"each of several",
       R"([{"containerPort": 80}, {"containerPort": 81}])",
       R"([{"containerPort": 81}, {"containerPort": 80}])",
       {"port 81/TCP", "port 80/TCP"}},
      {"twice in one pod", "[]", R"([{"containerPort": 80}, {"containerPort": 80}])", {}},
      {"what is no port", R"([{"containerPort": 0}])", R"([{"containerPort": 0}, {}])", {}},
  };
  for (const Row& row : rows) {
    PortClaims claims;
    EXPECT_THAT(claims.claim(pod("a", row.first)), IsEmpty()) << row.rule;
    const auto conflicts = claims.claim(pod("b", row.second));
    ASSERT_EQ(conflicts.size(), row.ports.size()) << row.rule;
    for (std::size_t i = 0; i < conflicts.size(); ++i) {
      EXPECT_THAT(conflicts[i], HasSubstr(row.ports[i] + " is also that of pod default/a")) << row.rule;
    }
  }
}

TEST(PortClaims, EndWithTheirPod) {
  PortClaims claims;
  EXPECT_THAT(claims.claim(pod("a", R"([{"containerPort": 80}])")), IsEmpty());
  claims.release("a");
  claims.release("unknown");
  EXPECT_THAT(claims.claim(pod("b", R"([{"containerPort": 80}])")), IsEmpty());
}

}  // namespace
}  // namespace tiphys::node
