// Owners of fields, as clients meet them: what the object interface makes of managers and of server-side apply.
#include <gmock/gmock.h>

#include "objects/testing.h"

namespace tiphys::objects {
namespace {

using ::testing::HasSubstr;

class ApplyApiTest : public ::testing::Test {
 protected:
  Outcome<Written> apply(std::string_view yaml, const char* manager, bool force = false) {
    doc::Value config = parse_one(yaml);
    const Target to = api_.target(doc::find_string(config, "apiVersion"), doc::find_string(config, "kind"),
                                  doc::find_string(config, "metadata", "name"));
    return api_.wait<Written>([&](auto reply) {
      api_.api().apply(to, std::move(config), {.field_manager = manager, .force = force}, std::move(reply));
    });
  }
  std::string data(const Written& written) { return doc::to_json(*doc::find(*written.object, "data")); }

  TestApi api_;
};

TEST_F(ApplyApiTest, MakesAndChangesObjects) {
  const auto made = apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: '1', b: '2'}}", "one");
  ASSERT_TRUE(made.has_value()) << made.error().message;
  EXPECT_TRUE(made->created);
  EXPECT_THAT(doc::to_json(*made->object), HasSubstr(R"("manager":"one","operation":"Apply")"));

  const auto changed = apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: '1', d: '4'}}", "one");
  ASSERT_TRUE(changed.has_value()) << changed.error().message;
  EXPECT_FALSE(changed->created);
  EXPECT_EQ(data(*changed), R"({"a":"1","d":"4"})") << "what is not named any more is gone";

  const auto same = apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: '1', d: '4'}}", "one");
  ASSERT_TRUE(same.has_value());
  EXPECT_EQ(doc::find_string(*same->object, "metadata", "resourceVersion"),
            doc::find_string(*changed->object, "metadata", "resourceVersion"))
      << "nothing was written";
}

TEST_F(ApplyApiTest, RefusesWhatOthersOwn) {
  ASSERT_TRUE(apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: '1'}}", "one").has_value());
  const char* other = "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: '2'}}";
  const auto refused = apply(other, "two");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(doc::to_json(status_of(refused.error())),
            R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)"
            R"("message":"Apply failed with 1 conflict: conflict with \"one\": .data.a","reason":"Conflict",)"
            R"("details":{"causes":[{"reason":"FieldManagerConflict","message":"conflict with \"one\"",)"
            R"("field":".data.a"}]},"code":409})");
  const auto forced = apply(other, "two", true);
  ASSERT_TRUE(forced.has_value());
  EXPECT_EQ(data(*forced), R"({"a":"2"})");
}

TEST_F(ApplyApiTest, KnowsWhoWroteOtherwise) {
  ASSERT_TRUE(api_.create("{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: '1'}}",
                          {.field_manager = "writer"}));
  const auto refused = apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: '2'}}", "one");
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("conflict with \"writer\" using v1"));
  const Target c = api_.target("v1", "ConfigMap", "c");
  const auto patched = api_.patch(c, cluster::PatchType::kMerge, "{data: {b: '2'}}", {.field_manager = "patcher"});
  ASSERT_TRUE(patched.has_value());
  EXPECT_THAT(doc::to_json(*patched->object), HasSubstr(R"("manager":"patcher","operation":"Update")"));
}

TEST_F(ApplyApiTest, NeedsAManagerAndTheNamespace) {
  const auto nobody = apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}", "");
  ASSERT_FALSE(nobody.has_value());
  EXPECT_THAT(nobody.error().message, HasSubstr("fieldManager: Required value"));
  Target there = api_.target("v1", "ConfigMap", "c");
  there.ns = "nowhere";
  const auto lost = api_.wait<Written>([&](auto reply) {
    api_.api().apply(there, parse_one("{metadata: {name: c}}"), {.field_manager = "one"}, std::move(reply));
  });
  ASSERT_FALSE(lost.has_value());
  EXPECT_EQ(lost.error().message, "namespaces \"nowhere\" not found");
}

}  // namespace
}  // namespace tiphys::objects
