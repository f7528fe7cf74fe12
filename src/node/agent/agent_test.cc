#include "node/agent/agent.h"

#include <fcntl.h>
#include <gmock/gmock.h>

#include <boost/asio/ip/tcp.hpp>
#include <set>

#include "base/beneath.h"
#include "base/simulated_executor.h"
#include "cluster/taints.h"
#include "node/agent/fake_cluster.h"
#include "node/agent/pod_io.h"
#include "node/testing.h"

namespace tiphys::node {
namespace {

using ::testing::ElementsAre;
using testing::FakeCluster;
using ::testing::HasSubstr;
using ::testing::Pair;
using testing::read_file;
using testing::TempFolder;
using testing::write_file;

/// A runtime whose containers start and end when the test says so.
class FakeRuntime final : public Runtime {
 public:
  struct Container {
    ContainerSpec spec;
    std::move_only_function<void(Status)> on_started;
    std::move_only_function<void(ContainerExit)> on_exit;
    std::vector<Duration> stops;
    bool removed = false;
  };

  explicit FakeRuntime(Executor& executor) : executor_(executor) {}

  std::string_view name() const override { return kind; }
  bool holds_files() const override { return holds; }
  void renew_held(const std::string& id, const HeldFiles& files) override { renewed.emplace_back(id, files); }
  void start(const ContainerSpec& spec, std::move_only_function<void(Status)> on_started,
             std::move_only_function<void(ContainerExit)> on_exit) override {
    started.push_back(spec.id);
    containers[spec.id] = {spec, std::move(on_started), std::move(on_exit), {}, false};
  }
  void stop(const std::string& id, Duration grace) override {
    if (const auto found = containers.find(id); found != containers.end()) found->second.stops.push_back(grace);
  }
  Result<UniqueFd> open_folder(const std::string& id, const std::string& path) override {
    return open_beneath(containers.at(id).spec.dir + "/files" + path, "", O_RDONLY | O_DIRECTORY);
  }
  void find_address(const std::string&, std::move_only_function<void(Result<std::string>)> done) override {
    executor_.post([address = address, done = std::move(done)]() mutable { done(address); });
  }
  void exec(const std::string& id, std::vector<std::string> command, Duration,
            std::move_only_function<void(Result<int>)> done) override {
    executed.push_back(fmt::format("{}: {}", id, fmt::join(command, " ")));
    executor_.post([this, done = std::move(done)]() mutable { done(exec_code()); });
  }
  void open_exec(const std::string& id, cluster::SessionOptions options,
                 cluster::Done<std::unique_ptr<cluster::Session>> done) override {
    opened.push_back(fmt::format("{}: {}", id, fmt::join(options.command, " ")));
    executor_.post([done = std::move(done)]() mutable { done(std::unique_ptr<cluster::Session>()); });
  }
  void fetch(const std::string& id, const std::string& path, const std::string&,
             std::move_only_function<void(Result<std::string>)> done) override {
    const std::string host = containers.at(id).spec.dir + "/files" + path;
    Result<std::string> found = host;
    if (!std::filesystem::exists(host)) found = fail(Code::kNotFound, path + ": no such file or directory");
    executor_.post([found = std::move(found), done = std::move(done)]() mutable { done(std::move(found)); });
  }
  void remove(const std::string& id) override {
    if (const auto found = containers.find(id); found != containers.end()) found->second.removed = true;
  }
  void remove_unclaimed(std::function<bool(std::string_view)> is_wanted) override { wanted = std::move(is_wanted); }

  void run(const std::string& id) { std::move(containers.at(id).on_started)({}); }
  void end(const std::string& id, int code, const std::string& reason = "", int signal = 0) {
    ContainerExit exit;
    exit.exit_code = code;
    exit.signal = signal;
    exit.reason = !reason.empty() ? reason : code == 0 ? "Completed" : "Error";
    exit.started_at = exit.finished_at = executor_.now();
    std::move(containers.at(id).on_exit)(exit);
  }

  std::string kind = "process";
  bool holds = false;
  std::vector<std::pair<std::string, HeldFiles>> renewed;
  std::map<std::string, Container> containers;
  std::vector<std::string> started, executed, opened;
  /// What the commands that are run in a container exit with.
  std::function<int()> exec_code = [] { return 0; };
  std::string address = "127.0.0.1";
  std::function<bool(std::string_view)> wanted;

 private:
  Executor& executor_;
};

/// But for the file that every pod has.
std::vector<Mount> own_mounts(const ContainerSpec& spec) {
  std::vector<Mount> mounts = spec.mounts;
  std::erase_if(mounts, [](const Mount& mount) { return mount.path == "/etc/hosts"; });
  return mounts;
}

class AgentTest : public ::testing::Test {
 protected:
  AgentTest() { start(); }

  void start() {
    AgentOptions options;
    options.pods_dir = folder_.path() + "/pods";
    options.claims_dir = folder_.path() + "/claims";
    options.node_name = "laptop";
    options.runtimes = {&runtime_};
    options.most_pods = 3;
    options.cpus = 2;
    options.memory_bytes = 1 << 30;
    options.http = http_.get();
    options.relay = &relay_;
    agent_ = std::make_unique<Agent>(context_, *executor_, cluster_, stores_, std::move(options));
    agent_->start();
    run_until([&] { return static_cast<bool>(runtime_.wanted); });
  }

  template <typename Done>
  void run_until(Done done) {
    while (!done()) {
      context_.run_one();
      context_.restart();
    }
  }
  void settle() {
    context_.poll();
    context_.restart();
  }

  static doc::Value pod(std::string name, doc::Object container = {}, doc::Object spec = {},
                        doc::Object annotations = {}) {
    container["name"] = "main";
    if (!container.contains("command")) container["command"] = doc::Array{"true"};
    spec["containers"] = doc::Array{std::move(container)};
    return doc::Object{{"metadata", doc::Object{{"name", name},
                                                {"namespace", "default"},
                                                {"uid", "uid-" + name},
                                                {"annotations", std::move(annotations)}}},
                       {"spec", std::move(spec)}};
  }
  static cluster::Key key(std::string name) { return {&cluster::kPods, "default", std::move(name)}; }
  static std::string id(const std::string& name) { return "uid-" + name + ".main"; }

  FakeRuntime::Container& begun(const std::string& name) {
    run_until([&] { return runtime_.containers.contains(id(name)); });
    return runtime_.containers.at(id(name));
  }
  /// The pod once its end is written.
  const doc::Value& ended(const std::string& name) {
    run_until([&] {
      const doc::Value* found = cluster_.find(key(name));
      const std::string_view phase = found ? doc::find_string(*found, "status", "phase") : "";
      return phase == "Succeeded" || phase == "Failed";
    });
    settle();
    return *cluster_.find(key(name));
  }
  static std::string status(const doc::Value& pod, std::string_view field) {
    return std::string(doc::find_string(pod, "status", field));
  }
  static const doc::Value& terminated(const doc::Value& pod, std::size_t index = 0) {
    return *doc::find(doc::find(pod, "status", "containerStatuses")->get_array().at(index), "state", "terminated");
  }
  static doc::Value outputs(const doc::Value& pod) {
    const auto text = doc::find_string(pod, "metadata", "annotations", kOutputsAnnotation);
    return text.empty() ? doc::Value() : doc::parse_json(text).value();
  }

  TempFolder folder_;
  boost::asio::io_context context_;
  std::unique_ptr<Executor> executor_ = make_asio_executor(context_);
  FakeCluster cluster_{*executor_};
  FakeRuntime runtime_{*executor_};
  ServiceRelay relay_;
  std::unique_ptr<web::HttpClient> http_ = web::make_http_client(*executor_, {});
  std::unique_ptr<artifact::Repository> repository_ = artifact::make_folder_repository(folder_.path() + "/artifacts");
  artifact::Stores stores_{*repository_};
  std::unique_ptr<Agent> agent_;
};

TEST_F(AgentTest, AShortStepIsReportedByOneWrite) {
  cluster_.put(cluster::kPods, pod("a"));
  begun("a");
  runtime_.run(id("a"));
  runtime_.end(id("a"), 0);
  const doc::Value& done = ended("a");
  EXPECT_THAT(cluster_.phases["a"], ElementsAre("Succeeded"));
  EXPECT_EQ(doc::find(terminated(done), "exitCode")->get_int64(), 0);
  EXPECT_EQ(doc::find_string(terminated(done), "reason"), "Completed");
  EXPECT_NE(doc::find_string(terminated(done), "finishedAt"), "");
  EXPECT_NE(status(done, "startTime"), "");
  EXPECT_EQ(status(done, "hostIP"), "127.0.0.1");
  EXPECT_EQ(status(done, "podIP"), "127.0.0.1");
  EXPECT_EQ(doc::find_string(done, "spec", "nodeName"), "laptop");
  EXPECT_EQ(outputs(done), (doc::Value{{"exitCode", "0"}}));
  EXPECT_TRUE(runtime_.containers.at(id("a")).removed);
}

TEST_F(AgentTest, WhatContainersTellOfTheirProgressIsAnAnnotation) {
  const auto told = [&] {
    return std::string(doc::find_string(*cluster_.find(key("a")), "metadata", "annotations", kProgressAnnotation));
  };
  const doc::Object variable{{"name", "ARGO_PROGRESS_FILE"}, {"value", "/var/run/argo/progress"}};
  cluster_.put(cluster::kPods, pod("a", {{"env", doc::Array{variable}}}));
  const std::string file = begun("a").spec.dir + "/files/var/run/argo/progress";
  write_file(file, "1/10\n");
  runtime_.run(id("a"));
  run_until([&] { return told() == "1/10"; });
  write_file(file, "1/10\n2/10\n");
  run_until([&] { return told() == "2/10"; });
  for (const char* useless : {"", "3", "11/10", "some text\n"}) write_file(file, useless);
  write_file(file + ".new", "5/10");
  std::filesystem::rename(file + ".new", file);
  run_until([&] { return told() == "5/10"; });
  write_file(file, "6/10");
  runtime_.end(id("a"), 1);
  ended("a");
  EXPECT_EQ(told(), "6/10") << "the last word is heard";
}

TEST_F(AgentTest, ContainersTellWhyTheyEnded) {
  struct Case {
    std::string name;
    doc::Object container;
    std::string path, content;
    std::string message;
  };
  const doc::Object by_log{{"terminationMessagePolicy", "FallbackToLogsOnError"}};
  const std::string stamp = "2026-01-01T00:00:00.000000000Z ";
  for (const Case& test : {
           Case{"usual", {}, "/files/dev/termination-log", "why", "why"},
           Case{"silent", {}, "/log", stamp + "stdout F out\n", ""},
           Case{"own", {{"terminationMessagePath", "/tmp/w"}}, "/files/tmp/w", "because", "because"},
           Case{"log", by_log, "/log", stamp + "stdout F out\n" + stamp + "stderr F err\n", "out\nerr"},
           Case{"bounded", {}, "/files/dev/termination-log", std::string(10'000, 'x'), std::string(4096, 'x')},
           Case{"binary", {}, "/files/dev/termination-log", "a\xff", "a\xef\xbf\xbd"},
       }) {
    cluster_.put(cluster::kPods, pod(test.name, test.container));
    write_file(begun(test.name).spec.dir + test.path, test.content);
    runtime_.run(id(test.name));
    runtime_.end(id(test.name), 1);
    EXPECT_EQ(doc::find_string(terminated(ended(test.name)), "message"), test.message) << test.name;
  }
}

TEST_F(AgentTest, ALinkInPlaceOfTheProgressFileIsNotFollowed) {
  const doc::Object variable{{"name", "ARGO_PROGRESS_FILE"}, {"value", "/var/run/argo/progress"}};
  cluster_.put(cluster::kPods, pod("a", {{"env", doc::Array{variable}}}));
  const std::string file = begun("a").spec.dir + "/files/var/run/argo/progress";
  write_file(folder_.path() + "/secret", "1/2");
  std::filesystem::create_directories(std::filesystem::path(file).parent_path());
  std::filesystem::create_symlink(folder_.path() + "/secret", file);
  runtime_.run(id("a"));
  run_until([&] { return !cluster_.phases["a"].empty(); });
  runtime_.end(id("a"), 0);
  EXPECT_EQ(doc::find_string(ended("a"), "metadata", "annotations", kProgressAnnotation), "");
}

TEST_F(AgentTest, APodOfAnotherNodeOrBehindAGateIsLeftAlone) {
  doc::Value other = pod("other"), gated = pod("gated");
  other.at("spec").as_object()["nodeName"] = "elsewhere";
  gated.at("spec").as_object()["schedulingGates"] = doc::Array{doc::Object{{"name", "wait"}}};
  cluster_.put(cluster::kPods, other);
  cluster_.put(cluster::kPods, gated);
  cluster_.put(cluster::kPods, pod("a"));
  begun("a");
  EXPECT_EQ(runtime_.containers.size(), 1u);
  gated.at("spec").as_object().erase("schedulingGates");
  cluster_.put(cluster::kPods, gated);
  begun("gated");
}

doc::Value node_that_is(bool cordoned) {
  return doc::Object{{"metadata", doc::Object{{"name", "laptop"}}}, {"spec", doc::Object{{"unschedulable", cordoned}}}};
}

TEST_F(AgentTest, ACordonedNodeTakesOnlyPodsThatTolerateIt) {
  cluster_.put(cluster::kPods, pod("before"));
  begun("before");
  runtime_.run(id("before"));
  run_until([&] { return !cluster_.phases["before"].empty(); });
  cluster_.put(cluster::kNodes, node_that_is(true));
  settle();
  cluster_.put(cluster::kPods, pod("a"));
  cluster_.put(cluster::kPods, pod("daemon", {},
                                   {{"tolerations", doc::Array{doc::Object{{"key", cluster::kUnschedulableTaint},
                                                                           {"operator", "Exists"},
                                                                           {"effect", "NoSchedule"}}}}}));
  cluster_.put(cluster::kPods, pod("chosen", {}, {{"nodeName", "laptop"}}));
  begun("daemon");
  begun("chosen");
  settle();
  EXPECT_THAT(runtime_.started, ElementsAre(id("before"), id("daemon"), id("chosen")));
  const doc::Value& condition = doc::find(*cluster_.find(key("a")), "status", "conditions")->get_array().at(0);
  EXPECT_EQ(doc::find_string(condition, "type"), "PodScheduled");
  EXPECT_EQ(doc::find_string(condition, "status"), "False");
  EXPECT_EQ(doc::find_string(condition, "reason"), "Unschedulable");
  EXPECT_TRUE(doc::find_string(condition, "message").starts_with("0/1 nodes are available: 1 node(s) were unschedul"));
  EXPECT_EQ(cluster_.phases["a"].size(), 1u) << "it is told once";

  // What has begun is found by another agent.
  runtime_.started.clear();
  start();
  run_until([&] { return runtime_.started.size() == 3; });
  EXPECT_THAT(runtime_.started, ::testing::UnorderedElementsAre(id("before"), id("daemon"), id("chosen")));
  runtime_.end(id("chosen"), 0);
  settle();
  EXPECT_FALSE(runtime_.containers.contains(id("a")));
  cluster_.put(cluster::kNodes, node_that_is(false));
  begun("a");
}

TEST_F(AgentTest, APodThatACordonedNodeRefusesCanBeDeleted) {
  cluster_.put(cluster::kNodes, node_that_is(true));
  settle();
  cluster_.put(cluster::kPods, pod("a"));
  run_until([&] { return !cluster_.phases["a"].empty(); });
  cluster_.mark_deleted(key("a"), 5);
  run_until([&] { return !cluster_.find(key("a")); });
  cluster_.put(cluster::kNodes, node_that_is(false));
  settle();
  EXPECT_TRUE(runtime_.started.empty());
}

TEST_F(AgentTest, APodKnowsItsNameAndItsAliases) {
  doc::Object spec{
      {"hostname", "worker-0"},
      {"subdomain", "workers"},
      {"hostAliases", doc::Array{doc::Object{{"ip", "10.1.2.3"}, {"hostnames", doc::Array{"db", "cache"}}}}}};
  cluster_.put(cluster::kPods, pod("a", {}, std::move(spec)));
  const ContainerSpec started = begun("a").spec;
  EXPECT_EQ(started.hostname, "worker-0");
  ASSERT_EQ(started.mounts.size(), 1u);
  EXPECT_EQ(started.mounts[0].path, "/etc/hosts");
  EXPECT_THAT(read_file(started.mounts[0].host_path), HasSubstr("10.1.2.3\tdb\tcache\n"));
  runtime_.run(id("a"));
  run_until([&] { return !cluster_.phases["a"].empty(); });
  EXPECT_THAT(read_file(started.mounts[0].host_path),
              HasSubstr("127.0.0.1\tworker-0.workers.default.svc.cluster.local worker-0\n"));
}

TEST_F(AgentTest, WhatIsToldLateOfAPodThatHasEndedRunsNothingAgain) {
  cluster_.lags = true;
  cluster_.put(cluster::kPods, pod("a"));
  begun("a");
  runtime_.run(id("a"));
  runtime_.end(id("a"), 0);
  ended("a");
  settle();
  EXPECT_THAT(runtime_.started, ElementsAre(id("a")));
  EXPECT_THAT(cluster_.phases["a"], ElementsAre("Succeeded"));
}

TEST_F(AgentTest, ALongStepIsSeenRunning) {
  cluster_.put(cluster::kPods, pod("a"));
  begun("a");
  runtime_.run(id("a"));
  run_until([&] { return !cluster_.phases["a"].empty(); });
  const doc::Value& running = *cluster_.find(key("a"));
  EXPECT_EQ(status(running, "phase"), "Running");
  const doc::Value& container = doc::find(running, "status", "containerStatuses")->get_array().at(0);
  EXPECT_NE(doc::find_string(container, "state", "running", "startedAt"), "");
  EXPECT_TRUE(doc::find(container, "ready")->get_bool());
  runtime_.end(id("a"), 3);
  const doc::Value& done = ended("a");
  EXPECT_THAT(cluster_.phases["a"], ElementsAre("Running", "Failed"));
  EXPECT_EQ(doc::find(terminated(done), "exitCode")->get_int64(), 3);
  EXPECT_EQ(doc::find_string(terminated(done), "reason"), "Error");
}

TEST_F(AgentTest, AContainerThatCannotStartFailsThePod) {
  cluster_.put(cluster::kPods, pod("a"));
  auto start = std::move(begun("a").on_started);
  start(fail(Code::kNotFound, "exec: \"cowsya\": executable file not found in $PATH"));
  const doc::Value& done = ended("a");
  EXPECT_EQ(status(done, "phase"), "Failed");
  EXPECT_EQ(doc::find_string(terminated(done), "reason"), "StartError");
  EXPECT_EQ(doc::find(terminated(done), "exitCode")->get_int64(), 127);
  EXPECT_EQ(doc::find_string(terminated(done), "message"), "exec: \"cowsya\": executable file not found in $PATH");
}

struct EnvCase {
  std::string name;
  std::string env;       ///< JSON of spec.containers[0].env
  std::string expected;  ///< of the variable X; "-": it is not set
  std::string error;     ///< of the pod, part of it
};

class AgentEnv : public AgentTest, public ::testing::WithParamInterface<EnvCase> {};

TEST_P(AgentEnv, Resolves) {
  cluster_.put(cluster::kConfigMaps, doc::parse_json(R"({"metadata":{"name":"cm","namespace":"default"},
      "data":{"k":"from-map"}})")
                                         .value());
  cluster_.put(cluster::kSecrets, doc::parse_json(R"({"metadata":{"name":"s","namespace":"default"},
      "data":{"k":"ZnJvbS1zZWNyZXQ="}})")
                                      .value());
  doc::Object container{{"env", doc::parse_json(GetParam().env).value()}};
  if (GetParam().env.starts_with('{')) container = doc::parse_json(GetParam().env).value().as_object();
  cluster_.put(cluster::kPods, pod("a", std::move(container), {}, {{"note", "annotated"}}));
  if (!GetParam().error.empty()) {
    EXPECT_THAT(std::string(doc::find_string(terminated(ended("a")), "message")), HasSubstr(GetParam().error));
    return;
  }
  const auto& env = begun("a").spec.env;
  const auto found = std::ranges::find(env, "X", [](const auto& entry) { return entry.first; });
  EXPECT_EQ(found == env.end() ? "-" : found->second, GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Agent, AgentEnv,
    ::testing::Values(
        EnvCase{"Value", R"([{"name":"X","value":"v"}])", "v", ""}, EnvCase{"Empty", R"([{"name":"X"}])", "", ""},
        EnvCase{"RefersToAnEarlierOne", R"j([{"name":"A","value":"1"},{"name":"X","value":"$(A)-$(B)-$$(A)"}])j",
                "1-$(B)-$(A)", ""},
        EnvCase{"ConfigMapKey", R"([{"name":"X","valueFrom":{"configMapKeyRef":{"name":"cm","key":"k"}}}])", "from-map",
                ""},
        EnvCase{"SecretKeyIsDecoded", R"([{"name":"X","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}])",
                "from-secret", ""},
        EnvCase{"Field", R"([{"name":"X","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}])", "a", ""},
        EnvCase{"AnnotationField",
                R"([{"name":"X","valueFrom":{"fieldRef":{"fieldPath":"metadata.annotations['note']"}}}])", "annotated",
                ""},
        EnvCase{"OptionalKeyIsLeftOut",
                R"([{"name":"X","valueFrom":{"configMapKeyRef":{"name":"cm","key":"no","optional":true}}}])", "-", ""},
        EnvCase{"MissingKey", R"([{"name":"X","valueFrom":{"configMapKeyRef":{"name":"cm","key":"no"}}}])", "",
                "couldn't find key no in ConfigMap \"cm\""},
        EnvCase{"MissingSecret", R"([{"name":"X","valueFrom":{"secretKeyRef":{"name":"none","key":"k"}}}])", "",
                "Secret \"none\" not found"},
        EnvCase{"FromAWholeMap", R"j({"envFrom":[{"prefix":"","configMapRef":{"name":"cm"}}],
                                     "env":[{"name":"X","value":"$(k)"}]})j",
                "from-map", ""},
        EnvCase{"Resource",
                R"j({"resources":{"limits":{"cpu":"1500m"}},
                     "env":[{"name":"X","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu"}}}]})j",
                "2", ""},
        EnvCase{"UnsupportedSource", R"([{"name":"X","valueFrom":{"oracleRef":{"key":"k"}}}])", "",
                "this valueFrom is not supported"}),
    [](const auto& test) { return test.param.name; });

TEST_F(AgentTest, CommandsMayHoldVariables) {
  doc::Object container = doc::parse_json(R"j({"env":[{"name":"A","value":"1"}],"command":["say","$(A)"],
      "args":["$(A)$(B)","$$(A)"]})j")
                              .value()
                              .as_object();
  cluster_.put(cluster::kPods, pod("a", std::move(container)));
  EXPECT_THAT(begun("a").spec.command, ElementsAre("say", "1"));
  EXPECT_THAT(begun("a").spec.args, ElementsAre("1$(B)", "$(A)"));
}

TEST_F(AgentTest, VolumesBecomeMounts) {
  cluster_.put(cluster::kConfigMaps, doc::parse_json(R"({"metadata":{"name":"cm","namespace":"default"},
      "data":{"a":"1","b":"2"}})")
                                         .value());
  write_file(folder_.path() + "/host/f", "h");
  doc::Object container{{"volumeMounts", doc::parse_json(R"([
      {"name":"work","mountPath":"/work"}, {"name":"work","mountPath":"/sub","subPath":"in/side"},
      {"name":"cfg","mountPath":"/etc/cfg","readOnly":true}, {"name":"host","mountPath":"/host"}])")
                                             .value()}};
  doc::Object spec{{"volumes", doc::parse_json(R"([{"name":"work","emptyDir":{}},
      {"name":"cfg","configMap":{"name":"cm","items":[{"key":"b","path":"d/bb","mode":256}]}},
      {"name":"host","hostPath":{"path":")" + folder_.path() +
                                               R"(/host","type":"Directory"}}])")
                                   .value()}};
  cluster_.put(cluster::kPods, pod("a", std::move(container), std::move(spec)));
  const auto mounts = own_mounts(begun("a").spec);
  ASSERT_EQ(mounts.size(), 4u);
  EXPECT_TRUE(std::filesystem::is_directory(mounts[0].host_path));
  EXPECT_EQ(mounts[1].host_path, mounts[0].host_path + "/in/side");
  EXPECT_TRUE(mounts[2].read_only);
  EXPECT_EQ(read_file(mounts[2].host_path + "/d/bb"), "2");
  EXPECT_FALSE(std::filesystem::exists(mounts[2].host_path + "/a"));
  struct stat about{};
  ::stat((mounts[2].host_path + "/d/bb").c_str(), &about);
  EXPECT_EQ(about.st_mode & 07777, 0400u);
  EXPECT_EQ(mounts[3].host_path, folder_.path() + "/host");
}

TEST_F(AgentTest, ClaimsAreFoldersThatOutliveThePod) {
  const cluster::Key claim{&cluster::kPersistentVolumeClaims, "default", "data"};
  cluster_.put(cluster::kPersistentVolumeClaims, doc::parse_json(R"({"metadata":{"name":"data","namespace":"default",
      "uid":"claimed"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}})")
                                                     .value());
  settle();
  EXPECT_EQ(doc::find_string(*cluster_.find(claim), "status", "phase"), "Bound");
  EXPECT_EQ(doc::find_string(*cluster_.find(claim), "status", "capacity", "storage"), "1Gi");
  const auto with_claim = [](std::string_view source) {
    return std::pair{doc::Object{{"volumeMounts", doc::parse_json(R"([{"name":"v","mountPath":"/v"},
                                                                     {"name":"own","mountPath":"/own"}])")
                                                      .value()}},
                     doc::Object{{"volumes", doc::parse_json(fmt::format(
                                                                 R"([{{"name":"v","persistentVolumeClaim":{}}},
                                                     {{"name":"own","ephemeral":{{}}}}])",
                                                                 source))
                                                 .value()}}};
  };
  auto [container, spec] = with_claim(R"({"claimName":"data"})");
  cluster_.put(cluster::kPods, pod("a", container, spec));
  const auto mounts = begun("a").spec.mounts;
  EXPECT_EQ(mounts[0].host_path, folder_.path() + "/claims/claimed");
  EXPECT_FALSE(mounts[0].read_only);
  EXPECT_THAT(mounts[1].host_path, HasSubstr("/pods/uid-a/"));
  write_file(mounts[0].host_path + "/f", "kept");

  auto [of_reader, reading] = with_claim(R"({"claimName":"data","readOnly":true})");
  cluster_.put(cluster::kPods, pod("b", of_reader, reading));
  EXPECT_TRUE(begun("b").spec.mounts[0].read_only);
  runtime_.run(id("a"));
  runtime_.end(id("a"), 0);
  ended("a");
  EXPECT_EQ(read_file(mounts[0].host_path + "/f"), "kept");

  cluster_.remove(claim, {}, [](const Result<cluster::Object>&) {});
  settle();
  EXPECT_TRUE(std::filesystem::exists(mounts[0].host_path)) << "b still uses it";
  runtime_.run(id("b"));
  runtime_.end(id("b"), 0);
  run_until([&] { return !std::filesystem::exists(mounts[0].host_path); });

  cluster_.put(cluster::kPods, pod("c", container, spec));
  EXPECT_THAT(doc::to_json(ended("c")), HasSubstr("persistentvolumeclaim \\\"data\\\" not found"));
}

TEST_F(AgentTest, FoldersOfClaimsThatWereDeletedMeanwhileGo) {
  agent_.reset();
  write_file(folder_.path() + "/claims/gone/f", "x");
  start();
  run_until([&] { return !std::filesystem::exists(folder_.path() + "/claims/gone"); });
}

TEST_F(AgentTest, ProjectedVolumesAreOneFolder) {
  cluster_.put(cluster::kConfigMaps, doc::parse_json(R"({"metadata":{"name":"cm","namespace":"default"},
      "data":{"a":"1","b":"2"}})")
                                         .value());
  cluster_.put(cluster::kSecrets, doc::parse_json(R"({"metadata":{"name":"s","namespace":"default"},
      "data":{"k":"ZnJvbS1zZWNyZXQ="}})")
                                      .value());
  doc::Object container{{"volumeMounts", doc::parse_json(R"([{"name":"all","mountPath":"/all"},
      {"name":"info","mountPath":"/info"}])")
                                             .value()}};
  doc::Object spec{{"volumes", doc::parse_json(R"([
      {"name":"all","projected":{"defaultMode":256,"sources":[
        {"configMap":{"name":"cm","items":[{"key":"b","path":"d/bb"}]}},
        {"secret":{"name":"s"}},
        {"configMap":{"name":"none","optional":true}},
        {"downwardAPI":{"items":[{"path":"name","fieldRef":{"fieldPath":"metadata.name"},"mode":420}]}}]}},
      {"name":"info","downwardAPI":{"items":[
        {"path":"annotations","fieldRef":{"fieldPath":"metadata.annotations"}},
        {"path":"cpus","resourceFieldRef":{"containerName":"main","resource":"requests.cpu"}}]}}])")
                                   .value()}};
  cluster_.put(cluster::kPods, pod("a", std::move(container), std::move(spec), {{"note", "one\ntwo"}}));
  const auto mounts = own_mounts(begun("a").spec);
  ASSERT_EQ(mounts.size(), 2u);
  EXPECT_EQ(read_file(mounts[0].host_path + "/d/bb"), "2");
  EXPECT_EQ(read_file(mounts[0].host_path + "/k"), "from-secret");
  EXPECT_EQ(read_file(mounts[0].host_path + "/name"), "a");
  EXPECT_FALSE(std::filesystem::exists(mounts[0].host_path + "/a"));
  EXPECT_THAT(read_file(mounts[1].host_path + "/annotations"), HasSubstr(R"(note="one\ntwo")"));
  EXPECT_EQ(read_file(mounts[1].host_path + "/cpus"), "0");
  struct stat about{};
  ::stat((mounts[0].host_path + "/k").c_str(), &about);
  EXPECT_EQ(about.st_mode & 07777, 0400u);
  ::stat((mounts[0].host_path + "/name").c_str(), &about);
  EXPECT_EQ(about.st_mode & 07777, 0644u);
}

struct BadPodCase {
  std::string name;
  std::string container;  ///< JSON
  std::string spec;       ///< JSON
  std::string message;    ///< part of what the pod says
};

class AgentBadPod : public AgentTest, public ::testing::WithParamInterface<BadPodCase> {};

TEST_P(AgentBadPod, Says) {
  cluster_.put(cluster::kPods, pod("a", doc::parse_json(GetParam().container).value().as_object(),
                                   doc::parse_json(GetParam().spec).value().as_object()));
  const doc::Value& done = ended("a");
  EXPECT_EQ(status(done, "phase"), "Failed");
  EXPECT_THAT(doc::to_json(done), HasSubstr(GetParam().message));
  EXPECT_TRUE(runtime_.started.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Agent, AgentBadPod,
    ::testing::Values(
        BadPodCase{"MountWithoutVolume", R"({"volumeMounts":[{"name":"v","mountPath":"/v"}]})", "{}",
                   "volume \\\"v\\\" of a mount does not exist in the pod"},
        BadPodCase{"MissingConfigMapVolume", "{}", R"({"volumes":[{"name":"v","configMap":{"name":"no"}}]})",
                   "ConfigMap \\\"no\\\" not found"},
        BadPodCase{"HostPathOfAnotherType", "{}",
                   R"({"volumes":[{"name":"v","hostPath":{"path":"/usr","type":"File"}}]})",
                   "hostPath type check failed"},
        BadPodCase{"HostPathThatIsMissing", "{}",
                   R"({"volumes":[{"name":"v","hostPath":{"path":"/no/such","type":"Directory"}}]})",
                   "hostPath type check failed"},
        BadPodCase{"UnsupportedVolume", "{}", R"({"volumes":[{"name":"v","nfs":{"server":"s","path":"/"}}]})",
                   "only a cluster mounts a volume of type nfs; this machine has emptyDir"},
        BadPodCase{"UnsupportedProjection", "{}",
                   R"({"volumes":[{"name":"v","projected":{"sources":[{"serviceAccountToken":{"path":"t"}}]}}]})",
                   "there are tokens of service accounts while the plane serves its API: run it by `tiphys up`"},
        BadPodCase{"UnknownProjection", "{}",
                   R"({"volumes":[{"name":"v","projected":{"sources":[{"clusterTrustBundle":{"path":"t"}}]}}]})",
                   "only a cluster has the source clusterTrustBundle of a projected volume"},
        BadPodCase{"BlockDevice", R"({"volumeDevices":[{"name":"v","devicePath":"/dev/x"}]})", "{}",
                   "only a cluster has volumeDevices"},
        BadPodCase{"BadQuantity", R"({"resources":{"limits":{"memory":"lots"}}})", "{}", "lots"},
        BadPodCase{"MoreThanTheMachine", R"({"resources":{"requests":{"cpu":"64"}}})", "{}", "Unschedulable"}),
    [](const auto& test) { return test.param.name; });

TEST_F(AgentTest, LimitsAndSecurityReachTheRuntime) {
  cluster_.put(cluster::kPods,
               pod("a",
                   doc::parse_json(R"({"resources":{"limits":{"memory":"64Mi","cpu":"500m"}},"workingDir":"/w",
                   "securityContext":{"runAsUser":7,"readOnlyRootFilesystem":true}})")
                       .value()
                       .as_object(),
                   doc::parse_json(R"({"securityContext":{"runAsUser":5,"runAsGroup":6}})").value().as_object()));
  const ContainerSpec& spec = begun("a").spec;
  EXPECT_EQ(spec.memory_bytes, 64 << 20);
  EXPECT_EQ(spec.cpus, 0.5);
  EXPECT_EQ(spec.run_as_user, 7);
  EXPECT_EQ(spec.run_as_group, 6);
  EXPECT_TRUE(spec.read_only_root);
  EXPECT_EQ(spec.working_dir, "/w");
}

TEST_F(AgentTest, InputsAreStaged) {
  write_file(folder_.path() + "/made", "artifact");
  ASSERT_TRUE(repository_->save("key/of/it", folder_.path() + "/made"));
  cluster_.put(cluster::kPods, pod("a", {}, {}, {{kInputsAnnotation, R"({
      "files":[{"path":"/argo/staging/script","content":"echo hi","mode":493}],
      "artifacts":[{"name":"raw","path":"/in/raw","location":{"raw":{"data":"raw data"}}},
                   {"name":"art","path":"/in/art","location":{"s3":{"key":"key/of/it"}}},
                   {"name":"opt","path":"/in/opt","optional":true,"location":{"s3":{"key":"none"}}}]})"}}));
  const auto& inputs = begun("a").spec.inputs;
  ASSERT_EQ(inputs.size(), 3u);
  EXPECT_EQ(inputs[0].first, "/argo/staging/script");
  EXPECT_EQ(read_file(inputs[0].second), "echo hi");
  EXPECT_EQ(read_file(inputs[1].second), "raw data");
  EXPECT_EQ(read_file(inputs[2].second), "artifact");
}

TEST_F(AgentTest, AMissingInputArtifactFailsThePod) {
  cluster_.put(cluster::kPods, pod("a", {}, {}, {{kInputsAnnotation, R"({"artifacts":[
      {"name":"art","path":"/in/art","location":{"s3":{"key":"none"}}}]})"}}));
  const doc::Value& done = ended("a");
  EXPECT_EQ(status(done, "phase"), "Failed");
  EXPECT_THAT(std::string(doc::find_string(terminated(done), "message")), HasSubstr("artifact art failed to load"));
}

struct OutputCase {
  std::string name;
  std::string wanted;  ///< JSON of the annotation
  int exit_code;
  std::string phase;
  std::string outputs;  ///< JSON; "": none
  std::string error;    ///< part of the wait container's message
};

class AgentOutputs : public AgentTest, public ::testing::WithParamInterface<OutputCase> {};

TEST_P(AgentOutputs, AreCollected) {
  cluster_.put(cluster::kPods, pod("a", {}, {}, {{kOutputsWantedAnnotation, GetParam().wanted}}));
  auto& container = begun("a");
  write_file(container.spec.dir + "/files/tmp/p", "value\n\n");
  write_file(container.spec.dir + "/files/tmp/big", std::string(300 * 1024, 'x'));
  write_file(container.spec.dir + "/log",
             "2026-01-01T00:00:00.000000000Z stdout F one\n2026-01-01T00:00:00.000000000Z stderr F no\n"
             "2026-01-01T00:00:00.000000000Z stdout P tw\n2026-01-01T00:00:00.000000000Z stdout F o\n");
  runtime_.run(id("a"));
  runtime_.end(id("a"), GetParam().exit_code);
  const doc::Value& done = ended("a");
  EXPECT_EQ(status(done, "phase"), GetParam().phase);
  if (!GetParam().outputs.empty()) {
    EXPECT_EQ(outputs(done), doc::parse_json(GetParam().outputs).value());
  }
  if (!GetParam().error.empty()) {
    EXPECT_THAT(std::string(doc::find_string(terminated(done, 1), "message")), HasSubstr(GetParam().error));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Agent, AgentOutputs,
    ::testing::Values(
        OutputCase{"ResultIsStandardOutput", R"({"result":true})", 0, "Succeeded",
                   R"({"result":"one\ntwo","exitCode":"0"})", ""},
        OutputCase{"ParameterLosesOneNewline", R"({"parameters":[{"name":"p","path":"/tmp/p"}]})", 0, "Succeeded",
                   R"({"parameters":[{"name":"p","value":"value\n"}],"exitCode":"0"})", ""},
        OutputCase{"MissingParameterHasItsDefault", R"({"parameters":[{"name":"p","path":"/no","default":"d"}]})", 0,
                   "Succeeded", R"({"parameters":[{"name":"p","value":"d"}],"exitCode":"0"})", ""},
        OutputCase{"MissingParameterFails", R"({"parameters":[{"name":"p","path":"/no"}]})", 0, "Failed", "",
                   "cannot save parameter p from /no"},
        OutputCase{"TooLargeParameterFails", R"({"parameters":[{"name":"p","path":"/tmp/big"}]})", 0, "Failed", "",
                   "use an artifact"},
        OutputCase{"ArtifactIsSaved",
                   R"({"artifacts":[{"name":"a","path":"/tmp/p","place":{"s3":{"key":"k"}},"archive":"none"}]})", 0,
                   "Succeeded",
                   R"({"artifacts":[{"name":"a","path":"/tmp/p","archive":{"none":{}},"s3":{"key":"k"}}],
                       "exitCode":"0"})",
                   ""},
        OutputCase{"OptionalArtifactIsLeftOut",
                   R"({"artifacts":[{"name":"a","path":"/no","place":{"s3":{"key":"k"}},"optional":true}]})", 0,
                   "Succeeded", R"({"exitCode":"0"})", ""},
        OutputCase{"MissingArtifactIsNamed", R"({"artifacts":[{"name":"a","path":"/no","place":{"s3":{"key":"k"}}}]})",
                   0, "Failed", "", "artifact a failed to save from /no"},
        OutputCase{"AFailedStepKeepsWhatThereIs",
                   R"({"result":true,"parameters":[{"name":"p","path":"/tmp/p"},{"name":"q","path":"/no"}]})", 2,
                   "Failed", R"({"result":"one\ntwo","parameters":[{"name":"p","value":"value\n"}],"exitCode":"2"})",
                   ""}),
    [](const auto& test) { return test.param.name; });

TEST_F(AgentTest, TheDeadlineStopsThePod) {
  doc::Value late = pod("a", {}, {{"activeDeadlineSeconds", 60}, {"terminationGracePeriodSeconds", 7}});
  late.as_object()["status"] = doc::Object{{"phase", "Running"}, {"startTime", "2026-01-01T00:00:00Z"}};
  cluster_.put(cluster::kPods, std::move(late));
  auto& container = begun("a");
  runtime_.run(id("a"));
  run_until([&] { return !container.stops.empty(); });
  EXPECT_EQ(container.stops.front(), std::chrono::seconds(7));
  runtime_.end(id("a"), 143);
  const doc::Value& done = ended("a");
  EXPECT_EQ(status(done, "phase"), "Failed");
  EXPECT_EQ(status(done, "reason"), "DeadlineExceeded");
  EXPECT_EQ(status(done, "message"), "Pod was active on the node longer than the specified deadline");
}

TEST_F(AgentTest, DeletionStopsThenRemovesThePodAndItsFolder) {
  cluster_.put(cluster::kPods, pod("a"));
  auto& container = begun("a");
  const std::string dir = folder_.path() + "/pods/uid-a";
  runtime_.run(id("a"));
  cluster_.mark_deleted(key("a"), 5);
  run_until([&] { return !container.stops.empty(); });
  EXPECT_EQ(container.stops.front(), std::chrono::seconds(5));
  write_file(dir + "/log", "");
  runtime_.end(id("a"), 143);
  run_until([&] { return !cluster_.find(key("a")); });
  EXPECT_TRUE(container.removed);
  run_until([&] { return !std::filesystem::exists(dir); });
}

TEST_F(AgentTest, AContainerIsStartedAgainByItsPolicy) {
  cluster_.put(cluster::kPods, pod("a", {}, {{"restartPolicy", "OnFailure"}}));
  begun("a");
  runtime_.run(id("a"));
  write_file(folder_.path() + "/pods/uid-a/log", "first");
  runtime_.end(id("a"), 3);
  // The first time at once, as a container of its own.
  const std::string second = id("a") + ".1";
  run_until([&] { return runtime_.containers.contains(second); });
  EXPECT_TRUE(runtime_.containers.at(id("a")).removed);
  EXPECT_EQ(read_file(folder_.path() + "/pods/uid-a/log.previous"), "first");
  runtime_.run(second);
  run_until([&] { return cluster_.phases["a"].size() > 1; });
  const doc::Value& container = doc::find(*cluster_.find(key("a")), "status", "containerStatuses")->get_array().at(0);
  EXPECT_EQ(doc::find(container, "restartCount")->get_int64(), 1);
  EXPECT_EQ(doc::find(container, "lastState", "terminated", "exitCode")->get_int64(), 3);
  // What has succeeded is not started again.
  runtime_.end(second, 0);
  EXPECT_EQ(status(ended("a"), "phase"), "Succeeded");
}

TEST_F(AgentTest, WhatFailsAgainWaitsAndCanBeDeleted) {
  cluster_.put(cluster::kPods, pod("a", {}, {{"restartPolicy", "Always"}}));
  begun("a");
  runtime_.run(id("a"));
  runtime_.end(id("a"), 0);
  const std::string second = id("a") + ".1";
  run_until([&] { return runtime_.containers.contains(second); });
  runtime_.run(second);
  runtime_.end(second, 1);
  const auto waiting = [&] {
    const doc::Value* list = doc::find(*cluster_.find(key("a")), "status", "containerStatuses");
    return list ? doc::find_string(list->get_array().at(0), "state", "waiting", "reason") : std::string_view();
  };
  run_until([&] { return waiting() == "CrashLoopBackOff"; });
  EXPECT_EQ(status(*cluster_.find(key("a")), "phase"), "Running");
  EXPECT_THAT(doc::find_string(doc::find(*cluster_.find(key("a")), "status", "containerStatuses")->get_array().at(0),
                               "state", "waiting", "message"),
              HasSubstr("back-off 10s restarting failed container=main"));
  // Another agent finds the second container, which has ended, and waits on.
  start();
  run_until([&] { return std::ranges::count(runtime_.started, second) == 2; });
  cluster_.mark_deleted(key("a"), 5);
  settle();
  runtime_.run(second);
  runtime_.end(second, 1);
  run_until([&] { return !cluster_.find(key("a")); });
}

TEST_F(AgentTest, AnEndedPodIsRemovedWhenItIsDeleted) {
  cluster_.put(cluster::kPods, pod("a"));
  begun("a");
  runtime_.run(id("a"));
  runtime_.end(id("a"), 0);
  ended("a");
  cluster_.mark_deleted(key("a"), 30);
  run_until([&] { return !cluster_.find(key("a")); });
}

TEST_F(AgentTest, PodsWaitForTheirTurnInOrder) {
  for (const char* name : {"a", "b", "c", "d", "e"}) cluster_.put(cluster::kPods, pod(name));
  begun("c");
  settle();
  EXPECT_THAT(runtime_.started, ElementsAre(id("a"), id("b"), id("c")));
  runtime_.run(id("b"));
  runtime_.end(id("b"), 0);
  begun("d");
  settle();
  EXPECT_THAT(runtime_.started, ElementsAre(id("a"), id("b"), id("c"), id("d")));
}

TEST_F(AgentTest, RequestsAreAdmittedUpToTheMachine) {
  const auto wants = [](std::string cpu) {
    return doc::Object{{"resources", doc::Object{{"requests", doc::Object{{"cpu", cpu}}}}}};
  };
  cluster_.put(cluster::kPods, pod("a", wants("1500m")));
  cluster_.put(cluster::kPods, pod("b", wants("1")));
  begun("a");
  settle();
  EXPECT_THAT(runtime_.started, ElementsAre(id("a")));
  runtime_.run(id("a"));
  runtime_.end(id("a"), 0);
  begun("b");
}

TEST_F(AgentTest, AnUnknownRuntimeIsNamed) {
  cluster_.put(cluster::kPods, pod("a", {}, {}, {{kRuntimeAnnotation, "magic"}}));
  const doc::Value& done = ended("a");
  EXPECT_EQ(status(done, "phase"), "Failed");
  EXPECT_THAT(status(done, "message"), HasSubstr("there is no runtime \"magic\""));
}

TEST_F(AgentTest, ANewAgentAdoptsWhatAnEarlierOneBegan) {
  cluster_.put(cluster::kPods, pod("a"));
  begun("a");
  runtime_.run(id("a"));
  run_until([&] { return !cluster_.phases["a"].empty(); });
  agent_.reset();
  runtime_.containers.clear();
  runtime_.wanted = nullptr;
  start();
  begun("a");
  EXPECT_THAT(runtime_.started, ElementsAre(id("a"), id("a")));
  runtime_.run(id("a"));
  runtime_.end(id("a"), 137, "ContainerStatusUnknown");
  const doc::Value& done = ended("a");
  EXPECT_EQ(doc::find_string(terminated(done), "reason"), "ContainerStatusUnknown");
}

TEST_F(AgentTest, ContainersOfWaitingPodsAreWanted) {
  for (const char* name : {"a", "b", "c", "d"}) cluster_.put(cluster::kPods, pod(name));
  begun("c");
  settle();
  EXPECT_TRUE(runtime_.wanted(id("d")));
  EXPECT_FALSE(runtime_.wanted("uid-gone.main"));
}

TEST_F(AgentTest, TheEndIsWrittenAgainUntilItIsTaken) {
  cluster_.put(cluster::kPods, pod("a"));
  begun("a");
  cluster_.failing_patches = 2;
  runtime_.run(id("a"));
  runtime_.end(id("a"), 0);
  settle();
  EXPECT_FALSE(runtime_.containers.at(id("a")).removed);
  EXPECT_EQ(status(ended("a"), "phase"), "Succeeded");
  EXPECT_TRUE(runtime_.containers.at(id("a")).removed);
}

/// A pod of main, one init container and one sidecar.
class AgentContainers : public AgentTest {
 protected:
  void put(doc::Object annotations = {}) {
    doc::Value made = pod("a", {}, {}, std::move(annotations));
    doc::Object& spec = made.at("spec").as_object();
    spec["containers"].as_array().push_back(doc::Object{{"name", "side"}, {"command", doc::Array{"serve"}}});
    spec["initContainers"] = doc::Array{doc::Object{{"name", "first"}, {"command", doc::Array{"prepare"}}}};
    cluster_.put(cluster::kPods, std::move(made));
    run_until([&] { return runtime_.containers.contains("uid-a.first"); });
  }
  const doc::Value& container(std::string_view list, std::size_t index = 0) {
    return doc::find(*cluster_.find(key("a")), "status", list)->get_array().at(index);
  }
  void begin_all() {
    put();
    runtime_.run("uid-a.first");
    runtime_.end("uid-a.first", 0);
    runtime_.run(id("a"));
    runtime_.run("uid-a.side");
  }
};

TEST_F(AgentContainers, StartOneAfterTheOther) {
  put();
  EXPECT_THAT(runtime_.started, ElementsAre("uid-a.first"));
  runtime_.run("uid-a.first");
  run_until([&] { return !cluster_.phases["a"].empty(); });
  EXPECT_THAT(cluster_.phases["a"], ElementsAre("Pending"));
  EXPECT_NE(doc::find_string(container("initContainerStatuses"), "state", "running", "startedAt"), "");
  EXPECT_EQ(doc::find_string(container("containerStatuses"), "state", "waiting", "reason"), "PodInitializing");
  runtime_.end("uid-a.first", 0);
  EXPECT_THAT(runtime_.started, ElementsAre("uid-a.first", id("a")));
  EXPECT_EQ(runtime_.containers.at(id("a")).spec.network_of, "");
  runtime_.run(id("a"));
  EXPECT_THAT(runtime_.started, ElementsAre("uid-a.first", id("a"), "uid-a.side"));
  EXPECT_EQ(runtime_.containers.at("uid-a.side").spec.network_of, id("a"));
  runtime_.run("uid-a.side");
  run_until([&] { return cluster_.phases["a"].size() > 1; });
  EXPECT_EQ(cluster_.phases["a"].back(), "Running");
}

/// Main has a variable from a file that the init container writes.
class AgentFileKeys : public AgentContainers {
 protected:
  ContainerSpec put_with_file() {
    doc::Value made = pod("a", doc::parse_json(R"j({"env":[{"name":"X","valueFrom":{"fileKeyRef":{"volumeName":"v",
        "path":"f","key":"K"}}},{"name":"Y","value":"<$(X)>"}],"command":["say","$(X)"],
        "volumeMounts":[{"name":"v","mountPath":"/sub","subPathExpr":"$(X)"}]})j")
                                   .value()
                                   .as_object());
    doc::Object& spec = made.at("spec").as_object();
    spec["volumes"] = doc::parse_json(R"([{"name":"v","emptyDir":{}}])").value();
    spec["initContainers"] = doc::parse_json(R"([{"name":"first","command":["prepare"],
        "volumeMounts":[{"name":"v","mountPath":"/v"}]}])")
                                 .value();
    cluster_.put(cluster::kPods, std::move(made));
    run_until([&] { return runtime_.containers.contains("uid-a.first"); });
    runtime_.run("uid-a.first");
    return runtime_.containers.at("uid-a.first").spec;
  }
};

TEST_F(AgentFileKeys, AreReadWhenTheirContainerStarts) {
  const ContainerSpec first = put_with_file();
  const std::string volume = own_mounts(first)[0].host_path;
  write_file(volume + "/f", "K='v'\n");
  runtime_.end("uid-a.first", 0);
  const ContainerSpec main = begun("a").spec;
  EXPECT_THAT(main.env, ElementsAre(Pair("X", "v"), Pair("Y", "<v>")));
  EXPECT_THAT(main.command, ElementsAre("say", "v"));
  EXPECT_EQ(own_mounts(main)[0].host_path, volume + "/v");
}

TEST_F(AgentFileKeys, AContainerWithoutThemDoesNotStart) {
  put_with_file();
  runtime_.end("uid-a.first", 0);
  const doc::Value& done = ended("a");
  EXPECT_EQ(status(done, "phase"), "Failed");
  EXPECT_EQ(doc::find_string(terminated(done), "reason"), "CreateContainerConfigError");
  EXPECT_THAT(std::string(doc::find_string(terminated(done), "message")),
              HasSubstr("environment variable \"X\": couldn't parse env file \"f\" of volume \"v\""));
  EXPECT_FALSE(runtime_.containers.contains(id("a")));
}

TEST_F(AgentContainers, AFailedInitContainerIsTheEnd) {
  put();
  runtime_.run("uid-a.first");
  runtime_.end("uid-a.first", 2);
  EXPECT_EQ(status(ended("a"), "phase"), "Failed");
  EXPECT_EQ(doc::find(container("initContainerStatuses"), "state", "terminated", "exitCode")->get_int64(), 2);
  EXPECT_EQ(doc::find_string(container("containerStatuses"), "state", "waiting", "reason"), "PodInitializing");
  EXPECT_THAT(runtime_.started, ElementsAre("uid-a.first"));
}

TEST_F(AgentContainers, TheOthersStopWhenMainHasEnded) {
  begin_all();
  runtime_.end(id("a"), 0);
  EXPECT_THAT(runtime_.containers.at("uid-a.side").stops, ElementsAre(std::chrono::seconds(30)));
  runtime_.end("uid-a.side", 143);
  EXPECT_EQ(status(ended("a"), "phase"), "Failed");
  EXPECT_EQ(doc::find(container("containerStatuses"), "state", "terminated", "exitCode")->get_int64(), 0);
  EXPECT_EQ(doc::find(container("containerStatuses", 1), "state", "terminated", "exitCode")->get_int64(), 143);
  for (const char* name : {"uid-a.first", "uid-a.main", "uid-a.side"}) {
    EXPECT_TRUE(runtime_.containers.at(name).removed) << name;
  }
}

TEST_F(AgentContainers, ASidecarThatEndsByItselfEndsNothing) {
  begin_all();
  runtime_.end("uid-a.side", 0);
  EXPECT_TRUE(runtime_.containers.at(id("a")).stops.empty());
  runtime_.end(id("a"), 0);
  EXPECT_EQ(status(ended("a"), "phase"), "Succeeded");
}

TEST_F(AgentContainers, ASidecarThatCannotStartEndsMain) {
  put();
  runtime_.run("uid-a.first");
  runtime_.end("uid-a.first", 0);
  runtime_.run(id("a"));
  std::move(runtime_.containers.at("uid-a.side").on_started)(fail(Code::kNotFound, "ErrImagePull: no such image"));
  EXPECT_EQ(runtime_.containers.at(id("a")).stops.size(), 1u);
  runtime_.end(id("a"), 143, "", 15);
  EXPECT_EQ(status(ended("a"), "message"), "container \"side\" cannot start: ErrImagePull: no such image");
}

TEST_F(AgentContainers, ASidecarMayHaveACommandThatEndsIt) {
  for (const auto& [name, annotation, executed, stops] :
       {std::tuple{"a", R"(["quit","-%d"])", std::vector<std::string>{"uid-a.side: quit -15"}, 0u},
        {"b", R"(["quit"])", std::vector<std::string>{"uid-b.side: quit"}, 1u},
        {"c", "quit", std::vector<std::string>{}, 1u}}) {
    runtime_.executed.clear();
    runtime_.exec_code = [fails = stops > 0] { return fails ? 1 : 0; };
    doc::Value made = pod(name, {}, {}, {{"workflows.argoproj.io/kill-cmd-side", annotation}});
    made.at("spec").as_object()["containers"].as_array().push_back(doc::Object{{"name", "side"}});
    cluster_.put(cluster::kPods, std::move(made));
    begun(name);
    runtime_.run(id(name));
    const std::string side = fmt::format("uid-{}.side", name);
    runtime_.run(side);
    runtime_.end(id(name), 0);
    run_until([&] { return runtime_.executed.size() == executed.size(); });
    settle();
    EXPECT_EQ(runtime_.executed, executed);
    EXPECT_EQ(runtime_.containers.at(side).stops.size(), stops) << "a command that does not work";
    runtime_.end(side, 0);
    EXPECT_EQ(status(ended(name), "phase"), "Succeeded");
  }
}

TEST_F(AgentContainers, ASidecarThatComesTooLateIsNoFailure) {
  put();
  runtime_.run("uid-a.first");
  runtime_.end("uid-a.first", 0);
  runtime_.run(id("a"));
  std::move(runtime_.containers.at("uid-a.side").on_started)(fail(Code::kInternal, "StartError: main does not run"));
  runtime_.end(id("a"), 0);
  ended("a");
  EXPECT_EQ(status(*cluster_.find(key("a")), "message"), "");
  EXPECT_EQ(doc::find(container("containerStatuses", 1), "state", "terminated", "exitCode")->get_int64(), 137);
}

doc::Object exec_of(const char* command) {
  return {{"exec", doc::Object{{"command", doc::Array{command}}}}};
}

/// Init containers: outer, which keeps running, first, and inner, which keeps running; then main and side.
class AgentSidecars : public AgentContainers {
 protected:
  static constexpr const char* kOuter = "uid-a.outer";
  static constexpr const char* kFirst = "uid-a.first";
  static constexpr const char* kInner = "uid-a.inner";
  static constexpr const char* kSide = "uid-a.side";

  void put(doc::Object outer = {}, doc::Object spec = {}) {
    const auto keeps_running = [](const char* name, doc::Object container) {
      container["name"] = name;
      container["command"] = doc::Array{"serve"};
      container["restartPolicy"] = "Always";
      return container;
    };
    spec["initContainers"] =
        doc::Array{keeps_running("outer", std::move(outer)),
                   doc::Object{{"name", "first"}, {"command", doc::Array{"prepare"}}}, keeps_running("inner", {})};
    doc::Value made = pod("a", {}, std::move(spec));
    made.at("spec").as_object()["containers"].as_array().push_back(
        doc::Object{{"name", "side"}, {"command", doc::Array{"serve"}}});
    cluster_.put(cluster::kPods, std::move(made));
    run_until([&] { return runtime_.containers.contains(kOuter); });
  }
  void begin_all() {
    put();
    runtime_.run(kOuter);
    runtime_.run(kFirst);
    runtime_.end(kFirst, 0);
    runtime_.run(kInner);
    runtime_.run(id("a"));
    runtime_.run(kSide);
  }
  std::size_t stops(const std::string& name) { return runtime_.containers.at(name).stops.size(); }
  std::string exit_code(std::string_view list, std::size_t index) {
    return doc::scalar_text(*doc::find(container(list, index), "state", "terminated", "exitCode"));
  }
};

TEST_F(AgentSidecars, EachStartsOnceTheOneBeforeHasStarted) {
  put();
  EXPECT_THAT(runtime_.started, ElementsAre(kOuter));
  runtime_.run(kOuter);
  EXPECT_THAT(runtime_.started, ElementsAre(kOuter, kFirst));
  runtime_.run(kFirst);
  EXPECT_THAT(runtime_.started, ElementsAre(kOuter, kFirst)) << "one that does not keep running has to end";
  runtime_.end(kFirst, 0);
  runtime_.run(kInner);
  runtime_.run(id("a"));
  EXPECT_THAT(runtime_.started, ElementsAre(kOuter, kFirst, kInner, id("a"), kSide));
  runtime_.run(kSide);
  run_until([&] { return !cluster_.phases["a"].empty() && cluster_.phases["a"].back() == "Running"; });
  settle();
  EXPECT_NE(doc::find_string(container("initContainerStatuses"), "state", "running", "startedAt"), "");
  EXPECT_TRUE(doc::find(container("initContainerStatuses"), "ready")->get_bool());
  EXPECT_TRUE(doc::find(container("initContainerStatuses"), "started")->get_bool());
  EXPECT_EQ(exit_code("initContainerStatuses", 1), "0");
}

TEST_F(AgentSidecars, OneHasStartedWhenItsProbeSaysSo) {
  put({{"startupProbe", exec_of("up")}});
  runtime_.run(kOuter);
  EXPECT_THAT(runtime_.started, ElementsAre(kOuter));
  run_until([&] { return runtime_.containers.contains(kFirst); });
  EXPECT_THAT(runtime_.executed, ElementsAre(std::string(kOuter) + ": up"));
}

TEST_F(AgentSidecars, TheyEndAfterAllOthersTheLastOneFirst) {
  begin_all();
  runtime_.end(id("a"), 0);
  EXPECT_EQ(stops(kSide), 1u);
  EXPECT_EQ(stops(kInner) + stops(kOuter), 0u) << "what ends before them may need them";
  runtime_.end(kSide, 143, "", 15);
  EXPECT_EQ(stops(kInner), 1u);
  EXPECT_EQ(stops(kOuter), 0u);
  runtime_.end(kInner, 1);
  EXPECT_EQ(stops(kInner), 1u);
  EXPECT_EQ(stops(kOuter), 1u);
  runtime_.end(kOuter, 143, "", 15);
  ended("a");
  EXPECT_EQ(exit_code("initContainerStatuses", 2), "1");
  for (const std::string& name : runtime_.started) EXPECT_TRUE(runtime_.containers.at(name).removed) << name;
}

TEST_F(AgentSidecars, WhatTheyEndWithDoesNotMatter) {
  put({}, {{"restartPolicy", "Never"}});
  runtime_.run(kOuter);
  runtime_.run(kFirst);
  runtime_.end(kFirst, 0);
  runtime_.run(kInner);
  runtime_.run(id("a"));
  runtime_.run(kSide);
  runtime_.end(kSide, 0);
  runtime_.end(id("a"), 0);
  runtime_.end(kInner, 1);
  runtime_.end(kOuter, 137, "", 9);
  EXPECT_EQ(status(ended("a"), "phase"), "Succeeded");
}

TEST_F(AgentSidecars, OneThatEndsIsStartedAgain) {
  begin_all();
  runtime_.end(kOuter, 0);
  const std::string second = std::string(kOuter) + ".1";
  run_until([&] { return runtime_.containers.contains(second); });
  EXPECT_TRUE(runtime_.containers.at(kOuter).removed);
  runtime_.run(second);
  run_until([&] {
    const doc::Value* list = doc::find(*cluster_.find(key("a")), "status", "initContainerStatuses");
    return list && doc::find(list->get_array().at(0), "state", "running") &&
           doc::find(list->get_array().at(0), "restartCount")->get_int64() == 1;
  });
  EXPECT_EQ(status(*cluster_.find(key("a")), "phase"), "Running");
  EXPECT_EQ(stops(id("a")), 0u);
  EXPECT_EQ(std::ranges::count(runtime_.started, kFirst), 1);
  runtime_.end(id("a"), 0);
  runtime_.end(kSide, 0);
  runtime_.end(kInner, 0);
  EXPECT_EQ(stops(second), 1u);
  runtime_.end(second, 0);
  EXPECT_EQ(status(ended("a"), "phase"), "Succeeded");
}

TEST_F(AgentSidecars, OneThatWaitsForItsNextStartHoldsNothingUp) {
  begin_all();
  runtime_.end(kOuter, 1);
  const std::string second = std::string(kOuter) + ".1";
  run_until([&] { return runtime_.containers.contains(second); });
  runtime_.run(second);
  runtime_.end(second, 1);
  runtime_.end(id("a"), 0);
  runtime_.end(kSide, 0);
  runtime_.end(kInner, 0);
  EXPECT_EQ(status(ended("a"), "phase"), "Succeeded");
}

TEST_F(AgentSidecars, AFailedInitContainerEndsThem) {
  put({}, {{"restartPolicy", "Never"}});
  runtime_.run(kOuter);
  runtime_.run(kFirst);
  runtime_.end(kFirst, 2);
  EXPECT_EQ(stops(kOuter), 1u);
  EXPECT_FALSE(runtime_.containers.contains(kInner));
  runtime_.end(kOuter, 0);
  EXPECT_EQ(status(ended("a"), "phase"), "Failed");
  EXPECT_EQ(exit_code("initContainerStatuses", 1), "2");
}

TEST_F(AgentSidecars, OneThatCannotStartIsTheEnd) {
  put({}, {{"restartPolicy", "Never"}});
  std::move(runtime_.containers.at(kOuter).on_started)(fail(Code::kNotFound, "ErrImagePull: no such image"));
  EXPECT_EQ(status(ended("a"), "phase"), "Failed");
  EXPECT_EQ(status(ended("a"), "message"), "container \"outer\" cannot start: ErrImagePull: no such image");
}

TEST_F(AgentSidecars, ADeletionEndsThemInTheirTurn) {
  begin_all();
  cluster_.mark_deleted(key("a"), 5);
  run_until([&] { return stops(id("a")) == 1; });
  EXPECT_EQ(stops(kInner) + stops(kOuter), 0u);
  runtime_.end(id("a"), 143, "", 15);
  runtime_.end(kSide, 143, "", 15);
  EXPECT_EQ(stops(kInner), 1u);
  // One that does not wait ends all at once.
  cluster_.mark_deleted(key("a"), 0);
  run_until([&] { return stops(kOuter) > 0; });
  EXPECT_EQ(runtime_.containers.at(kOuter).stops.front(), Duration{0});
  EXPECT_EQ(runtime_.containers.at(kInner).stops.back(), Duration{0});
  runtime_.end(kOuter, 137, "", 9);
  runtime_.end(kInner, 137, "", 9);
  run_until([&] { return !cluster_.find(key("a")); });
}

TEST_F(AgentSidecars, AnotherAgentGoesOnWithThem) {
  begin_all();
  start();
  run_until([&] { return std::ranges::count(runtime_.started, kOuter) == 2; });
  runtime_.run(kOuter);
  runtime_.run(kFirst);
  runtime_.end(kFirst, 0);
  runtime_.run(kInner);
  runtime_.run(id("a"));
  runtime_.run(kSide);
  runtime_.end(id("a"), 0);
  runtime_.end(kSide, 0);
  runtime_.end(kInner, 0);
  runtime_.end(kOuter, 0);
  EXPECT_EQ(status(ended("a"), "phase"), "Succeeded");
}

/// a and b; c and main after them, and last after c.
class AgentContainerSet : public AgentContainers {
 protected:
  void put_set() {
    doc::Value made =
        pod("a", {}, {},
            {{std::string(kContainerSetAnnotation), R"({"a":[],"b":[],"c":["a","b"],"last":["c"],"main":["a","b"]})"}});
    doc::Array& containers = made.at("spec").as_object()["containers"].as_array();
    for (const char* name : {"a", "b", "c", "last"}) {
      containers.push_back(doc::Object{{"name", name}, {"command", doc::Array{"run"}}});
    }
    cluster_.put(cluster::kPods, std::move(made));
    run_until([&] { return runtime_.containers.contains("uid-a.b"); });
  }
  void end(const std::string& name, int exit_code) {
    runtime_.run("uid-a." + name);
    runtime_.end("uid-a." + name, exit_code);
  }
  /// "NAME CODE MESSAGE" of each container.
  std::vector<std::string> ends() {
    const doc::Value& pod = ended("a");
    std::vector<std::string> lines;
    for (const doc::Value& container : doc::find(pod, "status", "containerStatuses")->get_array()) {
      const doc::Value* state = doc::find(container, "state", "terminated");
      lines.push_back(fmt::format("{} {} {}", doc::find_string(container, "name"),
                                  doc::find(*state, "exitCode")->get_int64(), doc::find_string(*state, "message")));
    }
    return lines;
  }
};

TEST_F(AgentContainerSet, AContainerOfASetWaitsForThoseItDependsOn) {
  put_set();
  EXPECT_THAT(runtime_.started, ElementsAre("uid-a.a", "uid-a.b"));
  end("a", 0);
  EXPECT_THAT(runtime_.started, ElementsAre("uid-a.a", "uid-a.b"));
  end("b", 0);
  EXPECT_THAT(runtime_.started, ElementsAre("uid-a.a", "uid-a.b", "uid-a.main", "uid-a.c"));
  end("main", 0);
  end("c", 0);
  EXPECT_TRUE(cluster_.phases["a"].empty() || cluster_.phases["a"].back() == "Running");
  end("last", 0);
  EXPECT_THAT(ends(), ElementsAre("main 0 ", "a 0 ", "b 0 ", "c 0 ", "last 0 "));
  EXPECT_EQ(status(*cluster_.find(key("a")), "phase"), "Succeeded");
  EXPECT_EQ(outputs(*cluster_.find(key("a"))), (doc::Value{{"exitCode", "0"}}));
}

TEST_F(AgentContainerSet, AFailureEndsWhatDependsOnItAndStopsTheOthers) {
  put_set();
  runtime_.run("uid-a.b");
  end("a", 3);
  EXPECT_EQ(runtime_.containers.at("uid-a.b").stops.size(), 1u);
  runtime_.end("uid-a.b", 143, "", 15);
  EXPECT_THAT(ends(), ElementsAre("main 64 dependency \"a\" exited with non-zero code: 3", "a 3 ", "b 143 ",
                                  "c 64 dependency \"a\" exited with non-zero code: 3",
                                  "last 64 dependency \"c\" exited with non-zero code: 3"));
  EXPECT_THAT(runtime_.started, ElementsAre("uid-a.a", "uid-a.b"));
}

TEST_F(AgentContainerSet, AContainerThatCannotStartHasFailed) {
  put_set();
  end("b", 0);
  std::move(runtime_.containers.at("uid-a.a").on_started)(fail(Code::kNotFound, "ErrImagePull: no such image"));
  EXPECT_THAT(ends(), ElementsAre("main 64 dependency \"a\" exited with non-zero code: 127", "a 127 no such image",
                                  "b 0 ", "c 64 dependency \"a\" exited with non-zero code: 127",
                                  "last 64 dependency \"c\" exited with non-zero code: 127"));
}

TEST_F(AgentContainerSet, WhatWaitsWhenThePodEndsNeverBegins) {
  put_set();
  runtime_.run("uid-a.a");
  end("b", 0);
  doc::Value ending = *cluster_.find(key("a"));
  ending.at("metadata").at("annotations").as_object()[kEndAnnotation] = "true";
  cluster_.put(cluster::kPods, std::move(ending));
  run_until([&] { return !runtime_.containers.at("uid-a.a").stops.empty(); });
  runtime_.end("uid-a.a", 143, "", 15);
  EXPECT_THAT(ends(), ElementsAre("main 143 ", "a 143 ", "b 0 ", "c 143 ", "last 143 "));
}

constexpr const char* kHolder = "uid-a._network";

struct NetworkCase {
  std::string name;
  std::string runtime;
  std::string policy;
  int containers;  ///< main and others
  bool has_sidecar;
  bool in_set;
  bool has_holder;
  friend std::ostream& operator<<(std::ostream& out, const NetworkCase& row) { return out << row.name; }
};

class AgentNetworks : public AgentTest, public ::testing::WithParamInterface<NetworkCase> {};

TEST_P(AgentNetworks, AreHeldWhereContainersComeAndGo) {
  const NetworkCase& row = GetParam();
  runtime_.kind = row.runtime;
  doc::Value made = pod("a", {}, {{"restartPolicy", row.policy}});
  doc::Object& spec = made.at("spec").as_object();
  doc::Object graph{{"main", doc::Array{}}};
  for (int i = 1; i < row.containers; ++i) {
    const std::string name = fmt::format("c{}", i);
    spec["containers"].as_array().push_back(doc::Object{{"name", name}});
    graph[name] = doc::Array{};
  }
  if (row.has_sidecar) {
    spec["initContainers"] = doc::Array{doc::Object{{"name", "serve"}, {"restartPolicy", "Always"}}};
  }
  if (row.in_set) {
    made.at("metadata").at("annotations").as_object()[kContainerSetAnnotation] = doc::to_json(std::move(graph));
  }
  cluster_.put(cluster::kPods, std::move(made));
  run_until([&] { return !runtime_.started.empty(); });
  EXPECT_EQ(runtime_.started.front() == kHolder, row.has_holder);
}

INSTANTIATE_TEST_SUITE_P(
    All, AgentNetworks,
    ::testing::Values(NetworkCase{"AStep", "container", "Never", 1, false, false, false},
                      NetworkCase{"AStepAndWhatEndsWithIt", "container", "Never", 2, false, false, false},
                      NetworkCase{"ASidecarThatIsStartedAgain", "container", "Never", 1, true, false, true},
                      NetworkCase{"ASet", "container", "Never", 2, false, true, true},
                      NetworkCase{"ASetOfOne", "container", "Never", 1, false, true, false},
                      NetworkCase{"AServerWhoseAddressStays", "container", "Always", 1, false, false, true},
                      NetworkCase{"OneThatIsToSucceed", "container", "OnFailure", 1, false, false, false},
                      NetworkCase{"SomeThatAreToSucceed", "container", "OnFailure", 2, false, false, true},
                      NetworkCase{"TheHostsNetworkNeedsNone", "process", "Always", 2, true, false, false}),
    [](const auto& row) { return row.param.name; });

TEST_F(AgentContainerSet, ItsContainersShareANetworkThatIsThereBeforeThem) {
  runtime_.kind = "container";
  doc::Value made =
      pod("a", {}, {{"hostname", "together"}}, {{std::string(kContainerSetAnnotation), R"({"b":[],"main":["b"]})"}});
  made.at("spec").as_object()["containers"].as_array().push_back(doc::Object{{"name", "b"}});
  cluster_.put(cluster::kPods, std::move(made));
  run_until([&] { return runtime_.containers.contains(kHolder); });
  EXPECT_THAT(runtime_.started, ElementsAre(kHolder));
  const ContainerSpec holder = runtime_.containers.at(kHolder).spec;
  EXPECT_EQ(holder.hostname, "together");
  EXPECT_EQ(holder.dir, "");
  runtime_.run(kHolder);
  end("b", 0);
  EXPECT_THAT(runtime_.started, ElementsAre(kHolder, "uid-a.b", id("a")));
  EXPECT_EQ(runtime_.containers.at("uid-a.b").spec.network_of, kHolder);
  EXPECT_EQ(runtime_.containers.at(id("a")).spec.network_of, kHolder);
  end("main", 0);
  EXPECT_THAT(ends(), ElementsAre("main 0 ", "b 0 ")) << "nobody counts the holder";
  EXPECT_TRUE(runtime_.containers.at(kHolder).removed);
}

TEST_F(AgentContainerSet, WithoutANetworkNoneOfThemStarts) {
  runtime_.kind = "container";
  doc::Value made = pod("a", {}, {}, {{std::string(kContainerSetAnnotation), R"({"b":[],"main":[]})"}});
  made.at("spec").as_object()["containers"].as_array().push_back(doc::Object{{"name", "b"}});
  cluster_.put(cluster::kPods, std::move(made));
  run_until([&] { return runtime_.containers.contains(kHolder); });
  std::move(runtime_.containers.at(kHolder).on_started)(fail(Code::kInternal, "CreateContainerError: no addresses"));
  EXPECT_THAT(ends(), ::testing::Contains("main 128 no addresses"));
  EXPECT_THAT(runtime_.started, ElementsAre(kHolder));
}

TEST_F(AgentTest, WhatIsStartedAgainKeepsItsNetwork) {
  runtime_.kind = "container";
  cluster_.put(cluster::kPods, pod("a", {}, {{"restartPolicy", "Always"}}));
  run_until([&] { return runtime_.containers.contains(kHolder); });
  runtime_.run(kHolder);
  runtime_.run(id("a"));
  runtime_.end(id("a"), 0);
  const std::string second = id("a") + ".1";
  run_until([&] { return runtime_.containers.contains(second); });
  EXPECT_EQ(runtime_.containers.at(second).spec.network_of, kHolder);
  EXPECT_TRUE(runtime_.containers.at(id("a")).removed);
  runtime_.run(second);

  // Another agent finds both.
  runtime_.started.clear();
  start();
  run_until([&] { return !runtime_.started.empty(); });
  EXPECT_THAT(runtime_.started, ElementsAre(kHolder));
  runtime_.run(kHolder);
  EXPECT_THAT(runtime_.started, ElementsAre(kHolder, second));
  runtime_.run(second);
  cluster_.mark_deleted(key("a"), 5);
  run_until([&] { return !runtime_.containers.at(second).stops.empty(); });
  runtime_.end(second, 143, "", 15);
  run_until([&] { return !cluster_.find(key("a")); });
  EXPECT_TRUE(runtime_.containers.at(kHolder).removed);
}

TEST_F(AgentTest, ANetworkThatIsLostIsFollowedByAnother) {
  runtime_.kind = "container";
  cluster_.put(cluster::kPods, pod("a", {}, {{"restartPolicy", "Always"}}));
  run_until([&] { return runtime_.containers.contains(kHolder); });
  runtime_.run(kHolder);
  runtime_.run(id("a"));
  // As when the engine is started again.
  runtime_.end(kHolder, 137, "", 9);
  runtime_.end(id("a"), 137, "", 9);
  const std::string another = std::string(kHolder) + ".1", second = id("a") + ".1";
  run_until([&] { return runtime_.containers.contains(another); });
  runtime_.run(another);
  EXPECT_EQ(runtime_.containers.at(second).spec.network_of, another);
  runtime_.run(second);
  cluster_.mark_deleted(key("a"), 5);
  run_until([&] { return !runtime_.containers.at(second).stops.empty(); });
  runtime_.end(second, 143, "", 15);
  run_until([&] { return !cluster_.find(key("a")); });
  EXPECT_TRUE(runtime_.containers.at(kHolder).removed);
  EXPECT_TRUE(runtime_.containers.at(another).removed);
}

TEST_F(AgentTest, APodThatEndsBeforeItsNetworkIsThereNeverBegins) {
  runtime_.kind = "container";
  cluster_.put(cluster::kPods, pod("a", {}, {{"restartPolicy", "Always"}}));
  run_until([&] { return runtime_.containers.contains(kHolder); });
  cluster_.mark_deleted(key("a"), 5);
  settle();
  runtime_.run(kHolder);
  run_until([&] { return !cluster_.find(key("a")); });
  EXPECT_THAT(runtime_.started, ElementsAre(kHolder));
  EXPECT_TRUE(runtime_.containers.at(kHolder).removed);
}

TEST_F(AgentContainers, MirroringContainersSeeTheInputsOfMain) {
  put({{std::string(kInputsAnnotation),
        R"({"files": [{"path": "/in/f", "content": "text"}], "mirrored": ["first"]})"}});
  runtime_.run("uid-a.first");
  runtime_.end("uid-a.first", 0);
  for (const char* name : {"uid-a.first", "uid-a.main"}) {
    const auto mounts = own_mounts(runtime_.containers.at(name).spec);
    ASSERT_EQ(mounts.size(), 1u) << name;
    EXPECT_EQ(mounts[0].path, "/in/f");
    EXPECT_EQ(read_file(mounts[0].host_path), "text");
  }
  runtime_.run(id("a"));
  EXPECT_TRUE(own_mounts(runtime_.containers.at("uid-a.side").spec).empty());
}

TEST_F(AgentTest, APodIsReadyOnceItsProbeIs) {
  boost::asio::ip::tcp::acceptor listener(context_, {boost::asio::ip::make_address("127.0.0.1"), 0});
  doc::Object main{
      {"ports", doc::Array{doc::Object{{"name", "web"}, {"containerPort", listener.local_endpoint().port()}}}},
      {"readinessProbe", doc::Object{{"tcpSocket", doc::Object{{"port", "web"}}}, {"periodSeconds", 1}}}};
  cluster_.put(cluster::kPods, pod("a", std::move(main)));
  begun("a");
  runtime_.run(id("a"));
  const auto ready = [&] {
    const doc::Value* statuses = doc::find(*cluster_.find(key("a")), "status", "containerStatuses");
    const doc::Value* flag = statuses ? doc::find(statuses->get_array().at(0), "ready") : nullptr;
    return flag && flag->get_bool();
  };
  EXPECT_FALSE(ready());
  run_until(ready);
  EXPECT_EQ(cluster_.phases["a"].back(), "Running");
  EXPECT_EQ(status(*cluster_.find(key("a")), "podIP"), "127.0.0.1");
  runtime_.end(id("a"), 0);
  ended("a");
}

TEST_F(AgentTest, AProbeMayBeACommand) {
  doc::Object main{{"readinessProbe", doc::Object{{"exec", doc::Object{{"command", doc::Array{"test", "-f", "/x"}}}},
                                                  {"periodSeconds", 1}}}};
  // Well from the second time on.
  runtime_.exec_code = [&] { return runtime_.executed.size() > 1 ? 0 : 1; };
  cluster_.put(cluster::kPods, pod("a", std::move(main)));
  begun("a");
  runtime_.run(id("a"));
  run_until([&] {
    const doc::Value* statuses = doc::find(*cluster_.find(key("a")), "status", "containerStatuses");
    const doc::Value* flag = statuses ? doc::find(statuses->get_array().at(0), "ready") : nullptr;
    return flag && flag->get_bool();
  });
  EXPECT_THAT(runtime_.executed, ElementsAre(id("a") + ": test -f /x", id("a") + ": test -f /x"));
  runtime_.end(id("a"), 0);
  ended("a");
}

doc::Object probe_of(const char* command) {
  doc::Object probe = exec_of(command);
  probe["failureThreshold"] = 1;
  return probe;
}

TEST_F(AgentTest, ALivenessProbeEndsItsContainer) {
  runtime_.exec_code = [] { return 3; };
  doc::Object probe = probe_of("alive");
  probe["terminationGracePeriodSeconds"] = 7;
  cluster_.put(cluster::kPods, pod("a", {{"livenessProbe", std::move(probe)}}));
  begun("a");
  runtime_.run(id("a"));
  run_until([&] { return !runtime_.containers.at(id("a")).stops.empty(); });
  EXPECT_THAT(runtime_.containers.at(id("a")).stops, ElementsAre(std::chrono::seconds(7)));
  runtime_.end(id("a"), 143, "", 15);
  EXPECT_EQ(status(ended("a"), "phase"), "Failed");
  EXPECT_EQ(doc::find_string(terminated(ended("a")), "message"),
            "Container main failed liveness probe: command exited with 3");
}

TEST_F(AgentTest, ProbesWaitForTheStartupProbe) {
  doc::Object main{{"startupProbe", exec_of("up")}, {"readinessProbe", exec_of("ready")}};
  cluster_.put(cluster::kPods, pod("a", std::move(main)));
  begun("a");
  runtime_.run(id("a"));
  run_until([&] { return runtime_.executed.size() == 2; });
  EXPECT_THAT(runtime_.executed, ElementsAre(id("a") + ": up", id("a") + ": ready"));
  runtime_.end(id("a"), 0);
  ended("a");

  runtime_.executed.clear();
  runtime_.exec_code = [] { return 1; };
  cluster_.put(cluster::kPods, pod("b", {{"startupProbe", probe_of("up")}, {"livenessProbe", exec_of("alive")}}));
  begun("b");
  runtime_.run(id("b"));
  run_until([&] { return !runtime_.containers.at(id("b")).stops.empty(); });
  runtime_.end(id("b"), 143, "", 15);
  ended("b");
  EXPECT_THAT(runtime_.executed, ElementsAre(id("b") + ": up"));
}

TEST_F(AgentTest, WhatFollowsAStartWaitsForItsHook) {
  doc::Value made = pod("a", {{"lifecycle", doc::Object{{"postStart", exec_of("greet")}}}});
  made.at("spec").as_object()["containers"].as_array().push_back(doc::Object{{"name", "side"}});
  cluster_.put(cluster::kPods, made);
  begun("a");
  runtime_.run(id("a"));
  EXPECT_FALSE(runtime_.containers.contains("uid-a.side"));
  run_until([&] { return runtime_.containers.contains("uid-a.side"); });
  EXPECT_THAT(runtime_.executed, ElementsAre(id("a") + ": greet"));
  runtime_.run("uid-a.side");
  runtime_.end(id("a"), 0);
  runtime_.end("uid-a.side", 0);
  EXPECT_EQ(status(ended("a"), "phase"), "Succeeded");
}

TEST_F(AgentTest, AHookThatFailsAfterTheStartEndsTheContainer) {
  runtime_.exec_code = [] { return 1; };
  cluster_.put(cluster::kPods, pod("a", {{"lifecycle", doc::Object{{"postStart", exec_of("greet")}}}}));
  begun("a");
  runtime_.run(id("a"));
  run_until([&] { return !runtime_.containers.at(id("a")).stops.empty(); });
  runtime_.end(id("a"), 143, "", 15);
  EXPECT_EQ(doc::find_string(terminated(ended("a")), "message"), "PostStartHookError: command exited with 1");
}

TEST_F(AgentTest, AHookRunsBeforeADeletion) {
  cluster_.put(cluster::kPods, pod("a", {{"lifecycle", doc::Object{{"preStop", exec_of("part")}}}}));
  begun("a");
  runtime_.run(id("a"));
  settle();
  doc::Value deleted = *cluster_.find(key("a"));
  deleted.at("metadata").as_object()["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  deleted.at("metadata").as_object()["deletionGracePeriodSeconds"] = 20;
  cluster_.put(cluster::kPods, deleted);
  run_until([&] { return !runtime_.executed.empty(); });
  EXPECT_TRUE(runtime_.containers.at(id("a")).stops.empty());
  cluster_.put(cluster::kPods, deleted);
  run_until([&] { return !runtime_.containers.at(id("a")).stops.empty(); });
  const std::vector<Duration>& stops = runtime_.containers.at(id("a")).stops;
  ASSERT_EQ(stops.size(), 1u) << "another look at the pod changes nothing";
  EXPECT_LE(stops.front(), std::chrono::seconds(20));
  EXPECT_THAT(runtime_.executed, ElementsAre(id("a") + ": part"));
  runtime_.end(id("a"), 143, "", 15);
  run_until([&] { return cluster_.find(key("a")) == nullptr; });
}

TEST_F(AgentTest, APodThatIsToEndStaysWithItsEnd) {
  cluster_.put(cluster::kPods, pod("a"));
  begun("a");
  runtime_.run(id("a"));
  settle();
  doc::Value asked = *cluster_.find(key("a"));
  asked.at("metadata").at("annotations").as_object()[kEndAnnotation] = "true";
  cluster_.put(cluster::kPods, std::move(asked));
  run_until([&] { return !runtime_.containers.at(id("a")).stops.empty(); });
  runtime_.end(id("a"), 143);
  EXPECT_EQ(status(ended("a"), "phase"), "Failed");
}

TEST_F(AgentTest, InputsBelowAMountLieInTheVolume) {
  doc::Object spec{{"volumes", doc::Array{doc::Object{{"name", "v"}, {"emptyDir", doc::Object{}}}}}};
  doc::Object main{{"volumeMounts", doc::Array{doc::Object{{"name", "v"}, {"mountPath", "/v/"}}}}};
  cluster_.put(cluster::kPods,
               pod("a", std::move(main), std::move(spec),
                   {{std::string(kInputsAnnotation), R"({"files": [{"path": "/v/deep/f", "content": "text"}]})"}}));
  const ContainerSpec& made = begun("a").spec;
  EXPECT_TRUE(made.inputs.empty());
  EXPECT_EQ(read_file(made.mounts.at(0).host_path + "/deep/f"), "text");
}

TEST_F(AgentTest, LogsAreReadFromThePodsFolder) {
  cluster_.put(cluster::kPods, pod("a"));
  auto& container = begun("a");
  runtime_.run(id("a"));
  std::vector<std::string> lines;
  bool over = false;
  const auto watch = agent_->read_log(std::make_shared<const doc::Value>(*cluster_.find(key("a"))), {.follow = true},
                                      {[&](std::string_view line, Time, std::string_view stream) {
                                         lines.push_back(fmt::format("{}:{}", stream, line));
                                       },
                                       [&](const Status& status) { over = status.has_value(); }});
  write_file(container.spec.dir + "/log", "2026-01-01T00:00:00.000000000Z stdout F one\n");
  run_until([&] { return lines.size() == 1; });
  std::ofstream(container.spec.dir + "/log", std::ios::app) << "2026-01-01T00:00:01.000000000Z stderr F two\n";
  run_until([&] { return lines.size() == 2; });
  EXPECT_FALSE(over);
  runtime_.end(id("a"), 0);
  run_until([&] { return over; });
  EXPECT_THAT(lines, ElementsAre("stdout:one", "stderr:two"));
}

/// Signs with the number of the token; some fail.
class FakeApi final : public ApiAccess {
 public:
  explicit FakeApi(Executor& executor) : executor_(executor) {}

  std::string authority() const override { return "authority"; }
  Result<std::string> sign(const TokenOwner&, const std::string&, std::chrono::seconds) const override {
    asked.push_back(executor_.now());
    if (failing.contains(asked.size())) return fail(Code::kUnavailable, "no key");
    return fmt::format("token {}", asked.size());
  }
  bool has_rights(std::string_view, std::string_view) const override { return true; }

  mutable std::vector<Time> asked;
  std::set<std::size_t> failing;  ///< which of them, from 1

 private:
  Executor& executor_;
};

/// A pod with a token, in a plane that serves its API.
class AgentWithApi : public ::testing::Test {
 protected:
  void start() {
    AgentOptions options;
    options.pods_dir = folder_.path() + "/pods";
    options.claims_dir = folder_.path() + "/claims";
    options.node_name = "laptop";
    options.runtimes = {&runtime_};
    options.http = http_.get();
    options.relay = &relay_;
    options.api = &api_;
    agent_.emplace(context_, executor_, cluster_, stores_, std::move(options));
    cluster_.put(cluster::kServiceAccounts,
                 doc::Object{{"metadata", doc::Object{{"namespace", "default"}, {"name", "default"}, {"uid", "u"}}}});
    cluster_.put(
        cluster::kPods,
        doc::Object{{"metadata", doc::Object{{"namespace", "default"}, {"name", "a"}, {"uid", "uid-a"}}},
                    {"spec", doc::Object{{"containers",
                                          doc::Array{doc::Object{{"name", "main"}, {"command", doc::Array{"x"}}}}}}}});
    agent_->start();
    ASSERT_TRUE(executor_.run_until([&] { return runtime_.containers.contains("uid-a.main"); }));
    ASSERT_TRUE(runtime_.containers.contains("uid-a.main"));
    runtime_.run("uid-a.main");
  }

  const TempFolder folder_;
  boost::asio::io_context context_;
  SimulatedExecutor executor_;
  FakeCluster cluster_{executor_};
  FakeRuntime runtime_{executor_};
  ServiceRelay relay_;
  const std::unique_ptr<web::HttpClient> http_ = web::make_http_client(executor_, {});
  const std::unique_ptr<artifact::Repository> repository_ =
      artifact::make_folder_repository(folder_.path() + "/artifacts");
  const artifact::Stores stores_{*repository_};
  FakeApi api_{executor_};
  std::optional<Agent> agent_;
};

TEST_F(AgentWithApi, ATokenThatIsNotRenewedIsTriedAgain) {
  api_.failing = {2, 3};
  start();
  ASSERT_TRUE(executor_.run_until([&] { return api_.asked.size() == 5; }));
  ASSERT_EQ(api_.asked.size(), 5U);
  const Duration usual = std::chrono::seconds(3607) * 4 / 5;
  EXPECT_EQ(api_.asked[1] - api_.asked[0], usual);
  EXPECT_EQ(api_.asked[2] - api_.asked[1], std::chrono::minutes(1));
  EXPECT_EQ(api_.asked[3] - api_.asked[2], std::chrono::minutes(1));
  EXPECT_EQ(api_.asked[4] - api_.asked[3], usual);
  EXPECT_EQ(read_file(folder_.path() + "/pods/uid-a/service-account/token"), "token 5");
}

TEST_F(AgentWithApi, WhereTheRuntimeHoldsFilesNoneIsOnDisk) {
  runtime_.holds = true;
  start();
  const ContainerSpec& spec = runtime_.containers.at("uid-a.main").spec;
  EXPECT_TRUE(spec.mounts.empty());
  ASSERT_EQ(spec.held.size(), 2U);
  EXPECT_EQ(spec.held[0], (HeldFiles{std::string(kAccountFolder),
                                     {{"ca.crt", "authority"}, {"namespace", "default"}, {"token", "token 1"}}}));
  EXPECT_EQ(spec.held[1].path, kHostsFile);
  EXPECT_THAT(spec.held[1].files.front().content, HasSubstr("127.0.0.1\ta\n"));
  ASSERT_TRUE(executor_.run_until([&] { return runtime_.renewed.size() == 1; }));
  ASSERT_EQ(runtime_.renewed.size(), 1U);
  EXPECT_EQ(runtime_.renewed[0].first, "uid-a.main");
  EXPECT_EQ(runtime_.renewed[0].second.path, kAccountFolder);
  EXPECT_EQ(runtime_.renewed[0].second.files.back().content, "token 2");
  EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/pods/uid-a"));
}

}  // namespace
}  // namespace tiphys::node
