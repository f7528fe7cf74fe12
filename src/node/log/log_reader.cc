#include <fcntl.h>
#include <fmt/format.h>

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

/// Who reads which log, and the notices of those that are followed.
class LogReader::Readings {
 public:
  Readings(FolderNotices& notices, Executor& executor) : notices_(notices), executor_(executor) {}

  Executor& executor() { return executor_; }

  Status add(const std::shared_ptr<Reading>& reading) {
    const std::string folder = folder_of(reading->path());
    Followed& followed = folders_[folder];
    followed.readings.insert(reading);
    if (followed.notice) return {};
    TIPHYS_TRY(followed.notice, notices_.follow(folder, [this, folder] { wake(folder); }));
    return {};
  }

  void remove(const std::shared_ptr<Reading>& reading) {
    const auto folder = folders_.find(folder_of(reading->path()));
    if (folder == folders_.end()) return;
    folder->second.readings.erase(reading);
    if (folder->second.readings.empty()) folders_.erase(folder);
  }

  void wake(const std::string& folder) {
    const auto found = folders_.find(folder);
    if (found == folders_.end()) return;
    for (const auto& reading : found->second.readings) reading->wake();
  }

 private:
  struct Followed {
    std::set<std::shared_ptr<Reading>> readings;
    std::unique_ptr<FolderNotices::Following> notice;  ///< null where the folder cannot be followed
  };

  FolderNotices& notices_;
  Executor& executor_;
  std::map<std::string, Followed> folders_;
};

LogReader::LogReader(FolderNotices& notices, Executor& executor)
    : readings_(std::make_shared<Readings>(notices, executor)) {}
LogReader::~LogReader() = default;

std::unique_ptr<cluster::Watch> LogReader::read(const std::string& log_path, cluster::LogOptions options,
                                                std::function<bool()> ended, cluster::LogSink sink) {
  class Handle final : public cluster::Watch {
   public:
    Handle(std::shared_ptr<Readings> readings, std::shared_ptr<Reading> reading)
        : readings_(std::move(readings)), reading_(std::move(reading)) {}
    ~Handle() override {
      readings_->remove(reading_);
      reading_->stop();
    }
    void pause(bool paused) override { reading_->pause(paused); }

   private:
    std::shared_ptr<Readings> readings_;
    std::shared_ptr<Reading> reading_;
  };
  const bool follow = options.follow;
  auto reading =
      std::make_shared<Reading>(readings_->executor(), log_path, std::move(options), std::move(ended), std::move(sink));
  // Without a folder there is nothing to follow: reading finds an empty log.
  if (follow) (void)readings_->add(reading);
  reading->wake();
  return std::make_unique<Handle>(readings_, std::move(reading));
}

void LogReader::ended(const std::string& log_path) {
  readings_->wake(folder_of(log_path));
}

}  // namespace tiphys::node
