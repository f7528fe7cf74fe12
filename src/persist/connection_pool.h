// Some connections to one database, each on a thread while it is used; the answers come back on the executor's.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/workers.h"
#include "cluster/cluster.h"
#include "persist/connection.h"

namespace tiphys::persist {

struct PoolOptions {
  /// Opens a connection, on a thread.
  std::function<Result<std::unique_ptr<Connection>>(const Credentials&)> connect;
  /// What has to be done before anything else, on the first connection: until it succeeds nothing else is.
  std::function<Status(Connection&)> prepare = {};
  int most_open = 4;
  std::size_t most_idle = 4;
  Duration longest_life{};  ///< of a connection; 0: any
  std::size_t most_waiting = 1000;
};

class ConnectionPool {
 public:
  ConnectionPool(Executor& executor, PoolOptions options);
  /// Shuts down what is under way; what waits is dropped, and nothing is answered any more.
  ~ConnectionPool();
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  /// Does `work` on a thread with a connection, and once more on a new one when it fails with kUnavailable on one that
  /// had been idle: the server may have closed that. Work must bear to be done twice. Executor's thread only.
  /// kResourceExhausted: too many wait.
  template <typename T>
  void run(Credentials credentials, std::function<Result<T>(Connection&)> work, cluster::Done<T> done) {
    if (waiting_ >= options_.most_waiting) {
      return workers_.run([] { return Result<T>(too_many()); }, std::move(done));
    }
    ++waiting_;
    workers_.run(
        [this, credentials = std::move(credentials), work = std::move(work)] {
          Result<T> result = std::unexpected(Error());
          const Status used = with_connection(credentials, [&](Connection& connection) -> Status {
            result = work(connection);
            return result ? Status() : std::unexpected(result.error());
          });
          if (!used) result = std::unexpected(used.error());
          return result;
        },
        [this, done = std::move(done)](Result<T> result) mutable {
          --waiting_;
          done(std::move(result));
        });
  }

 private:
  struct Open {
    std::unique_ptr<Connection> connection;
    Credentials credentials;
    std::chrono::steady_clock::time_point since;
  };
  using Work = std::function<Status(Connection&)>;

  static std::unexpected<Error> too_many();
  Status with_connection(const Credentials& credentials, const Work& work);
  /// Nothing: none is idle.
  std::optional<Open> take_idle(const Credentials& credentials);
  Result<Open> open(const Credentials& credentials);
  Status use(Open& open, const Work& work);
  void put_back(Open open);

  const PoolOptions options_;
  std::size_t waiting_ = 0;
  std::mutex prepare_mutex_;
  bool prepared_ = false;
  std::mutex mutex_;  ///< of what follows
  std::vector<Open> idle_;
  std::set<Connection*> used_;
  bool closing_ = false;
  /// Last, so that its threads end first.
  Workers workers_;
};

}  // namespace tiphys::persist
