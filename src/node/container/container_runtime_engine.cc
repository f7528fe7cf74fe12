#include "node/container/container_runtime_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/log.h"
#include "doc/truth.h"

namespace tiphys::node {
namespace {

constexpr auto kPingPatience = std::chrono::seconds{10};
/// A podman that starts for the first time on a slow disk.
constexpr auto kStartPatience = std::chrono::minutes{1};

std::optional<std::string> get_env(const char* name) {
  const char* value = std::getenv(name);
  return value ? std::optional<std::string>(value) : std::nullopt;
}

/// podman has a member for it, dockerd a word.
bool is_rootless(const doc::Value& info) {
  if (doc::is_true(info, "Rootless")) return true;
  const doc::Value* security = doc::find(info, "SecurityOptions");
  const doc::Array* options = security ? security->if_array() : nullptr;
  return options && std::ranges::any_of(*options, [](const doc::Value& option) {
           return option.is_string() && std::string_view(option.get_string()) == "name=rootless";
         });
}

void warn_of_limits(const doc::Value& info, const std::string& socket) {
  if (doc::find_string(info, "Driver") == "vfs") {
    log::warn(
        "the container engine at {} stores images by \"vfs\", which copies the whole image at each start; set its "
        "storage driver to overlay",
        socket);
  }
  if (is_rootless(info) && doc::find_string(info, "CgroupVersion") == "1") {
    log::warn("the rootless container engine at {} ignores memory and CPU limits on control groups of version 1",
              socket);
  }
}

/// An engine that does not tell is one all the same: podman's answer fails when a container goes as it counts them.
Async<void> learn_limits(Engine& engine) {
  EngineRequest ask{.target = "/info"};
  const auto told = co_await engine.client.call(ask);
  const auto info = told ? doc::parse_json(told->body) : std::unexpected(told.error());
  if (info) {
    engine.traits.rootless = is_rootless(*info);
    warn_of_limits(*info, engine.client.socket());
  } else {
    log::warn("the container engine at {} does not tell what it can do: {}", engine.client.socket(),
              info.error().message);
  }
}

Async<Result<std::shared_ptr<Engine>>> describe(const std::string& socket, Duration patience) {
  auto engine = std::make_shared<Engine>(socket);
  EngineRequest ping{.target = "/_ping", .patience = patience};
  TIPHYS_CO_TRY(const EngineReply pong, co_await engine->client.call(ping));
  engine->traits.podman = !pong.libpod_version.empty();
  engine->traits.libpod_version = pong.libpod_version;
  co_await learn_limits(*engine);
  EngineRequest list{.target = list_target()};
  TIPHYS_CO_TRY(const EngineReply listed, co_await engine->client.call(list));
  TIPHYS_CO_TRY(const std::vector<std::string> ids, parse_list(listed.body));
  for (const std::string& id : ids) engine->left_over.insert(engine_name(id));
  co_return engine;
}

}  // namespace

struct EngineLink::Search {
  explicit Search(boost::asio::io_context& context) : done(context) {}
  AsyncEvent done;
  Result<std::shared_ptr<Engine>> found;
};

EngineLink::EngineLink(boost::asio::io_context& context, std::string flag, std::string state_dir)
    : context_(context), flag_(std::move(flag)), podman_(std::move(state_dir)) {}

Async<Result<std::shared_ptr<Engine>>> EngineLink::engine() {
  if (engine_) co_return engine_;
  if (search_) {
    const auto search = search_;
    co_await search->done.wait();
    co_return search->found;
  }
  const auto search = std::make_shared<Search>(context_);
  search_ = search;
  search->found = co_await find();
  if (search->found) engine_ = *search->found;
  search_.reset();
  search->done.set();
  co_return search->found;
}

void EngineLink::lost(const std::shared_ptr<Engine>& engine) {
  if (engine_ == engine) engine_.reset();
}

Async<Result<std::shared_ptr<Engine>>> EngineLink::find() {
  TIPHYS_CO_TRY(const auto candidates, engine_candidates(flag_, get_env));
  std::vector<std::string> tried;
  for (const EngineCandidate& candidate : candidates) {
    auto engine = co_await describe(candidate.socket, kPingPatience);
    if (engine) {
      log::info("containers run by {} at {}", (*engine)->traits.podman ? "podman" : "dockerd", candidate.socket);
      co_return engine;
    }
    tried.push_back(engine.error().message);
    if (candidate.binding) {
      tried.back() += fmt::format(" (named by {})", candidate.origin);
      co_return std::unexpected(no_engine_error(tried));
    }
  }
  if (const std::string program = find_program("podman", get_env); !program.empty()) {
    auto engine = co_await start_podman(program);
    if (engine) co_return engine;
    tried.push_back(fmt::format("{} system service: {}", program, engine.error().message));
  }
  co_return std::unexpected(no_engine_error(tried));
}

Async<Result<std::shared_ptr<Engine>>> EngineLink::start_podman(std::string program) {
  TIPHYS_CO_TRY(const std::string socket, podman_.socket());
  // A service that a killed process of ours left behind still serves.
  if (auto engine = co_await describe(socket, kPingPatience)) co_return engine;
  TIPHYS_CO_CHECK_OK(podman_.start(program));
  auto engine = co_await describe(socket, kStartPatience);
  if (!engine) {
    const std::string words = podman_.last_words();
    co_return words.empty() ? engine : fail(engine.error().code, words);
  }
  log::info("containers run by a podman service of this process's own at {}", socket);
  co_return engine;
}

}  // namespace tiphys::node
