#include "objects/service_rules.h"

#include <gmock/gmock.h>

#include "objects/service_addresses.h"
#include "objects/testing.h"

namespace tiphys::objects {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class ServiceTest : public ::testing::Test {
 protected:
  static std::string service(const std::string& spec, const std::string& name = "s") {
    return "{apiVersion: v1, kind: Service, metadata: {name: " + name + "}, spec: " + spec + "}";
  }
  void make(const std::string& yaml) {
    const auto made = api_.create(yaml);
    ASSERT_TRUE(made.has_value()) << yaml << "\n" << made.error().message;
  }
  std::string spec(const char* member, const char* name = "s") {
    const auto object = api_.get(api_.target("v1", "Service", name));
    const doc::Value* found = object ? doc::find(**object, "spec", member) : nullptr;
    return found ? doc::to_json(*found) : "none";
  }
  TestApi api_;
};

TEST_F(ServiceTest, HasAnAddressAndDefaults) {
  make(service("{selector: {a: b}, ports: [{port: 80}]}"));
  const std::string ip = spec("clusterIP");
  EXPECT_THAT(ip, StartsWith("\"127.96."));
  EXPECT_EQ(spec("clusterIPs"), "[" + ip + "]");
  EXPECT_EQ(spec("type"), "\"ClusterIP\"");
  EXPECT_EQ(spec("ports"), R"([{"port":80,"protocol":"TCP","targetPort":80}])");
  EXPECT_EQ(spec("sessionAffinity"), "\"None\"");
  EXPECT_EQ(spec("ipFamilies"), R"(["IPv4"])");
  EXPECT_EQ(spec("ipFamilyPolicy"), "\"SingleStack\"");
  EXPECT_EQ(spec("internalTrafficPolicy"), "\"Cluster\"");
  // A replacement need not name it.
  const auto replaced =
      api_.update(api_.target("v1", "Service", "s"), "{metadata: {name: s}, spec: {ports: [{port: 81}]}}");
  ASSERT_TRUE(replaced) << replaced.error().message;
  EXPECT_EQ(spec("clusterIP"), ip);
  const auto changed =
      api_.patch(api_.target("v1", "Service", "s"), cluster::PatchType::kMerge, "{spec: {clusterIP: 127.96.7.7}}");
  ASSERT_FALSE(changed);
  EXPECT_THAT(changed.error().message, HasSubstr("may not change once set"));
}

TEST_F(ServiceTest, AddressesAreGivenOnce) {
  std::set<std::string> ips;
  for (int i = 0; i < 50; ++i) {
    const std::string name = "s" + std::to_string(i);
    make(service("{type: NodePort, ports: [{port: 80}]}", name));
    EXPECT_TRUE(ips.insert(spec("clusterIP", name.c_str())).second);
    EXPECT_TRUE(ips.insert(spec("ports", name.c_str())).second);
  }
  const auto twice = api_.create(service("{clusterIP: 127.96.0.9, ports: [{port: 80}]}", "a"));
  ASSERT_TRUE(twice);
  const auto taken = api_.create(service("{clusterIP: 127.96.0.9, ports: [{port: 80}]}", "b"));
  ASSERT_FALSE(taken);
  EXPECT_EQ(
      taken.error().message,
      "Service \"b\" is invalid: spec.clusterIPs: Invalid value: [\"127.96.0.9\"]: failed to allocate IP 127.96.0.9: "
      "provided IP is already allocated");
  ASSERT_TRUE(api_.remove(api_.target("v1", "Service", "a")));
  EXPECT_TRUE(api_.create(service("{clusterIP: 127.96.0.9, ports: [{port: 80}]}", "b"))) << "it is free again";
}

TEST(ServiceAddresses, PlanesOfOneMachineLookInDifferentPlaces) {
  ServiceAddresses one("/home/a"), other("/home/b");
  const std::string address = one.address_for("default", "kubernetes");
  EXPECT_THAT(address, StartsWith("127.96."));
  EXPECT_NE(address, other.address_for("default", "kubernetes"));
  doc::Value service = parse_one("{metadata: {name: kubernetes, namespace: default}, spec: {type: ClusterIP}}");
  EXPECT_TRUE(one.give(service).empty());
  EXPECT_EQ(doc::find_string(service, "spec", "clusterIP"), address);
  EXPECT_EQ(one.address_for("default", "kubernetes"), address) << "it has it";
}

TEST_F(ServiceTest, TypesHaveWhatIsTheirs) {
  make(service("{clusterIP: None}", "headless"));
  EXPECT_EQ(spec("clusterIPs", "headless"), R"(["None"])");
  make(service("{type: ExternalName, externalName: example.com}", "external"));
  EXPECT_EQ(spec("clusterIP", "external"), "none");
  make(service("{type: NodePort, ports: [{port: 80, nodePort: 30080}]}"));
  EXPECT_THAT(spec("ports"), HasSubstr("\"nodePort\":30080"));
  EXPECT_EQ(spec("externalTrafficPolicy"), "\"Cluster\"");
  ASSERT_TRUE(api_.update(api_.target("v1", "Service", "s"),
                          "{metadata: {name: s}, spec: {type: NodePort, ports: [{port: 80}]}}"));
  EXPECT_THAT(spec("ports"), HasSubstr("\"nodePort\":30080")) << "it stays";
  ASSERT_TRUE(api_.patch(api_.target("v1", "Service", "s"), cluster::PatchType::kMerge, "{spec: {type: ClusterIP}}"));
  EXPECT_THAT(spec("ports"), ::testing::Not(HasSubstr("nodePort")));
  ASSERT_TRUE(api_.patch(api_.target("v1", "Service", "s"), cluster::PatchType::kMerge,
                         "{spec: {type: ExternalName, externalName: example.com}}"));
  EXPECT_EQ(spec("clusterIP"), "none");
  ASSERT_TRUE(api_.patch(api_.target("v1", "Service", "s"), cluster::PatchType::kMerge, "{spec: {type: ClusterIP}}"));
  EXPECT_THAT(spec("clusterIP"), StartsWith("\"127.96."));
}

TEST_F(ServiceTest, OnesOfTemplatesAndWithoutNamesHaveAddressesToo) {
  ASSERT_TRUE(
      api_.store().create(cluster::kServices, parse_one("{metadata: {name: s, namespace: default}, spec: {ports: "
                                                        "[{port: 80}]}}")));
  EXPECT_THAT(spec("clusterIP"), StartsWith("\"127.96."));
  for (int i = 0; i < 3; ++i) {
    const auto made =
        api_.create("{apiVersion: v1, kind: Service, metadata: {generateName: g-}, spec: {ports: [{port: 80}]}}");
    EXPECT_TRUE(made) << made.error().message;
  }
}

TEST_F(ServiceTest, RefusesWhatIsNone) {
  struct Row {
    const char* spec;
    const char* message;
  };
  const Row rows[] = {
      {"{selector: {a: b}}", "spec.ports: Required value"},
      {"{ports: [{port: 80}, {port: 81}]}", "spec.ports[0].name: Required value"},
      {"{ports: [{port: 80, name: a}, {port: 80, name: b}]}", "spec.ports[1]: Duplicate value: {"},
      {"{ports: [{port: 0}]}", "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"},
      {"{ports: [{port: 80, protocol: FTP}]}", "spec.ports[0].protocol: Unsupported value: \"FTP\""},
      {"{ports: [{port: 80, nodePort: 30000}]}",
       "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"},
      {"{type: NodePort, ports: [{port: 80, nodePort: 80}]}",
       "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports "
       "is "
       "30000-32767"},
      {"{type: NodePort, clusterIP: None, ports: [{port: 80}]}", "may not be set to 'None' for NodePort services"},
      {"{type: ExternalName}", "spec.externalName: Required value"},
      {"{type: House, ports: [{port: 80}]}", "spec.type: Unsupported value: \"House\""},
      {"{clusterIP: here, ports: [{port: 80}]}",
       "spec.clusterIPs[0]: Invalid value: \"here\": must be a valid IP address"},
      {"{clusterIP: 192.168.0.1, ports: [{port: 80}]}",
       "the provided IP (192.168.0.1) is not in the valid range. The range of valid IPs is 127.96.0.0/16"},
      {"{sessionAffinity: Me, ports: [{port: 80}]}", "spec.sessionAffinity: Unsupported value: \"Me\""},
  };
  for (const Row& row : rows) {
    const auto made = api_.create(service(row.spec));
    ASSERT_FALSE(made) << row.spec;
    EXPECT_EQ(made.error().code, 422u) << row.spec;
    EXPECT_THAT(made.error().message, HasSubstr(row.message));
  }
}

}  // namespace
}  // namespace tiphys::objects
