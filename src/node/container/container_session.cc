#include "node/container/container_session.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "base/log.h"

namespace tiphys::node {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Output = cluster::Session::Output;
template <typename T>
using Answer = std::move_only_function<void(Result<T>)>;

/// Without a terminal pieces are led by {stream, 0, 0, 0, size}.
constexpr std::size_t kHeadBytes = 8;
/// With more unread of one output nothing is read, until it is.
constexpr std::size_t kMostUnread = std::size_t{1024} * 1024;
constexpr Duration kFirstResizeWait = std::chrono::milliseconds(10);
constexpr Duration kLastResizeWait = std::chrono::seconds(2);
constexpr int kNotExecutableExitCode = 126;

Error not_running(Error error) {
  // 409: the container is there and does not run.
  if (error.code == Code::kAlreadyExists || error.code == Code::kInternal) error.code = Code::kFailedPrecondition;
  return error;
}

}  // namespace

class EngineExec : public std::enable_shared_from_this<EngineExec> {
 public:
  EngineExec(asio::io_context& io, std::shared_ptr<Engine> engine, std::string exec_id, EngineStream stream, bool tty)
      : io_(io),
        engine_(std::move(engine)),
        exec_id_(std::move(exec_id)),
        socket_(std::move(stream.socket)),
        raw_(std::move(stream.received)),
        tty_(tty) {
    sort();
  }

  void read(Output from, Answer<std::string> answer) {
    reads_[index(from)] = std::move(answer);
    serve();
  }

  void write(std::string bytes, Answer<void> answer) {
    outgoing_ = std::move(bytes);
    asio::async_write(socket_, asio::buffer(outgoing_),
                      [self = shared_from_this(), answer = std::move(answer)](error_code error, std::size_t) mutable {
                        if (self->abandoned_) return;
                        if (error) return answer(fail(Code::kUnavailable, error.message()));
                        answer({});
                      });
  }

  void close_input() {
    error_code ignored;  // the engine may have closed it before
    socket_.shutdown(asio::socket_base::shutdown_send, ignored);
  }

  void resize(unsigned short columns, unsigned short rows) {
    if (!tty_) return;
    size_ = {columns, rows};
    if (!std::exchange(resizing_, true)) asio::co_spawn(io_, resize_terminal(shared_from_this()), asio::detached);
  }

  void wait(Answer<int> answer) {
    wait_ = std::move(answer);
    if (over_) asio::co_spawn(io_, ask_code(shared_from_this()), asio::detached);
  }

  void abandon() {
    abandoned_ = true;
    reads_ = {};
    wait_ = nullptr;
    error_code ignored;  // the engine may have closed it before
    socket_.close(ignored);
  }

 private:
  static std::size_t index(Output from) { return from == Output::kOut ? 0 : 1; }

  void serve() {
    for (const std::size_t i : {0, 1}) {
      if (!reads_[i] || (unread_[i].empty() && !over_)) continue;
      std::string piece = unread_[i].substr(0, cluster::Session::kMostPieceBytes);
      unread_[i].erase(0, piece.size());
      std::exchange(reads_[i], nullptr)(std::move(piece));
    }
    const bool full = unread_[0].size() > kMostUnread || unread_[1].size() > kMostUnread;
    if (over_ || full || std::exchange(reading_, true)) return;
    socket_.async_read_some(asio::buffer(incoming_), [self = shared_from_this()](error_code error, std::size_t count) {
      self->reading_ = false;
      if (self->abandoned_) return;
      self->raw_.append(self->incoming_.data(), count);
      self->sort();
      if (error) self->end();
      self->serve();
    });
  }

  void sort() {
    if (tty_) {
      unread_[0] += std::exchange(raw_, {});
      return;
    }
    std::string_view left = raw_;
    while (!left.empty()) {
      if (part_left_ == 0) {
        if (left.size() < kHeadBytes) break;
        part_ = left[0] == 2 ? 1 : 0;
        for (const char c : left.substr(4, 4)) part_left_ = part_left_ << 8 | static_cast<unsigned char>(c);
        left.remove_prefix(kHeadBytes);
        continue;
      }
      const std::string_view piece = left.substr(0, part_left_);
      unread_[part_] += piece;
      part_left_ -= piece.size();
      left.remove_prefix(piece.size());
    }
    raw_.erase(0, raw_.size() - left.size());
  }

  void end() {
    over_ = true;
    if (wait_) asio::co_spawn(io_, ask_code(shared_from_this()), asio::detached);
  }

  Async<Result<doc::Value>> inspect() {
    EngineRequest look{.target = fmt::format("/exec/{}/json", exec_id_)};
    const auto looked = co_await engine_->client.call(std::move(look));
    if (!looked) co_return std::unexpected(looked.error());
    co_return doc::parse_json(looked->body);
  }

  static Async<void> ask_code(std::shared_ptr<EngineExec> self) {
    const auto state = co_await self->inspect();
    if (self->abandoned_ || !self->wait_) co_return;
    auto answer = std::exchange(self->wait_, nullptr);
    if (!state) {
      answer(std::unexpected(state.error()));
      co_return;
    }
    const doc::Value* code = doc::find(*state, "ExitCode");
    answer(code && code->is_int64() ? static_cast<int>(code->get_int64()) : kNotExecutableExitCode);
  }

  /// Engines answer the start before the command has its terminal, and refuse sizes until then.
  static Async<void> resize_terminal(std::shared_ptr<EngineExec> self) {
    asio::steady_timer pause(self->io_);
    Duration wait = kFirstResizeWait;
    while (!self->over_ && !self->abandoned_) {
      const auto size = self->size_;
      EngineRequest request{.method = "POST"};
      request.target = fmt::format("/exec/{}/resize?h={}&w={}", self->exec_id_, size.second, size.first);
      const auto done = co_await self->engine_->client.call(std::move(request));
      if (done && size == self->size_) break;
      if (done) continue;
      if (wait > kLastResizeWait) {
        log::debug("resizing a terminal: {}", done.error().message);
        break;
      }
      pause.expires_after(wait);
      co_await pause.async_wait(asio::use_awaitable);
      wait *= 2;
    }
    self->resizing_ = false;
  }

  asio::io_context& io_;
  const std::shared_ptr<Engine> engine_;
  const std::string exec_id_;
  asio::local::stream_protocol::socket socket_;
  std::string raw_;                    ///< not sorted by outputs yet
  std::array<std::string, 2> unread_;  ///< stdout, stderr
  std::array<Answer<std::string>, 2> reads_;
  std::size_t part_ = 0, part_left_ = 0;  ///< of the piece that is being sorted: its output, and what is to come of it
  std::array<char, cluster::Session::kMostPieceBytes> incoming_;
  std::string outgoing_;
  Answer<int> wait_;
  const bool tty_;
  std::pair<unsigned short, unsigned short> size_;  ///< of the terminal, columns and rows
  bool resizing_ = false;
  bool reading_ = false;
  bool over_ = false;
  bool abandoned_ = false;
};

Async<Result<std::shared_ptr<EngineExec>>> open_exec_in_container(asio::io_context& io, std::shared_ptr<Engine> engine,
                                                                  std::string id, cluster::SessionOptions options) {
  doc::Array words;
  for (const std::string& word : options.command) words.emplace_back(word);
  EngineRequest request{.method = "POST", .target = fmt::format("/containers/{}/exec", engine_name(id))};
  request.body = doc::to_json(doc::Object{{"AttachStdin", options.in},
                                          {"AttachStdout", options.out},
                                          {"AttachStderr", options.err},
                                          {"Tty", options.tty},
                                          {"Cmd", std::move(words)}});
  const auto made = co_await engine->client.call(std::move(request));
  if (!made) co_return std::unexpected(not_running(made.error()));
  TIPHYS_CO_TRY(const doc::Value exec, doc::parse_json(made->body));
  std::string exec_id(doc::find_string(exec, "Id"));
  EngineRequest start{.method = "POST", .target = fmt::format("/exec/{}/start", exec_id)};
  start.body = doc::to_json(doc::Object{{"Detach", false}, {"Tty", options.tty}});
  TIPHYS_CO_TRY(EngineStream stream, co_await engine->client.hijack(std::move(start)));
  co_return std::make_shared<EngineExec>(io, std::move(engine), std::move(exec_id), std::move(stream), options.tty);
}

namespace {

/// Calls go to the runtime's thread, and their answers come back.
class ContainerSession final : public cluster::Session {
 public:
  ContainerSession(asio::io_context& io, Executor& executor, std::shared_ptr<EngineExec> exec)
      : io_(io), executor_(executor), exec_(std::move(exec)) {}
  ~ContainerSession() override {
    asio::post(io_, [exec = std::move(exec_)] { exec->abandon(); });
  }

  void read(Output from, cluster::Done<std::string> done) override {
    asio::post(io_,
               [exec = exec_, from, answer = back(std::move(done))]() mutable { exec->read(from, std::move(answer)); });
  }
  void write(std::string bytes, cluster::Done<void> done) override {
    asio::post(io_, [exec = exec_, bytes = std::move(bytes), answer = back(std::move(done))]() mutable {
      exec->write(std::move(bytes), std::move(answer));
    });
  }
  void close_input() override {
    asio::post(io_, [exec = exec_] { exec->close_input(); });
  }
  void resize(unsigned short columns, unsigned short rows) override {
    asio::post(io_, [exec = exec_, columns, rows] { exec->resize(columns, rows); });
  }
  void wait(cluster::Done<int> done) override {
    asio::post(io_, [exec = exec_, answer = back(std::move(done))]() mutable { exec->wait(std::move(answer)); });
  }

 private:
  template <typename T>
  Answer<T> back(cluster::Done<T> done) {
    return
        [&executor = executor_, alive = std::weak_ptr<bool>(alive_), done = std::move(done)](Result<T> result) mutable {
          executor.post([alive, done = std::move(done), result = std::move(result)]() mutable {
            if (!alive.expired()) done(std::move(result));
          });
        };
  }

  asio::io_context& io_;
  Executor& executor_;
  std::shared_ptr<EngineExec> exec_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace

std::unique_ptr<cluster::Session> make_container_session(asio::io_context& io, Executor& executor,
                                                         std::shared_ptr<EngineExec> exec) {
  return std::make_unique<ContainerSession>(io, executor, std::move(exec));
}

}  // namespace tiphys::node
