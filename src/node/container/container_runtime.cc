#include "node/container/container_runtime.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cerrno>
#include <future>
#include <thread>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/unique_fd.h"
#include "node/container/container_runtime_async.h"
#include "node/container/container_runtime_container.h"
#include "node/container/container_runtime_engine.h"
#include "node/container/container_runtime_fetch.h"
#include "node/container/container_runtime_images.h"
#include "node/container/container_session.h"

namespace tiphys::node {
namespace {

namespace asio = boost::asio;

/// Packing and unpacking, which block.
constexpr std::size_t kWorkers = 2;
constexpr auto kStopRetry = std::chrono::milliseconds{500};
constexpr auto kFinishPatience = std::chrono::seconds{10};

struct Observer {
  std::move_only_function<void(Status)> on_started;
  std::move_only_function<void(ContainerExit)> on_exit;
};

class ContainerRuntime final : public Runtime {
 public:
  ContainerRuntime(Executor& executor, ContainerRuntimeOptions options)
      : executor_(executor),
        options_(std::move(options)),
        io_(std::make_unique<asio::io_context>(1)),
        link_(std::make_unique<EngineLink>(*io_, options_.engine, options_.state_dir)),
        images_(std::make_unique<EngineImages>(*io_)),
        work_(io_->get_executor()) {}

  ~ContainerRuntime() override {
    *alive_ = false;
    finish();
    io_->stop();
    if (thread_.joinable()) thread_.join();
    if (workers_) workers_->join();
    work_.reset();
    // What holds timers goes before their context. The coroutines that are still under way go with it, and their calls
    // with them; then a podman of our own has nobody left to serve.
    containers_.clear();
    images_.reset();
    next_freed_.reset();
    none_to_discard_.reset();
    link_->abandon();
    io_.reset();
    link_.reset();
  }

  std::string_view name() const override { return "container"; }

  void when_services_unreachable(std::function<void(const std::string&, const Error&)> tell) override {
    on_services_unreachable_ = std::move(tell);
  }

  void start(const ContainerSpec& spec, std::move_only_function<void(Status)> on_started,
             std::move_only_function<void(ContainerExit)> on_exit) override {
    post([this, spec = spec, observer = Observer{std::move(on_started), std::move(on_exit)}]() mutable {
      spawn(run(std::move(spec), std::move(observer)));
    });
  }
  void stop(const std::string& id, Duration grace) override {
    post([this, id, grace] { spawn(end(id, grace)); });
  }
  void find_address(const std::string& id, std::move_only_function<void(Result<std::string>)> done) override {
    post([this, id, done = std::move(done)]() mutable { spawn(locate(id, std::move(done))); });
  }
  void exec(const std::string& id, std::vector<std::string> command, Duration timeout,
            std::move_only_function<void(Result<int>)> done) override {
    post([this, id, command = std::move(command), timeout, done = std::move(done)]() mutable {
      spawn(execute(id, std::move(command), timeout, std::move(done)));
    });
  }
  void open_exec(const std::string& id, cluster::SessionOptions options,
                 cluster::Done<std::unique_ptr<cluster::Session>> done) override {
    post([this, id, options = std::move(options), done = std::move(done)]() mutable {
      spawn(open(id, std::move(options), std::move(done)));
    });
  }
  void fetch(const std::string& id, const std::string& path, const std::string& scratch_dir,
             std::move_only_function<void(Result<std::string>)> done) override {
    post([this, id, path, scratch_dir, done = std::move(done)]() mutable {
      spawn(bring(id, path, scratch_dir, std::move(done)));
    });
  }
  void remove(const std::string& id) override {
    post([this, id] { spawn(discard(id)); });
  }
  void remove_unclaimed(std::function<bool(std::string_view id)> wanted) override {
    // A plane that never ran a container has none to look for, nor an engine to start for that.
    if (::access(used_mark().c_str(), F_OK) != 0) return;
    post([this, wanted = std::move(wanted)]() mutable { spawn(sweep(std::move(wanted))); });
  }

 private:
  struct Running {
    std::shared_ptr<EngineContainer> container;
    bool ends_with_plane = false;
    std::vector<Observer> observers;
    std::optional<Status> started;
  };

  /// Runs `task` on the runtime's thread, which begins with the first: most planes never have a container.
  void post(auto task) {
    if (!thread_.joinable()) {
      workers_.emplace(kWorkers);
      thread_ = std::thread([this] { io_->run(); });
    }
    asio::post(*io_, std::move(task));
  }

  void spawn(Async<void> task) {
    asio::co_spawn(*io_, std::move(task), [](const std::exception_ptr& error) {
      TIPHYS_CHECK(!error, "a coroutine of the container runtime must return its errors");
    });
  }

  /// Runs `task` on the executor's thread, unless the runtime is gone by then.
  void report(Executor::Task task) {
    executor_.post([alive = alive_, task = std::move(task)]() mutable {
      if (*alive) task();
    });
  }

  std::string used_mark() const { return options_.state_dir + "/containers-used"; }
  void note_use() {
    if (std::exchange(used_, true)) return;
    if (::mkdir(options_.state_dir.c_str(), 0700) != 0 && errno != EEXIST) {
      log::warn("{}", fail_errno(options_.state_dir, errno).error().message);
    }
    const UniqueFd mark(::open(used_mark().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    if (!mark) log::warn("{}", fail_errno(used_mark(), errno).error().message);
  }

  Async<void> run(ContainerSpec spec, Observer observer) {
    const std::string id = spec.id;
    const bool ends_with_plane = spec.ends_with_plane;
    if (const auto known = containers_.find(id); known != containers_.end()) {
      if (known->second.started) {
        report([call = std::move(observer.on_started), started = *known->second.started]() mutable { call(started); });
      }
      known->second.observers.push_back(std::move(observer));
      co_return;
    }
    note_use();
    const auto container = std::make_shared<EngineContainer>(
        EngineContainer::Surroundings{*io_,
                                      *workers_,
                                      *link_,
                                      *images_,
                                      options_.offline,
                                      {options_.state_dir, options_.network},
                                      options_.services,
                                      [this](const std::string& id, const Error& error) {
                                        report([this, id, error] {
                                          if (on_services_unreachable_) on_services_unreachable_(id, error);
                                        });
                                      }},
        std::move(spec));
    containers_[id].container = container;
    containers_[id].ends_with_plane = ends_with_plane;
    containers_[id].observers.push_back(std::move(observer));
    const Status started = co_await container->start();
    tell_started(id, started);
    if (!started) {
      containers_.erase(id);
      co_return;
    }
    const ContainerExit exit = co_await container->wait();
    std::vector<Observer> observers = std::move(containers_[id].observers);
    containers_.erase(id);
    for (Observer& one : observers) {
      report([call = std::move(one.on_exit), exit]() mutable { call(exit); });
    }
  }

  void tell_started(const std::string& id, const Status& started) {
    Running& running = containers_[id];
    running.started = started;
    for (Observer& one : running.observers) {
      report([call = std::move(one.on_started), started]() mutable { call(started); });
    }
  }

  Async<void> end(std::string id, Duration grace) {
    const auto known = containers_.find(id);
    const auto container = known == containers_.end() ? nullptr : known->second.container;
    if (container) container->stop_asked();
    // What does not answer now must still be stopped later, as long as somebody waits for its end.
    for (;;) {
      const auto engine = co_await link_->engine();
      Status stopped = engine ? Status{} : Status(std::unexpected(engine.error()));
      if (engine) stopped = co_await stop_container(**engine, id, grace);
      if (stopped) co_return;
      if (engine && stopped.error().code == Code::kUnavailable) link_->lost(*engine);
      log::warn("stopping {}: {}", id, stopped.error().message);
      if (!container || container->ended()) co_return;
      co_await delay(*io_, kStopRetry);
    }
  }

  Async<void> bring(std::string id, std::string path, std::string scratch_dir,
                    std::move_only_function<void(Result<std::string>)> done) {
    Result<std::string> fetched;
    if (auto engine = co_await link_->engine()) {
      fetched = co_await fetch_path(**engine, *workers_, id, path, scratch_dir);
    } else {
      fetched = std::unexpected(engine.error());
    }
    report([done = std::move(done), fetched = std::move(fetched)]() mutable { done(std::move(fetched)); });
  }

  Async<void> locate(std::string id, std::move_only_function<void(Result<std::string>)> done) {
    Result<std::string> address;
    if (auto engine = co_await link_->engine()) {
      address = co_await address_of(*engine, id);
    } else {
      address = std::unexpected(engine.error());
    }
    report([done = std::move(done), address = std::move(address)]() mutable { done(std::move(address)); });
  }

  /// Its own, or this host's when it shares the host's network.
  Async<Result<std::string>> address_of(std::shared_ptr<Engine> engine, std::string id) {
    const auto state = co_await inspect_container(*engine, id);
    if (!state) co_return std::unexpected(state.error());
    if (state->address.empty()) co_return "127.0.0.1";
    if (engine->traits.rootless && options_.services) {
      auto open = [this, &id, &state]() -> Async<Status> {
        co_return options_.services->open_door(id, state->address, state->engine_id, state->process);
      };
      const Status opened = co_await asio::co_spawn(*workers_, open(), asio::use_awaitable);
      if (!opened) log::warn("{} is not reached at {}: {}", id, state->address, opened.error().message);
    }
    co_return state->address;
  }

  Async<void> execute(std::string id, std::vector<std::string> command, Duration timeout,
                      std::move_only_function<void(Result<int>)> done) {
    Result<int> code;
    if (auto engine = co_await link_->engine()) {
      code = co_await exec_in_container(**engine, id, std::move(command), timeout);
    } else {
      code = std::unexpected(engine.error());
    }
    report([done = std::move(done), code = std::move(code)]() mutable { done(std::move(code)); });
  }

  Async<void> open(std::string id, cluster::SessionOptions options,
                   cluster::Done<std::unique_ptr<cluster::Session>> done) {
    Result<std::shared_ptr<EngineExec>> opened;
    if (auto engine = co_await link_->engine()) {
      opened = co_await open_exec_in_container(*io_, *engine, id, std::move(options));
    } else {
      opened = std::unexpected(engine.error());
    }
    report([this, done = std::move(done), opened = std::move(opened)]() mutable {
      if (!opened) return done(std::unexpected(std::move(opened.error())));
      done(make_container_session(*io_, executor_, std::move(*opened)));
    });
  }

  Async<void> discard(std::string id) {
    ++discards_;
    co_await discard_now(std::move(id));
    if (--discards_ == 0 && none_to_discard_) none_to_discard_->set();
  }
  Async<void> discard_now(std::string id) {
    const auto engine = co_await link_->engine();
    // Without an engine there is nothing to remove, which the start has said; what it holds when it comes back is
    // swept.
    if (!engine && engine.error().code == Code::kFailedPrecondition) co_return;
    Status removed = engine ? Status{} : Status(std::unexpected(engine.error()));
    if (engine) removed = co_await remove_after_dependents(*engine, id);
    if (!removed) log::warn("removing the container of {}: {}", id, removed.error().message);
  }

  /// podman frees a container only when none is left that has its network: one of those may be about to go.
  Async<Status> remove_after_dependents(std::shared_ptr<Engine> engine, std::string id) {
    for (;;) {
      const std::size_t freed_before = freed_;
      ++being_freed_;
      const Status removed = co_await remove_container(*engine, id);
      --being_freed_;
      const bool has_dependents = !removed && removed.error().message.contains("dependent containers");
      if (has_dependents && freed_ != freed_before) continue;
      if (has_dependents && being_freed_ > 0) {
        const auto next = next_freed_;
        co_await next->wait();
        continue;
      }
      // Also when it is given up: those that wait for it look for themselves.
      if (removed) ++freed_;
      std::exchange(next_freed_, std::make_shared<AsyncEvent>(*io_))->set();
      co_return removed;
    }
  }

  /// What serves the plane goes with it, and what is about to be freed is; an engine that does not answer leaves it to
  /// the next one.
  void finish() {
    if (!thread_.joinable()) return;
    const auto done = std::make_shared<std::promise<void>>();
    auto finished = done->get_future();
    post([this, done] { spawn(discard_all(done)); });
    if (finished.wait_for(kFinishPatience) == std::future_status::timeout) {
      log::warn("containers of this plane may still be on the engine; the next one frees them");
    }
  }
  Async<void> discard_all(std::shared_ptr<std::promise<void>> done) {
    std::vector<std::string> ids;
    for (const auto& [id, running] : containers_) {
      if (running.ends_with_plane) ids.push_back(id);
    }
    for (const std::string& id : ids) co_await discard(id);
    none_to_discard_ = std::make_shared<AsyncEvent>(*io_);
    if (discards_ > 0) co_await none_to_discard_->wait();
    done->set_value();
  }

  Async<void> sweep(std::function<bool(std::string_view id)> wanted) {
    const auto engine = co_await link_->engine();
    Status listed = engine ? Status{} : Status(std::unexpected(engine.error()));
    std::vector<std::string> ids;
    if (engine) listed = co_await list_containers(**engine, options_.state_dir, ids);
    if (!listed) {
      log::warn("looking for containers that were left behind: {}", listed.error().message);
      co_return;
    }
    std::erase_if(ids, [this](const std::string& id) { return containers_.contains(id); });
    report([this, ids = std::move(ids), wanted = std::move(wanted)] {
      for (const std::string& id : ids) {
        if (!wanted(id)) post([this, id] { spawn(discard_unclaimed(id)); });
      }
    });
  }
  Async<void> discard_unclaimed(std::string id) {
    if (!containers_.contains(id)) co_await discard(std::move(id));
  }

  Executor& executor_;
  const ContainerRuntimeOptions options_;
  /// Read and written on the executor's thread only.
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::optional<asio::thread_pool> workers_;
  std::unique_ptr<asio::io_context> io_;
  std::unique_ptr<EngineLink> link_;
  std::unique_ptr<EngineImages> images_;
  bool used_ = false;
  std::function<void(const std::string&, const Error&)> on_services_unreachable_;  ///< of the executor's thread
  std::unordered_map<std::string, Running> containers_;  ///< from start() to the end that was told
  std::size_t discards_ = 0;                             ///< removals that are asked for and not over
  std::shared_ptr<AsyncEvent> none_to_discard_;          ///< while somebody waits for that
  std::size_t being_freed_ = 0, freed_ = 0;  ///< removals that the engine works on; those that it has carried out
  std::shared_ptr<AsyncEvent> next_freed_ = std::make_shared<AsyncEvent>(*io_);
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Runtime> make_container_runtime(Executor& executor, ContainerRuntimeOptions options) {
  return std::make_unique<ContainerRuntime>(executor, std::move(options));
}

}  // namespace tiphys::node
