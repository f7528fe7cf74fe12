#include "objects/other_form.h"

#include <gmock/gmock.h>

#include "objects/testing.h"

namespace tiphys::objects {
namespace {

using ::testing::HasSubstr;

constexpr const char* kNew =
    "{apiVersion: events.k8s.io/v1, kind: Event, metadata: {name: new}, eventTime: '2001-01-01T00:00:00.123456Z', "
    "reportingController: example.com/lamp, reportingInstance: lamp-1, action: Lit, reason: Dark, type: Normal, note: "
    "it was dark, regarding: {kind: Pod, namespace: default, name: p}}";
constexpr const char* kOld =
    "{apiVersion: v1, kind: Event, metadata: {name: old}, involvedObject: {kind: Pod, namespace: default, name: p}, "
    "reason: Old, message: it was long ago, type: Warning, source: {component: c}, firstTimestamp: "
    "'2001-01-01T00:00:00Z', lastTimestamp: '2001-01-02T00:00:00Z', count: 3}";

class OtherFormTest : public ::testing::Test {
 protected:
  std::string text(std::string_view version, std::string_view name) {
    const auto found = api_.get(api_.target(version, "Event", name));
    return found ? doc::to_json(**found) : found.error().message;
  }
  TestApi api_;
};

TEST_F(OtherFormTest, ServesTheSameObjectsByBothVersions) {
  ASSERT_TRUE(api_.create(kNew).has_value());
  ASSERT_TRUE(api_.create(kOld).has_value());
  const std::string as_old = text("v1", "new");
  EXPECT_THAT(as_old, HasSubstr(R"("apiVersion":"v1")"));
  EXPECT_THAT(as_old, HasSubstr(R"("involvedObject":{"kind":"Pod","namespace":"default","name":"p"})"));
  EXPECT_THAT(as_old, HasSubstr(R"("message":"it was dark")"));
  EXPECT_THAT(as_old, HasSubstr(R"("reportingComponent":"example.com/lamp")"));
  EXPECT_THAT(as_old, HasSubstr(R"("firstTimestamp":null)"));
  const std::string as_new = text("events.k8s.io/v1", "old");
  EXPECT_THAT(as_new, HasSubstr(R"("apiVersion":"events.k8s.io/v1")"));
  EXPECT_THAT(as_new, HasSubstr(R"("note":"it was long ago")"));
  EXPECT_THAT(as_new, HasSubstr(R"("deprecatedCount":3)"));
  EXPECT_THAT(as_new, HasSubstr(R"("deprecatedSource":{"component":"c"})"));
  EXPECT_THAT(as_new, HasSubstr(R"("eventTime":null)"));
  EXPECT_THAT(as_new, ::testing::Not(HasSubstr("reporting")));
  EXPECT_EQ(api_.list(api_.target("events.k8s.io/v1", "Event"))->items.size(), 2U);
  ASSERT_TRUE(api_.remove(api_.target("events.k8s.io/v1", "Event", "old")).has_value());
  EXPECT_THAT(text("v1", "old"), HasSubstr("not found"));
}

TEST_F(OtherFormTest, ChangesThem) {
  ASSERT_TRUE(api_.create(kNew).has_value());
  const Target target = api_.target("events.k8s.io/v1", "Event", "new");
  const auto patched = api_.patch(target, cluster::PatchType::kStrategic,
                                  "{series: {count: 2, lastObservedTime: '2001-01-01T00:01:00.000000Z'}}");
  ASSERT_TRUE(patched.has_value()) << patched.error().message;
  EXPECT_THAT(text("v1", "new"), HasSubstr(R"("series":{"count":2)"));
  const auto version = [&] { return std::string(doc::find_string(**api_.get(target), "metadata", "resourceVersion")); };
  const std::string before = version();
  ASSERT_TRUE(api_.patch(target, cluster::PatchType::kMerge, "{series: {count: 2}}").has_value());
  EXPECT_EQ(version(), before) << "what changes nothing is not written";
  const auto refused = api_.patch(target, cluster::PatchType::kMerge, "{note: other}");
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr(R"(message: Invalid value: "other": field is immutable)"));
}

TEST_F(OtherFormTest, RefusesWhatIsNoEvent) {
  struct Row {
    const char* name;
    const char* event;
    const char* message;
  };
  const Row rows[] = {
      {"a v1 event is of its own namespace",
       "{apiVersion: v1, kind: Event, metadata: {name: e}, involvedObject: {namespace: other}}",
       "involvedObject.namespace: Invalid value: \"other\": does not match event.namespace"},
      {"one with a time says who tells it",
       "{apiVersion: v1, kind: Event, metadata: {name: e}, eventTime: '2001-01-01T00:00:00.000000Z', "
       "involvedObject: {namespace: default}}",
       "reportingComponent: Required value"},
      {"a new one has a time", "{apiVersion: events.k8s.io/v1, kind: Event, metadata: {name: e}, type: Normal}",
       "eventTime: Required value"},
      {"a new one has no old fields",
       "{apiVersion: events.k8s.io/v1, kind: Event, metadata: {name: e}, type: Normal, deprecatedCount: 1}",
       "count: Invalid value: \"\": needs to be unset"},
      {"a new one is normal or a warning",
       "{apiVersion: events.k8s.io/v1, kind: Event, metadata: {name: e}, type: Odd}",
       "type: Invalid value: \"\": has invalid value: Odd"},
  };
  for (const Row& row : rows) {
    const auto refused = api_.create(row.event);
    ASSERT_FALSE(refused.has_value()) << row.name;
    EXPECT_THAT(refused.error().message, HasSubstr(row.message)) << row.name;
  }
}

}  // namespace
}  // namespace tiphys::objects
