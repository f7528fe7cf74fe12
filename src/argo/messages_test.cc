// The protobuf form of all messages of Argo's API.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "argo/methods.h"
#include "base/encoding.h"
#include "schema/protobuf.h"
#include "schema/rules.h"

namespace tiphys::argo {
namespace {

using schema::Type;
using Form = Type::Form;
using Wire = Type::Wire;

/// Documents that say something in each member, so that they come back as they went.
class RandomDocuments {
 public:
  explicit RandomDocuments(std::uint32_t seed) : random_(seed) {}

  doc::Value make(const Type& type, int depth) {
    switch (type.wire) {
      case Wire::kTime:
        return doc::Value(fmt::format("20{:02}-11-24T11:52:54Z", below(60)));
      case Wire::kMicroTime:
        return doc::Value(fmt::format("2026-11-24T11:52:54.{:06}Z", below(1000000)));
      case Wire::kText:
        return doc::Value(fmt::format("{}Mi", below(100) + 1));
      case Wire::kNumberText:
        return doc::Value(static_cast<double>(below(100)) + 0.5);
      case Wire::kIntOrString:
        return below(2) == 0 ? doc::Value(std::int64_t{below(100) + 1}) : doc::Value("25%");
      case Wire::kJson:
        return any(3);
      case Wire::kNestedJson:
        return doc::Object{{"hello", any(2)}};
      case Wire::kSchemaOrList:
      case Wire::kSchemaOrBool:
      case Wire::kSchemaOrStrings:
        return doc::Value();
      case Wire::kMembers:
      case Wire::kElements:
        break;
    }
    return plain(type, depth);
  }

 private:
  std::uint32_t below(std::uint32_t bound) {
    return std::uniform_int_distribution<std::uint32_t>(0, bound - 1)(random_);
  }
  std::string text() { return fmt::format("t{}-\u00e9\"\n", below(1000)); }

  doc::Value plain(const Type& type, int depth) {
    switch (type.form) {
      case Form::kBoolean:
        return doc::Value(true);
      case Form::kInteger:
        if (type.format == "uint64") return doc::Value(std::uint64_t{1} << 63U | below(100));
        return doc::Value(std::int64_t{below(1000)} * (below(2) == 0 ? -1 : 1) - 1001);
      case Form::kNumber:
        return doc::Value(0.25 + below(100));
      case Form::kString:
        if (type.format == "byte") return doc::Value(encode_base64(text()));
        return type.format == "enum" ? type.rules->choices.back() : doc::Value(text());
      case Form::kList: {
        doc::Array list;
        for (std::uint32_t i = below(3) + 1; i > 0; --i) list.push_back(make(*type.element, depth + 1));
        return list;
      }
      case Form::kMap: {
        doc::Object map;
        for (std::uint32_t i = below(3) + 1; i > 0; --i) map[fmt::format("key {}", i)] = make(*type.element, depth + 1);
        return map;
      }
      default:
        return object(type, depth);
    }
  }

  doc::Value object(const Type& type, int depth) {
    doc::Object made;
    if (!type.kind.empty()) made = {{"apiVersion", type.api_version}, {"kind", type.kind}};
    // Types that hold themselves come to an end.
    const std::uint32_t part = depth < 7 ? 2 : 12;
    for (const schema::Field& field : type.fields) {
      if (field.number.empty() || below(part) != 0 || depth > 20) continue;
      doc::Value value = make(*field.type, depth + 1);
      if (!value.is_null() || field.type->wire == Wire::kJson) made[field.name] = std::move(value);
    }
    return made;
  }

  doc::Value any(int depth) {
    switch (below(depth > 0 ? 6 : 4)) {
      case 0:
        return doc::Value(std::int64_t{below(10)});
      case 1:
        return doc::Value(text());
      case 2:
        return doc::Value(below(2) == 0);
      case 3:
        return doc::Value(1.5);
      case 4:
        return doc::Array{any(depth - 1), any(depth - 1)};
      default:
        return doc::Object{{"a", any(depth - 1)}, {"b", any(depth - 1)}};
    }
  }

  std::mt19937 random_;
};

std::set<const Type*> messages() {
  std::set<const Type*> found;
  for (const Method& method : methods()) found.insert({method.request, method.response});
  return found;
}

TEST(Messages, ComeBackAsTheyWent) {
  constexpr std::uint32_t kSeed = 20260801;
  std::size_t bytes = 0;
  for (const Type* type : messages()) {
    for (std::uint32_t i = 0; i < 40; ++i) {
      RandomDocuments documents(kSeed + i);
      const doc::Value document = documents.make(*type, 0);
      const auto encoded = schema::encode_message(*type, document);
      ASSERT_TRUE(encoded.has_value()) << type->name << " " << kSeed + i << ": " << encoded.error().message;
      bytes += encoded->size();
      const auto decoded = schema::decode_message(*type, *encoded);
      ASSERT_TRUE(decoded.has_value()) << type->name << " " << kSeed + i << ": " << decoded.error().message;
      ASSERT_EQ(*decoded, document) << type->name << " " << kSeed + i << "\n"
                                    << doc::to_json(*decoded) << "\n"
                                    << doc::to_json(document);
    }
  }
  EXPECT_GT(bytes, 1000000U) << "the documents say next to nothing";
}

/// Cut anywhere, a message is read or refused.
TEST(Messages, ThatAreCutAreNoHarm) {
  const Type& type = *find_message("io.argoproj.workflow.v1alpha1.Workflow");
  RandomDocuments documents(7);
  const std::string whole = schema::encode_message(type, documents.make(type, 0)).value();
  for (std::size_t size = 0; size < std::min<std::size_t>(whole.size(), 4096); ++size) {
    const auto decoded = schema::decode_message(type, std::string_view(whole).substr(0, size));
    EXPECT_TRUE(decoded || decoded.error().code == Code::kInvalidArgument) << decoded.error().message;
  }
}

struct Case {
  const char* rule;
  const char* message;
  const char* json;
  const char* hex;
  const char* back = nullptr;  ///< where it does not come back as it went
};

constexpr const char* kWorkflow = "io.argoproj.workflow.v1alpha1.";

TEST(Messages, HaveTheBytesOfTheOriginal) {
  const Case cases[] = {
      {"fields by their number", "workflow.LogEntry", R"({"podName":"p","content":"c"})", "0a01631201 70",
       R"({"content":"c","podName":"p"})"},
      {"what is unknown, null or of the envelope is left out", "Workflow",
       R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow","metadata":{"name":"a"},"more":1,"status":null})",
       "0a030a0161", R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow","metadata":{"name":"a"}})"},
      {"members in line", "Artifact", R"({"name":"a","s3":{"key":"k"}})", "0a01612a0512031201 6b"},
      {"members in line of what is in line", "HDFSArtifact", R"({"krbRealm":"r","path":"/"})", "0a050a032201 7212012f"},
      {"times have whole seconds", "NodeStatus", R"({"startedAt":"1970-01-01T00:01:40.5Z"})", "52020864",
       R"({"startedAt":"1970-01-01T00:01:40Z"})"},
      {"steps are lists of lists", "Template", R"({"steps":[[{"name":"a"},{"name":"b"}],[]]})",
       "5a0a0a030a01610a030a01625a00"},
      {"items are any JSON", "WorkflowStep", R"({"withItems":[1,"a",{"b":[null]},0,null]})",
       "2a030a01312a050a03226122 2a0e0a0c7b2262223a5b6e756c6c5d7d 2a030a01302a060a046e756c6c"},
      {"plugins are JSON in a message in a message", "Template", R"({"plugin":{"x":1}})",
       "da020b0a090a077b2278223a317d"},
      {"numbers as text", "Histogram", R"({"buckets":[0.5,10],"value":"v"})", "1a0176 22050a03302e35 22040a023130"},
      {"an int or a string", "RetryStrategy", R"({"limit":0})", "0a0408001000"},
      {"the other", "RetryStrategy", R"({"limit":"2"})", "0a05080 11a0132"},
      {"numbers where text is due", "Parameter", R"({"name":"a","value":3,"enum":[1.5,true]})",
       "0a01611a0133 3203312e35320474727565", R"({"name":"a","value":"3","enum":["1.5","true"]})"},
      {"an empty text that is a choice", "Parameter", R"({"name":"a","value":""})", "0a01611a00"},
      {"maps", "NodeStatus", R"({"resourcesDuration":{"cpu":2}})", "aa01070a036370751002"},
      {"negative numbers", "WorkflowSpec", R"({"priority":-1})", "a001ffffffffffffffffff01", nullptr},
      {"64 bits as text", "WorkflowSpec", R"({"parallelism":"3"})", "3803", R"({"parallelism":3})"},
      {"choices", "sync.CreateSyncLimitRequest", R"({"type":"DATABASE","limit":2})", "08012802"},
      {"choices by number", "sync.CreateSyncLimitRequest", R"({"type":1})", "0801", R"({"type":"DATABASE"})"},
      {"the first choice is none", "sync.CreateSyncLimitRequest", R"({"type":"CONFIGMAP"})", "0800", "{}"},
      {"bytes", "HTTPBodySource", R"({"bytes":"AP8="})", "0a0200ff"},
  };
  for (const Case& one : cases) {
    const std::string name = std::string_view(one.message).find('.') == std::string_view::npos
                                 ? fmt::format("{}{}", kWorkflow, one.message)
                                 : one.message;
    const Type* type = find_message(name);
    ASSERT_NE(type, nullptr) << name;
    const auto encoded = schema::encode_message(*type, doc::parse_json(one.json).value());
    ASSERT_TRUE(encoded.has_value()) << one.rule << ": " << encoded.error().message;
    std::string hex = one.hex;
    std::erase(hex, ' ');
    EXPECT_EQ(encode_hex(*encoded), hex) << one.rule;
    const auto decoded = schema::decode_message(*type, *encoded);
    ASSERT_TRUE(decoded.has_value()) << one.rule << ": " << decoded.error().message;
    EXPECT_EQ(*decoded, doc::parse_json(one.back ? one.back : one.json).value())
        << one.rule << ": " << doc::to_json(*decoded);
  }
}

TEST(Messages, ThatDoNotFitTellWhere) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"io.argoproj.workflow.v1alpha1.Workflow", R"({"spec":{"templates":{}}})",
       "spec: templates: a list is expected, not {}"},
      {"io.argoproj.workflow.v1alpha1.Workflow", R"({"spec":{"templates":[{"name":{}}]}})",
       "spec: templates: [0]: name: a string is expected, not {}"},
      {"io.argoproj.workflow.v1alpha1.Workflow", R"({"spec":{"parallelism":"many"}})",
       R"(spec: parallelism: an integer is expected, not "many")"},
      {"io.argoproj.workflow.v1alpha1.Workflow", R"({"status":{"startedAt":"soon"}})", "status: startedAt: "},
      {"io.argoproj.workflow.v1alpha1.Workflow", R"([])", "an object is expected, not []"},
      {"sync.CreateSyncLimitRequest", R"({"type":"OTHER"})",
       R"(type: one of ["CONFIGMAP","DATABASE"] is expected, not "OTHER")"},
  };
  for (const auto& [name, json, message] : cases) {
    const auto encoded = schema::encode_message(*find_message(name), doc::parse_json(json).value());
    ASSERT_FALSE(encoded.has_value()) << json;
    EXPECT_EQ(encoded.error().code, Code::kInvalidArgument);
    EXPECT_TRUE(encoded.error().message.starts_with(message)) << encoded.error().message;
  }
}

TEST(Messages, ThatAreDamagedAreErrors) {
  const std::tuple<const char*, std::string, const char*> cases[] = {
      {"io.argoproj.workflow.v1alpha1.Workflow", std::string("\x0a\x03\x0a\x01\xff", 5), "a text is not UTF-8"},
      {"io.argoproj.workflow.v1alpha1.Workflow", "\x0a\x7f", "ends in the middle of a field"},
      {"workflow.LogEntry", std::string("\x08\x01", 2), "a string is expected"},
      {"workflow.WorkflowCreateRequest", std::string("\x22\x01\x31", 3), "a number is expected"},
      {"event.EventRequest", std::string("\x1a\x03\x0a\x01{", 5), "JSON"},
      {"sync.CreateSyncLimitRequest", std::string("\x08\x07", 2), "7 is none of its choices"},
      {"workflow.WorkflowLogRequest", std::string("\x22\x0b\x2a\x09\x08\xff\xff\xff\xff\xff\xff\xff\x7f", 13),
       "year 2261"},
  };
  for (const auto& [name, bytes, message] : cases) {
    const auto decoded = schema::decode_message(*find_message(name), bytes);
    ASSERT_FALSE(decoded.has_value()) << name;
    EXPECT_EQ(decoded.error().code, Code::kInvalidArgument);
    EXPECT_NE(decoded.error().message.find(message), std::string::npos) << decoded.error().message;
  }
}

TEST(Methods, AreThoseOfTheOriginal) {
  EXPECT_EQ(methods().size(), 68U);
  std::set<std::string> routes;
  for (const Method& method : methods()) {
    EXPECT_EQ(find_method(method.service, method.name), &method);
    for (const Route& route : method.routes) {
      EXPECT_TRUE(routes.insert(fmt::format("{} {}", route.verb, fmt::join(route.path, "/"))).second);
    }
  }
  EXPECT_EQ(find_method("workflow.WorkflowService", "Nothing"), nullptr);
  const Method& logs = *find_method("workflow.WorkflowService", "WorkflowLogs");
  EXPECT_TRUE(logs.streams);
  EXPECT_EQ(logs.request->name, "workflow.WorkflowLogRequest");
  ASSERT_EQ(logs.routes.size(), 1U);
  EXPECT_EQ(logs.routes[0].path, (std::vector<std::string>{"api", "v1", "workflows", "{namespace}", "{name}", "log"}));
}

}  // namespace
}  // namespace tiphys::argo
