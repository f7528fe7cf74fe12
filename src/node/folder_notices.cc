#include "node/folder_notices.h"

#include <fmt/format.h>
#include <sys/inotify.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <map>
#include <optional>
#include <vector>

#include "base/unique_fd.h"

namespace tiphys::node {

class FolderNotices::State : public std::enable_shared_from_this<State> {
 public:
  explicit State(boost::asio::io_context& context) : context_(context) {}

  Result<std::uint64_t> add(const std::string& folder, std::function<void()> on_change) {
    if (!inotify_) {
      UniqueFd fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
      if (!fd) return fail_errno("follow folders", errno);
      inotify_.emplace(context_, fd.release());
      wait();
    }
    const int watch = ::inotify_add_watch(inotify_->native_handle(), folder.c_str(),
                                          IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF);
    if (watch < 0) return fail_errno(fmt::format("follow {}", folder), errno);
    const std::uint64_t id = ++last_;
    followers_.emplace(id, Follower{watch, std::make_shared<std::function<void()>>(std::move(on_change))});
    of_watch_.emplace(watch, id);
    return id;
  }

  void remove(std::uint64_t id) {
    const auto follower = followers_.extract(id);
    const int watch = follower.mapped().watch;
    auto [at, end] = of_watch_.equal_range(watch);
    while (at != end && at->second != id) ++at;
    of_watch_.erase(at);
    // Of a folder that is gone the kernel has removed it already.
    if (!of_watch_.contains(watch)) ::inotify_rm_watch(inotify_->native_handle(), watch);
  }

 private:
  struct Follower {
    int watch;
    std::shared_ptr<std::function<void()>> on_change;  ///< kept by who calls it: it may end its own following
  };

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
        tell(event->mask & IN_Q_OVERFLOW ? std::nullopt : std::optional(event->wd));
      }
    }
  }

  /// An overflow names no folder: everybody looks.
  void tell(std::optional<int> watch) {
    const auto [begin, end] = watch ? of_watch_.equal_range(*watch) : std::pair(of_watch_.begin(), of_watch_.end());
    std::vector<std::uint64_t> told;
    for (auto at = begin; at != end; ++at) told.push_back(at->second);
    // One may end the following of another.
    for (const std::uint64_t id : told) {
      if (const auto follower = followers_.find(id); follower != followers_.end()) {
        const auto on_change = follower->second.on_change;
        (*on_change)();
      }
    }
  }

  boost::asio::io_context& context_;
  std::optional<boost::asio::posix::stream_descriptor> inotify_;
  std::map<std::uint64_t, Follower> followers_;
  std::multimap<int, std::uint64_t> of_watch_;
  std::uint64_t last_ = 0;
};

FolderNotices::FolderNotices(boost::asio::io_context& context) : state_(std::make_shared<State>(context)) {}
FolderNotices::~FolderNotices() = default;

Result<std::unique_ptr<FolderNotices::Following>> FolderNotices::follow(const std::string& folder,
                                                                        std::function<void()> on_change) {
  class Handle final : public Following {
   public:
    Handle(std::weak_ptr<State> state, std::uint64_t id) : state_(std::move(state)), id_(id) {}
    ~Handle() override {
      if (const auto state = state_.lock()) state->remove(id_);
    }

   private:
    std::weak_ptr<State> state_;
    std::uint64_t id_;
  };
  TIPHYS_TRY(const std::uint64_t id, state_->add(folder, std::move(on_change)));
  return std::make_unique<Handle>(state_, id);
}

}  // namespace tiphys::node
