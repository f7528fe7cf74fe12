#include "node/services/endpoint_slice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tiphys::node {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

SliceRecord slice(const std::string& endpoints, const std::string& ports = R"([{"name": "", "port": 8080}])") {
  return slice_record(*doc::parse_json(R"({"endpoints": )" + endpoints + R"(, "ports": )" + ports + "}"));
}

std::vector<std::string> targets(const std::vector<SliceRecord>& slices, const std::string& name = "") {
  std::vector<std::string> texts;
  for (const TcpAddress& target : targets_of(slices, {.name = name, .protocol = "TCP"})) {
    texts.push_back(text_of(target));
  }
  return texts;
}

TEST(EndpointSlice, SaysWhichServiceItIsOf) {
  EXPECT_EQ(service_of(*doc::parse_json(R"({"metadata": {"labels": {"kubernetes.io/service-name": "web"}}})")), "web");
  EXPECT_EQ(service_of(*doc::parse_json("{}")), "");
}

TEST(TargetsOf, AreEndpointsThatAreReady) {
  struct Row {
    const char* rule;
    const char* endpoints;
    std::vector<std::string> expected;
  };
  const Row rows[] = {
      {"none", "[]", {}},
      {"all that are ready, in their order",
       R"([{"addresses": ["10.0.0.2"], "conditions": {"ready": true}}, {"addresses": ["10.0.0.1"]}])",
       {"10.0.0.2:8080", "10.0.0.1:8080"}},
      {"not those that are not", R"([{"addresses": ["10.0.0.2"], "conditions": {"ready": false}}])", {}},
      {"each once", R"([{"addresses": ["127.0.0.1"]}, {"addresses": ["127.0.0.1"]}])", {"127.0.0.1:8080"}},
      {"the first address stands for all", R"([{"addresses": ["10.0.0.1", "10.0.0.2"]}])", {"10.0.0.1:8080"}},
      {"other families are left out", R"([{"addresses": ["::1"]}, {"addresses": []}])", {}},
      {"none that is about to end while another is ready",
       R"([{"addresses": ["10.0.0.1"], "conditions": {"ready": false, "serving": true, "terminating": true}},
           {"addresses": ["10.0.0.2"], "conditions": {"ready": true}}])",
       {"10.0.0.2:8080"}},
      {"those that are about to end when nothing else is left",
       R"([{"addresses": ["10.0.0.1"], "conditions": {"ready": false, "serving": true, "terminating": true}},
           {"addresses": ["10.0.0.2"], "conditions": {"ready": false, "serving": false, "terminating": true}}])",
       {"10.0.0.1:8080"}},
  };
  for (const Row& row : rows) EXPECT_EQ(targets({slice(row.endpoints)}), row.expected) << row.rule;
}

TEST(TargetsOf, ArePortsOfTheSameNameAndProtocol) {
  const char* ports = R"([{"name": "web", "port": 1}, {"name": "admin", "port": 2},
                          {"name": "web", "protocol": "UDP", "port": 3}, {"name": "web", "port": 0}])";
  EXPECT_THAT(targets({slice(R"([{"addresses": ["10.0.0.1"]}])", ports)}, "web"), ElementsAre("10.0.0.1:1"));
  EXPECT_THAT(targets({slice(R"([{"addresses": ["10.0.0.1"]}])", ports)}, "admin"), ElementsAre("10.0.0.1:2"));
  EXPECT_THAT(targets({slice(R"([{"addresses": ["10.0.0.1"]}])", ports)}, "other"), IsEmpty());
  // Pods whose containers give the port's name to different numbers are in slices of their own.
  EXPECT_THAT(targets({slice(R"([{"addresses": ["10.0.0.1"]}])", R"([{"name": "web", "port": 1}])"),
                       slice(R"([{"addresses": ["10.0.0.2"]}])", R"([{"name": "web", "port": 2}])")},
                      "web"),
              ElementsAre("10.0.0.1:1", "10.0.0.2:2"));
}

TEST(ListenersOf, AreAtTheAddressAndAtLocalhostForNodePorts) {
  const ServiceRecord service{.ns = "default",
                              .name = "s",
                              .uid = "u",
                              .address = "127.96.0.9",
                              .ports = {{.name = "a", .protocol = "TCP", .port = 80, .node_port = 30080},
                                        {.name = "b", .protocol = "TCP", .port = 81},
                                        {.name = "c", .protocol = "UDP", .port = 53, .node_port = 30053}},
                              .affinity = std::chrono::seconds(5)};
  const Listeners made =
      listeners_of(service, {slice(R"([{"addresses": ["10.0.0.1"]}])", R"([{"name": "a", "port": 8080}])")});
  const Ipv4 address = *parse_ipv4("127.96.0.9");
  const Listener to_a{.targets = {{*parse_ipv4("10.0.0.1"), 8080}}, .affinity = std::chrono::seconds(5)};
  EXPECT_THAT(made, ElementsAre(Pair(TcpAddress{kLocalhost, 30080}, to_a), Pair(TcpAddress{address, 80}, to_a),
                                Pair(TcpAddress{address, 81}, Listener{.affinity = std::chrono::seconds(5)})));
}

TEST(ListenersOf, HeadlessOnesThereAreNone) {
  EXPECT_THAT(listeners_of({.ns = "d", .name = "s", .uid = "u", .ports = {{.protocol = "TCP", .port = 80}}},
                           {slice(R"([{"addresses": ["10.0.0.1"]}])")}),
              IsEmpty());
}

TEST(ListenersOf, NothingLeadsToItself) {
  const Listeners made = listeners_of(
      {.ns = "d", .name = "s", .uid = "u", .address = "127.96.0.9", .ports = {{.protocol = "TCP", .port = 80}}},
      {slice(R"([{"addresses": ["127.96.0.9"]}])", R"([{"name": "", "port": 80}])")});
  ASSERT_EQ(made.size(), 1U);
  EXPECT_THAT(made.begin()->second.targets, IsEmpty());
}

}  // namespace
}  // namespace tiphys::node
