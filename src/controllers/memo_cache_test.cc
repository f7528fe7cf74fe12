#include "controllers/memo_cache.h"

#include <gtest/gtest.h>

#include "controllers/names.h"
#include "store/testing.h"

namespace tiphys::controllers {
namespace {

class MemoCacheTest : public testing::Test {
 protected:
  engine::CacheAnswered look_up(const std::string& key, std::optional<Duration> max_age = {}) {
    std::optional<engine::CacheAnswered> answer;
    cache_.look_up("argo", {"wf-9", "cache", key, max_age},
                   [&](engine::CacheAnswered given) { answer = std::move(given); });
    store_.run();
    EXPECT_TRUE(answer.has_value());
    return answer.value_or(engine::CacheAnswered{});
  }
  void save(const std::string& key, std::string result) {
    api::Outputs outputs;
    outputs.result = std::move(result);
    cache_.save("argo", {"wf-1", "cache", key, std::move(outputs)});
  }
  cluster::Key key() const { return {&cluster::kConfigMaps, "argo", "cache"}; }
  std::string entry(const std::string& name) {
    const auto map = store_.get(key());
    return map ? std::string(doc::find_string(**map, "data", name)) : "";
  }
  void create_config_map(doc::Object labels, doc::Object data) {
    const auto made = store_.create(
        cluster::kConfigMaps,
        doc::Object{{"apiVersion", "v1"},
                    {"kind", "ConfigMap"},
                    {"metadata", doc::Object{{"name", "cache"}, {"namespace", "argo"}, {"labels", std::move(labels)}}},
                    {"data", std::move(data)}});
    ASSERT_TRUE(made.has_value()) << made.error().message;
  }
  void advance(Duration duration) { store_.executor().set_now(store_.executor().now() + duration); }

  store::TestStore store_;
  MemoCache cache_{store_.executor(), store_.store()};
};

TEST_F(MemoCacheTest, AMissIsAMiss) {
  const engine::CacheAnswered answer = look_up("k");
  EXPECT_EQ(answer.node_id, "wf-9");
  EXPECT_FALSE(answer.outputs.has_value());
  EXPECT_EQ(answer.error, "");
}

TEST_F(MemoCacheTest, WhatWasSavedIsFoundAndTheEntryIsTheOriginals) {
  save("k", "one");
  EXPECT_EQ(look_up("k").outputs.value_or(api::Outputs{}).result, "one");
  const std::string now = format_rfc3339(store_.executor().now());
  EXPECT_EQ(entry("k"), R"({"nodeID":"wf-1","outputs":{"result":"one"},"creationTimestamp":")" + now +
                            R"(","lastHitTimestamp":")" + now + R"("})");
  EXPECT_EQ(doc::find_string(**store_.get(key()), "metadata", "labels", kConfigMapTypeLabel), "Cache");
}

TEST_F(MemoCacheTest, ALookUpSeesEverySaveBeforeIt) {
  std::vector<std::string> results;
  for (const char* result : {"one", "two", "three"}) {
    save("k", result);
    cache_.look_up("argo", {"n", "cache", "k", {}},
                   [&](engine::CacheAnswered answer) { results.push_back(answer.outputs->result.value_or("")); });
  }
  store_.run();
  EXPECT_EQ(results, (std::vector<std::string>{"one", "two", "three"}));
}

TEST_F(MemoCacheTest, AHitIsNotedWithItsTime) {
  save("k", "one");
  store_.run();
  advance(std::chrono::hours(1));
  look_up("k");
  EXPECT_NE(entry("k").find("\"lastHitTimestamp\":\"" + format_rfc3339(store_.executor().now())), std::string::npos);
}

TEST_F(MemoCacheTest, AnEntryOlderThanItsMaximumAgeDoesNotCount) {
  save("k", "one");
  store_.run();
  advance(std::chrono::minutes(10));
  EXPECT_TRUE(look_up("k", std::chrono::minutes(10)).outputs.has_value());
  advance(std::chrono::seconds(1));
  const engine::CacheAnswered answer = look_up("k", std::chrono::minutes(10));
  EXPECT_FALSE(answer.outputs.has_value());
  EXPECT_EQ(answer.error, "");
}

TEST_F(MemoCacheTest, AConfigMapOfAnotherKindIsRefused) {
  create_config_map({}, {});
  EXPECT_EQ(look_up("k").error,
            "memoization configmap doesn't have workflows.argoproj.io/configmap-type label, refusing to use it");
}

TEST_F(MemoCacheTest, AConfigMapWithAnotherTypeIsRefused) {
  create_config_map({{kConfigMapTypeLabel, "Parameter"}}, {});
  EXPECT_EQ(
      look_up("k").error,
      "memoization configmap doesn't have label workflows.argoproj.io/configmap-type = Cache, refusing to use it");
}

TEST_F(MemoCacheTest, AnEntryThatCannotBeReadIsAnError) {
  create_config_map({{kConfigMapTypeLabel, "Cache"}}, {{"k", "{"}});
  EXPECT_TRUE(look_up("k").error.starts_with("malformed cache entry: could not unmarshal JSON; unable to parse: "));
}

TEST_F(MemoCacheTest, KeysAreLettersDigitsAndHyphens) {
  for (const char* bad : {"", "-a", "a_b", "a.b", "ä"}) {
    EXPECT_EQ(look_up(bad).error, std::string("invalid cache key: ") + bad);
  }
  EXPECT_EQ(look_up("A-1").error, "");
}

TEST_F(MemoCacheTest, WhatDoesNotFitIsNotSavedAndTheRestStays) {
  save("small", "one");
  save("large", std::string(1024 * 1024, 'x'));
  save("other", "two");
  EXPECT_TRUE(look_up("small").outputs.has_value());
  EXPECT_FALSE(look_up("large").outputs.has_value());
  EXPECT_TRUE(look_up("other").outputs.has_value());
}

TEST_F(MemoCacheTest, AWorkflowsNamespaceHasItsOwnCache) {
  save("k", "one");
  std::optional<engine::CacheAnswered> answer;
  cache_.look_up("other", {"n", "cache", "k", {}}, [&](engine::CacheAnswered given) { answer = std::move(given); });
  store_.run();
  ASSERT_TRUE(answer.has_value());
  EXPECT_FALSE(answer->outputs.has_value());
}

TEST(MemoCacheFaults, SavingIsTriedAgainWhenTheDiskRefuses) {
  int failures = 2;
  store::TestStore store({.before_commit = [&]() -> Status {
    return failures-- > 0 ? fail(Code::kResourceExhausted, "disk full") : Status{};
  }});
  MemoCache cache(store.executor(), store.store());
  api::Outputs outputs;
  outputs.result = "one";
  cache.save("argo", {"wf-1", "cache", "k", std::move(outputs)});
  const cluster::Key key{&cluster::kConfigMaps, "argo", "cache"};
  store.executor().run_until([&] { return store.executor().pending_timers() == 0 && failures < 0; });
  const auto saved = store.get(key);
  ASSERT_TRUE(saved.has_value()) << saved.error().message;
  EXPECT_NE(doc::find_string(**saved, "data", "k"), "");
}

}  // namespace
}  // namespace tiphys::controllers
