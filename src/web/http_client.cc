#include "web/http_client.h"

#include <pthread.h>

#include <csignal>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "web/transfer.h"

namespace tiphys::web {
namespace {

using Id = std::uint64_t;

/// What a thread and the executor's thread tell each other.
class Traffic : public std::enable_shared_from_this<Traffic> {
 public:
  Traffic(Executor& executor, Environment environment) : executor_(executor), environment_(std::move(environment)) {}

  // ---- Executor's thread ----

  Id send(HttpRequest request, HttpClient::Done done) {
    const Id id = ++last_;
    open_.emplace(id, std::move(done));
    tell([&] { broken_ ? answer(id, std::unexpected(*broken_)) : void(asked_.emplace_back(id, std::move(request))); });
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    return id;
  }

  void cancel(Id id) {
    if (open_.erase(id) == 1) tell([&] { cancelled_.push_back(id); });
  }

  void close() {
    tell([&] { closing_ = true; });
    if (thread_.joinable()) thread_.join();
  }

 private:
  template <typename Change>
  void tell(Change change) {
    const std::lock_guard lock(mutex_);
    change();
    if (to_wake_) curl_->curl_multi_wakeup(to_wake_);
  }

  // ---- The thread ----

  void run() {
    // Signals are the main thread's, and a connection that is closed at the other end is no signal.
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    const auto& library = libcurl();
    multi_ = library ? library->curl_multi_init() : nullptr;
    if (!multi_) return refuse(library ? Error{Code::kResourceExhausted, "no memory for requests"} : library.error());
    {
      const std::lock_guard lock(mutex_);
      curl_ = &*library;
      to_wake_ = multi_;
    }
    while (take()) {
      start_waiting();
      int running = 0;
      curl_->curl_multi_perform(multi_, &running);
      end_ended();
      start_waiting();  // in the places of those that have ended: nothing else would end the sleep
      curl_->curl_multi_poll(multi_, nullptr, 0, kLongMilliseconds, nullptr);
    }
    {
      const std::lock_guard lock(mutex_);
      to_wake_ = nullptr;
    }
    while (!running_.empty()) drop(running_.begin()->first);
    curl_->curl_multi_cleanup(multi_);
  }

  /// Without libcurl every request fails.
  void refuse(const Error& error) {
    const std::lock_guard lock(mutex_);
    broken_ = error;
    for (; !asked_.empty(); asked_.pop_front()) answer(asked_.front().first, std::unexpected(error));
  }

  /// What was told since; false: it is over.
  bool take() {
    const std::lock_guard lock(mutex_);
    for (; !asked_.empty(); asked_.pop_front()) waiting_.push_back(std::move(asked_.front()));
    for (; !cancelled_.empty(); cancelled_.pop_back()) {
      const Id id = cancelled_.back();
      std::erase_if(waiting_, [&](const auto& each) { return each.first == id; });
      drop(id);
    }
    return !closing_;
  }

  void start_waiting() {
    for (; !waiting_.empty() && running_.size() < kMostRequests; waiting_.pop_front()) {
      auto& [id, request] = waiting_.front();
      auto transfer = std::make_unique<Transfer>(*curl_, environment_, std::move(request));
      if (const auto begun = transfer->begin(); !begun) {
        answer(id, std::unexpected(begun.error()));
        continue;
      }
      handles_[transfer->handle()] = id;
      curl_->curl_multi_add_handle(multi_, transfer->handle());
      running_.emplace(id, std::move(transfer));
    }
  }

  void end_ended() {
    int left = 0;
    while (const CURLMsg* message = curl_->curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* const handle = message->easy_handle;
      const CURLcode code = message->data.result;
      const Id id = handles_.at(handle);
      curl_->curl_multi_remove_handle(multi_, handle);
      if (auto result = running_.at(id)->ended(code)) {
        answer(id, std::move(*result));
        handles_.erase(handle);
        running_.erase(id);
      } else {
        curl_->curl_multi_add_handle(multi_, handle);
      }
    }
  }

  void drop(Id id) {
    const auto found = running_.find(id);
    if (found == running_.end()) return;
    CURL* const handle = found->second->handle();
    curl_->curl_multi_remove_handle(multi_, handle);
    handles_.erase(handle);
    running_.erase(found);
  }

  void answer(Id id, Result<HttpAnswer> result) {
    executor_.post([weak = weak_from_this(), id, result = std::move(result)]() mutable {
      const auto self = weak.lock();
      if (!self) return;
      auto done = self->open_.extract(id);
      if (!done.empty()) done.mapped()(std::move(result));
    });
  }

  static constexpr int kLongMilliseconds = 3'600'000;

  Executor& executor_;
  const Environment environment_;

  std::thread thread_;
  std::map<Id, HttpClient::Done> open_;  ///< the executor's thread's
  Id last_ = 0;

  std::mutex mutex_;  ///< of what follows
  std::deque<std::pair<Id, HttpRequest>> asked_;
  std::vector<Id> cancelled_;
  bool closing_ = false;
  std::optional<Error> broken_;
  const Libcurl* curl_ = nullptr;
  CURLM* to_wake_ = nullptr;  ///< null: it does not sleep

  CURLM* multi_ = nullptr;  ///< the thread's, as what follows
  std::deque<std::pair<Id, HttpRequest>> waiting_;
  std::map<Id, std::unique_ptr<Transfer>> running_;
  std::map<CURL*, Id> handles_;
};

class Call : public HttpCall {
 public:
  Call(std::weak_ptr<Traffic> traffic, Id id) : traffic_(std::move(traffic)), id_(id) {}
  ~Call() override {
    if (const auto traffic = traffic_.lock()) traffic->cancel(id_);
  }

 private:
  std::weak_ptr<Traffic> traffic_;
  const Id id_;
};

class Client : public HttpClient {
 public:
  Client(Executor& executor, Environment environment)
      : traffic_(std::make_shared<Traffic>(executor, std::move(environment))) {}
  ~Client() override { traffic_->close(); }

  std::unique_ptr<HttpCall> send(HttpRequest request, Done done) override {
    const Id id = traffic_->send(std::move(request), std::move(done));
    return std::make_unique<Call>(traffic_, id);
  }

 private:
  std::shared_ptr<Traffic> traffic_;
};

}  // namespace

std::unique_ptr<HttpClient> make_http_client(Executor& executor, Environment environment) {
  return std::make_unique<Client>(executor, std::move(environment));
}

}  // namespace tiphys::web
