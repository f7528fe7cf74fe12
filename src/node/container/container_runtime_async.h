// Small parts for coroutines that share one thread.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

#include "node/container/docker_client.h"

// g++ 12 takes asio's own allocation of coroutine frames for a mismatch.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

/// Declares or assigns `lhs` from a Result expression; on an error returns it from the coroutine.
#define TIPHYS_CO_TRY(lhs, expression) TIPHYS_CO_TRY_(TIPHYS_CONCAT(tiphys_result_, __LINE__), lhs, expression)
#define TIPHYS_CO_TRY_(name, lhs, expression)                    \
  auto name = (expression);                                      \
  if (!name) co_return std::unexpected(std::move(name).error()); \
  lhs = std::move(*name)

/// Returns the error of a Status expression from the coroutine.
#define TIPHYS_CO_CHECK_OK(expression) \
  if (auto tiphys_status = (expression); !tiphys_status) co_return std::unexpected(std::move(tiphys_status).error())

namespace tiphys::node {

/// Something that happens once and that many may wait for.
class AsyncEvent {
 public:
  explicit AsyncEvent(boost::asio::io_context& context)
      : timer_(context, boost::asio::steady_timer::time_point::max()) {}
  void set() {
    set_ = true;
    timer_.cancel();
  }
  bool is_set() const { return set_; }
  Async<void> wait() {
    if (!set_) co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }
  /// False when it did not happen in this time. At most one waiter of this kind.
  Async<bool> wait_for(std::chrono::milliseconds most) {
    if (set_) co_return true;
    timer_.expires_after(most);
    co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    co_return set_;
  }

 private:
  bool set_ = false;
  boost::asio::steady_timer timer_;
};

inline Async<void> delay(boost::asio::io_context& context, std::chrono::milliseconds time) {
  boost::asio::steady_timer timer(context, time);
  co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
}

}  // namespace tiphys::node
