#include "schema/protobuf.h"

#include <gtest/gtest.h>

namespace tiphys::schema {
namespace {

std::string varint(std::uint64_t value) {
  std::string out;
  for (; value > 0x7F; value >>= 7) out += static_cast<char>((value & 0x7F) | 0x80);
  return out + static_cast<char>(value);
}
std::string bytes(std::uint32_t number, std::string_view value) {
  return varint(number << 3 | 2U) + varint(value.size()) + std::string(value);
}
std::string number(std::uint32_t field, std::uint64_t value) {
  return varint(field << 3) + varint(value);
}
std::string envelope(std::string_view api_version, std::string_view kind, std::string_view message) {
  return std::string("k8s\0", 4) + bytes(1, bytes(1, api_version) + bytes(2, kind)) + bytes(2, message);
}

struct Case {
  const char* what;
  std::string body;
  const char* json;
};

TEST(Protobuf, IsReadAsTheJsonOfTheObject) {
  const Case cases[] = {
      {"strings, maps of strings, what Go leaves zero",
       envelope("v1", "ConfigMap",
                bytes(1, bytes(1, "a") + bytes(2, "") + bytes(5, "") + bytes(8, "")) +
                    bytes(2, bytes(1, "key") + bytes(2, "value"))),
       R"({"metadata":{"name":"a"},"data":{"key":"value"},"apiVersion":"v1","kind":"ConfigMap"})"},
      {"bytes",
       envelope("v1", "Secret",
                bytes(2, bytes(1, "k") + bytes(2, std::string_view("\x00\xff", 2))) + bytes(3, "Opaque")),
       R"({"data":{"k":"AP8="},"type":"Opaque","apiVersion":"v1","kind":"Secret"})"},
      {"members in line, quantities, pointers to zero",
       envelope("v1", "Pod",
                bytes(2, bytes(1, bytes(1, "v") + bytes(2, bytes(2, bytes(1, "Memory") + bytes(2, bytes(1, "1Gi"))))) +
                             bytes(2, bytes(1, "main") + bytes(2, "alpine")) + number(4, 0))),
       R"({"spec":{"volumes":[{"name":"v","emptyDir":{"medium":"Memory","sizeLimit":"1Gi"}}],)"
       R"("containers":[{"name":"main","image":"alpine"}],"terminationGracePeriodSeconds":0},"apiVersion":"v1","kind":"Pod"})"},
      {"maps of lists",
       envelope(
           "authorization.k8s.io/v1", "SelfSubjectAccessReview",
           bytes(2, bytes(1, bytes(1, "argo") + bytes(2, "list") + bytes(3, "argoproj.io") + bytes(5, "workflows")))),
       R"({"spec":{"resourceAttributes":{"namespace":"argo","verb":"list","group":"argoproj.io","resource":"workflows"}},)"
       R"("apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview"})"},
      {"times and integers",
       envelope("coordination.k8s.io/v1", "Lease",
                bytes(2, bytes(1, "me") + number(2, 15) + bytes(3, number(1, 1700000000) + number(2, 250000000)))),
       R"({"spec":{"holderIdentity":"me","leaseDurationSeconds":15,"acquireTime":"2023-11-14T22:13:20.250000Z"},)"
       R"("apiVersion":"coordination.k8s.io/v1","kind":"Lease"})"},
      {"int or string",
       envelope("v1", "Service",
                bytes(2, bytes(1, bytes(2, "TCP") + number(3, 80) +
                                      bytes(4, number(1, 1) + number(2, 0) + bytes(3, "http"))) +
                             bytes(1, number(3, 81) + bytes(4, number(1, 0) + number(2, 8080) + bytes(3, ""))))),
       R"({"spec":{"ports":[{"protocol":"TCP","port":80,"targetPort":"http"},{"port":81,"targetPort":8080}]},)"
       R"("apiVersion":"v1","kind":"Service"})"},
      {"pointers to zero that are an int or a string",
       envelope("policy/v1", "PodDisruptionBudget", bytes(2, bytes(1, number(1, 0) + number(2, 0) + bytes(3, "")))),
       R"({"spec":{"minAvailable":0},"apiVersion":"policy/v1","kind":"PodDisruptionBudget"})"},
      {"schemas of custom kinds",
       envelope("apiextensions.k8s.io/v1", "CustomResourceDefinition",
                bytes(1, bytes(1, "lamps.example.com")) +
                    bytes(2, bytes(1, "example.com") +
                                 bytes(7, bytes(1, "v1") + number(2, 1) +
                                              bytes(4, bytes(1, bytes(5, "object") +
                                                                    bytes(29, bytes(1, "spec") +
                                                                                  bytes(2, bytes(5, "object") +
                                                                                               bytes(30, number(1, 0)) +
                                                                                               number(38, 1)))))))),
       R"({"metadata":{"name":"lamps.example.com"},"spec":{"group":"example.com","versions":[{"name":"v1","served":true,)"
       R"("schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","additionalProperties":false,)"
       R"("x-kubernetes-preserve-unknown-fields":true}}}}}]},"apiVersion":"apiextensions.k8s.io/v1",)"
       R"("kind":"CustomResourceDefinition"})"},
      {"options of a deletion", envelope("v1", "DeleteOptions", number(1, 5) + bytes(4, "Background")),
       R"({"gracePeriodSeconds":5,"propagationPolicy":"Background","apiVersion":"v1","kind":"DeleteOptions"})"},
  };
  for (const Case& one : cases) {
    const auto decoded = decode_protobuf(one.body);
    ASSERT_TRUE(decoded.has_value()) << one.what << ": " << decoded.error().message;
    EXPECT_EQ(doc::to_json(*decoded), one.json) << one.what;
  }
}

TEST(Protobuf, ThatIsDamagedIsAnError) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "it does not begin with k8s\\0"},
      {"{}", "it does not begin with k8s\\0"},
      {envelope("example.com/v1", "Thing", ""), "Thing of example.com/v1 is no built-in kind; send it as JSON"},
      {envelope("v1", "ConfigMap",
                "\x0a\x05"
                "ab"),
       "ends in the middle of a field"},
      {envelope("v1", "ConfigMap", number(1, 5)), "a message is expected"},
  };
  for (const auto& [body, message] : cases) {
    const auto decoded = decode_protobuf(body);
    ASSERT_FALSE(decoded.has_value());
    EXPECT_NE(decoded.error().message.find(message), std::string::npos) << decoded.error().message;
  }
}

}  // namespace
}  // namespace tiphys::schema
