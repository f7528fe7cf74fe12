#include "node/process/process_runtime.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <thread>

#include "artifact/file_tree.h"
#include "base/log.h"
#include "node/container_path.h"
#include "node/process/attempt_id.h"
#include "node/process/step_exec.h"
#include "node/process/step_session.h"
#include "node/python/python_command.h"
#include "node/supervisor/supervisor.h"

namespace tiphys::node {
namespace {

constexpr int kThreads = 2;
constexpr int kMostLostInARow = 3;
/// Steps that are being started, and roots that are being made or cleared.
const std::size_t kMostUnderWay = 8 + 4 * std::max(1u, std::thread::hardware_concurrency());
constexpr std::size_t kMostHostnameBytes = 63;
constexpr std::string_view kPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/games:/usr/games";

std::string canonical_or_same(const std::string& path) {
  const std::unique_ptr<char, decltype(&::free)> real(::realpath(path.c_str(), nullptr), &::free);
  return real ? std::string(real.get()) : path;
}

bool lies_in(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

/// A host path of a file inside a step whose parent folders are made. Nothing but us has written to that root.
Status copy_input(const HostView& view, const std::string& root, const std::string& path, const std::string& source) {
  const std::filesystem::path inside = std::filesystem::path(path).lexically_normal();
  if (!inside.is_absolute() || !inside.has_filename()) {
    return fail(Code::kInvalidArgument, fmt::format("\"{}\" is no absolute path for an input", path));
  }
  const std::string text = inside.string();
  for (const std::string_view own : {"/proc", "/dev", "/sys"}) {
    if (text.starts_with(own) && (text.size() == own.size() || text[own.size()] == '/')) {
      return fail(Code::kInvalidArgument, fmt::format("an input cannot be put at {}: {} is the system's", path, own));
    }
  }
  if (view.covers(text)) {
    return fail(Code::kInvalidArgument,
                fmt::format("an input cannot be put at {}: the process runtime shows this host's folder there, "
                            "read-only; choose another path or the container runtime",
                            path));
  }
  const std::string target = root + text;
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(target).parent_path(), error);
  if (error) return fail(Code::kInvalidArgument, fmt::format("put an input at {}: {}", path, error.message()));
  TIPHYS_CHECK_OK(artifact::remove_tree(target));
  TIPHYS_TRY(UniqueFd from, artifact::open_tree(source));
  return artifact::copy_tree(std::move(from), source, AT_FDCWD, target, false);
}

/// Tells a file or folder from another one at its place; a folder's content does not matter.
std::string edition_of(const std::string& path) {
  struct stat about;
  if (::stat(path.c_str(), &about) != 0) return "-;";
  const auto changed = S_ISDIR(about.st_mode) ? 0 : about.st_mtim.tv_sec * 1'000'000'000LL + about.st_mtim.tv_nsec;
  return fmt::format("{}:{}:{};", about.st_dev, about.st_ino, changed);
}

Status make_root_with(const HostView& view, const InputRoots& roots, const std::string& dir,
                      const std::vector<std::pair<std::string, std::string>>& inputs) {
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  if (error) return fail(Code::kInvalidArgument, fmt::format("make folder {}: {}", dir, error.message()));
  const std::string root = dir + "/root";
  // One that a crash left half made.
  TIPHYS_CHECK_OK(artifact::remove_tree(root));
  TIPHYS_CHECK_OK(roots.take(root));
  for (const auto& [path, source] : inputs) TIPHYS_CHECK_OK(copy_input(view, root, path, source));
  return {};
}

bool has_nul(const StartRequest& request) {
  const auto cut = [](const std::string& text) { return text.contains('\0'); };
  return std::ranges::any_of(request.argv, cut) || std::ranges::any_of(request.env, cut) || cut(request.working_dir);
}

/// True when the root is in the pool afterwards, under `name`. `inputs` may have it first, if they are given.
bool free_root_at(const HostView& view, const std::string& data_dir, const std::string& root, const std::string& name,
                  bool keep_account, InputRoots* inputs) {
  if (clear_root(view, AT_FDCWD, root.c_str(), keep_account)) {
    if (inputs && inputs->give(root)) return false;
    const std::string pooled = fmt::format("{}/{}/{}", data_dir, kRootPool, name);
    if (::rename(root.c_str(), pooled.c_str()) == 0) return true;
  }
  if (const Status removed = artifact::remove_tree(root); !removed) {
    log::warn("{} stays on disk: {}", root, removed.error().message);
  }
  return false;
}

}  // namespace

ProcessRuntime::ProcessRuntime(boost::asio::io_context& context, Executor& executor, UniqueFd supervisor,
                               ProcessRuntimeOptions options)
    : context_(context),
      executor_(executor),
      options_(std::move(options)),
      data_dir_(canonical_or_same(options_.data_dir)),
      view_(HostView::detect()),
      input_roots_(view_, data_dir_, executor_.now().time_since_epoch().count()),
      workers_(executor, kThreads) {
  for (std::string& path : options_.host_paths) path = canonical_or_same(path);
  for (const std::string& path : options_.program_paths) show_programs(canonical_or_same(path));
  connect(std::move(supervisor));
}

ProcessRuntime::~ProcessRuntime() = default;

void ProcessRuntime::show_programs(const std::string& folder) {
  const bool seen = view_.covers(folder) ||
                    std::ranges::any_of(options_.host_paths, [&](const auto& path) { return lies_in(folder, path); });
  if (!seen) options_.host_paths.push_back(folder);
  program_paths_ += folder + ":";
}

void ProcessRuntime::connect(UniqueFd fd) {
  listed_ = false;
  SupervisorClient::Events events;
  events.on_frame = [this](const Frame& frame) { on_frame(frame); };
  events.on_end = [this](const Error& error) {
    log::warn("{}", error.message);
    lost_in_a_row_ = listed_ ? 0 : lost_in_a_row_ + 1;
    reconnect();
  };
  client_ = SupervisorClient::make(context_, std::move(fd), std::move(events));
  client_->send(list_frame());
}

void ProcessRuntime::reconnect() {
  client_.reset();
  reported_.clear();
  Result<UniqueFd> fd =
      fail(Code::kUnavailable,
           fmt::format("supervisors of {0} do not stay alive; {0}/supervisor/log may say why", data_dir_));
  if (lost_in_a_row_ < kMostLostInARow) fd = ensure_supervisor(options_.data_dir);
  if (fd) return connect(std::move(*fd));
  log::error("{}", fd.error().message);
  lost_in_a_row_ = 0;
  std::vector<std::string> lost;
  for (const auto& [id, step] : steps_) {
    if (step.sent && !step.ended) lost.push_back(id);
  }
  for (const std::string& id : lost) {
    StepOutcome gone;
    gone.exit.exit_code = 137;
    gone.exit.reason = "ContainerStatusUnknown";
    gone.exit.message = "the supervisor is gone and could not be started again; how the step ended is not known";
    gone.exit.finished_at = executor_.now();
    if (const auto step = steps_.find(id); step != steps_.end()) outcome(id, step->second, std::move(gone));
  }
}

void ProcessRuntime::on_frame(const Frame& frame) {
  switch (frame.type) {
    case FrameType::kStarted: {
      auto event = parse_started(frame.body);
      if (!event) return log::error("{}", event.error().message);
      const auto [id, attempt] = step_of(event->id);
      const auto step = steps_.find(id);
      if (step != steps_.end() && attempt < step->second.attempt) return;
      if (step != steps_.end() && attempt == step->second.attempt) {
        step->second.pid = event->pid;
        return started(step->first, step->second);
      }
      const std::string key = event->id;
      reported_[key].started = std::move(*event);
      return;
    }
    case FrameType::kFailed:
    case FrameType::kExited: {
      auto event = parse_outcome(frame.body);
      if (!event) return log::error("{}", event.error().message);
      const auto [id, attempt] = step_of(event->id);
      const auto step = steps_.find(id);
      if (step != steps_.end() && attempt < step->second.attempt) return;
      if (step != steps_.end() && attempt == step->second.attempt) {
        return outcome(step->first, step->second, std::move(event->outcome));
      }
      if (step == steps_.end() && wanted_ && !wanted_(id)) return client_->send(forget_frame(event->id));
      reported_[event->id].outcome = std::move(event->outcome);
      return;
    }
    case FrameType::kWelcome:
      if (const auto welcome = parse_welcome(frame.body); welcome && welcome->version < kProtocolVersion) {
        log::warn(
            "the supervisor of {} is an earlier version's, until the steps that it runs have ended: what starts "
            "meanwhile has no tokens of service accounts and no names of services",
            data_dir_);
      }
      return;
    case FrameType::kListed:
      return on_listed();
    case FrameType::kNotice:
      if (const auto text = parse_name(frame.body)) log::warn("{}", *text);
      return;
    default:
      return;
  }
}

void ProcessRuntime::on_listed() {
  listed_ = true;
  // What was on its way to a supervisor that died before it took it has never run.
  for (auto& [id, step] : steps_) {
    if (step.sent && !step.started && !step.ended && !reported_.contains(step.request.id)) {
      client_->send(start_frame(step.request));
    }
    if (!step.sent && step.preparing && !step.ended && !step.inputs.empty()) prepare_inputs(id, step);
  }
  if (wanted_) remove_unclaimed(wanted_);
}

Result<StepProcess> ProcessRuntime::running(const std::string& id) const {
  const auto step = steps_.find(id);
  if (step == steps_.end() || !step->second.started || step->second.ended || step->second.pid <= 0) {
    return fail(Code::kNotFound, fmt::format("{} does not run", id));
  }
  return StepProcess{step->second.pid, step->second.request};
}

void ProcessRuntime::exec(const std::string& id, std::vector<std::string> command, Duration timeout,
                          std::move_only_function<void(Result<int>)> done) {
  auto step = running(id);
  if (step) return run_in_step(context_, *step, std::move(command), timeout, std::move(done));
  executor_.post(
      [error = std::move(step.error()), done = std::move(done)]() mutable { done(std::unexpected(std::move(error))); });
}

void ProcessRuntime::open_exec(const std::string& id, cluster::SessionOptions options,
                               cluster::Done<std::unique_ptr<cluster::Session>> done) {
  const auto step = running(id);
  Result<std::unique_ptr<cluster::Session>> opened = fail(Code::kNotFound, fmt::format("{} does not run", id));
  if (step) opened = open_in_step(context_, *step, std::move(options));
  executor_.post([opened = std::move(opened), done = std::move(done)]() mutable { done(std::move(opened)); });
}

Result<UniqueFd> ProcessRuntime::open_folder(const std::string& id, const std::string& path) {
  TIPHYS_TRY(const StepProcess step, running(id));
  return open_folder_in_step(step, path);
}

/// Shown to every step as it is here.
bool ProcessRuntime::is_host_path(std::string_view path) const {
  return view_.covers(path) ||
         std::ranges::any_of(options_.host_paths, [&](const auto& folder) { return lies_in(path, folder); });
}

/// The interpreter that is kept for what the step runs; without one where there is to be none.
Result<WarmPython> ProcessRuntime::python_of(const ContainerSpec& spec, const StartRequest& request) const {
  TIPHYS_TRY(auto modules, parse_warm_python(spec.warm_python.empty() ? options_.warm_python : spec.warm_python));
  WarmPython python;
  if (!modules || request.privileged || !is_forked_alike(request.argv, request.env, !modules->empty())) return python;
  std::string_view path;
  for (const std::string& entry : request.env) {
    if (entry.starts_with("PATH=")) path = std::string_view(entry).substr(5);
  }
  const auto runs = [](const std::string& program) { return ::access(program.c_str(), X_OK) == 0; };
  const std::string interpreter =
      program_of(request.argv.front(), path, [this](std::string_view seen) { return is_host_path(seen); }, runs);
  if (interpreter.empty()) return python;
  // A volume of the step's over what the interpreter is made of.
  for (const Mount& mount : request.mounts) {
    if (mount.host_path == mount.path && mount.read_only) continue;
    const bool hides =
        std::ranges::any_of(options_.host_paths, [&](const auto& path) { return lies_in(path, mount.path); });
    if (hides || lies_in(interpreter, mount.path) || (is_host_path(mount.path) && !lies_in(mount.path, "/etc"))) {
      return python;
    }
  }
  python.edition = edition_of(interpreter);
  for (const std::string& folder : options_.host_paths) python.edition += edition_of(folder);
  python.modules = std::move(*modules);
  python.folders = options_.host_paths;
  python.interpreter = interpreter;
  return python;
}

std::string ProcessRuntime::canonical(const std::string& path) const {
  if (data_dir_ != options_.data_dir && path.starts_with(options_.data_dir)) {
    return data_dir_ + path.substr(options_.data_dir.size());
  }
  return path;
}

StartRequest ProcessRuntime::request_of(const ContainerSpec& spec) const {
  StartRequest request;
  request.id = spec.id;
  request.dir = canonical(spec.dir);
  request.argv = spec.command;
  request.argv.insert(request.argv.end(), spec.args.begin(), spec.args.end());
  request.working_dir = spec.working_dir.empty() ? "/" : spec.working_dir;
  request.hostname = (spec.hostname.empty() ? spec.pod_name : spec.hostname).substr(0, kMostHostnameBytes);
  const auto has = [&](std::string_view name) {
    return std::ranges::any_of(spec.env, [&](const auto& entry) { return entry.first == name; });
  };
  const bool root_inside = spec.run_as_user.value_or(::geteuid()) == 0;
  if (!has("PATH")) request.env.push_back(fmt::format("PATH={}{}", program_paths_, kPath));
  if (!has("HOME")) request.env.emplace_back(root_inside || !spec.run_as_user ? "HOME=/root" : "HOME=/tmp");
  if (!has("HOSTNAME")) request.env.push_back("HOSTNAME=" + request.hostname);
  for (const auto& [name, value] : spec.env) request.env.push_back(name + "=" + value);
  for (const std::string& path : options_.host_paths) request.mounts.push_back({path, path, true});
  for (const Mount& mount : spec.mounts) {
    request.mounts.push_back(
        {canonical(mount.host_path), std::filesystem::path(mount.path).lexically_normal().string(), mount.read_only});
    std::string& target = request.mounts.back().path;
    if (target.size() > 1 && target.back() == '/') target.pop_back();
  }
  // A folder's mount comes before one inside it.
  std::ranges::stable_sort(request.mounts, {}, [](const Mount& mount) { return std::ranges::count(mount.path, '/'); });
  request.memory_bytes = spec.memory_bytes.value_or(0);
  request.cpus = spec.cpus.value_or(0);
  if (spec.run_as_user) request.uid = static_cast<std::uint32_t>(*spec.run_as_user);
  if (spec.run_as_group) request.gid = static_cast<std::uint32_t>(*spec.run_as_group);
  request.read_only_root = spec.read_only_root;
  request.privileged = spec.privileged;
  request.ends_with_client = spec.ends_with_plane;
  request.held = spec.held;
  return request;
}

void ProcessRuntime::start(const ContainerSpec& spec, std::move_only_function<void(Status)> on_started,
                           std::move_only_function<void(ContainerExit)> on_exit) {
  Step& step = steps_[spec.id];
  step = {};
  step.on_started = std::move(on_started);
  step.on_exit = std::move(on_exit);
  step.request = request_of(spec);
  step.attempts = spec.attempts;
  step.pause = spec.attempt_pause;
  const auto shows = [&](const std::string& name) { step.view.push_back({"/" + name, "/" + name, true}); };
  for (const std::string& folder : view_.folders) shows(folder);
  for (const auto& [link, target] : view_.links) shows(link);
  step.view.insert(step.view.end(), step.request.mounts.begin(), step.request.mounts.end());
  if (step.request.argv.empty()) {
    return refuse(spec.id, {Code::kInvalidArgument,
                            fmt::format("container {} has no command: the process runtime knows no image that could "
                                        "have one; set command, or use the container runtime",
                                        spec.container_name)});
  }
  if (has_nul(step.request)) {
    return refuse(spec.id, {Code::kInvalidArgument,
                            fmt::format("container {} has a NUL byte in its command or environment, where programs see "
                                        "the end of a text",
                                        spec.container_name)});
  }
  auto python = python_of(spec, step.request);
  if (!python) return refuse(spec.id, python.error());
  step.request.python = std::move(*python);
  if (const auto known = reported_.find(spec.id); known != reported_.end()) {
    step.sent = true;
    executor_.post(
        [this, id = spec.id, report = std::move(known->second), alive = std::weak_ptr<bool>(alive_)]() mutable {
          if (!alive.expired()) replay(id, std::move(report));
        });
    reported_.erase(known);
    return;
  }
  if (spec.inputs.empty()) return send_start(spec.id, step);
  step.preparing = true;
  step.inputs = spec.inputs;
  prepare_inputs(spec.id, step);
}

void ProcessRuntime::renew_held(const std::string& id, const HeldFiles& files) {
  const auto found = steps_.find(id);
  if (found == steps_.end() || found->second.ended) return;
  Step& step = found->second;
  // For its next attempt, or when it is sent.
  const auto held = std::ranges::find(step.request.held, files.path, &HeldFiles::path);
  if (held == step.request.held.end()) return;
  *held = files;
  if (step.sent && client_) client_->send(renew_frame(step.request.id, files));
}

void ProcessRuntime::replay(const std::string& id, Reported report) {
  if (report.started) {
    steps_[id].pid = report.started->pid;
    // Those that it has are as old as the agent before this one.
    for (const HeldFiles& held : steps_[id].request.held) {
      if (client_ && !report.outcome) client_->send(renew_frame(steps_[id].request.id, held));
    }
    started(id, steps_[id]);
  }
  if (report.outcome) outcome(id, steps_[id], std::move(*report.outcome));
}

bool ProcessRuntime::is_busy() const {
  return preparing_ + starting_ + clearing_ >= kMostUnderWay;
}

void ProcessRuntime::prepare_inputs(const std::string& id, Step& step) {
  // Only a supervisor that has told all it knows lets us touch the folder: on_listed() comes back.
  if (!listed_) return;
  // More at once would find no root that the steps before them have left.
  if (is_busy()) return waiting_.push_back(id);
  ++preparing_;
  auto inputs = std::exchange(step.inputs, {});
  workers_.run([this, dir = step.request.dir,
                inputs = std::move(inputs)] { return make_root_with(view_, input_roots_, dir, inputs); },
               [this, id](const Status& made) {
                 --preparing_;
                 if (const auto found = steps_.find(id); found != steps_.end()) prepared(id, found->second, made);
                 send_waiting();
               });
}

void ProcessRuntime::prepared(const std::string& id, Step& step, const Status& made) {
  step.preparing = false;
  step.has_root = step.request.has_root = true;
  if (!made) return refuse(id, made.error());
  send_start(id, step);
}

void ProcessRuntime::send_start(const std::string& id, Step& step) {
  if (step.stop_when_sent) return refuse(id, {Code::kCancelled, "the step was stopped before it started"});
  // More at once would only be in each other's way, and find no init that the steps before them have left.
  if (is_busy()) return waiting_.push_back(id);
  step.sent = step.starting = true;
  step.failed.reset();
  ++starting_;
  if (!client_) reconnect();
  if (!client_) return;  // reconnect() has told of it
  client_->send(start_frame(step.request));
}

void ProcessRuntime::send_waiting() {
  while (!waiting_.empty() && !is_busy()) {
    const std::string id = std::move(waiting_.front());
    waiting_.pop_front();
    const auto found = steps_.find(id);
    if (found == steps_.end() || found->second.sent || found->second.ended) continue;
    if (!found->second.preparing) {
      send_start(id, found->second);
    } else if (!found->second.inputs.empty()) {
      prepare_inputs(id, found->second);
    }
  }
}

void ProcessRuntime::is_started(Step& step) {
  if (!std::exchange(step.starting, false)) return;
  --starting_;
  send_waiting();
}

void ProcessRuntime::refuse(const std::string& id, Error error) {
  executor_.post([this, id, error = std::move(error), alive = std::weak_ptr<bool>(alive_)]() mutable {
    if (alive.expired()) return;
    const auto found = steps_.find(id);
    if (found == steps_.end() || found->second.ended) return;
    found->second.ended = true;
    auto on_started = std::move(found->second.on_started);
    on_started(std::unexpected(std::move(error)));
  });
}

void ProcessRuntime::started(const std::string& id, Step& step) {
  if (step.started || step.ended) return;
  step.started = true;
  is_started(step);
  if (auto on_started = std::move(step.on_started)) on_started({});
  if (const auto found = steps_.find(id); found != steps_.end() && found->second.stop_when_sent) {
    client_->send(stop_frame(found->second.request.id, *found->second.stop_when_sent));
    found->second.stop_when_sent.reset();
  }
}

void ProcessRuntime::outcome(const std::string& id, Step& step, StepOutcome outcome) {
  if (step.ended) return;
  step.has_root = outcome.has_root || step.request.has_root;
  is_started(step);
  if (runs_again(step, outcome)) return run_again(id, step, std::move(outcome));
  if (!outcome.failed_to_start || !step.on_started) return ended(id, step, std::move(outcome.exit));
  step.ended = true;
  // The step may be removed by whom we tell.
  const std::string key = id;  // NOLINT(performance-unnecessary-copy-initialization)
  auto on_started = std::move(step.on_started);
  on_started(std::unexpected(Error{outcome.code, outcome.exit.message}));
  if (const auto found = steps_.find(key); found != steps_.end() && found->second.removed) remove(key);
}

void ProcessRuntime::ended(const std::string& id, Step& step, ContainerExit exit) {
  step.ended = true;
  const std::string key = id;  // NOLINT(performance-unnecessary-copy-initialization): as above
  // Of a short step only the end is told.
  if (auto on_started = std::move(step.on_started)) on_started({});
  if (const auto found = steps_.find(key); found != steps_.end()) {
    if (auto on_exit = std::move(found->second.on_exit)) on_exit(std::move(exit));
  }
  if (const auto found = steps_.find(key); found != steps_.end() && found->second.removed) remove(key);
}

void ProcessRuntime::stop(const std::string& id, Duration grace) {
  const auto found = steps_.find(id);
  if (found == steps_.end() || found->second.ended) return;
  Step& step = found->second;
  step.stopped = true;
  if (step.failed) {
    return executor_.post([this, key = id, alive = std::weak_ptr<bool>(alive_)] {
      if (!alive.expired()) give_up_attempt(key);
    });
  }
  if (!step.sent || !client_) {
    step.stop_when_sent = grace;
    return;
  }
  client_->send(stop_frame(step.request.id, grace));
}

void ProcessRuntime::fetch(const std::string& id, const std::string& path, const std::string&,
                           std::move_only_function<void(Result<std::string>)> done) {
  const auto found = steps_.find(id);
  Result<std::string> result = fail(Code::kNotFound, fmt::format("container {} is not known", id));
  if (found != steps_.end()) {
    const std::string_view inside = path == "/dev/termination-log" ? kTerminationLog : std::string_view(path);
    result = host_path_of(found->second.request.dir + "/root", found->second.view, inside);
  }
  executor_.post([result = std::move(result), done = std::move(done)]() mutable { done(std::move(result)); });
}

void ProcessRuntime::remove(const std::string& id) {
  const auto found = steps_.find(id);
  if (found == steps_.end()) return;
  Step& step = found->second;
  if (!step.ended) {
    step.removed = true;
    return stop(id, Duration::zero());
  }
  std::string forget;
  for (int attempt = 1; attempt <= step.attempt; ++attempt) forget += forget_frame(attempt_id(id, attempt));
  const Step ended = std::move(step);
  steps_.erase(found);
  if (ended.has_root) return free_root(std::move(forget), ended);
  if ((ended.sent || ended.attempt > 1) && client_) client_->send(std::move(forget));
}

/// `forget` are the frames that take its step out of the supervisor's journal.
void ProcessRuntime::free_root(std::string forget, const Step& ended) {
  const std::string& dir = ended.request.dir;
  const std::string name = fmt::format("{}-{}", ::getpid(), ++last_root_);
  // At once: a container that is started again has its next root there.
  std::string root = fmt::format("{}/root-{}", dir, name);
  if (::rename((dir + "/root").c_str(), root.c_str()) != 0) root = dir + "/root";
  ++clearing_;
  workers_.run(
      [this, root, name, keep_account = !ended.request.held.empty(), had_inputs = ended.request.has_root] {
        return free_root_at(view_, data_dir_, root, name, keep_account,
                            had_inputs && !keep_account ? &input_roots_ : nullptr);
      },
      [this, forget = std::move(forget), name](bool pooled) {
        if (client_) client_->send(pooled ? forget + pooled_frame(name) : forget);
        --clearing_;
        send_waiting();
      });
}

void ProcessRuntime::remove_unclaimed(std::function<bool(std::string_view id)> wanted) {
  wanted_ = std::move(wanted);
  if (!listed_) return;
  std::erase_if(reported_, [this](const auto& known) {
    const auto& [id, report] = known;
    if (wanted_(step_of(id).first)) return false;
    client_->send(report.outcome ? forget_frame(id) : stop_frame(id, Duration::zero()));
    return true;
  });
}

}  // namespace tiphys::node
