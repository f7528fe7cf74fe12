// What tests of the agent share: a runtime that does as it is told, and an agent over it.
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>

#include "base/beneath.h"
#include "node/agent/agent.h"
#include "node/agent/fake_cluster.h"
#include "node/agent/pod_io.h"
#include "node/testing.h"

namespace tiphys::node::testing {

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
inline std::vector<Mount> own_mounts(const ContainerSpec& spec) {
  std::vector<Mount> mounts = spec.mounts;
  std::erase_if(mounts, [](const Mount& mount) { return mount.path == "/etc/hosts"; });
  return mounts;
}

inline doc::Object exec_of(const char* command) {
  return {{"exec", doc::Object{{"command", doc::Array{command}}}}};
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

}  // namespace tiphys::node::testing
