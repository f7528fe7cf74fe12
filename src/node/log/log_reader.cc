#include <fcntl.h>
#include <fmt/format.h>
#include <sys/inotify.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <map>
#include <set>

#include "base/unique_fd.h"
#include "node/log/log_file.h"

namespace tiphys::node {
namespace {

constexpr std::size_t kBytesATurn = 64 * 1024;

std::string folder_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

}  // namespace

/// One reader of one log. Owned by its Watch handle; turns and notices hold it weakly.
class LogReader::Reading : public std::enable_shared_from_this<Reading> {
 public:
  Reading(Executor& executor, std::string path, cluster::LogOptions options, std::function<bool()> ended,
          cluster::LogSink sink)
      : executor_(executor),
        path_(std::move(path)),
        options_(std::move(options)),
        ended_(std::move(ended)),
        sink_(std::move(sink)) {}

  const std::string& path() const { return path_; }

  /// Nobody listens any more.
  void stop() { done_ = true; }

  void pause(bool paused) {
    paused_ = paused;
    wake();
  }

  void wake() {
    if (scheduled_ || done_ || paused_) return;
    scheduled_ = true;
    executor_.post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->turn();
    });
  }

 private:
  void turn() {
    scheduled_ = false;
    if (done_ || paused_) return;
    // Asked before reading: what is written until the end has been written by then.
    const bool last = !options_.follow || ended_();
    const auto more = read_some();
    if (!more) return end(std::unexpected(more.error()));
    if (*more) return wake();
    if (last) end({});
  }

  /// Reads a piece and hands on its lines. True when there may be more now.
  Result<bool> read_some() {
    if (!fd_) {
      fd_.reset(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
      // No output yet, or none at all.
      if (!fd_ && errno == ENOENT) return false;
      if (!fd_) return fail_errno(fmt::format("open {}", path_), errno);
      if (options_.tail >= 0) {
        TIPHYS_TRY(offset_, tail_offset(path_, options_.tail));
      }
    }
    std::string piece(kBytesATurn, '\0');
    const ssize_t count = ::pread(fd_.get(), piece.data(), piece.size(), static_cast<off_t>(offset_));
    if (count < 0) return fail_errno(fmt::format("read {}", path_), errno);
    offset_ += static_cast<std::uint64_t>(count);
    pending_.append(piece, 0, static_cast<std::size_t>(count));
    std::string_view left = pending_;
    for (auto newline = left.find('\n'); newline != std::string_view::npos; newline = left.find('\n')) {
      TIPHYS_TRY(const LogLine line, parse_log_line(left.substr(0, newline)));
      take(line);
      if (done_) return false;
      left.remove_prefix(newline + 1);
    }
    pending_.erase(0, pending_.size() - left.size());
    return count > 0;
  }

  void take(const LogLine& line) {
    Begun& begun = begun_[line.stream == "stderr"];
    begun.text += line.text;
    begun.at = line.at;
    // A line without an end is handed on in pieces: memory is bounded.
    if (line.partial && begun.text.size() < kBytesATurn) return;
    const std::string text = std::exchange(begun.text, {});
    if (line.at >= options_.since) sink_.on_line(text, line.at, line.stream);
  }

  /// What a container wrote last need not end in a newline.
  void take_unended() {
    for (const std::string_view stream : {"stdout", "stderr"}) {
      const Begun begun = std::exchange(begun_[stream == "stderr"], {});
      if (!done_ && !begun.text.empty() && begun.at >= options_.since) sink_.on_line(begun.text, begun.at, stream);
    }
  }

  void end(Status status) {
    if (status && !done_) take_unended();
    if (std::exchange(done_, true)) return;
    if (sink_.on_end) sink_.on_end(std::move(status));
  }

  Executor& executor_;
  std::string path_;
  cluster::LogOptions options_;
  std::function<bool()> ended_;
  cluster::LogSink sink_;
  UniqueFd fd_;
  std::uint64_t offset_ = 0;
  std::string pending_;
  struct Begun {
    std::string text;
    Time at{};
  };
  Begun begun_[2];  ///< of each stream, a line that goes on
  bool scheduled_ = false;
  bool paused_ = false;
  bool done_ = false;
};

/// The kernel's notices of growing logs, one watched folder a log.
class LogReader::Notices : public std::enable_shared_from_this<Notices> {
 public:
  Notices(boost::asio::io_context& context, Executor& executor) : context_(context), executor_(executor) {}

  Executor& executor() { return executor_; }

  Status add(const std::shared_ptr<Reading>& reading) {
    if (!inotify_) {
      UniqueFd fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
      if (!fd) return fail_errno("follow logs", errno);
      inotify_ = std::make_unique<boost::asio::posix::stream_descriptor>(context_, fd.release());
      wait();
    }
    const std::string folder = folder_of(reading->path());
    const int watch = ::inotify_add_watch(inotify_->native_handle(), folder.c_str(),
                                          IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF);
    if (watch < 0) return fail_errno(fmt::format("follow {}", folder), errno);
    watches_[watch] = folder;
    readings_[folder].insert(reading);
    return {};
  }

  void remove(const std::shared_ptr<Reading>& reading) {
    const auto folder = readings_.find(folder_of(reading->path()));
    if (folder == readings_.end()) return;
    folder->second.erase(reading);
    if (!folder->second.empty()) return;
    const auto watch = std::find_if(watches_.begin(), watches_.end(),
                                    [&](const auto& entry) { return entry.second == folder->first; });
    if (watch != watches_.end()) {
      ::inotify_rm_watch(inotify_->native_handle(), watch->first);
      watches_.erase(watch);
    }
    readings_.erase(folder);
  }

  void wake(const std::string& folder) {
    const auto found = readings_.find(folder);
    if (found == readings_.end()) return;
    for (const auto& reading : found->second) reading->wake();
  }

 private:
  void wait() {
    inotify_->async_wait(boost::asio::posix::stream_descriptor::wait_read,
                         [weak = weak_from_this()](boost::system::error_code error) {
                           const auto self = weak.lock();
                           if (!self || error) return;
                           self->read();
                           self->wait();
                         });
  }

  void read() {
    alignas(inotify_event) char buffer[4096];
    for (;;) {
      const ssize_t count = ::read(inotify_->native_handle(), buffer, sizeof buffer);
      if (count <= 0) return;
      for (ssize_t at = 0; at < count;) {
        const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
        at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
        // An overflow names no folder: everybody looks.
        if (event->mask & IN_Q_OVERFLOW) {
          for (const auto& [folder, readings] : readings_) wake(folder);
        } else if (const auto watch = watches_.find(event->wd); watch != watches_.end()) {
          wake(watch->second);
        }
      }
    }
  }

  boost::asio::io_context& context_;
  Executor& executor_;
  std::unique_ptr<boost::asio::posix::stream_descriptor> inotify_;
  std::map<int, std::string> watches_;
  std::map<std::string, std::set<std::shared_ptr<Reading>>> readings_;
};

LogReader::LogReader(boost::asio::io_context& context, Executor& executor)
    : notices_(std::make_shared<Notices>(context, executor)) {}
LogReader::~LogReader() = default;

std::unique_ptr<cluster::Watch> LogReader::read(const std::string& log_path, cluster::LogOptions options,
                                                std::function<bool()> ended, cluster::LogSink sink) {
  class Handle final : public cluster::Watch {
   public:
    Handle(std::shared_ptr<Notices> notices, std::shared_ptr<Reading> reading)
        : notices_(std::move(notices)), reading_(std::move(reading)) {}
    ~Handle() override {
      notices_->remove(reading_);
      reading_->stop();
    }
    void pause(bool paused) override { reading_->pause(paused); }

   private:
    std::shared_ptr<Notices> notices_;
    std::shared_ptr<Reading> reading_;
  };
  const bool follow = options.follow;
  auto reading =
      std::make_shared<Reading>(notices_->executor(), log_path, std::move(options), std::move(ended), std::move(sink));
  // Without a folder there is nothing to follow: reading finds an empty log.
  if (follow) (void)notices_->add(reading);
  reading->wake();
  return std::make_unique<Handle>(notices_, std::move(reading));
}

void LogReader::ended(const std::string& log_path) {
  notices_->wake(folder_of(log_path));
}

}  // namespace tiphys::node
