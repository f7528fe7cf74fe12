#include "node/container/container_runtime_mounts.h"

#include <fmt/format.h>

#include "base/log.h"
#include "node/container/docker_spec.h"

namespace tiphys::node {
namespace {

constexpr int kMostMounts = 8;  // ours, the container's and some that podman counts twice
constexpr int kMostRepairs = 3;

EngineRequest of_podman(const Engine& engine, const std::string& id, std::string_view what) {
  EngineRequest request{.method = "POST"};
  request.target = fmt::format("/v{}/libpod/containers/{}/{}", engine.traits.libpod_version, engine_name(id), what);
  return request;
}

/// podman goes on counting mounts that its clean-up process has undone, and then finds nothing where it believes them.
/// Given back one by one they are forgotten, and the next call mounts anew.
Async<void> forget_mounts(Engine& engine, std::string id) {
  for (int given_back = 0; given_back < kMostMounts; ++given_back) {
    if (!co_await engine.client.call(of_podman(engine, id, "unmount"))) co_return;  // none is left
  }
}

bool lost_its_mount(const Engine& engine, const Status& done) {
  return !done && engine.traits.podman && done.error().message.contains("mounting storage for container");
}

}  // namespace

Async<void> hold_mounted(Engine& engine, std::string id) {
  if (!engine.traits.podman) co_return;
  const auto reply = co_await engine.client.call(of_podman(engine, id, "mount"));
  // It may go well without; the call that needs it tells of an engine that does not answer.
  if (!reply) log::info("{}: {}", id, reply.error().message);
}

Async<Status> with_mounts(Engine& engine, std::string id, std::function<Async<Status>()> call) {
  Status done = co_await call();
  for (int repairs = 0; repairs < kMostRepairs && lost_its_mount(engine, done); ++repairs) {
    log::info("podman has lost the mount of {}; it is mounted anew: {}", id, done.error().message);
    co_await forget_mounts(engine, id);
    co_await hold_mounted(engine, id);
    done = co_await call();
  }
  co_return done;
}

}  // namespace tiphys::node
