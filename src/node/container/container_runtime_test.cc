// One suite over real engines, which tools/images/engines starts:
//   eval "$(tools/images/engines start DIR | sed 's/^/export /')"
// TIPHYS_TEST_PODMAN and TIPHYS_TEST_DOCKERD name their sockets; the tests of one that is not named are skipped.
#include "node/container/container_runtime.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdlib>

#include "artifact/testing.h"
#include "base/asio_executor.h"
#include "base/random.h"
#include "base/strings.h"
#include "doc/value.h"
#include "node/container/docker_client.h"
#include "node/container/docker_spec.h"
#include "node/network_holder.h"

namespace tiphys::node {
namespace {

namespace fs = std::filesystem;
using artifact::testing::mode_of;
using artifact::testing::read_file;
using artifact::testing::TempFolder;
using artifact::testing::write_file;

constexpr const char* kImage = "alpine:3.7";
constexpr const char* kUnknownImage = "tiphys-no-such-image:1";

struct EngineParameter {
  const char* name;
  const char* variable;
  friend std::ostream& operator<<(std::ostream& out, const EngineParameter& engine) { return out << engine.name; }
};

struct Step {
  std::string id, dir;
  std::optional<Status> started;
  std::optional<ContainerExit> exit;

  bool over() const { return exit.has_value() || (started && !*started); }
  /// The text of a stream, "stdout" or "stderr", lines put together.
  std::string output(std::string_view stream) const {
    std::string text;
    const std::string log = fs::exists(dir + "/log") ? read_file(dir + "/log") : "";
    for (const std::string_view line : split(log, '\n')) {
      const std::size_t at = line.find(' ');
      if (at == line.npos || line.substr(at + 1, stream.size()) != stream) continue;
      const char tag = line[at + 1 + stream.size() + 1];
      text += line.substr(at + 1 + stream.size() + 3);
      if (tag == 'F') text += "\n";
    }
    return text;
  }
};

class ContainerRuntimeTest : public ::testing::TestWithParam<EngineParameter> {
 protected:
  void SetUp() override {
    const char* socket = std::getenv(GetParam().variable);
    if (socket == nullptr || *socket == '\0') {
      GTEST_SKIP() << GetParam().variable << " is not set: start engines by tools/images/engines start DIR";
    }
    socket_ = socket;
    runtime_ = make();
  }
  void TearDown() override {
    runtime_.reset();
    for (const auto& run : runs_) {
      static_cast<void>(engine_call("DELETE", "/containers/" + engine_name(run->id) + "?force=1&v=1"));
    }
  }

  std::unique_ptr<Runtime> make(ContainerRuntimeOptions options = {}) {
    options.engine = socket_;
    options.state_dir = temp_.path();
    return make_container_runtime(*executor_, std::move(options));
  }

  ContainerSpec spec(const std::string& script) {
    SystemRandom random;
    ContainerSpec out;
    out.pod_uid = make_uid(random);
    out.container_name = "main";
    out.id = out.pod_uid + ".main";
    out.pod_name = "pod";
    out.ns = "default";
    out.image = kImage;
    out.command = {"sh", "-c", script};
    out.dir = temp_ / out.pod_uid;
    fs::create_directory(out.dir);
    return out;
  }

  std::shared_ptr<Step> start(const ContainerSpec& wanted) {
    auto run = std::make_shared<Step>();
    run->id = wanted.id;
    run->dir = wanted.dir;
    runs_.push_back(run);
    runtime_->start(
        wanted, [run](Status status) { run->started = std::move(status); },
        [run](ContainerExit exit) { run->exit = std::move(exit); });
    return run;
  }
  /// Handles what comes until this holds. A test that hangs is ended by its runner.
  void until(const std::function<bool()>& holds) {
    const auto guard = boost::asio::make_work_guard(context_);
    context_.restart();
    while (!holds()) context_.run_one_for(std::chrono::milliseconds{20});
  }
  std::shared_ptr<Step> finished(const ContainerSpec& wanted) {
    auto run = start(wanted);
    until([&] { return run->over(); });
    EXPECT_TRUE(*run->started) << run->started->error().message;
    if (!run->exit) run->exit.emplace();
    return run;
  }
  Result<std::string> fetch(const std::string& id, const std::string& path) {
    std::optional<Result<std::string>> out;
    runtime_->fetch(id, path, temp_ / "scratch", [&out](Result<std::string> at) { out = std::move(at); });
    until([&] { return out.has_value(); });
    return *out;
  }

  Result<EngineReply> engine_call(const std::string& method, const std::string& target) {
    boost::asio::io_context context;
    const DockerClient client(socket_);
    std::optional<Result<EngineReply>> reply;
    EngineRequest request{.method = method, .target = target};
    auto task = [&]() -> Async<void> { reply = co_await client.call(request); };
    boost::asio::co_spawn(context, task(), boost::asio::detached);
    context.run();
    return *reply;
  }

  std::string socket_;
  TempFolder temp_;
  boost::asio::io_context context_;
  std::unique_ptr<Executor> executor_ = make_asio_executor(context_);
  std::unique_ptr<Runtime> runtime_;
  std::vector<std::shared_ptr<Step>> runs_;
};
INSTANTIATE_TEST_SUITE_P(Engines, ContainerRuntimeTest,
                         ::testing::Values(EngineParameter{"podman", "TIPHYS_TEST_PODMAN"},
                                           EngineParameter{"dockerd", "TIPHYS_TEST_DOCKERD"}),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_P(ContainerRuntimeTest, ACommandIsRunAgainInItsContainer) {
  ContainerSpec wanted = spec("echo x >> /tmp/runs; wc -l < /tmp/runs; test $(wc -l < /tmp/runs) = 3");
  wanted.attempts = 4;
  const auto run = finished(wanted);
  EXPECT_EQ(run->exit->exit_code, 0);
  EXPECT_EQ(run->output("stdout"), "1\n2\n3\n");
}

TEST_P(ContainerRuntimeTest, NoAttemptFollowsAStop) {
  ContainerSpec wanted = spec("exit 3");
  wanted.attempts = 3;
  wanted.attempt_pause = std::chrono::hours(1);
  const auto run = start(wanted);
  until([&] { return run->started.has_value(); });
  runtime_->stop(wanted.id, std::chrono::seconds(1));
  until([&] { return run->over(); });
  EXPECT_EQ(run->exit->exit_code, 3);
}

TEST_P(ContainerRuntimeTest, CommandsRunInARunningContainer) {
  ContainerSpec wanted = spec("while test ! -e /over; do sleep 0.01; done");
  wanted.env = {{"WORD", "one two"}};
  const auto run = start(wanted);
  until([&] { return run->started.has_value(); });
  const auto exec = [&](std::vector<std::string> command, Duration timeout = std::chrono::minutes(1)) {
    std::optional<Result<int>> code;
    runtime_->exec(wanted.id, std::move(command), timeout, [&](Result<int> answer) { code = std::move(answer); });
    until([&] { return code.has_value(); });
    return *code ? std::to_string(**code) : code->error().message;
  };
  EXPECT_EQ(exec({"sh", "-c", "test \"$WORD\" = 'one two'"}), "0");
  EXPECT_EQ(exec({"sh", "-c", "exit 7"}), "7");
  EXPECT_EQ(exec({"sleep", "1000"}, std::chrono::milliseconds(100)), "the command has not ended in time");
  EXPECT_EQ(exec({"touch", "/over"}), "0");
  until([&] { return run->exit.has_value(); });
}

TEST_P(ContainerRuntimeTest, ExitCodes) {
  const struct {
    const char* script;
    int code, signal;
    const char* reason;
  } rows[] = {{"exit 0", 0, 0, "Completed"},
              {"exit 3", 3, 0, "Error"},
              {"exit 255", 255, 0, "Error"},
              {"kill -TERM $$", 143, 15, "Error"},
              {"kill -KILL $$", 137, 9, "Error"}};
  std::vector<std::shared_ptr<Step>> runs;
  for (const auto& row : rows) runs.push_back(start(spec(row.script)));
  until([&] { return std::ranges::all_of(runs, [](const auto& run) { return run->over(); }); });
  for (std::size_t i = 0; i < runs.size(); ++i) {
    ASSERT_TRUE(runs[i]->exit) << runs[i]->started->error().message;
    EXPECT_EQ(runs[i]->exit->exit_code, rows[i].code) << rows[i].script;
    EXPECT_EQ(runs[i]->exit->signal, rows[i].signal) << rows[i].script;
    EXPECT_EQ(runs[i]->exit->reason, rows[i].reason) << rows[i].script;
    EXPECT_GE(runs[i]->exit->finished_at, runs[i]->exit->started_at);
    EXPECT_NE(runs[i]->exit->started_at, Time{});
  }
}

TEST_P(ContainerRuntimeTest, OutputAndErrorsAreKeptApart) {
  const auto run = finished(spec("echo one; echo two >&2; printf 'no newline'"));
  EXPECT_EQ(std::string(trim(run->output("stdout"))), "one\nno newline");
  EXPECT_EQ(run->output("stderr"), "two\n");
}

TEST_P(ContainerRuntimeTest, OutputIsSeenWhileItRuns) {
  const auto run = start(spec("echo ready; sleep 1000"));
  until([&] { return run->output("stdout") == "ready\n"; });
  EXPECT_FALSE(run->exit);
  runtime_->stop(run->id, Duration{0});
  until([&] { return run->over(); });
}

TEST_P(ContainerRuntimeTest, ALongLineComesWhole) {
  const auto run = finished(spec("head -c 100000 /dev/zero | tr '\\0' x; echo end"));
  EXPECT_EQ(run->output("stdout"), std::string(100'000, 'x') + "end\n");
}

TEST_P(ContainerRuntimeTest, TwentyMegabytesOfOutput) {
  const auto run = finished(
      spec("yes 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456 "
           "| head -n 200000"));
  const std::string output = run->output("stdout");
  EXPECT_EQ(output.size(), 200'000u * 98);
  EXPECT_EQ(std::ranges::count(output, '\n'), 200'000);
}

struct StopRow {
  const char* script;
  int code;
};
TEST_P(ContainerRuntimeTest, StopAsksThenKills) {
  const StopRow rows[] = {{"trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.05; done", 7},
                          {"trap '' TERM; echo ready; while :; do sleep 0.05; done", 137},
                          {"echo ready; exec sleep 1000", 143}};
  for (const StopRow& row : rows) {
    const auto run = start(spec(row.script));
    until([&] { return run->output("stdout") == "ready\n"; });
    runtime_->stop(run->id, std::chrono::seconds{1});
    until([&] { return run->over(); });
    EXPECT_EQ(run->exit->exit_code, row.code) << row.script;
    EXPECT_EQ(run->exit->reason, "Error");
  }
}

TEST_P(ContainerRuntimeTest, StoppedBeforeItRuns) {
  const auto run = start(spec("sleep 1000"));
  runtime_->stop(run->id, Duration{0});
  until([&] { return run->over(); });
  if (!*run->started) {
    EXPECT_EQ(run->started->error().code, Code::kCancelled) << run->started->error().message;
  }
  runtime_->stop("unknown.main", Duration{0});
}

TEST_P(ContainerRuntimeTest, OutOfMemory) {
  ContainerSpec wanted = spec("exec dd if=/dev/zero of=/dev/null bs=200M count=1");
  wanted.memory_bytes = 32 << 20;
  const auto run = finished(wanted);
  EXPECT_EQ(run->exit->exit_code, 137);
  EXPECT_EQ(run->exit->reason, "OOMKilled");
}

TEST_P(ContainerRuntimeTest, LimitsAreSeenInside) {
  ContainerSpec wanted = spec(
      "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null;"
      "cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null; exit 0");
  wanted.memory_bytes = 64 << 20;
  wanted.cpus = 0.5;
  const std::string output = finished(wanted)->output("stdout");
  EXPECT_TRUE(output == "67108864\n50000\n" || output == "67108864\n50000 100000\n") << output;
}

TEST_P(ContainerRuntimeTest, Mounts) {
  write_file(temp_ / "rw/seen", "content");
  write_file(temp_ / "ro/seen", "content");
  write_file(temp_ / "file: odd name", "file");
  ContainerSpec wanted = spec("cat /rw/seen /ro/seen /f; echo new >/rw/new; echo new >/ro/new && exit 1; exit 0");
  wanted.mounts = {{temp_ / "rw", "/rw", false}, {temp_ / "ro", "/ro", true}, {temp_ / "file: odd name", "/f", true}};
  const auto run = finished(wanted);
  EXPECT_EQ(run->exit->exit_code, 0);
  EXPECT_EQ(std::string(trim(run->output("stdout"))), "contentcontentfile");
  EXPECT_EQ(read_file(temp_ / "rw/new"), "new\n");
  EXPECT_FALSE(fs::exists(temp_ / "ro/new"));
}

TEST_P(ContainerRuntimeTest, EnvironmentUserFolderAndHostname) {
  ContainerSpec wanted =
      spec("printf '%s|' \"$PLAIN\" \"$ODD\" \"$EMPTY\" \"$(pwd)\" \"$(id -u):$(id -g)\" \"$(hostname)\"");
  wanted.env = {{"PLAIN", "a b"}, {"ODD", "x=\"y\"\nz $HOME"}, {"EMPTY", ""}};
  wanted.working_dir = "/not/there/yet";
  wanted.run_as_user = 1000;
  wanted.run_as_group = 2000;
  wanted.hostname = "the-pod";
  EXPECT_EQ(std::string(trim(finished(wanted)->output("stdout"))),
            "a b|x=\"y\"\nz $HOME||/not/there/yet|1000:2000|the-pod|");
}

TEST_P(ContainerRuntimeTest, ContainersThatComeAndGoShareAHeldNetwork) {
  ContainerSpec holder = spec("");
  holder.image = kNetworkHolderImage;
  holder.image_pull_policy = "IfNotPresent";
  holder.command = {std::string(kNetworkHolderProgram)};
  holder.args.clear();
  holder.dir.clear();
  holder.hostname = "the-pod";
  const auto held = start(holder);
  until([&] { return held->started.has_value(); });
  ASSERT_TRUE(*held->started) << held->started->error().message;
  ContainerSpec server = spec("echo hello | nc -l -p 1234");
  server.network_of = holder.id;
  const auto serves = start(server);
  std::vector<std::string> ids{server.id};
  for (const bool first : {true, false}) {
    // The server leaves when nobody writes any more, be its word said or not.
    ContainerSpec client =
        spec(first ? "until sleep 1 | nc 127.0.0.1 1234; do :; done; hostname; grep -c the-pod /etc/hosts"
                   : "hostname; ip route | grep -c default");
    client.network_of = holder.id;
    client.hostname = "the-pod";
    ids.push_back(client.id);
    EXPECT_EQ(finished(client)->output("stdout"), first ? "hello\nthe-pod\n1\n" : "the-pod\n1\n");
  }
  until([&] { return serves->over(); });
  EXPECT_FALSE(held->over());
  runtime_->remove(holder.id);
  for (const std::string& id : ids) runtime_->remove(id);
  until([&] { return held->over(); });
}

TEST_P(ContainerRuntimeTest, CommandAndArgumentsReplaceTheImagesAsInKubernetes) {
  ContainerSpec entrypoint = spec("");
  entrypoint.image = "argoproj/argosay:v2";
  entrypoint.command.clear();
  entrypoint.args = {"echo", "by the entrypoint"};
  EXPECT_EQ(finished(entrypoint)->output("stdout"), "by the entrypoint\n");
  ContainerSpec command = spec("");
  command.image = "argoproj/argosay:v2";
  command.command = {"echo"};
  EXPECT_EQ(finished(command)->output("stdout"), "\n");
}

TEST_P(ContainerRuntimeTest, InputsAreThereBeforeItStarts) {
  write_file(temp_ / "script", "#!/bin/sh\necho run by $(id -u)", 0755);
  write_file(temp_ / "tree/a/b", "deep", 0644);
  write_file(temp_ / "volume/here", "volume");
  ContainerSpec wanted = spec("/argo/staging/script; cat /new/parent/tree/a/b /tmp/b /vol/in; stat -c %a /tmp");
  wanted.run_as_user = 1000;
  wanted.mounts = {{temp_ / "volume", "/vol", false}};
  wanted.inputs = {{"/argo/staging/script", temp_ / "script"},
                   {"/new/parent/tree", temp_ / "tree"},
                   {"/tmp/b", temp_ / "tree/a/b"},
                   {"/vol/in", temp_ / "tree/a/b"}};
  const auto run = finished(wanted);
  EXPECT_EQ(run->output("stdout"), "run by 1000\ndeepdeepdeep1777\n") << run->output("stderr");
}

TEST_P(ContainerRuntimeTest, InputsOfAReadOnlyRoot) {
  write_file(temp_ / "in", "content");
  ContainerSpec wanted = spec("cat /in/x; touch /y 2>/dev/null && exit 1; exit 0");
  wanted.read_only_root = true;
  wanted.inputs = {{"/in/x", temp_ / "in"}};
  const auto run = finished(wanted);
  EXPECT_EQ(run->exit->exit_code, 0);
  EXPECT_EQ(std::string(trim(run->output("stdout"))), "content");
}

TEST_P(ContainerRuntimeTest, FetchCopiesWhatAStepLeft) {
  fs::create_directory(temp_ / "volume");
  ContainerSpec wanted = spec(
      "mkdir -p /out/d/empty; echo file >/out/f; chmod 600 /out/f; echo run >/out/d/run; chmod 755 /out/d/run;"
      "ln -s ../f /out/d/up; ln -s /usr/bin/env /out/d/away; ln -s f /out/link; ln -s /out/link /abs; ln -s /out /dir;"
      "ln -s nowhere /out/broken; ln -s loop2 /out/loop1; ln -s loop1 /out/loop2; echo vol >/vol/x; : >/out/none");
  wanted.mounts = {{temp_ / "volume", "/vol", false}};
  const auto run = finished(wanted);
  ASSERT_EQ(run->exit->exit_code, 0) << run->output("stderr");
  const struct {
    const char *path, *content;
  } files[] = {{"/out/f", "file\n"},    {"/out/link", "file\n"}, {"/abs", "file\n"}, {"/dir/f", "file\n"},
               {"/dir/link", "file\n"}, {"/vol/x", "vol\n"},     {"/out/none", ""},  {"/out//d/../f", "file\n"}};
  for (const auto& row : files) {
    const auto at = fetch(run->id, row.path);
    ASSERT_TRUE(at) << row.path << ": " << at.error().message;
    EXPECT_EQ(read_file(*at), row.content) << row.path;
    EXPECT_EQ(fs::path(*at).filename(), fs::path(row.path).filename());
    EXPECT_TRUE(at->starts_with(temp_ / "scratch")) << *at;
  }
  EXPECT_EQ(mode_of(*fetch(run->id, "/out/f")), 0600u);
  for (const char* path : {"/out/d", "/out/d/", "/dir/d"}) {
    const auto at = fetch(run->id, path);
    ASSERT_TRUE(at) << path << ": " << at.error().message;
    EXPECT_EQ(read_file(*at + "/run"), "run\n");
    EXPECT_EQ(mode_of(*at + "/run"), 0755u);
    EXPECT_TRUE(fs::is_directory(*at + "/empty"));
    EXPECT_EQ(fs::read_symlink(*at + "/up"), "../f");
    EXPECT_EQ(fs::read_symlink(*at + "/away"), "/usr/bin/env");
  }
  for (const char* path : {"/out/missing", "/missing/deep", "/out/f/below", "/out/broken", "/vol/missing"}) {
    const auto at = fetch(run->id, path);
    ASSERT_FALSE(at) << path;
    EXPECT_EQ(code_name(at.error().code), "NotFound") << path << ": " << at.error().message;
  }
  EXPECT_FALSE(fetch(run->id, "/out/loop1"));
  EXPECT_EQ(fetch("unknown.main", "/x").error().code, Code::kDataLoss);
}

TEST_P(ContainerRuntimeTest, ManyThatEndTogetherHaveTheirOutputs) {
  constexpr int kMany = 24;
  int over = 0;
  const auto expect = [](const Result<std::string>& at, std::string_view content) {
    ASSERT_TRUE(at) << at.error().message;
    EXPECT_EQ(read_file(*at), content);
  };
  for (int i = 0; i < kMany; ++i) {
    const ContainerSpec wanted = spec(fmt::format("echo {0} >/one; echo {0} >/two", i));
    runs_.push_back(std::make_shared<Step>(wanted.id));
    // Asked for the moment that its end is told, one after the other, as the agent does.
    runtime_->start(
        wanted, [](const Status& status) { EXPECT_TRUE(status); },
        [&, id = wanted.id, content = fmt::format("{}\n", i)](const ContainerExit&) {
          runtime_->fetch(id, "/one", temp_ / "scratch", [&, id, content](const Result<std::string>& one) {
            expect(one, content);
            runtime_->fetch(id, "/two", temp_ / "scratch", [&, content](const Result<std::string>& two) {
              expect(two, content);
              ++over;
            });
          });
        });
  }
  until([&] { return over == kMany; });
}

TEST_P(ContainerRuntimeTest, RemoveFreesTheContainerAndKeepsItsLog) {
  const auto run = finished(spec("echo kept"));
  runtime_->remove(run->id);
  until([&] { return !engine_call("GET", "/containers/" + engine_name(run->id) + "/json"); });
  EXPECT_EQ(run->output("stdout"), "kept\n");
}

TEST_P(ContainerRuntimeTest, AnUnknownImage) {
  ContainerSpec wanted = spec("true");
  wanted.image = kUnknownImage;
  const auto run = start(wanted);
  until([&] { return run->over(); });
  ASSERT_FALSE(*run->started);
  EXPECT_TRUE(run->started->error().message.starts_with("ErrImagePull: " + std::string(kUnknownImage)))
      << run->started->error().message;
  wanted = spec("true");
  wanted.image = kUnknownImage;
  wanted.image_pull_policy = "Never";
  const auto never = start(wanted);
  until([&] { return never->over(); });
  EXPECT_TRUE(never->started->error().message.starts_with("ErrImageNeverPull: ")) << never->started->error().message;
}

TEST_P(ContainerRuntimeTest, AnImageIsPulledWhenThePolicyWantsIt) {
  ContainerSpec wanted = spec("true");
  wanted.image = "alpine";
  EXPECT_EQ(finished(wanted)->exit->exit_code, 0);
  runtime_ = make({.engine = "", .state_dir = "", .offline = true, .network = "none"});
  wanted = spec("exit 4");
  wanted.image = "alpine";
  EXPECT_EQ(finished(wanted)->exit->exit_code, 4) << "offline, what is there is used";
}

TEST_P(ContainerRuntimeTest, ACommandThatIsNotThere) {
  ContainerSpec wanted = spec("");
  wanted.command = {"no-such-command", "-x"};
  const auto run = start(wanted);
  until([&] { return run->over(); });
  if (*run->started) {
    EXPECT_EQ(run->exit->reason, "StartError") << run->exit->exit_code << " " << run->output("stderr");
    EXPECT_NE(run->exit->message.find("no-such-command"), std::string::npos) << run->exit->message;
  } else {
    EXPECT_TRUE(run->started->error().message.starts_with("StartError: ")) << run->started->error().message;
  }
}

TEST_P(ContainerRuntimeTest, ARestartedRuntimeAdoptsWhatRuns) {
  const ContainerSpec wanted =
      spec("for i in 1 2 3; do echo $i; done; while [ ! -e /flag/go ]; do sleep 0.05; done; echo 4; exit 5");
  ContainerSpec with_flag = wanted;
  fs::create_directory(temp_ / "flag");
  with_flag.mounts = {{temp_ / "flag", "/flag", true}};
  const auto first = start(with_flag);
  until([&] { return first->output("stdout") == "1\n2\n3\n"; });
  runtime_.reset();
  runtime_ = make();
  const auto second = start(with_flag);
  until([&] { return second->started.has_value(); });
  EXPECT_TRUE(*second->started) << second->started->error().message;
  write_file(temp_ / "flag/go", "");
  until([&] { return second->over(); });
  EXPECT_EQ(second->exit->exit_code, 5);
  EXPECT_EQ(second->output("stdout"), "1\n2\n3\n4\n");
  EXPECT_FALSE(first->exit);
}

TEST_P(ContainerRuntimeTest, ARestartedRuntimeAdoptsWhatHasEnded) {
  fs::create_directory(temp_ / "flag");
  ContainerSpec wanted = spec("echo before; while [ ! -e /flag/go ]; do sleep 0.05; done; echo after; exit 6");
  wanted.mounts = {{temp_ / "flag", "/flag", true}};
  const auto first = start(wanted);
  until([&] { return first->output("stdout") == "before\n"; });
  runtime_.reset();
  write_file(temp_ / "flag/go", "");
  const std::string inspect = "/containers/" + engine_name(wanted.id) + "/json";
  until([&] { return parse_inspect(engine_call("GET", inspect)->body)->ended; });
  runtime_ = make();
  const auto second = finished(wanted);
  EXPECT_EQ(second->exit->exit_code, 6);
  EXPECT_EQ(second->output("stdout"), "before\nafter\n");
}

TEST_P(ContainerRuntimeTest, WhatAnEarlierAgentLeftIsRemovedUnlessItIsWanted) {
  std::vector<std::shared_ptr<Step>> steps;
  std::vector<ContainerSpec> specs;
  for (int i = 0; i < 3; ++i) {
    specs.push_back(spec("sleep 1000"));
    steps.push_back(start(specs.back()));
  }
  until([&] { return std::ranges::all_of(steps, [](const auto& step) { return step->started.has_value(); }); });
  runtime_.reset();
  runtime_ = make();
  const auto claimed = start(specs[0]);
  until([&] { return claimed->started.has_value(); });
  runtime_->remove_unclaimed([&](std::string_view id) { return id == specs[1].id; });
  const auto there = [&](const ContainerSpec& one) {
    return engine_call("GET", "/containers/" + engine_name(one.id) + "/json").has_value();
  };
  until([&] { return !there(specs[2]); });
  EXPECT_TRUE(there(specs[0]));
  EXPECT_TRUE(there(specs[1]));
  EXPECT_FALSE(claimed->exit);
}

TEST_P(ContainerRuntimeTest, StartingTheSameIdTwiceGivesTheFirst) {
  const ContainerSpec wanted = spec("echo once; exit 2");
  const auto first = start(wanted), second = start(wanted);
  until([&] { return first->over() && second->over(); });
  EXPECT_EQ(first->exit->exit_code, 2);
  EXPECT_EQ(second->exit->exit_code, 2);
  EXPECT_EQ(finished(wanted)->exit->exit_code, 2) << "after its end";
  EXPECT_EQ(first->output("stdout"), "once\n");
}

TEST_P(ContainerRuntimeTest, SomebodyElseRemovesIt) {
  const auto run = start(spec("echo ready; sleep 1000"));
  until([&] { return run->output("stdout") == "ready\n"; });
  ASSERT_TRUE(engine_call("DELETE", "/containers/" + engine_name(run->id) + "?force=1&v=1"));
  until([&] { return run->over(); });
  EXPECT_NE(run->exit->exit_code, 0);
}

}  // namespace
}  // namespace tiphys::node
