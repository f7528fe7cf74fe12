#include "persist/connection_pool.h"

#include <signal.h>
#include <sys/socket.h>

namespace tiphys::persist {

using Clock = std::chrono::steady_clock;

namespace {

/// libmariadb writes into TLS as if nobody ever hung up.
void block_broken_pipe() {
  sigset_t pipe;
  ::sigemptyset(&pipe);
  ::sigaddset(&pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
}

}  // namespace

ConnectionPool::ConnectionPool(Executor& executor, PoolOptions options)
    : options_(std::move(options)), workers_(executor, options_.most_open) {}

ConnectionPool::~ConnectionPool() {
  // Idle connections say that they go.
  block_broken_pipe();
  const std::lock_guard lock(mutex_);
  closing_ = true;
  // Whoever waits for an answer of the server gets an error.
  for (const Connection* each : used_) {
    if (const int socket = each->socket(); socket >= 0) ::shutdown(socket, SHUT_RDWR);
  }
}

std::unexpected<Error> ConnectionPool::too_many() {
  return fail(Code::kResourceExhausted, "too many requests wait for the archive's database; try again");
}

Status ConnectionPool::with_connection(const Credentials& credentials, const Work& work) {
  block_broken_pipe();
  if (auto idle = take_idle(credentials)) {
    Status done = use(*idle, work);
    if (done || done.error().code != Code::kUnavailable) {
      put_back(std::move(*idle));
      return done;
    }
    // What else is idle has most likely been closed, too.
    const std::lock_guard lock(mutex_);
    idle_.clear();
  }
  TIPHYS_TRY(Open fresh, open(credentials));
  Status done = use(fresh, work);
  if (done || done.error().code != Code::kUnavailable) put_back(std::move(fresh));
  return done;
}

std::optional<ConnectionPool::Open> ConnectionPool::take_idle(const Credentials& credentials) {
  const std::lock_guard lock(mutex_);
  while (!idle_.empty()) {
    Open last = std::move(idle_.back());
    idle_.pop_back();
    const bool old = options_.longest_life > Duration::zero() && Clock::now() - last.since > options_.longest_life;
    if (!old && last.credentials == credentials) return last;
  }
  return std::nullopt;
}

Result<ConnectionPool::Open> ConnectionPool::open(const Credentials& credentials) {
  TIPHYS_TRY(auto connection, options_.connect(credentials));
  Open opened{.connection = std::move(connection), .credentials = credentials, .since = Clock::now()};
  const std::lock_guard lock(prepare_mutex_);
  if (!prepared_ && options_.prepare) TIPHYS_CHECK_OK(use(opened, options_.prepare));
  prepared_ = true;
  return opened;
}

Status ConnectionPool::use(Open& open, const Work& work) {
  {
    const std::lock_guard lock(mutex_);
    if (closing_) return fail(Code::kCancelled, "the plane ends");
    used_.insert(open.connection.get());
  }
  Status done = work(*open.connection);
  const std::lock_guard lock(mutex_);
  used_.erase(open.connection.get());
  return done;
}

void ConnectionPool::put_back(Open open) {
  const std::lock_guard lock(mutex_);
  if (!closing_ && idle_.size() < options_.most_idle) idle_.push_back(std::move(open));
}

}  // namespace tiphys::persist
