#include "node/container/container_runtime_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>

#include "base/check.h"
#include "base/log.h"
#include "node/container/docker_spec.h"

namespace tiphys::node {
namespace {

/// So many lines are read again from the first, which needs no clock; of more only those since the last.
constexpr std::uint64_t kCheapLines = 2'000;
constexpr std::size_t kPieceBytes = 256u << 10;

}  // namespace

ContainerLog::ContainerLog(boost::asio::io_context& io, std::string name, const std::string& dir)
    : io_(io), name_(std::move(name)) {
  auto log = EngineLog::open(dir);
  if (log) {
    log_.emplace(std::move(*log));
  } else {
    status_ = std::unexpected(log.error());
  }
}

void ContainerLog::follow(const std::shared_ptr<Engine>& engine) {
  following_ = std::make_shared<Following>(io_);
  if (!status_) {
    following_->over.set();
    return;
  }
  boost::asio::co_spawn(io_, run(engine, following_), [](const std::exception_ptr& error) {
    TIPHYS_CHECK(!error, "following a log must return its errors");
  });
}

Async<void> ContainerLog::run(std::shared_ptr<Engine> engine, std::shared_ptr<Following> following) {
  log_->begin();
  std::string file;
  if (engine->traits.podman) file = co_await readable_file(engine);
  if (!following->stopped) {
    Status followed = fail(Code::kResourceExhausted, "there is no file to follow");
    if (!file.empty()) followed = co_await follow_file(file, following);
    // The kernel grants a user only so many watchers.
    if (!followed && followed.error().code == Code::kResourceExhausted && !following->file) {
      followed = co_await follow_stream(engine, following);
    }
    if (!followed) log::info("the log of {} is followed no more: {}", name_, followed.error().message);
  }
  following->over.set();
}

Async<std::string> ContainerLog::readable_file(std::shared_ptr<Engine> engine) {
  EngineRequest request{.target = fmt::format("/containers/{}/json", name_)};
  const auto reply = co_await engine->client.call(std::move(request));
  if (!reply) co_return "";
  const auto state = parse_inspect(reply->body);
  if (!state || state->log_path.empty() || ::access(state->log_path.c_str(), R_OK) != 0) co_return "";
  co_return state->log_path;
}

Async<Status> ContainerLog::follow_file(std::string path, std::shared_ptr<Following> following) {
  UniqueFd watcher(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!watcher || ::inotify_add_watch(watcher.get(), path.c_str(), IN_MODIFY) < 0) co_return fail_errno(path, errno);
  boost::asio::posix::stream_descriptor notices(io_, watcher.release());
  following->file.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!following->file) co_return fail_errno(path, errno);
  following->stop_file = [&notices] { notices.cancel(); };
  alignas(inotify_event) char buffer[4096];
  Status read;
  while (read && !following->stopped) {
    read = co_await read_file(following);
    if (!read || following->stopped) break;
    // What was written since the read has left its notice.
    co_await notices.async_read_some(boost::asio::buffer(buffer), boost::asio::as_tuple(boost::asio::use_awaitable));
  }
  following->stop_file = nullptr;
  co_return read;
}

/// Reads on to the file's present end, other coroutines having their turn between the pieces.
Async<Status> ContainerLog::read_file(std::shared_ptr<Following> following) {
  std::vector<char> piece(kPieceBytes);
  for (;;) {
    const ssize_t got = ::pread(following->file.get(), piece.data(), piece.size(), following->at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) co_return fail_errno("reading the engine's log file", errno);
    if (got == 0) co_return Status{};
    following->at += got;
    Status fed = log_->feed_file(std::string_view(piece.data(), static_cast<std::size_t>(got)));
    if (!fed) {
      status_ = fed;
      co_return fed;
    }
    co_await boost::asio::post(io_, boost::asio::use_awaitable);
  }
}

Async<Status> ContainerLog::follow_stream(std::shared_ptr<Engine> engine, std::shared_ptr<Following> following) {
  EngineRequest request{.target = fmt::format("/containers/{}/logs?follow=1&stdout=1&stderr=1&timestamps=1", name_)};
  request.patience = Duration{0};
  DockerClient::Sink sink = [this](std::string_view bytes) {
    Status fed = log_->feed(bytes, system_now());
    if (!fed) status_ = fed;
    return fed;
  };
  const auto reply = co_await engine->client.stream(std::move(request), std::move(sink), following->call);
  if (!reply) co_return std::unexpected(reply.error());
  if (!log_->end()) co_return fail(Code::kUnavailable, "the log stream broke off");
  co_return Status{};
}

Async<Status> ContainerLog::finish(std::shared_ptr<Engine> engine) {
  const auto following = following_;
  if (following) {
    following->stopped = true;
    if (following->stop_file) following->stop_file();
    following->call->cancel();
    co_await following->over.wait();
  }
  if (!status_) co_return status_;
  if (following && following->file) co_return co_await read_file(following);
  if (engine->traits.podman) {
    if (const std::string path = co_await readable_file(engine); !path.empty()) {
      log_->begin();
      const auto once = std::make_shared<Following>(io_);
      once->file.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
      if (!once->file) co_return fail_errno(path, errno);
      co_return co_await read_file(once);
    }
  }
  co_return co_await read_rest(engine);
}

Async<Status> ContainerLog::read_rest(std::shared_ptr<Engine> engine) {
  EngineRequest request{.target = fmt::format("/containers/{}/logs?stdout=1&stderr=1&timestamps=1", name_)};
  std::string since;
  if (log_->lines() > kCheapLines) since = log_->begin_at_last();
  if (since.empty()) {
    log_->begin();
  } else {
    request.target += "&since=" + since;
  }
  DockerClient::Sink sink = [this](std::string_view bytes) { return log_->feed(bytes, system_now()); };
  const auto reply = co_await engine->client.stream(std::move(request), std::move(sink));
  // A container that has vanished has taken its log along.
  if (!reply && reply.error().code != Code::kNotFound) co_return std::unexpected(reply.error());
  co_return Status{};
}

}  // namespace tiphys::node
