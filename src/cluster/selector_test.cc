#include "cluster/selector.h"

#include <gtest/gtest.h>

#include "cluster/resource.h"

namespace tiphys::cluster {
namespace {

doc::Value pod() {
  return {
      {"metadata",
       {{"name", "main"}, {"labels", {{"app", "web"}, {"tier", ""}, {"rank", "7"}, {"argoproj.io/done", "false"}}}}},
      {"spec", {{"priority", 5}, {"hostNetwork", true}}},
      {"status", {{"phase", "Running"}, {"message", "a,b=c"}, {"reason", nullptr}}}};
}

struct MatchCase {
  const char* rule;
  const char* selector;
  bool matches;
};

TEST(LabelSelector, Matches) {
  for (const auto& [rule, text, matches] : {
           MatchCase{"nothing asked matches all", "", true},
           MatchCase{"white space alone matches all", "  ", true},
           MatchCase{"equals", "app=web", true},
           MatchCase{"equals with two signs and spaces", " app == web ", true},
           MatchCase{"equals another value", "app=db", false},
           MatchCase{"equals of a missing label", "none=web", false},
           MatchCase{"equals empty value", "tier=", true},
           MatchCase{"equals empty value of a missing label", "none=", false},
           MatchCase{"differs", "app!=db", true},
           MatchCase{"differs from the present value", "app!=web", false},
           MatchCase{"a missing label differs", "none!=x", true},
           MatchCase{"in", "app in (db, web)", true},
           MatchCase{"in without the value", "app in (db)", false},
           MatchCase{"in with an empty value", "tier in (,x)", true},
           MatchCase{"in of an empty set is the empty value", "tier in ()", true},
           MatchCase{"notin", "app notin (db)", true},
           MatchCase{"notin with the value", "app notin (db,web)", false},
           MatchCase{"notin of a missing label", "none notin (x)", true},
           MatchCase{"exists", "app", true},
           MatchCase{"exists with an empty value", "tier", true},
           MatchCase{"exists of a missing label", "none", false},
           MatchCase{"does not exist", "!none", true},
           MatchCase{"does not exist but does", "! app", false},
           MatchCase{"greater", "rank>6", true},
           MatchCase{"greater is strict", "rank > 7", false},
           MatchCase{"less", "rank < 8", true},
           MatchCase{"a label that is no number is not greater", "app>1", false},
           MatchCase{"a conjunction", "app=web,rank>1,!none,tier", true},
           MatchCase{"a conjunction with one that fails", "app=web,rank>1,none", false},
           MatchCase{"a key with a prefix", "argoproj.io/done=false", true},
           MatchCase{"a key named in", "in in (x)", false},
           MatchCase{"a value named notin", "app=notin", false},
       }) {
    const auto selector = Selector::parse(text);
    ASSERT_TRUE(selector) << rule << ": " << selector.error().message;
    EXPECT_EQ(selector->matches_labels(pod()), matches) << rule;
  }
}

TEST(LabelSelector, AnObjectWithoutLabelsHasNone) {
  EXPECT_TRUE(Selector::parse("!app,app!=x")->matches_labels(doc::Value{{"metadata", doc::Object{}}}));
  EXPECT_FALSE(Selector::parse("app")->matches_labels(doc::Value(nullptr)));
}

TEST(LabelSelector, TellsWhatIsWrongAndWhere) {
  struct Case {
    const char* text;
    const char* message;
  };
  for (const auto& [text, message] : {
           Case{"a b", "column 3: expected one of =, ==, !=, in, notin, <, >, found \"b\""},
           Case{"a in b", "column 6: expected \"(\", found \"b\""},
           Case{"a in (b", "column 8: expected \",\" or \")\", found the end"},
           Case{"a=b,", "column 5: expected a label's key, found the end"},
           Case{",a", "column 1: expected a label's key, found \",\""},
           Case{"a=b c", "column 5: expected \",\" or the end, found \"c\""},
           Case{"!a=b", "column 3: expected \",\" or the end, found \"=\""},
           Case{"a>x", "column 3: \">\" and \"<\" compare with a whole number"},
           Case{"a<", "column 3: \">\" and \"<\" compare with a whole number"},
           Case{"=b", "column 1: expected a label's key, found \"=\""},
           Case{"-a=b", "column 1: \"-a\" is no valid label key"},
           Case{"A.B/c=b", "column 1: \"A.B/c\" is no valid label key"},
           Case{"x//c=b", "column 1: \"x//c\" is no valid label key"},
           Case{"a=b/c", "column 3: \"b/c\" is no valid label value"},
       }) {
    const auto selector = Selector::parse(text);
    ASSERT_FALSE(selector) << text;
    EXPECT_EQ(selector.error().code, Code::kInvalidArgument);
    EXPECT_NE(selector.error().message.find(message), std::string::npos) << selector.error().message;
  }
  EXPECT_FALSE(Selector::parse("k=" + std::string(64, 'v')));
  EXPECT_FALSE(Selector::parse(std::string(100'000, 'k')));
}

TEST(FieldSelector, Matches) {
  for (const auto& [rule, text, matches] : {
           MatchCase{"nothing asked matches all", "", true},
           MatchCase{"empty terms are skipped", ",,", true},
           MatchCase{"equals", "metadata.name=main", true},
           MatchCase{"equals with two signs", "metadata.name==main", true},
           MatchCase{"equals another", "metadata.name=other", false},
           MatchCase{"differs", "status.phase!=Succeeded,status.phase!=Failed", true},
           MatchCase{"differs from the present", "status.phase!=Running", false},
           MatchCase{"a missing field is empty", "spec.nodeName=", true},
           MatchCase{"a missing field differs from a value", "spec.nodeName!=x", true},
           MatchCase{"null is empty", "status.reason=", true},
           MatchCase{"a number as text", "spec.priority=5", true},
           MatchCase{"a boolean as text", "spec.hostNetwork=true", true},
           MatchCase{"escapes", "status.message=a\\,b\\=c", true},
       }) {
    const auto selector = Selector::parse_fields(text);
    ASSERT_TRUE(selector) << rule << ": " << selector.error().message;
    EXPECT_EQ(selector->matches_fields(pod()), matches) << rule;
  }
}

TEST(FieldSelector, RejectsWhatIsNoEquality) {
  for (const char* text : {"metadata.name", "a in (b)", "=x", "!=x", "a=b=c", "a=b\\c", "a=b\\"}) {
    EXPECT_FALSE(Selector::parse_fields(text)) << text;
  }
}

TEST(LabelSelector, IsThatOfAnObject) {
  const auto selector = Selector::from_label_selector(
      doc::parse_json(
          R"({"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "c", "operator": "In", "values": ["d"]},
                         {"key": "e", "operator": "DoesNotExist"}]})")
          .value());
  ASSERT_TRUE(selector.has_value());
  const auto matches = [&](const char* labels) {
    const doc::Value map = doc::parse_json(labels).value();
    return selector->matches_label_map(&map);
  };
  EXPECT_TRUE(matches(R"({"a": "b", "c": "d"})"));
  EXPECT_FALSE(matches(R"({"a": "b"})"));
  EXPECT_FALSE(matches(R"({"a": "b", "c": "d", "e": ""})"));
  EXPECT_FALSE(Selector::from_label_selector(
                   doc::parse_json(R"({"matchExpressions": [{"key": "c", "operator": "Is"}]})").value())
                   .has_value());
}

TEST(Resource, IsFoundByKindAndByPlural) {
  for (const Resource* resource : resources()) {
    EXPECT_EQ(find_resource(resource->api_version(), resource->kind), resource);
    EXPECT_EQ(find_resource_by_plural(resource->group, resource->plural), resource);
    const std::string suffix = resource->group.empty() ? "" : "." + std::string(resource->group);
    EXPECT_EQ(resource->qualified, std::string(resource->plural) + suffix);
  }
  EXPECT_EQ(kWorkflows.api_version(), "argoproj.io/v1alpha1");
  EXPECT_EQ(kPods.api_version(), "v1");
  EXPECT_FALSE(kNamespaces.namespaced);
  EXPECT_TRUE(kClusterWorkflowTemplates.is_called("cwft"));
  EXPECT_TRUE(kPods.is_called("pod"));
  EXPECT_FALSE(kSecrets.is_called(""));
  EXPECT_EQ(find_resource("v1", "Workflow"), nullptr);
  EXPECT_EQ(find_resource_by_plural("argoproj.io", "pods"), nullptr);
}

TEST(Resource, OfACustomKindIsOneForEqualNames) {
  const ResourceNames names{"example.com", "v1", "Lamp", "lamps", "lamp", "lp", "", true};
  const Resource& lamps = custom_resource(names);
  EXPECT_EQ(&custom_resource(names), &lamps);
  EXPECT_EQ(find_resource("example.com/v1", "Lamp"), &lamps);
  EXPECT_EQ(find_resource_by_plural("example.com", "lamps"), &lamps);
  EXPECT_EQ(lamps.qualified, "lamps.example.com");

  ResourceNames newer = names;
  newer.version = "v2";
  const Resource& changed = custom_resource(newer);
  EXPECT_NE(&changed, &lamps);
  EXPECT_EQ(find_resource_by_plural("example.com", "lamps"), &changed);
  EXPECT_EQ(&custom_resource(names), &lamps);
  EXPECT_EQ(find_resource_by_plural("example.com", "lamps"), &lamps) << "what was named last";
}

}  // namespace
}  // namespace tiphys::cluster
