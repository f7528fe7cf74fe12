#include "node/agent/attach_session.h"

#include <filesystem>
#include <utility>

#include "base/log.h"

namespace tiphys::node {
namespace {

/// With more unread the log is not read on.
constexpr std::size_t kMostPending = std::size_t{256} * 1024;

}  // namespace

void AttachSession::begin(LogReader& logs, const std::string& log_path, std::function<bool()> ended) {
  cluster::LogOptions options;
  options.follow = true;
  // A log begins with its first line: all of one that is not there yet is new.
  std::error_code error;
  if (std::filesystem::exists(log_path, error)) options.tail = 0;
  const auto folder = std::filesystem::path(log_path).parent_path();
  // Something to watch.
  std::filesystem::create_directories(folder, error);
  if (error) log::warn("make {}: {}", folder.string(), error.message());
  cluster::LogSink sink;
  sink.on_line = [this](std::string_view line, Time, std::string_view stream) {
    std::string& pending = streams_[stream == "stderr" ? 1 : 0].pending;
    pending += line;
    pending += '\n';
    if (pending.size() > kMostPending && log_ && !std::exchange(paused_, true)) log_->pause(true);
    post([this] { serve(); });
  };
  sink.on_end = [this](const Status&) {
    ended_ = true;
    post([this] { serve(); });
  };
  log_ = logs.read(log_path, std::move(options), std::move(ended), std::move(sink));
}

void AttachSession::read(Output from, cluster::Done<std::string> done) {
  streams_[from == Output::kErr ? 1 : 0].read = std::move(done);
  post([this] { serve(); });
}

void AttachSession::write(std::string, cluster::Done<void> done) {
  post([done = std::move(done)]() mutable { done(Status()); });
}

void AttachSession::wait(cluster::Done<int> done) {
  wait_ = std::move(done);
  post([this] { serve(); });
}

void AttachSession::serve() {
  const std::weak_ptr<bool> alive = alive_;  // whom we tell may destroy this
  for (Stream& stream : streams_) {
    if (!stream.read || (stream.pending.empty() && !ended_)) continue;
    std::string piece = stream.pending.substr(0, kMostPieceBytes);
    stream.pending.erase(0, piece.size());
    auto read = std::exchange(stream.read, nullptr);
    read(std::move(piece));
    if (alive.expired()) return;
  }
  const bool much = streams_[0].pending.size() > kMostPending || streams_[1].pending.size() > kMostPending;
  if (!much && log_ && std::exchange(paused_, false)) log_->pause(false);
  if (ended_ && wait_) std::exchange(wait_, nullptr)(0);
}

void AttachSession::post(std::move_only_function<void()> task) {
  executor_.post([alive = std::weak_ptr<bool>(alive_), task = std::move(task)]() mutable {
    if (!alive.expired()) task();
  });
}

}  // namespace tiphys::node
