#include "node/container/container_runtime_fetch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "artifact/repository.h"
#include "base/log.h"
#include "base/percent.h"
#include "base/unique_fd.h"
#include "node/container/container_runtime_mounts.h"
#include "node/container/docker_spec.h"

namespace tiphys::node {
namespace {

constexpr int kMostLinks = 40;  // as many as Linux follows
constexpr std::uint64_t kMostBytes = 1ULL << 40;

Status write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail_errno("writing what a container holds", errno);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

bool mentions(std::string message, std::string_view words) {
  std::transform(message.begin(), message.end(), message.begin(), [](unsigned char c) { return std::tolower(c); });
  return message.find(words) != std::string::npos;
}

/// dockerd has no status of its own for a path that leads through a file, nor a code for a container that is not there.
Error explain(const Error& error, const std::string& id, const std::string& path) {
  const bool no_path = error.code == Code::kNotFound || mentions(error.message, "not a directory");
  if (!no_path) return error;
  if (mentions(error.message, "no such container") || mentions(error.message, "no container with name")) {
    return {Code::kDataLoss, fmt::format("the container of {} is gone: {}", id, error.message)};
  }
  return {Code::kNotFound, fmt::format("the container has no {}", path)};
}

/// Downloads `path` as a tar. Returns "" or the path to ask for instead: podman follows a link itself, dockerd hands
/// out the link.
Async<Result<std::string>> download(Engine& engine, std::string id, std::string path, std::string tar) {
  const UniqueFd fd(::open(tar.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd) co_return fail_errno(tar, errno);
  EngineRequest request{.target = fmt::format("/containers/{}/archive?path={}", engine_name(id), percent_encode(path))};
  request.patience = Duration{0};
  std::string instead;
  const auto call = std::make_shared<EngineCall>();
  DockerClient::Sink sink = [&fd, &instead](std::string_view bytes) {
    return instead.empty() ? write_all(fd.get(), bytes) : Status{};
  };
  std::function<void(const EngineReply&)> head = [&](const EngineReply& reply) {
    if (!engine.traits.podman) instead = link_target(reply.path_stat);
    if (!instead.empty()) call->cancel();
  };
  const auto reply = co_await engine.client.stream(std::move(request), std::move(sink), call, std::move(head));
  if (!instead.empty()) co_return instead;
  if (!reply) co_return std::unexpected(reply.error());
  co_return std::string();
}

/// Downloads `path`, or what its last part links to.
Async<Status> download_through_links(Engine& engine, std::string id, std::string path, std::string tar) {
  std::string at = path;
  for (int links = 0; links <= kMostLinks; ++links) {
    TIPHYS_CO_TRY(at, co_await download(engine, id, at, tar));
    if (at.empty()) co_return Status{};
  }
  co_return fail(Code::kInvalidArgument, fmt::format("{} leads through more than {} symbolic links", path, kMostLinks));
}

}  // namespace

Async<Result<std::string>> fetch_path(Engine& engine, boost::asio::thread_pool& workers, std::string id,
                                      std::string path, std::string scratch_dir) {
  std::filesystem::path wanted = std::filesystem::path(path).lexically_normal();
  if (!wanted.has_filename()) wanted = wanted.parent_path();
  const std::string last = wanted.has_filename() ? wanted.filename().string() : "root";
  std::error_code no_folder;
  std::filesystem::create_directories(scratch_dir, no_folder);
  std::string folder = scratch_dir + "/fetched-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) co_return fail_errno(scratch_dir, errno);
  const std::string tar = folder + ".tar";
  Status got =
      co_await with_mounts(engine, id, [&] { return download_through_links(engine, id, wanted.string(), tar); });
  if (!got) got = std::unexpected(explain(got.error(), id, path));
  const std::string target = folder + "/" + last;
  if (got) {
    auto unpack = [&]() -> Async<Status> {
      co_return artifact::unpack(tar, target, kMostBytes, artifact::Links::kAny);
    };
    got = co_await boost::asio::co_spawn(workers, unpack(), boost::asio::use_awaitable);
  }
  if (::unlink(tar.c_str()) != 0) log::warn("{}", fail_errno(tar, errno).error().message);
  if (got) co_return target;
  std::filesystem::remove_all(folder, no_folder);
  co_return std::unexpected(got.error());
}

}  // namespace tiphys::node
