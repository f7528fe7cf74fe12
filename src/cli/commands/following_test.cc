// What commands do with a plane, against one in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "argo/plane_services.h"
#include "cli/commands/common.h"
#include "cli/commands/follow_command.h"
#include "cli/commands/output_parameters.h"
#include "cli/commands/print_logs.h"
#include "server/testing.h"

namespace tiphys::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const cluster::Key kFlow{&cluster::kWorkflows, "default", "w"};

class FakeSession final : public Session {
 public:
  FakeSession(Loop& loop, cluster::Cluster& cluster) : loop_(loop), cluster_(cluster) {}
  Loop& loop() override { return loop_; }
  cluster::Cluster& cluster() override { return cluster_; }
  std::string artifact_path(std::string_view key) override { return "/artifacts/" + std::string(key); }
  bool remote() const override { return false; }
  bool local() const override { return false; }
  argo::Services& services() override { return *services_; }
  void find_artifact(argo::ArtifactName, const std::string&, cluster::Done<argo::FoundArtifact> done) override {
    done(fail(Code::kUnimplemented, "no test asks it"));
  }

 private:
  Loop& loop_;
  cluster::Cluster& cluster_;
  SystemRandom random_;
  std::unique_ptr<argo::Services> services_ =
      argo::make_services({.executor = loop_.executor(), .cluster = &cluster_, .random = random_});
};

class RecordingView final : public RunView {
 public:
  void node_changed(const RunState&, const api::NodeStatus& node, api::NodePhase) override {
    events.push_back(node.name + " " + std::string(api::node_phase_name(node.phase)));
  }
  void workflow_changed(const RunState& run) override { events.push_back("workflow " + std::string(run.phase())); }
  void note(const std::string& text) override { events.push_back(text); }
  void end() override {}
  std::vector<std::string> events;
};

class PlaneTest : public testing::Test {
 protected:
  void create(const cluster::Key& key, const doc::Object& more = {}) {
    doc::Object object{{"apiVersion", key.resource->api_version()},
                       {"kind", key.resource->kind},
                       {"metadata", doc::Object{{"name", key.name}, {"namespace", key.ns}}}};
    for (const auto& member : more) object[member.key()] = member.value();
    const auto made = await<cluster::Object>(
        loop_, [&](auto done) { fake_.create(*key.resource, std::move(object), std::move(done)); });
    ASSERT_TRUE(made) << made.error().message;
  }

  void set_status(const cluster::Key& key, doc::Object fields,
                  std::vector<cluster::WorkflowStatusUpdate::Node> nodes = {}) {
    cluster::WorkflowStatusUpdate update;
    update.fields = std::move(fields);
    update.nodes = std::move(nodes);
    const auto done = await<void>(
        loop_, [&](auto callback) { fake_.update_workflow_status(key, std::move(update), std::move(callback)); });
    ASSERT_TRUE(done);
  }

  static std::string node(const std::string& name, const char* phase, const char* type = "Pod") {
    return R"({"id":")" + name + R"(","name":")" + name + R"(","displayName":")" + name + R"(","type":")" + type +
           R"(","phase":")" + phase +
           R"(","templateName":"t","startedAt":"2026-11-24T10:00:00Z","message":"exit 3","boundaryID":")" +
           (name == "w" ? "" : "w") +
           R"(","outputs":{"parameters":[{"name":"best","value":"svm"}],"artifacts":[{"name":"model","s3":{"key":"k/model.tgz"}}]}})";
  }

  void pod(const std::string& name, const char* phase, const char* started) {
    create({&cluster::kPods, "default", name},
           doc::Object{{"metadata", doc::Object{{"name", name},
                                                {"namespace", "default"},
                                                {"labels", doc::Object{{"workflows.argoproj.io/workflow", "w"}}}}},
                       {"status", doc::Object{{"phase", phase}, {"startTime", started}}}});
  }

  std::string logs(argo::PodLogRequest request, const Style& style = {}) {
    request.workflow = kFlow;
    testing::internal::CaptureStdout();
    const Status status = print_logs(session_, request, style);
    std::string text = testing::internal::GetCapturedStdout();
    return status ? text : "error: " + status.error().message;
  }

  Loop loop_;
  server::FakeCluster fake_{loop_.executor()};
  FakeSession session_{loop_, fake_};
};

TEST_F(PlaneTest, a_run_is_followed_to_its_end) {
  create(kFlow);
  RecordingView view;
  Following following(loop_, {kFlow}, view);
  loop_.executor().post([&] {
    fake_.update_workflow_status(kFlow,
                                 {.nodes = {{"w", node("w", "Running", "Steps")}},
                                  .fields = {{"phase", "Running"}},
                                  .labels = {},
                                  .annotations = {}},
                                 [](auto) {});
    fake_.update_workflow_status(kFlow,
                                 {.nodes = {{"w", node("w", "Succeeded", "Steps")}},
                                  .fields = {{"phase", "Succeeded"}},
                                  .labels = {},
                                  .annotations = {}},
                                 [](auto) {});
  });
  ASSERT_TRUE(following.run(fake_));
  EXPECT_TRUE(following.succeeded());
  EXPECT_THAT(view.events,
              testing::IsSupersetOf({"w Running", "workflow Running", "w Succeeded", "workflow Succeeded"}));
  EXPECT_EQ(fake_.open_watches(), 0u);
}

TEST_F(PlaneTest, nodes_that_came_late_are_fetched) {
  create(kFlow);
  RecordingView view;
  Following following(loop_, {kFlow}, view);
  set_status(kFlow, {{"phase", "Failed"}}, {{"w", node("w", "Failed")}});
  ASSERT_TRUE(following.run(fake_));
  EXPECT_FALSE(following.succeeded());
  EXPECT_EQ(following.runs().front().nodes.at("w").phase, api::NodePhase::kFailed);
}

TEST_F(PlaneTest, a_workflow_that_does_not_exist) {
  RecordingView view;
  Following following(loop_, {kFlow}, view);
  const Status status = following.run(fake_);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error(), (Error{Code::kNotFound, "workflows.argoproj.io \"w\" not found"}));
}

TEST_F(PlaneTest, a_workflow_that_is_deleted_meanwhile) {
  create(kFlow);
  RecordingView view;
  Following following(loop_, {kFlow}, view);
  // After the watches have begun.
  loop_.executor().post([&] { loop_.executor().post([&] { fake_.remove(kFlow, {}, [](auto) {}); }); });
  ASSERT_TRUE(following.run(fake_));
  EXPECT_TRUE(following.runs().front().deleted);
  EXPECT_FALSE(following.succeeded());
}

TEST_F(PlaneTest, a_lost_plane_is_told_and_followed_again) {
  create(kFlow);
  RecordingView view;
  Following following(loop_, {kFlow}, view);
  loop_.executor().post([&] { fake_.end_watches({Code::kUnavailable, "gone"}); });
  const Status lost = following.run(fake_);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Code::kUnavailable);
  set_status(kFlow, {{"phase", "Succeeded"}}, {{"w", node("w", "Succeeded")}});
  EXPECT_TRUE(following.run(fake_));
  EXPECT_TRUE(following.succeeded());
}

TEST_F(PlaneTest, a_workflow_that_went_while_nobody_watched) {
  create(kFlow);
  RecordingView view;
  Following following(loop_, {kFlow}, view);
  loop_.executor().post([&] { fake_.end_watches({Code::kUnavailable, "gone"}); });
  ASSERT_FALSE(following.run(fake_));
  fake_.remove(kFlow, {}, [](auto) {});
  EXPECT_TRUE(following.run(fake_));
  EXPECT_TRUE(following.runs().front().deleted);
}

TEST_F(PlaneTest, the_report_tells_outputs_artifacts_and_failures) {
  create(kFlow);
  set_status(kFlow, {{"phase", "Failed"}, {"message", "child failed"}},
             {{"w", node("w", "Failed", "DAG")}, {"w.a", node("w.a", "Failed")}});
  RecordingView view;
  Following following(loop_, {kFlow}, view);
  ASSERT_TRUE(following.run(fake_));
  const RunState& run = following.runs().front();
  fake_.logs[pod_name("w", run.nodes.at("w.a"))] = {{"first", {}, "stdout"}, {"Traceback", {}, "stderr"}};
  const std::string text = closing_report(session_, run, {});
  EXPECT_THAT(text, HasSubstr("✖ w.a: exit 3\n    first\n    Traceback\n"));
  EXPECT_THAT(text, HasSubstr("Outputs:\n  best  svm\n"));
  EXPECT_THAT(text, HasSubstr("Artifacts:\n  model  /artifacts/k/model.tgz\n"));
  EXPECT_THAT(text, HasSubstr("w  Failed  1/1 done"));
  EXPECT_THAT(text, testing::EndsWith("child failed\n"));
}

TEST_F(PlaneTest, the_report_of_a_missing_image_tells_how_to_do_without) {
  create(kFlow);
  std::string failed = node("w", "Error");
  failed.replace(failed.find("exit 3"), 6, "ErrImagePull: nowhere/none: no such host");
  set_status(kFlow, {{"phase", "Error"}}, {{"w", failed}});
  RecordingView view;
  Following following(loop_, {kFlow}, view);
  ASSERT_TRUE(following.run(fake_));
  EXPECT_THAT(closing_report(session_, following.runs().front(), {}), HasSubstr("\n--runtime process runs steps"));
}

TEST_F(PlaneTest, latest_is_the_newest) {
  EXPECT_EQ(find_workflow(session_, "default", "@latest").error().code, Code::kNotFound);
  for (const char* name : {"b", "c", "a"}) create({&cluster::kWorkflows, "default", name});
  EXPECT_EQ(find_workflow(session_, "default", "@latest")->name, "a");
  EXPECT_EQ(find_workflow(session_, "default", "b")->name, "b");
}

TEST_F(PlaneTest, phases_that_workflows_never_have_are_refused) {
  WorkflowFilter filter;
  filter.status = {"Succeeded", "succeeded"};
  EXPECT_THAT(list_workflows(session_, filter).error().message, HasSubstr("--status: \"succeeded\" is no phase"));
}

TEST_F(PlaneTest, lists_are_filtered) {
  create({&cluster::kWorkflows, "default", "train-1"});
  create({&cluster::kWorkflows, "default", "train-2"});
  create({&cluster::kWorkflows, "other", "train-3"});
  set_status({&cluster::kWorkflows, "default", "train-2"},
             {{"phase", "Succeeded"}, {"finishedAt", "2020-01-01T00:00:00Z"}});
  struct Row {
    const char* rule;
    WorkflowFilter filter;
    std::size_t expected;
  };
  const Row rows[] = {
      {"all namespaces", {}, 3},
      {"one namespace", {.ns = "default"}, 2},
      {"a prefix", {.prefix = "train-1"}, 1},
      {"older", {.older = "1d"}, 1},
      {"since", {.since = "1h"}, 3},
      {"fields", {.fields = "metadata.name=train-3"}, 1},
      {"in parts", {.chunk_size = 1}, 3},
  };
  for (const auto& row : rows) {
    const auto listed = list_workflows(session_, row.filter);
    ASSERT_TRUE(listed) << row.rule << ": " << listed.error().message;
    EXPECT_EQ(listed->size(), row.expected) << row.rule;
  }
  EXPECT_FALSE(list_workflows(session_, {.completed = true, .running = true}));
  EXPECT_FALSE(list_workflows(session_, {.since = "soon"}));
}

TEST_F(PlaneTest, shutting_down_ends_with_the_workflow) {
  create(kFlow);
  ASSERT_TRUE(ask_of_workflow(session_, "StopWorkflow", kFlow));
  EXPECT_EQ(doc::find_string(*fake_.find(kFlow), "spec", "shutdown"), "Stop");
  set_status(kFlow, {{"phase", "Failed"}});
  const auto again = ask_of_workflow(session_, "StopWorkflow", kFlow);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message, "cannot shutdown a completed workflow: workflow: \"w\", namespace: \"default\"");
}

TEST(OutputParameters, forms) {
  const auto outputs = parse_output_parameters({"a=1", "b=\"Hello, \\\"x\\\"\"", "c=", "d=x=y"}).value();
  EXPECT_EQ(doc::to_json(outputs), R"({"a":"1","b":"Hello, \"x\"","c":"","d":"x=y"})");
  EXPECT_FALSE(parse_output_parameters({"a"}));
}

TEST_F(PlaneTest, logs_of_pods_are_put_in_order_of_time) {
  create(kFlow, {{"status", doc::Object{{"phase", "Succeeded"}}}});
  pod("p2", "Succeeded", "2026-11-24T10:00:01Z");
  pod("p1", "Running", "2026-11-24T10:00:00Z");
  pod("p3", "Pending", "");
  const Time at = parse_rfc3339("2026-11-24T10:00:00Z").value();
  fake_.logs["p1"] = {{"one", at}, {"three", at + std::chrono::seconds(2)}};
  fake_.logs["p2"] = {{"two", at + std::chrono::seconds(1)}};
  EXPECT_EQ(logs({}), "p1: one\np2: two\np1: three\n");
  EXPECT_EQ(logs({.pod = "p2"}), "p2: two\n");
  EXPECT_EQ(logs({.grep = "^t.o"}), "p2: two\n");
  EXPECT_EQ(logs({.pod = "p2", .options = {.timestamps = true}}), "p2: 2026-11-24T10:00:01.000000Z two\n");
  EXPECT_EQ(logs({.options = {.tail = 1}}), "p2: two\np1: three\n");
  EXPECT_THAT(logs({.grep = "("}), HasSubstr("error: grep"));
  EXPECT_THAT(logs({.pod = "p4"}), HasSubstr("error: workflow \"w\" has no pod \"p4\""));
  EXPECT_EQ(logs({.pod = "p2"}, {.color = true}),
            "\x1b[" + std::to_string(static_cast<int>(pod_color("p2"))) + "mp2: two\x1b[0m\n");
}

TEST_F(PlaneTest, logs_are_followed_until_the_workflow_ends) {
  create(kFlow, {{"status", doc::Object{{"phase", "Running"}}}});
  pod("p1", "Running", "2026-11-24T10:00:00Z");
  fake_.logs["p1"] = {{"one", {}}};
  fake_.open_logs = {"p1"};
  fake_.logs["p2"] = {{"two", {}}};
  loop_.executor().post([&] {
    doc::Object late{{"metadata", doc::Object{{"name", "p2"},
                                              {"namespace", "default"},
                                              {"labels", doc::Object{{"workflows.argoproj.io/workflow", "w"}}}}},
                     {"status", doc::Object{{"phase", "Running"}}}};
    fake_.create(cluster::kPods, std::move(late), [&](auto) {
      loop_.executor().post([&] {
        fake_.update_workflow_status(
            kFlow, {.nodes = {}, .fields = {{"phase", "Succeeded"}}, .labels = {}, .annotations = {}}, [](auto) {});
        loop_.executor().post([&] { fake_.end_logs(); });
      });
    });
  });
  EXPECT_THAT(logs({.options = {.follow = true}}), testing::AllOf(HasSubstr("p1: one\n"), HasSubstr("p2: two\n")));
}

TEST_F(PlaneTest, logs_of_a_pod_that_is_heard_of_after_the_end) {
  create(kFlow, {{"status", doc::Object{{"phase", "Running"}}}});
  fake_.logs["p1"] = {{"one", {}}};
  // The watches of the workflow and of its pods are told apart: this one's end comes first.
  loop_.executor().schedule(loop_.now() + std::chrono::milliseconds(20), [&] {
    fake_.update_workflow_status(
        kFlow, {.nodes = {}, .fields = {{"phase", "Succeeded"}}, .labels = {}, .annotations = {}}, [](auto) {});
    doc::Object late{{"metadata", doc::Object{{"name", "p1"},
                                              {"namespace", "default"},
                                              {"labels", doc::Object{{"workflows.argoproj.io/workflow", "w"}}}}},
                     {"status", doc::Object{{"phase", "Succeeded"}}}};
    fake_.create(cluster::kPods, std::move(late), [](auto) {});
  });
  EXPECT_EQ(logs({.options = {.follow = true}}), "p1: one\n");
}

TEST_F(PlaneTest, logs_of_a_workflow_that_does_not_exist) {
  EXPECT_THAT(logs({}), HasSubstr("error: "));
}

}  // namespace
}  // namespace tiphys::cli
