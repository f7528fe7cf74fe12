#include "node/services/service_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tiphys::node {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

ServiceRecord record(const std::string& spec, const std::string& name = "web-app") {
  return service_record(*doc::parse_json(R"({"metadata": {"namespace": "default", "uid": "u", "name": ")" + name +
                                         R"("}, "spec": )" + spec + "}"));
}

Variables variables(const std::string& spec) {
  Variables made;
  add_service_variables(record(spec), made);
  return made;
}

TEST(Ipv4, IsReadAndWritten) {
  struct Row {
    const char* text;
    std::optional<Ipv4> address;
  };
  for (const Row& row : {Row{"127.0.0.1", kLocalhost}, Row{"127.96.1.2", 0x7F600102}, Row{"::1", std::nullopt},
                         Row{"1.2.3", std::nullopt}, Row{"", std::nullopt}, Row{"None", std::nullopt}}) {
    EXPECT_EQ(parse_ipv4(row.text), row.address) << row.text;
    if (row.address) EXPECT_EQ(ipv4_text(*row.address), row.text);
  }
  EXPECT_EQ(text_of(TcpAddress{kLocalhost, 80}), "127.0.0.1:80");
}

TEST(ServiceRecord, HasAnAddressOrNone) {
  EXPECT_EQ(record(R"({"clusterIP": "127.96.0.1"})").address, "127.96.0.1");
  EXPECT_EQ(record(R"({"clusterIP": "None"})").address, "");
  EXPECT_EQ(record(R"({"type": "ExternalName", "clusterIP": "127.96.0.1"})").address, "");
  EXPECT_EQ(record("{}").address, "");
}

TEST(ServiceRecord, KeepsClientsAsLongAsItSays) {
  using std::chrono::seconds;
  EXPECT_EQ(record("{}").affinity, seconds(0));
  EXPECT_EQ(record(R"({"sessionAffinity": "None"})").affinity, seconds(0));
  EXPECT_EQ(record(R"({"sessionAffinity": "ClientIP"})").affinity, seconds(10800));
  EXPECT_EQ(record(R"({"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 7}}})")
                .affinity,
            seconds(7));
}

TEST(ServiceVariables, AreThoseOfAKubelet) {
  EXPECT_THAT(variables(R"({"clusterIP": "127.96.0.9", "ports": [{"port": 80}]})"),
              ElementsAre(Pair("WEB_APP_SERVICE_HOST", "127.96.0.9"), Pair("WEB_APP_SERVICE_PORT", "80"),
                          Pair("WEB_APP_PORT", "tcp://127.96.0.9:80"),
                          Pair("WEB_APP_PORT_80_TCP", "tcp://127.96.0.9:80"), Pair("WEB_APP_PORT_80_TCP_PROTO", "tcp"),
                          Pair("WEB_APP_PORT_80_TCP_PORT", "80"), Pair("WEB_APP_PORT_80_TCP_ADDR", "127.96.0.9")));
}

TEST(ServiceVariables, OfNamedPortsAndOtherProtocols) {
  EXPECT_THAT(variables(R"({"clusterIP": "127.96.0.9",
                    "ports": [{"name": "http-web", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}]})"),
              ElementsAre(Pair("WEB_APP_SERVICE_HOST", "127.96.0.9"), Pair("WEB_APP_SERVICE_PORT", "80"),
                          Pair("WEB_APP_SERVICE_PORT_HTTP_WEB", "80"), Pair("WEB_APP_SERVICE_PORT_DNS", "53"),
                          Pair("WEB_APP_PORT", "tcp://127.96.0.9:80"),
                          Pair("WEB_APP_PORT_80_TCP", "tcp://127.96.0.9:80"), Pair("WEB_APP_PORT_80_TCP_PROTO", "tcp"),
                          Pair("WEB_APP_PORT_80_TCP_PORT", "80"), Pair("WEB_APP_PORT_80_TCP_ADDR", "127.96.0.9"),
                          Pair("WEB_APP_PORT_53_UDP", "udp://127.96.0.9:53"), Pair("WEB_APP_PORT_53_UDP_PROTO", "udp"),
                          Pair("WEB_APP_PORT_53_UDP_PORT", "53"), Pair("WEB_APP_PORT_53_UDP_ADDR", "127.96.0.9")));
}

TEST(ServiceVariables, OfWhatHasNoAddressThereAreNone) {
  for (const char* spec : {R"({"clusterIP": "None", "ports": [{"port": 80}]})", R"({"ports": [{"port": 80}]})",
                           R"({"clusterIP": "127.96.0.9"})", R"({"type": "ExternalName"})"}) {
    EXPECT_THAT(variables(spec), IsEmpty()) << spec;
  }
}

}  // namespace
}  // namespace tiphys::node
