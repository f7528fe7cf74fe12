#include "node/services/service_relay.h"

#include <arpa/inet.h>
#include <linux/netfilter_ipv4.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <map>
#include <thread>

#include "base/log.h"
#include "node/services/port_relay.h"

namespace tiphys::node {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr int kBacklog = 1024;

/// Where a redirected connection was going.
std::optional<TcpAddress> original_destination(int socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (::getsockopt(socket, IPPROTO_IP, SO_ORIGINAL_DST, &address, &size) != 0) return std::nullopt;
  return TcpAddress{ntohl(address.sin_addr.s_addr), ntohs(address.sin_port)};
}

}  // namespace

Result<UniqueFd> listen_at(const TcpAddress& at) {
  const auto failed = [&] {
    const int why = errno;
    auto failure = fail_errno("listen on " + text_of(at), why);
    if (why == EADDRINUSE) failure.error().code = Code::kAlreadyExists;
    return failure;
  };
  UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return failed();
  const int yes = 1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(at.port);
  address.sin_addr.s_addr = htonl(at.address);
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(socket.get(), kBacklog) != 0) {
    return failed();
  }
  return socket;
}

class ServiceRelay::Thread {
 public:
  explicit Thread(std::size_t most) : slots_(most), thread_([this] { context_.run(); }) {}
  ~Thread() {
    context_.stop();
    thread_.join();
  }

  /// Runs `task` on the relay's thread.
  void post(auto task) {
    asio::post(context_, [this, task = std::move(task)]() mutable { task(*this); });
  }

  void set(const TcpAddress& at, Listener listener) {
    auto& choice = choices_[at];
    if (!choice) choice = std::make_shared<TargetChoice>();
    choice->set(std::move(listener.targets), listener.affinity);
  }
  void forget(const TcpAddress& at) { choices_.erase(at); }

  void open(const std::string& key, UniqueFd socket, PortRelay::Route route, std::optional<Ipv4> client) {
    close(key);
    error_code failed;
    PortRelay::Acceptor acceptor(context_);
    acceptor.assign(asio::ip::tcp::v4(), socket.get(), failed);
    if (failed) return log::error("{}: {}", key, failed.message());
    static_cast<void>(socket.release());
    const auto relay = std::make_shared<PortRelay>(std::move(acceptor), slots_, std::move(route), client);
    relay->start();
    relays_.emplace(key, relay);
  }
  void close(const std::string& key) {
    const auto found = relays_.find(key);
    if (found == relays_.end()) return;
    found->second->close();
    relays_.erase(found);
  }

  std::shared_ptr<TargetChoice> choice_of(const std::optional<TcpAddress>& at) const {
    const auto found = at ? choices_.find(*at) : choices_.end();
    return found == choices_.end() ? nullptr : found->second;
  }
  /// No client has an address that begins with 0.
  Ipv4 new_client() { return ++clients_ % (1U << 24); }

 private:
  RelaySlots slots_;  // first: what the context still holds at the end gives its places back
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  std::map<TcpAddress, std::shared_ptr<TargetChoice>> choices_;
  std::map<std::string, std::shared_ptr<PortRelay>> relays_;
  Ipv4 clients_ = 0;
  std::thread thread_;
};

ServiceRelay::ServiceRelay(std::size_t most_connections) : most_(most_connections) {}
ServiceRelay::~ServiceRelay() = default;

ServiceRelay::Thread& ServiceRelay::thread() {
  const std::lock_guard lock(mutex_);
  if (!thread_) thread_ = std::make_unique<Thread>(most_);
  return *thread_;
}

ServiceRelay::Thread* ServiceRelay::running() {
  const std::lock_guard lock(mutex_);
  return thread_.get();
}

void ServiceRelay::set(const TcpAddress& at, Listener listener) {
  thread().post([at, listener = std::move(listener)](Thread& here) mutable { here.set(at, std::move(listener)); });
}

void ServiceRelay::forget(const TcpAddress& at) {
  if (Thread* on = running()) on->post([at](Thread& here) { here.forget(at); });
}

void ServiceRelay::open(const TcpAddress& at, UniqueFd socket) {
  thread().post([at, socket = std::move(socket)](Thread& here) mutable {
    here.open(
        text_of(at), std::move(socket), [&here, at](PortRelay::Socket&) { return here.choice_of(at); }, std::nullopt);
  });
}

void ServiceRelay::close(const TcpAddress& at) {
  if (Thread* on = running()) on->post([at](Thread& here) { here.close(text_of(at)); });
}

void ServiceRelay::open_redirected(const std::string& name, UniqueFd socket) {
  thread().post([name, socket = std::move(socket)](Thread& here) mutable {
    here.open(
        name, std::move(socket),
        [&here](PortRelay::Socket& client) { return here.choice_of(original_destination(client.native_handle())); },
        here.new_client());
  });
}

void ServiceRelay::close_redirected(const std::string& name) {
  if (Thread* on = running()) on->post([name](Thread& here) { here.close(name); });
}

}  // namespace tiphys::node
