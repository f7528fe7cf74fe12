#include "controllers/data_runner.h"

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "base/asio_executor.h"
#include "doc/yaml.h"
#include "store/testing.h"

namespace tiphys::controllers {
namespace {

doc::Value yaml(std::string_view text) {
  auto documents = doc::parse_yaml(text, "test.yaml");
  EXPECT_TRUE(documents.has_value()) << documents.error().message;
  return std::move(documents->front().root);
}

/// Lists; the rest is not asked for.
class FakeRepository : public artifact::Repository {
 public:
  Result<std::vector<std::string>> list(std::string_view key) override {
    asked = key;
    if (key == "none") return fail(Code::kNotFound, "there is no such key");
    if (key == "broken") return fail(Code::kPermissionDenied, "it is locked");
    return std::vector<std::string>{"in/a.csv", "in/b.txt", "in/c.csv"};
  }
  Status save(std::string_view, const std::string&) override { return {}; }
  Status load(std::string_view, const std::string&) override { return {}; }
  Status remove(std::string_view) override { return {}; }
  std::string local_path(std::string_view) const override { return ""; }

  std::string asked;
};

class DataRunnerTest : public testing::Test {
 protected:
  std::string process(std::string_view data) {
    const doc::Value tmpl = yaml("{data: " + std::string(data) + "}");
    const auto location = data_location(tmpl, {{"s3", doc::Object{{"key", "wf/pod"}}}});
    const auto result = process_data(tmpl, location ? stores_.open(*location, {}) : std::unexpected(location.error()));
    return result ? *result : "error: " + result.error().message;
  }

  FakeRepository repository_;
  artifact::Stores stores_{repository_};
};

TEST_F(DataRunnerTest, ListsAFolderOfTheRepository) {
  EXPECT_EQ(process("{source: {artifactPaths: {name: x, s3: {key: in}}}}"), R"(["in/a.csv","in/b.txt","in/c.csv"])");
  EXPECT_EQ(repository_.asked, "in");
  EXPECT_EQ(process("{source: {artifactPaths: {s3: {}}}, transformation: []}"),
            R"(["in/a.csv","in/b.txt","in/c.csv"])");
  EXPECT_EQ(repository_.asked, "");
}

TEST_F(DataRunnerTest, TransformationsFollowEachOther) {
  constexpr std::string_view kSource = "{source: {artifactPaths: {s3: {key: in}}}, transformation: ";
  struct Row {
    const char* steps;
    const char* result;
  };
  for (const Row& row : {
           Row{R"y([{expression: "filter(data, {# endsWith '.csv'})"}])y", R"(["in/a.csv","in/c.csv"])"},
           Row{R"y([{expression: "filter(data, {# endsWith '.csv'})"}, {expression: "map(data, {# + '<'})"}])y",
               R"(["in/a.csv\u003c","in/c.csv\u003c"])"},
           Row{R"y([{expression: "len(data)"}, {expression: ""}, {expression: "data + 1"}])y", "4"},
           Row{R"y([{expression: "filter(data, {false})"}])y", "[]"},
           Row{R"y([{expression: "data[0]"}])y", "\"in/a.csv\""},
           Row{R"y([{expression: "data"}, {expression: "sprig.first(data)"}])y",
               "error: unable to process data transformation: error processing data step 1: unknown name sprig (1:1)\n "
               "| sprig.first(data)\n | ^"},
           Row{R"y([{expression: "other"}])y",
               "error: unable to process data transformation: error processing data step 0: unknown name other "
               "(1:1)\n | other\n | ^"},
       }) {
    EXPECT_EQ(process(std::string(kSource) + row.steps + "}"), row.result);
  }
}

TEST_F(DataRunnerTest, WhatCannotBeListedIsAnError) {
  constexpr std::string_view kLead = "error: unable to process data source: unable to source artifact paths: ";
  EXPECT_EQ(process("{source: {artifactPaths: {s3: {key: none}}}}"), std::string(kLead) + "no key found of name none");
  EXPECT_EQ(process("{source: {artifactPaths: {s3: {key: broken}}}}"),
            std::string(kLead) + "failed to list directory: it is locked");
  EXPECT_EQ(process("{source: {artifactPaths: {name: a}}}"),
            std::string(kLead) + "artifactPaths names no place: write s3: {key: FOLDER}");
}

TEST_F(DataRunnerTest, TheEndIsToldOnceUnlessNobodyListens) {
  boost::asio::io_context context;
  const auto work = boost::asio::make_work_guard(context);
  const auto executor = make_asio_executor(context);
  Workers workers(*executor, 1);
  store::TestStore cluster;
  DataRunner runner(cluster.store(), workers, &stores_);
  std::vector<engine::ActionChanged> ends;
  const auto start = [&](const char* key) {
    ActionRequest request{"argo", "wf", "uid-1", {key, "wf.a", nullptr, false}};
    request.archive_location = {{"s3", doc::Object{{"key", "wf/pod"}}}};
    request.run.template_document = std::make_shared<const doc::Value>(
        yaml("{data: {source: {artifactPaths: {s3: {key: " + std::string(key) + "}}}}}"));
    return runner.run(std::move(request), [&](engine::ActionChanged end) { ends.push_back(std::move(end)); });
  };
  auto silent = start("in");
  silent.reset();
  const auto good = start("in");
  const auto bad = start("none");
  while (ends.size() < 2) context.run_one();
  EXPECT_EQ(ends[0].phase, api::NodePhase::kSucceeded);
  EXPECT_EQ(ends[0].outputs->exit_code, "0");
  EXPECT_EQ(ends[0].outputs->result, R"(["in/a.csv","in/b.txt","in/c.csv"])");
  EXPECT_EQ(ends[1].node_id, "none");
  EXPECT_EQ(ends[1].phase, api::NodePhase::kFailed);
  EXPECT_EQ(ends[1].outputs->exit_code, "64");
  EXPECT_EQ(ends[1].message,
            "main: Error (exit code 64): unable to process data template: unable to process data source: unable to "
            "source artifact paths: no key found of name none");
}

}  // namespace
}  // namespace tiphys::controllers
