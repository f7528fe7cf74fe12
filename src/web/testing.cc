#include "web/testing.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>

#include "base/check.h"

namespace tiphys::web {
namespace {

/// The whole request is there: headers, and as many bytes of a body as they say.
bool is_whole(const std::string& request) {
  const auto end = request.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  std::size_t length = 0;
  constexpr std::string_view kLength = "Content-Length: ";
  if (const auto at = request.find(kLength); at < end) {
    std::from_chars(request.data() + at + kLength.size(), request.data() + request.size(), length);
  }
  return request.size() >= end + 4 + length;
}

}  // namespace

ScriptedServer::ScriptedServer(std::function<std::string(const std::string&)> answer)
    : answer_(std::move(answer)),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      stop_(::eventfd(0, EFD_CLOEXEC)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  const bool listens = ::bind(listener_.get(), any, size) == 0 && ::listen(listener_.get(), 1024) == 0 &&
                       ::getsockname(listener_.get(), any, &size) == 0;
  TIPHYS_CHECK(listens, "a socket on 127.0.0.1");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

ScriptedServer::~ScriptedServer() {
  TIPHYS_CHECK(::eventfd_write(stop_.get(), 1) == 0, "an event to end the server");
  thread_.join();
}

std::string ScriptedServer::url(const std::string& target) const {
  return fmt::format("http://127.0.0.1:{}{}", port_, target);
}

std::vector<std::string> ScriptedServer::requests() {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void ScriptedServer::run() {
  struct Connection {
    UniqueFd fd;
    std::string received;
  };
  std::vector<Connection> connections;
  while (true) {
    std::vector<pollfd> polled = {{stop_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    for (const Connection& each : connections) polled.push_back({each.fd.get(), POLLIN, 0});
    if (::poll(polled.data(), polled.size(), -1) < 0) return;
    if (polled[0].revents) return;
    for (std::size_t i = connections.size(); i-- > 0;) {
      if (!polled[i + 2].revents) continue;
      Connection& connection = connections[i];
      char bytes[4096];
      const ssize_t got = ::read(connection.fd.get(), bytes, sizeof bytes);
      if (got <= 0) {
        connections.erase(connections.begin() + static_cast<std::ptrdiff_t>(i));
        continue;
      }
      connection.received.append(bytes, static_cast<std::size_t>(got));
      if (!is_whole(connection.received)) continue;
      const std::string request = std::exchange(connection.received, "");
      const std::string answer = answer_(request);
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      if (answer.empty()) continue;
      // One answer a connection, so that what has no length has an end.
      (void)::send(connection.fd.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
      ::shutdown(connection.fd.get(), SHUT_WR);
    }
    if (polled[1].revents) {
      connections.push_back({UniqueFd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)), ""});
    }
  }
}

std::string answer_with(int status, const std::string& body, const std::string& headers) {
  return fmt::format("HTTP/1.1 {} Reason\r\nConnection: close\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(),
                     headers, body);
}

}  // namespace tiphys::web
