#include "controllers/plugin_runner.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "controllers/agent_pod.h"
#include "controllers/owner_reference.h"
#include "doc/yaml.h"
#include "store/testing.h"

namespace tiphys::controllers {
namespace {

using api::NodePhase;

const std::string kPod = agent_pod_name("wf");

doc::Value yaml(std::string_view text) {
  auto documents = doc::parse_yaml(text, "test.yaml");
  EXPECT_TRUE(documents.has_value()) << documents.error().message;
  return std::move(documents->front().root);
}

/// Answers by what the test has laid ready, last one first.
class FakeClient : public web::HttpClient {
 public:
  explicit FakeClient(Executor& executor) : executor_(executor) {}
  std::unique_ptr<web::HttpCall> send(web::HttpRequest request, Done done) override {
    urls.push_back(request.url);
    last = std::move(request);
    Result<web::HttpAnswer> answer = web::HttpAnswer{200, {}, "{}"};
    if (!answers.empty()) {
      answer = std::move(answers.back());
      answers.pop_back();
    }
    executor_.post([done = std::move(done), answer = std::move(answer)]() mutable { done(std::move(answer)); });
    return std::make_unique<web::HttpCall>();
  }
  void says(int status, std::string body) {
    answers.insert(answers.begin(), web::HttpAnswer{status, {}, std::move(body)});
  }
  void fails(std::string message) { answers.insert(answers.begin(), fail(Code::kUnavailable, std::move(message))); }

  std::vector<std::string> urls;
  web::HttpRequest last;
  std::vector<Result<web::HttpAnswer>> answers;

 private:
  Executor& executor_;
};

class PluginRunnerTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto workflow = store_.create(
        cluster::kWorkflows, yaml("{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {name: wf, namespace: "
                                  "argo}, spec: {}}"));
    ASSERT_TRUE(workflow);
    uid_ = doc::find_string(**workflow, "metadata", "uid");
  }
  /// The workflow of these plugins. Its pods are made with the names of their containers alone.
  void open(std::string_view plugins) {
    std::string spec = "executorPlugins:\n";
    int port = 4000;
    for (const char letter : plugins) {
      spec += fmt::format(
          "- {{metadata: {{name: {0}}}, spec: {{sidecar: {{container: {{name: {0}, ports: [{{containerPort: {1}}}], "
          "resources: {{requests: {{cpu: 1}}, limits: {{cpu: 1}}}}, securityContext: {{}}}}}}}}}}\n",
          letter, port++);
    }
    pod_ = std::make_shared<AgentPod>(
        store_.executor(), store_.store(), random_, AgentPod::Owner{"argo", "wf", uid_},
        std::make_shared<const doc::Value>(plugins.empty() ? doc::Value(doc::Object{}) : yaml(spec)), pod_rate_,
        [this](const std::vector<ExecutorPlugin>& wanted, const std::string& secret) -> Result<doc::Value> {
          ++built_;
          doc::Value pod = yaml(fmt::format(
              "{{apiVersion: v1, kind: Pod, metadata: {{name: {}, namespace: argo}}, spec: {{secret: {}}}}}", kPod,
              secret));
          pod.at("metadata").get_object()["ownerReferences"] = doc::Array{owner_reference("wf", uid_)};
          doc::Value& containers = pod.at("spec").get_object()["containers"] = doc::Array{};
          for (const auto& each : wanted) containers.get_array().push_back(doc::Object{{"name", each.name}});
          return pod;
        });
  }
  void start() {
    changes_.clear();
    ActionRequest request{"argo", "wf", uid_, {"wf-7", "wf.a", nullptr, false}, pod_};
    request.run.template_document = std::make_shared<const doc::Value>(yaml("{name: a, plugin: {x: {}}}"));
    action_ = runner_.run(std::move(request),
                          [this](engine::ActionChanged change) { changes_.push_back(std::move(change)); });
    store_.run();
  }
  void advance(Duration time) {
    bool passed = false;
    store_.executor().schedule(store_.executor().now() + time, [&] { passed = true; });
    ASSERT_TRUE(store_.executor().run_until([&] { return passed; }));
    store_.run();
  }
  void pod_is(std::string_view status) {
    ASSERT_TRUE(store_.patch({&cluster::kPods, "argo", kPod}, cluster::PatchType::kMerge,
                             yaml(fmt::format("{{status: {}}}", status))));
    store_.run();
  }
  std::string last() const {
    if (changes_.empty()) return "nothing";
    return fmt::format("{}: {}", api::node_phase_name(changes_.back().phase), changes_.back().message);
  }

  std::string uid_;
  store::TestStore store_;
  SeededRandom random_{1};
  PodRate pod_rate_{store_.executor(), std::nullopt};
  FakeClient client_{store_.executor()};
  PluginRunner runner_{store_.executor(), &client_};
  std::shared_ptr<AgentPod> pod_;
  std::unique_ptr<RunningAction> action_;
  std::vector<engine::ActionChanged> changes_;
  int built_ = 0;
};

constexpr std::string_view kRuns = "{phase: Running, podIP: 10.0.0.1}";
constexpr const char* kDone = R"({"node": {"phase": "Succeeded", "message": "well"}})";

TEST_F(PluginRunnerTest, PluginsAreAskedOneAfterTheOther) {
  open("ab");
  client_.says(200, "{}");
  client_.says(200, R"({"node": {"phase": "Succeeded", "message": "well", "outputs": {"result": "r"}}})");
  start();
  EXPECT_EQ(last(), "nothing") << "its pod does not run yet";
  pod_is(kRuns);
  EXPECT_EQ(last(), "Succeeded: well");
  EXPECT_EQ(changes_.back().outputs->result, "r");
  EXPECT_EQ(changes_.back().node_id, "wf-7");
  EXPECT_EQ(client_.urls, (std::vector<std::string>{"http://10.0.0.1:4000/api/v1/template.execute",
                                                    "http://10.0.0.1:4001/api/v1/template.execute"}));
  EXPECT_EQ(
      client_.last.body,
      fmt::format(R"({{"workflow":{{"metadata":{{"name":"wf","namespace":"argo","uid":"{}"}}}},)"
                  R"("template":{{"name":"a","plugin":{{"x":{{}}}},"inputs":{{}},"outputs":{{}},"metadata":{{}}}}}})",
                  uid_));
  ASSERT_EQ(client_.last.headers.size(), 2U);
  EXPECT_EQ(client_.last.headers[1].second.size(), std::string("Bearer ").size() + 32);
}

TEST_F(PluginRunnerTest, WhatAnAnswerMeans) {
  struct Case {
    int status;
    const char* body;
    const char* expected;
  };
  const Case cases[] = {
      {200, R"({"node": {"phase": "Failed", "message": "no"}})", "Failed: no"},
      {200, R"({"node": {"phase": "Error", "message": "bad"}})", "Error: bad"},
      {200, "null", "Failed: no plugin executed the template"},
      {200, R"({"node": {"phase": "Odd"}})", "Failed: the plugin's answer has no phase of a node: \"Odd\""},
      {500, "why", "Failed: 500: why"},
      {200, R"({"node": {"phase": "Running"}})",
       "Error: the plugin says Running and not when to ask it again: \"requeue\" is missing"},
  };
  open("a");
  start();
  pod_is(kRuns);
  for (const Case& each : cases) {
    client_.says(each.status, each.body);
    start();
    EXPECT_EQ(last(), each.expected);
  }
  client_.says(200, "{");
  start();
  EXPECT_EQ(changes_.back().phase, NodePhase::kFailed);
}

TEST_F(PluginRunnerTest, OneThatIsNotReadyIsAskedAgain) {
  open("a");
  client_.fails("Post \"http://10.0.0.1:4000\": dial tcp 10.0.0.1:4000: connect: connection refused");
  client_.says(503, "soon");
  client_.says(200, kDone);
  start();
  pod_is(kRuns);
  advance(std::chrono::seconds(1));
  EXPECT_EQ(last(), "Succeeded: well");
  EXPECT_EQ(client_.urls.size(), 3U);
  for (int i = 0; i < 20; ++i) client_.says(503, "never");
  start();
  advance(std::chrono::minutes(1));
  EXPECT_EQ(last(), "Failed: never");
}

TEST_F(PluginRunnerTest, OneThatKnowsNoTemplatesIsNotAskedAgain) {
  open("ab");
  client_.says(404, "");
  client_.says(200, kDone);
  start();
  pod_is(kRuns);
  client_.says(200, kDone);
  start();
  EXPECT_EQ(last(), "Succeeded: well");
  EXPECT_EQ(client_.urls.size(), 3U);
}

TEST_F(PluginRunnerTest, RunningIsToldAndAskedForAgain) {
  open("a");
  client_.says(200, R"({"node": {"phase": "Running", "message": "half"}, "requeue": "2m"})");
  client_.says(200, kDone);
  start();
  pod_is(kRuns);
  EXPECT_EQ(last(), "Running: half");
  advance(std::chrono::seconds(119));
  EXPECT_EQ(last(), "Running: half");
  advance(std::chrono::seconds(2));
  EXPECT_EQ(last(), "Succeeded: well");
}

TEST_F(PluginRunnerTest, ItsPodsEndEndsItAndAnotherOneComesWhenNeeded) {
  open("a");
  client_.says(200, R"({"node": {"phase": "Running"}, "requeue": "1h"})");
  start();
  pod_is(kRuns);
  pod_is("{phase: Failed, podIP: 10.0.0.1, message: gone}");
  EXPECT_EQ(last(), "Error: agent pod failed with reason:\"gone\"");
  client_.says(200, kDone);
  start();
  EXPECT_EQ(built_, 2);
  pod_is(kRuns);
  EXPECT_EQ(last(), "Succeeded: well");
}

TEST_F(PluginRunnerTest, APodOfBeforeACrashIsFoundAgainWithItsTokens) {
  open("a");
  client_.says(200, R"({"node": {"phase": "Running"}, "requeue": "1h"})");
  start();
  pod_is(kRuns);
  const web::Headers headers = client_.last.headers;
  action_.reset();
  open("ab");
  client_.says(200, kDone);
  start();
  EXPECT_EQ(last(), "Succeeded: well");
  EXPECT_EQ(client_.last.headers, headers);
  EXPECT_EQ(built_, 1);
}

TEST_F(PluginRunnerTest, ConfigMapsHaveThePluginsOfTheirNamespace) {
  const auto config_map = [&](std::string_view name, std::string_view ns, std::string_view container) {
    ASSERT_TRUE(store_.create(
        cluster::kConfigMaps,
        yaml(fmt::format(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {}-executor-plugin, namespace: {}, labels: "
            "{{workflows.argoproj.io/configmap-type: ExecutorPlugin}}}}, data: {{sidecar.container: '{}'}}}}",
            name, ns, container))));
  };
  constexpr std::string_view kWhole =
      "{name: p, ports: [{containerPort: 80}], resources: {requests: {cpu: 1}, limits: {cpu: 1}}, securityContext: {}}";
  config_map("good", "argo", kWhole);
  config_map("bad", "argo", "{name: q}");
  config_map("far", "other", kWhole);
  open("");
  client_.says(200, kDone);
  start();
  pod_is(kRuns);
  EXPECT_EQ(last(), "Succeeded: well");
  EXPECT_EQ(pod_->plugins().size(), 1U);
}

TEST_F(PluginRunnerTest, WithoutPluginsThereIsNoPod) {
  open("");
  start();
  EXPECT_EQ(last(), "Failed: no plugin executed the template");
  EXPECT_EQ(built_, 0);
}

TEST_F(PluginRunnerTest, APodOfSomebodyElseIsLeftAlone) {
  ASSERT_TRUE(store_.create(cluster::kPods, yaml(fmt::format("{{apiVersion: v1, kind: Pod, metadata: {{name: {}, "
                                                             "namespace: argo}}, spec: {{containers: []}}}}",
                                                             kPod))));
  open("a");
  start();
  EXPECT_EQ(
      last(),
      fmt::format("Error: agent pod failed with reason:\"pod {} exists already and is not of this workflow\"", kPod));
}

}  // namespace
}  // namespace tiphys::controllers
