// The container runtime against a fake engine: what real ones do too seldom to wait for.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <future>

#include "artifact/repository.h"
#include "base/asio_executor.h"
#include "doc/value.h"
#include "node/container/container_runtime.h"
#include "node/container/docker_fake_engine.h"
#include "node/container/network_holder_image.h"
#include "node/network_holder.h"

namespace tiphys::node {
namespace {

using artifact::testing::read_file;
using artifact::testing::TempFolder;
using artifact::testing::write_file;
using testing::answer;
using testing::chunked;
using testing::FakeEngine;
using testing::FakeReply;
using testing::FakeRequest;
using testing::log_frame;

constexpr const char* kEnded =
    R"({"Config":{"Labels":{"tiphys.io/id":"uid.main"}},"State":{"Status":"exited","ExitCode":3,)"
    R"("StartedAt":"2026-01-31T12:00:00Z","FinishedAt":"2026-01-31T12:00:01Z"}})";
constexpr const char* kRunning =
    R"({"Config":{"Labels":{"tiphys.io/id":"uid.main"}},"State":{"Status":"running","StartedAt":"2026-01-31T12:00:00Z"}})";

/// What an engine with one ordinary container says.
FakeReply ordinary(const FakeRequest& request) {
  if (request.is("GET", "/_ping")) return answer(200, "OK");
  if (request.is("GET", "/info")) return answer(200, "{}");
  if (request.is("GET", "/containers/json")) return answer(200, "[]");
  if (request.is("POST", "/images/create")) return chunked({"{\"status\":\"done\"}\r\n"});
  if (request.is("POST", "/containers/create")) return answer(201, R"({"Id":"1"})");
  if (request.is("PUT", "/archive?path=")) return answer(200, "");
  if (request.is("POST", "/start")) return {"HTTP/1.1 204 No Content\r\n\r\n"};
  if (request.is("GET", "/logs")) return chunked({log_frame(1, "2026-01-31T12:00:00.5Z hello\n")});
  if (request.is("POST", "/wait")) return answer(200, R"({"StatusCode":3})");
  if (request.is("GET", "/containers/tiphys-uid.main/json")) return answer(200, kEnded);
  if (request.is("DELETE", "/containers/")) return {"HTTP/1.1 204 No Content\r\n\r\n"};
  return answer(500, "the test did not expect this call");
}

struct FakeEngineTest : ::testing::Test {
  TempFolder temp;
  boost::asio::io_context context;
  std::unique_ptr<Executor> executor = make_asio_executor(context);

  ContainerSpec spec() {
    ContainerSpec out;
    out.id = "uid.main";
    out.image = "busybox:1";
    out.command = {"true"};
    out.dir = temp.path();
    return out;
  }
  struct Outcome {
    std::optional<Status> started;
    std::optional<ContainerExit> exit;
  };
  Outcome run(FakeEngine& engine, const ContainerSpec& wanted, bool offline = false) {
    const auto runtime = make_container_runtime(
        *executor, {.engine = engine.socket(), .state_dir = temp.path(), .offline = offline, .network = ""});
    Outcome outcome;
    const auto guard = boost::asio::make_work_guard(context);
    runtime->start(
        wanted,
        [&](Status status) {
          outcome.started = status;
          if (!status) context.stop();
        },
        [&](const ContainerExit& exit) {
          outcome.exit = exit;
          context.stop();
        });
    context.restart();
    context.run();
    return outcome;
  }
};

TEST_F(FakeEngineTest, AnOrdinaryRun) {
  FakeEngine engine(ordinary);
  const Outcome outcome = run(engine, spec());
  ASSERT_TRUE(*outcome.started) << outcome.started->error().message;
  EXPECT_EQ(outcome.exit->exit_code, 3);
  EXPECT_EQ(outcome.exit->reason, "Error");
  EXPECT_EQ(format_rfc3339(outcome.exit->finished_at), "2026-01-31T12:00:01Z");
  EXPECT_EQ(read_file(temp / "log"), "2026-01-31T12:00:00.500000000Z stdout F hello\n");
}

TEST_F(FakeEngineTest, APullThatFailsInsideASuccessfulStream) {
  FakeEngine engine([](const FakeRequest& request) {
    if (request.is("POST", "/images/create"))
      return chunked({"{\"status\":\"Pulling\"}\n", "{\"error\":\"denied\"}\n"});
    return ordinary(request);
  });
  ContainerSpec wanted = spec();
  wanted.image = "private";
  const Outcome outcome = run(engine, wanted);
  ASSERT_FALSE(*outcome.started);
  EXPECT_EQ(outcome.started->error().message, "ErrImagePull: private: denied");
  EXPECT_EQ(engine.count("/containers/create"), 0);
}

TEST_F(FakeEngineTest, AnImageThatIsMissingIsPulledOnce) {
  std::atomic<bool> pulled = false;
  FakeEngine engine([&](const FakeRequest& request) {
    if (request.is("POST", "/images/create")) pulled = true;
    if (request.is("POST", "/containers/create") && !pulled)
      return answer(404, R"({"message":"No such image: busybox:1"})");
    return ordinary(request);
  });
  EXPECT_TRUE(run(engine, spec()).exit);
  EXPECT_EQ(engine.count("/images/create?fromImage=busybox&tag=1"), 1);
}

TEST_F(FakeEngineTest, PoliciesThatForbidAPull) {
  FakeEngine engine([](const FakeRequest& request) {
    if (request.is("POST", "/containers/create")) return answer(404, R"({"message":"No such image: busybox:1"})");
    return ordinary(request);
  });
  ContainerSpec wanted = spec();
  wanted.image_pull_policy = "Never";
  EXPECT_EQ(run(engine, wanted).started->error().message,
            "ErrImageNeverPull: Container image \"busybox:1\" is not present with pull policy of Never");
  EXPECT_TRUE(run(engine, spec(), true).started->error().message.starts_with("ErrImageNeverPull: "));
  EXPECT_EQ(engine.count("/images/create"), 0);
}

TEST_F(FakeEngineTest, TheImageOfNetworkHoldersIsMadeNotPulled) {
  std::atomic<bool> made = false;
  FakeEngine engine([&](const FakeRequest& request) {
    if (request.is("POST", "/images/create")) made = request.body == network_holder_tar();
    if (request.is("POST", "/containers/create") && !made) return answer(404, R"({"message":"No such image"})");
    return ordinary(request);
  });
  ContainerSpec wanted = spec();
  wanted.image = kNetworkHolderImage;
  wanted.image_pull_policy = "IfNotPresent";
  wanted.dir.clear();
  EXPECT_TRUE(run(engine, wanted, true).exit);
  EXPECT_EQ(engine.count("/images/create?fromSrc=-&repo=localhost%2Ftiphys-network-holder-1&tag=latest"), 1);
  EXPECT_EQ(engine.count("/logs"), 0) << "it says nothing";
}

/// podman's words.
TEST_F(FakeEngineTest, WhatOthersDependOnIsFreedAfterThem) {
  std::promise<void> refused, over;
  std::atomic<int> removals = 0;
  std::atomic<bool> is_there = true;
  FakeEngine engine([&](const FakeRequest& request) {
    if (request.is("DELETE", "/tiphys-uid.side")) {
      refused.get_future().wait();
      is_there = false;
      return ordinary(request);
    }
    if (request.is("DELETE", "/tiphys-uid.main")) {
      const bool first = removals++ == 0;
      if (!first) over.set_value();
      if (!is_there) return ordinary(request);
      if (first) refused.set_value();
      return answer(500, R"({"message":"container x has dependent containers which must be removed before it: y"})");
    }
    return ordinary(request);
  });
  const auto runtime = make_container_runtime(
      *executor, {.engine = engine.socket(), .state_dir = temp.path(), .offline = false, .network = ""});
  runtime->remove("uid.side");
  runtime->remove("uid.main");
  over.get_future().wait();
  EXPECT_FALSE(is_there);
}

TEST_F(FakeEngineTest, OfflineAnImageThatIsPresentIsUsedWhateverThePolicy) {
  FakeEngine engine(ordinary);
  ContainerSpec wanted = spec();
  wanted.image_pull_policy = "Always";
  EXPECT_TRUE(run(engine, wanted, true).exit);
  EXPECT_EQ(engine.count("/images/create"), 0);
}

TEST_F(FakeEngineTest, AStartThatFailsLeavesNothing) {
  FakeEngine engine([](const FakeRequest& request) {
    if (request.is("POST", "/start")) return answer(400, R"({"message":"exec: \"nope\": not found"})");
    return ordinary(request);
  });
  const Outcome outcome = run(engine, spec());
  EXPECT_EQ(outcome.started->error().message, "StartError: exec: \"nope\": not found");
  EXPECT_FALSE(outcome.exit);
  EXPECT_EQ(engine.count("DELETE /containers/tiphys-uid.main?force=1&v=1"), 1);
}

TEST_F(FakeEngineTest, AStartWhoseAnswerIsLostIsNotRepeated) {
  std::atomic<int> starts = 0;
  FakeEngine engine([&](const FakeRequest& request) {
    if (request.is("POST", "/start") && ++starts == 1) return FakeReply{};
    return ordinary(request);
  });
  const Outcome outcome = run(engine, spec());
  ASSERT_TRUE(*outcome.started) << outcome.started->error().message;
  EXPECT_EQ(outcome.exit->exit_code, 3);
  EXPECT_EQ(starts, 1);
  EXPECT_EQ(engine.count("/containers/create"), 1);
  EXPECT_EQ(engine.count("DELETE"), 0);
}

TEST_F(FakeEngineTest, AContainerOfThisIdIsAdopted) {
  FakeEngine engine([](const FakeRequest& request) {
    if (request.is("POST", "/containers/create")) return answer(409, R"({"message":"name in use"})");
    return ordinary(request);
  });
  const Outcome outcome = run(engine, spec());
  ASSERT_TRUE(*outcome.started);
  EXPECT_EQ(outcome.exit->exit_code, 3);
  EXPECT_EQ(read_file(temp / "log"), "2026-01-31T12:00:00.500000000Z stdout F hello\n");
  EXPECT_EQ(engine.count("/start"), 0);
}

TEST_F(FakeEngineTest, ANameThatSomebodyElseHoldsIsAnError) {
  FakeEngine engine([](const FakeRequest& request) {
    if (request.is("POST", "/containers/create")) return answer(409, R"({"message":"name in use"})");
    if (request.is("GET", "/containers/tiphys-uid.main/json")) return answer(200, R"({"State":{"Status":"running"}})");
    return ordinary(request);
  });
  const Outcome outcome = run(engine, spec());
  ASSERT_FALSE(*outcome.started);
  EXPECT_TRUE(outcome.started->error().message.starts_with("CreateContainerError: "));
  EXPECT_EQ(engine.count("DELETE"), 0);
}

TEST_F(FakeEngineTest, ContainersThatAreThereAreNotMadeAgain) {
  FakeEngine engine([](const FakeRequest& request) {
    if (request.is("GET", "/containers/json")) return answer(200, R"([{"Labels":{"tiphys.io/id":"uid.main"}}])");
    return ordinary(request);
  });
  EXPECT_TRUE(run(engine, spec()).exit);
  EXPECT_EQ(engine.count("/containers/create"), 0);
}

TEST_F(FakeEngineTest, WithoutAnInitProgramItRunsWithoutOne) {
  FakeEngine engine([](const FakeRequest& request) {
    if (request.is("POST", "/containers/create") && request.body.find("\"Init\":true") != std::string::npos) {
      return answer(500,
                    R"({"message":"container-init binary not found on the host: stat /usr/libexec/podman/catatonit"})");
    }
    return ordinary(request);
  });
  EXPECT_TRUE(run(engine, spec()).exit);
  EXPECT_EQ(engine.count("/containers/create"), 2);
}

TEST_F(FakeEngineTest, AnEngineThatGoesAwayWhileWaitingIsFoundAgain) {
  std::atomic<int> waits = 0;
  FakeEngine engine([&](const FakeRequest& request) {
    if (request.is("POST", "/wait") && ++waits == 1) return FakeReply{};
    if (request.is("GET", "/containers/tiphys-uid.main/json") && waits < 2) return answer(200, kRunning);
    return ordinary(request);
  });
  const Outcome outcome = run(engine, spec());
  EXPECT_EQ(outcome.exit->exit_code, 3);
  EXPECT_EQ(read_file(temp / "log"), "2026-01-31T12:00:00.500000000Z stdout F hello\n");
}

TEST_F(FakeEngineTest, ALogThatBreaksOffIsCompletedWithoutRepeating) {
  const std::string first = log_frame(1, "2026-01-31T12:00:00Z a\n") + log_frame(2, "2026-01-31T12:00:00Z b\n");
  const std::string rest = log_frame(1, "2026-01-31T12:00:00Z a\n") + log_frame(1, "2026-01-31T12:00:01Z c\n");
  FakeEngine engine([&](const FakeRequest& request) {
    if (request.is("GET", "follow=1")) return chunked({first, rest.substr(0, 11)}, false);
    if (request.is("GET", "/logs")) return chunked({first + rest});
    return ordinary(request);
  });
  EXPECT_TRUE(run(engine, spec()).exit);
  EXPECT_EQ(read_file(temp / "log"),
            "2026-01-31T12:00:00.000000000Z stdout F a\n2026-01-31T12:00:00.000000000Z stderr F b\n"
            "2026-01-31T12:00:00.000000000Z stdout F a\n2026-01-31T12:00:01.000000000Z stdout F c\n");
}

TEST_F(FakeEngineTest, AContainerThatVanishes) {
  FakeEngine engine([](const FakeRequest& request) {
    if (request.is("GET", "/containers/tiphys-uid.main/json")) return answer(404, R"({"message":"No such container"})");
    return ordinary(request);
  });
  const Outcome outcome = run(engine, spec());
  EXPECT_EQ(outcome.exit->reason, "ContainerStatusUnknown");
  EXPECT_EQ(outcome.exit->exit_code, 137);
}

TEST_F(FakeEngineTest, PodmanIsAskedToHoldItMountedBeforeItsFilesAreTouched) {
  FakeEngine engine([&](const FakeRequest& request) {
    if (request.is("GET", "/_ping")) return answer(200, "OK", "Libpod-Api-Version: 4.3.1\r\n");
    return ordinary(request);
  });
  write_file(temp / "input", "1");
  auto wanted = spec();
  wanted.inputs = {{"/in", temp / "input"}};
  const Outcome outcome = run(engine, wanted);
  ASSERT_TRUE(*outcome.started) << outcome.started->error().message;
  const auto seen = engine.seen();
  const auto at = [&](std::string_view what) {
    return std::find_if(seen.begin(), seen.end(), [&](const auto& each) { return each.starts_with(what); }) -
           seen.begin();
  };
  EXPECT_LT(at("POST /v4.3.1/libpod/containers/tiphys-uid.main/mount"), at("PUT /containers/tiphys-uid.main/archive"));
  EXPECT_LT(at("PUT /containers/tiphys-uid.main/archive"), at("POST /containers/tiphys-uid.main/start"));
  EXPECT_EQ(engine.count("/start"), 1) << "a mount that fails is no reason not to start";
}

TEST_F(FakeEngineTest, AStartThatFindsNoMountIsTriedAgainOnceTheyAreForgotten) {
  std::atomic<int> mounts = 1;
  FakeEngine engine([&](const FakeRequest& request) {
    if (request.is("GET", "/_ping")) return answer(200, "OK", "Libpod-Api-Version: 4.3.1\r\n");
    if (request.is("POST", "/v4.3.1/libpod/containers/tiphys-uid.main/unmount")) {
      return mounts > 0 ? (--mounts, FakeReply{"HTTP/1.1 204 No Content\r\n\r\n"})
                        : answer(500, R"({"message":"layer is not mounted"})");
    }
    if (!request.is("POST", "/start") || mounts == 0) return ordinary(request);
    return answer(500, R"({"message":"mounting storage for container 1: lstat /merged: no such file"})");
  });
  const Outcome outcome = run(engine, spec());
  ASSERT_TRUE(*outcome.started) << outcome.started->error().message;
  EXPECT_EQ(engine.count("/start"), 2);
}

TEST_F(FakeEngineTest, ACommandIsRunInAContainer) {
  bool ends = true;
  FakeEngine engine([&](const FakeRequest& request) {
    if (request.is("POST", "/containers/tiphys-uid.main/exec")) {
      EXPECT_NE(request.body.find(R"("Cmd":["test","-f","/x"])"), std::string::npos) << request.body;
      return answer(201, R"({"Id":"e1"})");
    }
    if (request.is("POST", "/exec/e1/start")) return chunked({log_frame(1, "text")}, ends);
    if (request.is("GET", "/exec/e1/json")) return answer(200, R"({"Running":false,"ExitCode":3})");
    return ordinary(request);
  });
  const auto runtime = make_container_runtime(
      *executor, {.engine = engine.socket(), .state_dir = temp.path(), .offline = false, .network = ""});
  const auto guard = boost::asio::make_work_guard(context);
  std::optional<Result<int>> code;
  runtime->exec("uid.main", {"test", "-f", "/x"}, std::chrono::minutes(1), [&](Result<int> answer) {
    code = std::move(answer);
    context.stop();
  });
  context.run();
  ASSERT_TRUE(*code) << code->error().message;
  EXPECT_EQ(**code, 3);
}

TEST_F(FakeEngineTest, MountsThatPodmanCountsWronglyAreForgotten) {
  write_file(temp / "file", "kept");
  const std::pair<std::string, std::string> entry{"out", temp / "file"};
  ASSERT_TRUE(artifact::pack_tar(std::span(&entry, 1), temp / "answer.tar"));
  std::atomic<int> mounts = 2;
  FakeEngine engine([&](const FakeRequest& request) {
    if (request.is("GET", "/_ping")) return answer(200, "OK", "Libpod-Api-Version: 4.3.1\r\n");
    if (request.is("POST", "/v4.3.1/libpod/containers/tiphys-uid.main/unmount")) {
      return mounts > 0 ? (--mounts, FakeReply{"HTTP/1.1 204 No Content\r\n\r\n"})
                        : answer(500, R"({"message":"layer is not mounted"})");
    }
    if (!request.is("GET", "/archive?path=")) return ordinary(request);
    return mounts > 0 ? answer(500, R"({"message":"mounting storage for container 1: lstat /merged: no such file"})")
                      : answer(200, read_file(temp / "answer.tar"));
  });
  const auto runtime = make_container_runtime(
      *executor, {.engine = engine.socket(), .state_dir = temp.path(), .offline = false, .network = ""});
  const auto guard = boost::asio::make_work_guard(context);
  Result<std::string> at = fail(Code::kUnknown, "not yet");
  runtime->fetch("uid.main", "/out", temp / "scratch", [&](Result<std::string> fetched) {
    at = std::move(fetched);
    context.stop();
  });
  context.run();
  ASSERT_TRUE(at) << at.error().message;
  EXPECT_EQ(read_file(*at), "kept");
}

/// An engine whose container ends with 3 each time, a second later than before.
struct Failing {
  std::atomic<int> starts = 0;
  FakeReply operator()(const FakeRequest& request) {
    if (request.is("POST", "/start")) ++starts;
    if (request.is("GET", "/containers/tiphys-uid.main/json")) {
      return answer(200,
                    fmt::format(R"({{"Config":{{"Labels":{{"tiphys.io/id":"uid.main"}}}},"State":{{"Status":"exited",)"
                                R"("ExitCode":3,"StartedAt":"2026-01-31T12:00:00Z",)"
                                R"("FinishedAt":"2026-01-31T12:00:0{}Z"}}}})",
                                starts.load()));
    }
    return ordinary(request);
  }
};

TEST_F(FakeEngineTest, ACommandIsRunAgainInItsContainer) {
  Failing failing;
  FakeEngine engine([&](const FakeRequest& request) { return failing(request); });
  ContainerSpec wanted = spec();
  wanted.attempts = 3;
  EXPECT_EQ(run(engine, wanted).exit->exit_code, 3);
  EXPECT_EQ(engine.count("/start"), 3);
  EXPECT_EQ(engine.count("/containers/create"), 1);
  EXPECT_EQ(read_file(temp / "log"), "2026-01-31T12:00:00.500000000Z stdout F hello\n");
}

TEST_F(FakeEngineTest, AttemptsAreCountedAcrossACrash) {
  Failing failing;
  failing.starts = 2;
  // The second start was noted and never made; the first was.
  write_file(temp / "failed-attempts", "1769860801000000000\n1769860802000000000\n");
  FakeEngine engine([&](const FakeRequest& request) {
    if (request.is("GET", "/containers/json")) {
      return answer(200, R"([{"Names":["/tiphys-uid.main"],"Labels":{"tiphys.io/id":"uid.main"}}])");
    }
    return failing(request);
  });
  ContainerSpec wanted = spec();
  wanted.attempts = 3;
  EXPECT_EQ(run(engine, wanted).exit->exit_code, 3);
  EXPECT_EQ(engine.count("/start"), 1);
}

TEST_F(FakeEngineTest, AnEngineThatDoesNotDescribeItselfIsUsed) {
  FakeEngine engine([](const FakeRequest& request) {
    return request.is("GET", "/info") ? answer(500, R"({"message":"no such container"})") : ordinary(request);
  });
  const auto outcome = run(engine, spec());
  ASSERT_TRUE(outcome.exit);
  EXPECT_EQ(outcome.exit->exit_code, 3);
}

TEST_F(FakeEngineTest, NoEngineNamesTheWaysOut) {
  const auto runtime = make_container_runtime(
      *executor, {.engine = temp / "none.sock", .state_dir = temp.path(), .offline = false, .network = ""});
  const auto guard = boost::asio::make_work_guard(context);
  std::optional<Status> started;
  runtime->start(
      spec(),
      [&](Status status) {
        started = status;
        context.stop();
      },
      [](const ContainerExit&) { ADD_FAILURE() << "it did not start"; });
  context.run();
  ASSERT_FALSE(*started);
  EXPECT_EQ(started->error().code, Code::kFailedPrecondition);
  for (const char* part : {"podman", "dockerd", "--runtime process", "DOCKER_HOST", "none.sock", "--engine"}) {
    EXPECT_NE(started->error().message.find(part), std::string::npos) << part;
  }
}

TEST_F(FakeEngineTest, NoCallbackComesAfterTheRuntimeIsGone) {
  std::promise<void> asked, over;
  FakeEngine engine([&](const FakeRequest& request) {
    if (request.is("POST", "/wait")) {
      asked.set_value();
      over.get_future().wait();
    }
    return ordinary(request);
  });
  auto runtime = make_container_runtime(
      *executor, {.engine = engine.socket(), .state_dir = temp.path(), .offline = false, .network = ""});
  runtime->start(spec(), [](Status) { ADD_FAILURE(); }, [](const ContainerExit&) { ADD_FAILURE(); });
  asked.get_future().wait();
  runtime.reset();
  over.set_value();
  context.run();
}

TEST_F(FakeEngineTest, WhatIsAboutToBeFreedIsFreedBeforeTheRuntimeGoes) {
  std::promise<void> asked, over;
  std::atomic<bool> answered = false;
  FakeEngine engine([&](const FakeRequest& request) {
    if (request.is("DELETE", "/containers/")) {
      asked.set_value();
      over.get_future().wait();
      answered = true;
    }
    return ordinary(request);
  });
  auto runtime = make_container_runtime(
      *executor, {.engine = engine.socket(), .state_dir = temp.path(), .offline = false, .network = ""});
  runtime->remove("uid.main");
  asked.get_future().wait();
  auto gone = std::async(std::launch::async, [&] {
    runtime.reset();
    return answered.load();
  });
  over.set_value();
  EXPECT_TRUE(gone.get());
}

TEST_F(FakeEngineTest, WhatServesThePlaneGoesWithIt) {
  std::promise<void> asked, over;
  std::atomic<bool> removed = false;
  FakeEngine engine([&](const FakeRequest& request) {
    if (request.is("POST", "/wait")) {
      asked.set_value();
      over.get_future().wait();
    }
    if (request.is("DELETE", "/containers/") && !removed.exchange(true)) over.set_value();
    return ordinary(request);
  });
  auto runtime = make_container_runtime(
      *executor, {.engine = engine.socket(), .state_dir = temp.path(), .offline = false, .network = ""});
  ContainerSpec servant = spec();
  servant.ends_with_plane = true;
  runtime->start(servant, [](Status) {}, [](const ContainerExit&) {});
  asked.get_future().wait();
  runtime.reset();
  EXPECT_EQ(engine.count("DELETE /containers/tiphys-uid.main?force=1&v=1"), 1);
}

}  // namespace
}  // namespace tiphys::node
