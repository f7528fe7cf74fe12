#include "node/container/container_runtime_container.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <cctype>
#include <cerrno>
#include <filesystem>
#include <map>

#include "artifact/repository.h"
#include "base/log.h"
#include "base/percent.h"
#include "base/strings.h"
#include "node/container/container_runtime_mounts.h"
#include "node/network_holder.h"

namespace tiphys::node {
namespace {

using std::chrono::milliseconds;

/// How often podman looks whether the process is gone while a call waits for it; its own default is 250 ms.
constexpr std::string_view kPodmanWaitInterval = "20ms";
constexpr milliseconds kFirstRetry{100}, kMostRetry{5'000};
constexpr std::string_view kVanished = "vanished";
constexpr std::string_view kStartError = "StartError", kUnknown = "ContainerStatusUnknown";
constexpr int kVanishedExitCode = 137;  // as a kubelet reports a container that it cannot find
constexpr int kNotFoundExitCode = 127, kNotExecutableExitCode = 126;

bool mentions(std::string_view message, std::string_view word) {
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return std::search(message.begin(), message.end(), word.begin(), word.end(), same) != message.end();
}

std::unexpected<Error> because(std::string_view reason, const Error& error) {
  return std::unexpected(error.in(reason));
}

void tell_no_init(Engine& engine, const Error& error) {
  if (engine.traits.init) {
    log::warn("the container engine has no init program ({}); a step's first process must handle SIGTERM itself",
              error.message);
  }
  engine.traits.init = false;
}

/// Where an input goes: the folder to unpack at, "/" or the mount that the path lies in, and the name below it. podman
/// would put what goes through "/" under the mount.
std::pair<std::string, std::string> place_of_input(const ContainerSpec& spec, const std::string& path) {
  std::string folder;
  for (const Mount& mount : spec.mounts) {
    if (path.starts_with(mount.path + "/") && mount.path.size() > folder.size()) folder = mount.path;
  }
  const std::size_t first = path.find_first_not_of('/', folder.size());
  return {folder.empty() ? "/" : folder, first == std::string::npos ? "" : path.substr(first)};
}

/// Kept beside the log, so that a restarted process knows that a kill was ours.
std::string kill_mark(const std::string& dir) {
  return dir + "/stop-asked";
}

Status make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return fail_errno(fmt::format("make {}", path), error.value());
  return {};
}

}  // namespace

EngineContainer::EngineContainer(Surroundings around, ContainerSpec spec)
    : around_(std::move(around)),
      spec_(std::move(spec)),
      name_(engine_name(spec_.id)),
      was_killed_(!spec_.dir.empty() && ::access(kill_mark(spec_.dir).c_str(), F_OK) == 0),
      failed_(spec_.dir),
      stop_event_(around_.io) {}

void EngineContainer::stop_asked() {
  stop_asked_ = true;
  was_killed_ = true;
  stop_event_.set();
  if (spec_.dir.empty()) return;
  if (const Status made = make_folder(spec_.dir); !made) log::warn("{}", made.error().message);
  const UniqueFd mark(::open(kill_mark(spec_.dir).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!mark) log::warn("{}", fail_errno(kill_mark(spec_.dir), errno).error().message);
}

Async<Status> EngineContainer::start() {
  if (!spec_.dir.empty()) TIPHYS_CO_CHECK_OK(make_folder(spec_.dir));
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
    // The sockets of an earlier process of ours have gone with it.
    if (state->started && !state->ended) co_await open_services(engine);
    if (state->ended || state->started) co_return Status{};
  }
  const bool with_init = engine->traits.init;
  Status started;
  if (!stop_asked_) co_await hold_mounted(*engine, spec_.id);
  if (!stop_asked_) started = co_await with_mounts(*engine, spec_.id, [&] { return put_inputs(engine); });
  if (started && !stop_asked_) {
    started = co_await with_mounts(*engine, spec_.id, [&] { return start_made(engine); });
  }
  if (started && stop_asked_) started = fail(Code::kCancelled, "stopped before it had started");
  // What does not answer may have started it: who looks again will see.
  if (started || started.error().code == Code::kUnavailable) co_return started;
  const Status removed = co_await remove_container(*engine, spec_.id);
  if (!removed) log::warn("removing {}: {}", name_, removed.error().message);
  // dockerd finds out at the start only.
  if (with_init && removed && mentions(started.error().message, "docker-init")) {
    tell_no_init(*engine, started.error());
    co_return co_await make(engine);
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
    request.body = doc::to_json(create_body(spec_, engine->traits, around_.place));
    const bool asked_for_init = engine->traits.init;
    const auto reply = co_await engine->client.call(std::move(request));
    if (reply) co_return Status{};
    const Error& error = reply.error();
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
      tell_no_init(*engine, error);
      continue;
    }
    co_return because("CreateContainerError", error);
  }
}

Async<Status> EngineContainer::pull(std::shared_ptr<Engine> engine) {
  if (around_.offline && spec_.image != kNetworkHolderImage) {
    co_return fail(Code::kNotFound,
                   fmt::format("ErrImageNeverPull: image \"{}\" is not on the container engine, and nothing is pulled "
                               "offline",
                               spec_.image));
  }
  co_return co_await around_.images.pull(std::move(engine), spec_.image);
}

Async<Status> EngineContainer::put_inputs(std::shared_ptr<Engine> engine) {
  if (spec_.read_only_root) co_return Status{};
  std::map<std::string, TarEntries> by_folder;
  for (const auto& [path, host_path] : spec_.inputs) {
    const auto [folder, name] = place_of_input(spec_, path);
    if (name.empty()) {
      co_return fail(Code::kInvalidArgument,
                     fmt::format("CreateContainerError: \"{}\" cannot be the path of an input", path));
    }
    by_folder[folder].emplace_back(name, host_path);
  }
  for (const auto& [folder, entries] : by_folder) {
    const Status put = co_await put_tar(engine, folder, entries);
    if (!put && put.error().code == Code::kUnavailable) co_return put;
    if (!put) co_return because("CreateContainerError: inputs", put.error());
  }
  co_return Status{};
}

Async<Status> EngineContainer::put_tar(std::shared_ptr<Engine> engine, std::string folder, TarEntries entries) {
  const std::string tar = spec_.dir + "/inputs.tar";
  auto pack = [&]() -> Async<Status> { co_return artifact::pack_tar(entries, tar); };
  Status put = co_await boost::asio::co_spawn(around_.workers, pack(), boost::asio::use_awaitable);
  if (put) {
    EngineRequest request{.method = "PUT"};
    request.target = fmt::format("/containers/{}/archive?path={}", name_, percent_encode(folder));
    request.body_file = tar;
    request.patience = Duration{0};
    const auto reply = co_await engine->client.call(std::move(request));
    if (!reply) put = std::unexpected(reply.error());
  }
  if (::unlink(tar.c_str()) != 0 && errno != ENOENT) log::warn("{}", fail_errno(tar, errno).error().message);
  co_return put;
}

Async<Status> EngineContainer::start_made(std::shared_ptr<Engine> engine) {
  // podman makes a container's network before it runs, if asked to; elsewhere Services answer a moment after the start.
  const bool before = reaches_services() && engine->traits.podman;
  if (before) {
    EngineRequest init{.method = "POST"};
    init.target = fmt::format("/v{}/libpod/containers/{}/init", engine->traits.libpod_version, name_);
    const auto ready = co_await engine->client.call(std::move(init));
    if (!ready && ready.error().code == Code::kUnavailable) co_return std::unexpected(ready.error());
    if (!ready) co_return because("StartError", ready.error());
    co_await open_services(engine);
  }
  EngineRequest request{.method = "POST", .target = fmt::format("/containers/{}/start", name_)};
  const auto reply = co_await engine->client.call(std::move(request));
  if (!reply && reply.error().code == Code::kUnavailable) co_return std::unexpected(reply.error());
  if (!reply) co_return because("StartError", reply.error());
  if (!before) co_await open_services(engine);
  co_return Status{};
}

Async<void> EngineContainer::open_services(std::shared_ptr<Engine> engine) {
  if (!reaches_services()) co_return;
  const auto state = co_await inspect(engine);
  Status opened = state ? Status{} : Status(std::unexpected(state.error()));
  if (state && (state->ended || state->shares_host_network)) co_return;
  if (state) {
    auto open = [this, &state]() -> Async<Status> {
      co_return around_.services->open(spec_.id, state->engine_id, state->process);
    };
    opened = co_await boost::asio::co_spawn(around_.workers, open(), boost::asio::use_awaitable);
  }
  if (opened) co_return;
  // A short step may have ended meanwhile.
  const auto now = co_await inspect(engine);
  if (now && !now->ended) around_.on_services_unreachable(spec_.id, opened.error());
}

Async<Result<EngineState>> EngineContainer::inspect(std::shared_ptr<Engine> engine) {
  co_return co_await inspect_container(*engine, spec_.id);
}

Async<ContainerExit> EngineContainer::wait() {
  if (!spec_.dir.empty()) log_.emplace(around_.io, name_, spec_.dir);
  for (;;) {
    ContainerExit exit = co_await wait_once();
    if (around_.services) around_.services->close(spec_.id);
    if (!co_await run_again(exit)) {
      ended_ = true;
      co_return exit;
    }
  }
}

/// The engine starts the same container once more: its files and its log go on.
Async<bool> EngineContainer::run_again(const ContainerExit& exit) {
  if (exit.exit_code == 0 || spec_.attempts <= 1 || was_killed_) co_return false;
  if (exit.reason == kStartError || exit.reason == kUnknown) co_return false;
  // A program that was killed after it had noted the end, and before the engine started it again, counts it once.
  if (failed_.count_before(exit.finished_at) + 1 >= spec_.attempts) co_return false;
  const auto pause = std::chrono::ceil<milliseconds>(exit.finished_at + spec_.attempt_pause - system_now());
  if (pause > milliseconds{0} && co_await stop_event_.wait_for(pause)) co_return false;
  if (const Status noted = failed_.note(exit.finished_at); !noted) {
    log::warn("{} is not run again: {}", spec_.id, noted.error().message);
    co_return false;
  }
  for (;;) {
    if (stop_asked_) co_return false;
    const auto engine = co_await around_.link.engine();
    Status started = engine ? Status{} : Status(std::unexpected(engine.error()));
    if (engine) engine_ = *engine;
    if (engine) started = co_await with_mounts(*engine_, spec_.id, [&] { return start_made(engine_); });
    if (started) break;
    if (engine && started.error().code == Code::kUnavailable) around_.link.lost(engine_);
    log::warn("running {} again: {}", spec_.id, started.error().message);
    if (started.error().code != Code::kUnavailable) co_return false;
    co_await delay(around_.io, kMostRetry);
  }
  // Whoever asked for the stop may have found it at rest.
  if (stop_asked_) co_await stop_container(*engine_, spec_.id, Duration{0});
  co_return true;
}

Async<ContainerExit> EngineContainer::wait_once() {
  EngineState state;
  if (found_ended_) {
    state = *found_ended_;
    found_ended_.reset();
  } else {
    state = co_await await_end();
  }
  Status logged;
  if (log_) logged = co_await log_->finish(engine_);
  ContainerExit exit;
  if (state.status == kVanished) {
    exit.exit_code = kVanishedExitCode;
    exit.reason = kUnknown;
    exit.message = "The container could not be located when the pod was terminated";
  } else {
    exit = exit_of(state, spec_.memory_bytes.has_value(), was_killed_);
    if (log_) explain_start_error(exit);
  }
  if (!logged) {
    log::warn("the log of {} is not complete: {}", spec_.id, logged.error().message);
    if (exit.message.empty()) exit.message = "its log is not complete: " + logged.error().message;
  }
  co_return exit;
}

/// The state after the end; its status is kVanished when there is no such container any more.
Async<EngineState> EngineContainer::await_end() {
  milliseconds pause = kFirstRetry;
  for (;;) {
    const auto engine = co_await around_.link.engine();
    if (engine) {
      engine_ = *engine;
      if (log_ && log_->idle()) log_->follow(engine_);
      const Status waited = co_await engine_wait(engine_);
      const auto state = co_await inspect(engine_);
      if (state && state->ended) co_return *state;
      if (!state && state.error().code == Code::kNotFound) {
        EngineState vanished;
        vanished.status = kVanished;
        co_return vanished;
      }
      if (!state && state.error().code == Code::kUnavailable) around_.link.lost(engine_);
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
                       ? fmt::format("/v{}/libpod/containers/{}/wait?condition=exited&condition=stopped&interval={}",
                                     engine->traits.libpod_version, name_, kPodmanWaitInterval)
                       : fmt::format("/containers/{}/wait?condition=not-running", name_);
  request.patience = Duration{0};
  const auto reply = co_await engine->client.call(std::move(request));
  if (!reply) co_return std::unexpected(reply.error());
  co_return Status{};
}

/// With an init program it is that which fails to run the command, after a start that went well: docker-init ends with
/// a shell's codes for it, catatonit with 1.
void EngineContainer::explain_start_error(ContainerExit& exit) const {
  const std::string line = log_->last_error_line();
  const bool tini = line.starts_with("[FATAL tini") &&
                    (exit.exit_code == kNotFoundExitCode || exit.exit_code == kNotExecutableExitCode);
  const bool catatonit =
      line.starts_with("ERROR (catatonit") && line.find("failed to exec") != std::string::npos && exit.exit_code == 1;
  if (!tini && !catatonit) return;
  if (catatonit) exit.exit_code = mentions(line, "no such file") ? kNotFoundExitCode : kNotExecutableExitCode;
  std::string command;
  if (!spec_.args.empty()) command = spec_.args.front();
  if (!spec_.command.empty()) command = spec_.command.front();
  exit.reason = kStartError;
  exit.message = fmt::format("the command \"{}\" cannot be run in the image {}: {}", command, spec_.image, line);
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

Async<Result<int>> exec_in_container(Engine& engine, std::string id, std::vector<std::string> command,
                                     Duration timeout) {
  doc::Array words;
  for (const std::string& word : command) words.emplace_back(word);
  EngineRequest request{.method = "POST", .target = fmt::format("/containers/{}/exec", engine_name(id))};
  request.body = doc::to_json(doc::Object{{"AttachStdout", true}, {"AttachStderr", true}, {"Cmd", std::move(words)}});
  const auto made = co_await engine.client.call(std::move(request));
  if (!made) co_return std::unexpected(made.error());
  TIPHYS_CO_TRY(const doc::Value exec, doc::parse_json(made->body));
  const std::string exec_id(doc::find_string(exec, "Id"));
  EngineRequest start{.method = "POST", .target = fmt::format("/exec/{}/start", exec_id)};
  start.body = R"({"Detach":false,"Tty":false})";
  start.patience = Duration{0};
  const auto control = std::make_shared<EngineCall>();
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor,
                                  std::chrono::duration_cast<milliseconds>(timeout));
  timer.async_wait([control](boost::system::error_code error) {
    if (!error) control->cancel();
  });
  // What it writes ends when it does.
  const auto ran = co_await engine.client.stream(std::move(start), [](std::string_view) { return Status{}; }, control);
  timer.cancel();
  EngineRequest look{.target = fmt::format("/exec/{}/json", exec_id)};
  const auto looked = co_await engine.client.call(std::move(look));
  if (!looked) co_return std::unexpected(looked.error());
  TIPHYS_CO_TRY(const doc::Value state, doc::parse_json(looked->body));
  if (control->cancelled()) co_return fail(Code::kDeadlineExceeded, "the command has not ended in time");
  if (!ran) co_return std::unexpected(ran.error());
  const doc::Value* code = doc::find(state, "ExitCode");
  co_return code && code->is_int64() ? static_cast<int>(code->get_int64()) : kNotExecutableExitCode;
}

Async<Result<EngineState>> inspect_container(Engine& engine, std::string id) {
  EngineRequest request{.target = fmt::format("/containers/{}/json", engine_name(id))};
  const auto reply = co_await engine.client.call(std::move(request));
  if (!reply) co_return std::unexpected(reply.error());
  co_return parse_inspect(reply->body);
}

Async<Status> list_containers(Engine& engine, std::string plane, std::vector<std::string>& ids) {
  EngineRequest request{.target = list_target(plane)};
  const auto reply = co_await engine.client.call(std::move(request));
  if (!reply) co_return std::unexpected(reply.error());
  auto listed = parse_list(reply->body);
  if (!listed) co_return std::unexpected(listed.error());
  ids = std::move(*listed);
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
