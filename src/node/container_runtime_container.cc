#include "node/container_runtime_container.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <cctype>
#include <cerrno>
#include <set>

#include "artifact/repository.h"
#include "base/log.h"
#include "base/strings.h"

namespace tiphys::node {
namespace {

using std::chrono::milliseconds;

/// How often podman looks whether the process is gone while a call waits for it; its own default is 250 ms.
constexpr std::string_view kPodmanWaitInterval = "20ms";
/// Reading so many lines again costs less than podman's log stream takes to notice the end, 450 ms.
constexpr std::uint64_t kCheapLines = 2'000;
constexpr milliseconds kLogEndPatience{5'000};
constexpr milliseconds kFirstRetry{100}, kMostRetry{5'000};
constexpr int kLostExitCode = 137;  // as a kubelet reports a container that it cannot find
constexpr int kNotFoundExitCode = 127, kNotExecutableExitCode = 126;

bool mentions(std::string_view message, std::string_view word) {
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return std::search(message.begin(), message.end(), word.begin(), word.end(), same) != message.end();
}

std::unexpected<Error> because(std::string_view reason, const Error& error) {
  return std::unexpected(error.in(reason));
}

/// Kept beside the log, so that a restarted process knows that a kill was ours.
std::string kill_mark(const std::string& dir) {
  return dir + "/stop-asked";
}

}  // namespace

EngineContainer::EngineContainer(Surroundings around, ContainerSpec spec)
    : around_(std::move(around)),
      spec_(std::move(spec)),
      name_(engine_name(spec_.id)),
      was_killed_(::access(kill_mark(spec_.dir).c_str(), F_OK) == 0) {}

void EngineContainer::stop_asked() {
  stop_asked_ = true;
  was_killed_ = true;
  const UniqueFd mark(::open(kill_mark(spec_.dir).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!mark) log::warn("{}", fail_errno(kill_mark(spec_.dir), errno).error().message);
}

Async<Status> EngineContainer::start() {
  TIPHYS_CO_TRY(engine_, co_await around_.link.engine());
  Status made = co_await make(engine_);
  if (!made && made.error().code == Code::kUnavailable && !made.error().message.starts_with("ErrImagePull")) {
    // It went away since it was last used, which nobody had noticed before; a create that was carried out is adopted.
    around_.link.lost(engine_);
    TIPHYS_CO_TRY(engine_, co_await around_.link.engine());
    engine_->left_over.insert(name_);
    made = co_await make(engine_);
  }
  co_return made;
}

Async<Status> EngineContainer::make(std::shared_ptr<Engine> engine) {
  bool there = engine->left_over.erase(name_) > 0;
  if (!there) {
    const Status created = co_await create(engine);
    there = !created && created.error().code == Code::kAlreadyExists;
    if (!created && !there) co_return created;
  }
  if (there) {
    const auto state = co_await inspect(engine);
    if (!state && state.error().code == Code::kNotFound) co_return co_await make(engine);
    if (!state) co_return std::unexpected(state.error());
    if (state->label_id != spec_.id) {
      co_return fail(Code::kFailedPrecondition,
                     fmt::format("CreateContainerError: a container named {} is there that is not ours", name_));
    }
    if (state->ended) found_ended_ = *state;
    if (state->ended || state->started) co_return Status{};
  }
  Status started = stop_asked_ ? Status{} : co_await put_inputs(engine);
  if (started && !stop_asked_) started = co_await start_made(engine);
  if (started && stop_asked_) started = fail(Code::kCancelled, "stopped before it had started");
  if (!started) {
    const Status removed = co_await remove_container(*engine, spec_.id);
    if (!removed) log::warn("removing {}: {}", name_, removed.error().message);
  }
  co_return started;
}

Async<Status> EngineContainer::create(std::shared_ptr<Engine> engine) {
  const PullPolicy policy = pull_policy(spec_.image_pull_policy, spec_.image);
  bool pulled = false;
  if (policy == PullPolicy::kAlways && !around_.offline) {
    TIPHYS_CO_CHECK_OK(co_await pull(engine));
    pulled = true;
  }
  for (;;) {
    if (stop_asked_) co_return fail(Code::kCancelled, "stopped before it had started");
    EngineRequest request{.method = "POST", .target = "/containers/create?name=" + percent_encode(name_)};
    request.body = doc::to_json(create_body(spec_, engine->traits, around_.network));
    const bool asked_for_init = engine->traits.init;
    const auto reply = co_await engine->client.call(std::move(request));
    if (reply) co_return Status{};
    const Error error = reply.error();
    if (error.code == Code::kUnavailable) co_return std::unexpected(error);
    if (error.code == Code::kNotFound && mentions(error.message, "image") && !pulled) {
      if (policy == PullPolicy::kNever) {
        co_return fail(Code::kNotFound,
                       fmt::format("ErrImageNeverPull: Container image \"{}\" is not present with pull policy of Never",
                                   spec_.image));
      }
      TIPHYS_CO_CHECK_OK(co_await pull(engine));
      pulled = true;
      continue;
    }
    const bool in_use = mentions(error.message, "already in use");
    if (error.code == Code::kAlreadyExists || in_use) co_return fail(Code::kAlreadyExists, error.message);
    if (asked_for_init && (mentions(error.message, "catatonit") || mentions(error.message, "init binary"))) {
      log::warn("the container engine has no init program ({}); a step's first process must handle SIGTERM itself",
                error.message);
      engine->traits.init = false;
      continue;
    }
    co_return because("CreateContainerError", error);
  }
}

Async<Status> EngineContainer::pull(std::shared_ptr<Engine> engine) {
  if (around_.offline) {
    co_return fail(Code::kNotFound,
                   fmt::format("ErrImageNeverPull: image \"{}\" is not on the container engine, and nothing is pulled "
                               "offline",
                               spec_.image));
  }
  co_return co_await around_.images.pull(std::move(engine), spec_.image);
}

Async<Status> EngineContainer::put_inputs(std::shared_ptr<Engine> engine) {
  if (spec_.inputs.empty() || spec_.read_only_root) co_return Status{};
  const std::string tar = spec_.dir + "/inputs.tar";
  std::vector<std::pair<std::string, std::string>> entries;
  for (const auto& [path, host_path] : spec_.inputs) {
    const std::size_t first = path.find_first_not_of('/');
    if (first == std::string::npos) {
      co_return fail(Code::kInvalidArgument,
                     fmt::format("CreateContainerError: \"{}\" cannot be the path of an input", path));
    }
    entries.emplace_back(path.substr(first), host_path);
  }
  auto pack = [&]() -> Async<Status> { co_return artifact::pack_tar(entries, tar); };
  Status put = co_await boost::asio::co_spawn(around_.workers, pack(), boost::asio::use_awaitable);
  if (put) {
    EngineRequest request{.method = "PUT", .target = fmt::format("/containers/{}/archive?path=%2F", name_)};
    request.body_file = tar;
    request.patience = Duration{0};
    if (const auto reply = co_await engine->client.call(std::move(request)); !reply) {
      put = std::unexpected(reply.error());
    }
  }
  if (::unlink(tar.c_str()) != 0 && errno != ENOENT) log::warn("{}", fail_errno(tar, errno).error().message);
  if (!put && put.error().code != Code::kUnavailable) put = because("CreateContainerError: inputs", put.error());
  co_return put;
}

Async<Status> EngineContainer::start_made(std::shared_ptr<Engine> engine) {
  EngineRequest request{.method = "POST", .target = fmt::format("/containers/{}/start", name_)};
  const auto reply = co_await engine->client.call(std::move(request));
  if (!reply && reply.error().code == Code::kUnavailable) co_return std::unexpected(reply.error());
  if (!reply) co_return because("StartError", reply.error());
  co_return Status{};
}

Async<Result<EngineState>> EngineContainer::inspect(std::shared_ptr<Engine> engine) {
  EngineRequest request{.target = fmt::format("/containers/{}/json", name_)};
  const auto reply = co_await engine->client.call(std::move(request));
  if (!reply) co_return std::unexpected(reply.error());
  co_return parse_inspect(reply->body);
}

Async<ContainerExit> EngineContainer::wait() {
  auto log = EngineLog::open(spec_.dir);
  if (log) {
    log_.emplace(std::move(*log));
  } else {
    log_status_ = std::unexpected(log.error());
  }
  EngineState state;
  if (found_ended_) {
    state = *found_ended_;
  } else {
    begin_following(engine_);
    state = co_await await_end();
  }
  ended_ = true;
  co_await complete_log();
  ContainerExit exit;
  if (state.status == "lost") {
    exit.exit_code = kLostExitCode;
    exit.reason = "ContainerStatusUnknown";
    exit.message = "The container could not be located when the pod was terminated";
  } else {
    exit = exit_of(state, spec_.memory_bytes.has_value(), was_killed_);
    explain_start_error(exit);
  }
  if (!log_status_) {
    log::warn("the log of {} is not complete: {}", spec_.id, log_status_.error().message);
    if (exit.message.empty()) exit.message = "its log is not complete: " + log_status_.error().message;
  }
  co_return exit;
}

/// The state after the end; its status is "lost" when there is no such container any more.
Async<EngineState> EngineContainer::await_end() {
  milliseconds pause = kFirstRetry;
  for (;;) {
    const auto engine = co_await around_.link.engine();
    if (engine) {
      // After a break the live log has ended too.
      if (following_->over.is_set() && !following_->complete) begin_following(*engine);
      const Status waited = co_await engine_wait(*engine);
      const auto state = co_await inspect(*engine);
      if (state && state->ended) co_return *state;
      if (!state && state.error().code == Code::kNotFound) {
        EngineState lost;
        lost.status = "lost";
        co_return lost;
      }
      if (!state && state.error().code == Code::kUnavailable) around_.link.lost(*engine);
      if (!waited) log::warn("waiting for {}: {}", spec_.id, waited.error().message);
    } else if (pause == kFirstRetry) {
      log::warn("waiting for {}: {}", spec_.id, engine.error().message);
    }
    co_await delay(around_.io, pause);
    pause = std::min(2 * pause, kMostRetry);
  }
}

Async<Status> EngineContainer::engine_wait(std::shared_ptr<Engine> engine) {
  EngineRequest request{.method = "POST"};
  // podman's own form of the call, since its Docker form looks only every 250 ms.
  request.target = engine->traits.podman
                       ? fmt::format("/v4.0.0/libpod/containers/{}/wait?condition=exited&condition=stopped&interval={}",
                                     name_, kPodmanWaitInterval)
                       : fmt::format("/containers/{}/wait?condition=not-running", name_);
  request.patience = Duration{0};
  const auto reply = co_await engine->client.call(std::move(request));
  if (!reply) co_return std::unexpected(reply.error());
  co_return Status{};
}

void EngineContainer::begin_following(const std::shared_ptr<Engine>& engine) {
  following_ = std::make_shared<Following>(around_.io);
  if (!log_) {
    following_->over.set();
    return;
  }
  boost::asio::co_spawn(around_.io, follow_log(engine), [](std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
  });
}

Async<void> EngineContainer::follow_log(std::shared_ptr<Engine> engine) {
  const auto following = following_;
  log_->begin();
  EngineRequest request{.target = fmt::format("/containers/{}/logs?follow=1&stdout=1&stderr=1&timestamps=1", name_)};
  request.patience = Duration{0};
  DockerClient::Sink sink = [this](std::string_view bytes) -> Status {
    Status fed = log_->feed(bytes, system_now());
    if (!fed) log_status_ = fed;
    return fed;
  };
  const auto reply = co_await engine->client.stream(std::move(request), std::move(sink), following->call);
  following->complete = reply.has_value() && log_->end();
  following->over.set();
}

/// Sees to it that the file holds all that the engine's log does.
Async<void> EngineContainer::complete_log() {
  if (!log_) co_return;
  if (following_) {
    if (!following_->over.is_set() && log_->lines() > kCheapLines) co_await following_->over.wait_for(kLogEndPatience);
    if (following_->over.is_set() && following_->complete) co_return;
    following_->call->cancel();
    co_await following_->over.wait();
    if (following_->complete) co_return;
  }
  // An error of our own disk does not go away by reading again.
  if (log_status_) log_status_ = co_await read_log_again();
}

Async<Status> EngineContainer::read_log_again() {
  TIPHYS_CO_TRY(const auto engine, co_await around_.link.engine());
  log_->begin();
  EngineRequest request{.target = fmt::format("/containers/{}/logs?stdout=1&stderr=1&timestamps=1", name_)};
  DockerClient::Sink sink = [this](std::string_view bytes) { return log_->feed(bytes, system_now()); };
  const auto reply = co_await engine->client.stream(std::move(request), std::move(sink));
  if (!reply && reply.error().code == Code::kNotFound) co_return Status{};
  if (!reply) co_return std::unexpected(reply.error());
  co_return Status{};
}

/// With an init program it is that which fails to find the command, after a start that went well.
void EngineContainer::explain_start_error(ContainerExit& exit) const {
  if (!log_ || (exit.exit_code != kNotFoundExitCode && exit.exit_code != kNotExecutableExitCode)) return;
  const std::string& line = log_->last_error_line();
  if (!line.starts_with("[FATAL tini") && !line.starts_with("ERROR (catatonit")) return;
  exit.reason = "StartError";
  exit.message =
      fmt::format("the command \"{}\" cannot be run in the image {}: {}",
                  spec_.command.empty() ? (spec_.args.empty() ? "" : spec_.args.front()) : spec_.command.front(),
                  spec_.image, line);
}

Async<Status> stop_container(Engine& engine, std::string id, Duration grace) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(std::max(grace, Duration{0})).count();
  EngineRequest request{.method = "POST"};
  request.target = fmt::format("/containers/{}/stop?t={}", engine_name(id), seconds);
  request.patience = grace + std::chrono::minutes{1};
  const auto reply = co_await engine.client.call(std::move(request));
  if (!reply && reply.error().code != Code::kNotFound) co_return std::unexpected(reply.error());
  co_return Status{};
}

Async<Status> remove_container(Engine& engine, std::string id) {
  EngineRequest request{.method = "DELETE"};
  request.target = fmt::format("/containers/{}?force=1&v=1", engine_name(id));
  const auto reply = co_await engine.client.call(std::move(request));
  if (!reply && reply.error().code != Code::kNotFound) co_return std::unexpected(reply.error());
  co_return Status{};
}

}  // namespace tiphys::node
