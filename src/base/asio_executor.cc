#include "base/asio_executor.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/system_timer.hpp>
#include <unordered_map>

namespace tiphys {
namespace {

class AsioExecutor final : public Executor {
 public:
  explicit AsioExecutor(boost::asio::io_context& context) : context_(context) {}

  Time now() override { return system_now(); }
  void post(Task task) override { boost::asio::post(context_, std::move(task)); }

  TimerId schedule(Time when, Task task) override {
    const TimerId id = ++last_id_;
    // system_timer follows the wall clock, so a deadline holds over suspend and clock jumps.
    auto timer = std::make_unique<boost::asio::system_timer>(
        context_, std::chrono::time_point_cast<std::chrono::system_clock::duration>(when));
    timer->async_wait([this, id, task = std::move(task)](boost::system::error_code error) mutable {
      // Cancelled after it was due, a timer is told of as one that has run out.
      if (error || timers_.erase(id) == 0) return;
      task();
    });
    timers_.emplace(id, std::move(timer));
    return id;
  }

  void cancel(TimerId timer) override { timers_.erase(timer); }

 private:
  boost::asio::io_context& context_;
  TimerId last_id_ = 0;
  std::unordered_map<TimerId, std::unique_ptr<boost::asio::system_timer>> timers_;
};

}  // namespace

std::unique_ptr<Executor> make_asio_executor(boost::asio::io_context& context) {
  return std::make_unique<AsioExecutor>(context);
}

}  // namespace tiphys
