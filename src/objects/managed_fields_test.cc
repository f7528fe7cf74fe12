#include "objects/managed_fields.h"

#include <gtest/gtest.h>

#include "doc/yaml.h"
#include "schema/kubernetes.h"

namespace tiphys::objects {
namespace {

using std::chrono::minutes;

const Time kNoon = parse_rfc3339("2026-11-28T12:00:00Z").value();

doc::Value yaml(std::string_view text) {
  auto parsed = doc::parse_yaml(text, "test");
  EXPECT_TRUE(parsed) << text;
  return std::move(parsed->at(0).root);
}

doc::Value config_map(std::string_view rest) {
  doc::Value object = yaml(rest);
  object.as_object()["apiVersion"] = "v1";
  object.as_object()["kind"] = "ConfigMap";
  doc::ensure_object(object.as_object(), "metadata")["name"] = "x";
  return object;
}

FieldWriter writer(std::string_view manager, Time time = kNoon) {
  return {.manager = manager,
          .api_version = "v1",
          .kind = "ConfigMap",
          .time = time,
          .type = schema::kubernetes_type("v1", "ConfigMap")};
}

/// "a Update 12:00 {...}", one line a manager.
std::string managers(const doc::Value& object) {
  std::string out;
  const auto managed = doc::find(object, "metadata", "managedFields");
  if (!managed) return "none";
  for (const doc::Value& entry : managed->get_array()) {
    out += std::string(doc::find_string(entry, "manager")) + " " + std::string(doc::find_string(entry, "operation"));
    const auto subresource = doc::find_string(entry, "subresource");
    if (!subresource.empty()) out += "/" + std::string(subresource);
    const auto time = doc::find_string(entry, "time");
    if (!time.empty()) out += " " + std::string(time.substr(11, 5));
    out += " " + doc::to_json(*doc::find(entry, "fieldsV1")) + "\n";
  }
  return out;
}

/// With managers who own labels of this name.
doc::Value owned(const std::vector<std::pair<std::string, int>>& labels_and_minutes) {
  doc::Value object;
  for (const auto& [label, minute] : labels_and_minutes) {
    doc::Value next = object.is_null() ? config_map("{}") : object;
    doc::ensure_object(doc::ensure_object(next.as_object(), "metadata"), "labels")[label] = "x";
    track_update(object.is_null() ? nullptr : &object, next, writer(label, kNoon + minutes(minute)));
    object = std::move(next);
  }
  return object;
}

TEST(TrackUpdate, WhoChangesAFieldOwnsIt) {
  struct Case {
    const char* rule;
    const char* live;  ///< created by "a" at noon; nullptr: there is none
    const char* object;
    const char* manager;
    const char* managers;  ///< after what the manager does a minute later
  };
  const Case cases[] = {
      {"creation owns what there is, but for what is the server's", nullptr,
       "{metadata: {namespace: default, uid: u, labels: {l: x}}, data: {k: v}}", "a",
       "a Update 12:01 {\"f:data\":{\".\":{},\"f:k\":{}},\"f:metadata\":{\"f:labels\":{\".\":{},\"f:l\":{}}}}\n"},
      {"nothing to own is no manager", nullptr, "{}", "a", "none"},
      {"a manager without a name is unknown", nullptr, "{data: {k: v}}", "",
       "unknown Update 12:01 {\"f:data\":{\".\":{},\"f:k\":{}}}\n"},
      {"a changed value", "{data: {k: v, l: w}}", "{data: {k: x, l: w}}", "b",
       "a Update 12:00 {\"f:data\":{\".\":{},\"f:l\":{}}}\nb Update 12:01 {\"f:data\":{\"f:k\":{}}}\n"},
      {"who has nothing left is gone", "{data: {k: v}}", "{data: {l: w}}", "b",
       "a Update 12:00 {\"f:data\":{}}\nb Update 12:01 {\"f:data\":{\"f:l\":{}}}\n"},
      {"what is removed is nobody's", "{data: {k: v, l: w}}", "{data: {k: v}}", "b",
       "a Update 12:00 {\"f:data\":{\".\":{},\"f:k\":{}}}\n"},
      {"an update without a change changes no time", "{data: {k: v}}", "{data: {k: v}}", "a",
       "a Update 12:00 {\"f:data\":{\".\":{},\"f:k\":{}}}\n"},
      {"entries of one manager are one", "{data: {k: v}}", "{data: {k: v, l: w}}", "a",
       "a Update 12:01 {\"f:data\":{\".\":{},\"f:k\":{},\"f:l\":{}}}\n"},
      {"an empty list forgets all", "{data: {k: v}}", "{metadata: {managedFields: []}, data: {k: v, l: w}}", "b",
       "none"},
      {"and so does an empty entry", "{data: {k: v}}", "{metadata: {managedFields: [{}]}, data: {k: w}}", "b", "none"},
      {"what is malformed counts as nothing", "{data: {k: v}}",
       "{metadata: {managedFields: [{manager: x, operation: Steal}]}, data: {k: v}}", "b",
       "a Update 12:00 {\"f:data\":{\".\":{},\"f:k\":{}}}\n"},
      {"a client may say who owns what", "{data: {k: v}}",
       "{metadata: {managedFields: [{manager: x, operation: Apply, apiVersion: v1, fieldsType: FieldsV1, fieldsV1: "
       "{'f:data': {'f:k': {}}}}]}, data: {k: v}}",
       "b", "x Apply {\"f:data\":{\"f:k\":{}}}\n"},
      {"managers of a version that is not served are gone", "{data: {k: v}}",
       "{metadata: {managedFields: [{manager: x, operation: Apply, apiVersion: v2, fieldsType: FieldsV1, fieldsV1: "
       "{'f:data': {'f:k': {}}}}]}, data: {k: w}}",
       "b", "b Update 12:01 {\"f:data\":{\"f:k\":{}}}\n"},
  };
  for (const Case& one : cases) {
    doc::Value live;
    if (one.live) {
      live = config_map(one.live);
      track_update(nullptr, live, writer("a"));
    }
    doc::Value object = config_map(one.object);
    track_update(one.live ? &live : nullptr, object, writer(one.manager, kNoon + minutes(1)));
    EXPECT_EQ(managers(object), one.managers) << one.rule;
  }
}

TEST(TrackUpdate, AnObjectWithoutManagersStaysSo) {
  const doc::Value live = config_map("{data: {k: v}}");
  doc::Value object = config_map("{data: {k: w}}");
  track_update(&live, object, writer("a"));
  EXPECT_EQ(managers(object), "none");
}

TEST(TrackUpdate, ASubresourceHasEntriesOfItsOwnAndTakesNoManagersFromTheClient) {
  FieldWriter status{.manager = "kubelet",
                     .api_version = "v1",
                     .kind = "Pod",
                     .subresource = "status",
                     .time = kNoon,
                     .type = schema::kubernetes_type("v1", "Pod"),
                     .reset = reset_fields("v1", "Pod", "status")};
  FieldWriter main = status;
  main.manager = "a";
  main.subresource = "";
  main.reset = reset_fields("v1", "Pod", "");
  const auto pod = [](std::string_view rest) {
    doc::Value object = yaml(rest);
    object.as_object()["apiVersion"] = "v1";
    object.as_object()["kind"] = "Pod";
    return object;
  };
  doc::Value live = pod("{metadata: {name: x}, spec: {nodeName: one}, status: {phase: Pending}}");
  track_update(nullptr, live, main);
  EXPECT_EQ(managers(live), "a Update 12:00 {\"f:spec\":{\"f:nodeName\":{}}}\n");
  doc::Value object = pod("{metadata: {name: x, managedFields: []}, spec: {nodeName: two}, status: {phase: Running}}");
  track_update(&live, object, status);
  EXPECT_EQ(managers(object),
            "a Update 12:00 {\"f:spec\":{\"f:nodeName\":{}}}\nkubelet Update/status 12:00 "
            "{\"f:status\":{\"f:phase\":{}}}\n");
}

TEST(TrackUpdate, TheOldestOfMoreThanTenAreOne) {
  std::vector<std::pair<std::string, int>> writes;
  for (int i = 0; i < 12; ++i) writes.emplace_back(std::string(1, static_cast<char>('a' + i)), i);
  const std::string all = managers(owned(writes));
  EXPECT_EQ(std::ranges::count(all, '\n'), 10);
  EXPECT_EQ(all.substr(0, all.find("\nd ")),
            "ancient-changes Update 12:02 {\"f:metadata\":{\"f:labels\":{\".\":{},\"f:a\":{},\"f:b\":{},\"f:c\":{}}}}");
}

TEST(TrackUpdate, EntriesOfOneSecondComeByName) {
  EXPECT_EQ(managers(owned({{"b", 0}, {"a", 0}})),
            "a Update 12:00 {\"f:metadata\":{\"f:labels\":{\"f:a\":{}}}}\n"
            "b Update 12:00 {\"f:metadata\":{\"f:labels\":{\".\":{},\"f:b\":{}}}}\n");
}

TEST(TrackUpdate, WhatDoesNotFitItsTypeHasNoManagers) {
  doc::Value live = config_map("{data: {k: v}}");
  track_update(nullptr, live, writer("a"));
  doc::Value object = config_map("{date: {k: v}}");
  track_update(&live, object, writer("b"));
  EXPECT_EQ(managers(object), "none");
}

TEST(TrackUpdate, WhatATypeOwnsAsAWholeByNowStandsForWhatIsBelowIt) {
  doc::Value live = yaml(
      "{apiVersion: v1, kind: Service, metadata: {name: x, managedFields: [{manager: x, operation: Update, apiVersion: "
      "v1, fieldsType: FieldsV1, fieldsV1: {'f:spec': {'f:selector': {'.': {}, 'f:a': {}}}}}]}, spec: {selector: {a: "
      "b}}}");
  doc::Value object = yaml("{apiVersion: v1, kind: Service, metadata: {name: x}, spec: {selector: {a: b}}}");
  FieldWriter service = writer("b");
  service.kind = "Service";
  service.type = schema::kubernetes_type("v1", "Service");
  track_update(&live, object, service);
  EXPECT_EQ(managers(object), "x Update {\"f:spec\":{\"f:selector\":{}}}\n");
}

TEST(ManagedFields, DifferInTimesOnly) {
  doc::Value live = config_map("{data: {k: v}}");
  track_update(nullptr, live, writer("a"));
  doc::Value later = config_map("{data: {k: v}}");
  track_update(nullptr, later, writer("a", kNoon + minutes(1)));
  EXPECT_TRUE(differs_in_times_only(live, later));
  doc::Value other = later;
  other.at("data").as_object()["k"] = "w";
  EXPECT_FALSE(differs_in_times_only(live, other));
  doc::Value nobody = later;
  remove_managed_fields(nobody);
  EXPECT_FALSE(differs_in_times_only(live, nobody));
  EXPECT_FALSE(differs_in_times_only(nobody, nobody));
}

TEST(ManagedFields, AnIdHasNoVersionOfWhatIsApplied) {
  EXPECT_EQ((ManagedEntry{.manager = "<a>", .api_version = "v1", .subresource = "status"}.id()),
            R"({"manager":"\u003ca\u003e","operation":"Update","apiVersion":"v1","subresource":"status"})");
  EXPECT_EQ((ManagedEntry{.manager = "a", .applied = true, .api_version = "v1"}.id()),
            R"({"manager":"a","operation":"Apply"})");
}

}  // namespace
}  // namespace tiphys::objects
