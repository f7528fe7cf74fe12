// For tests: a container engine of a few lines, on a unix socket in a folder of its own.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "artifact/testing.h"

namespace tiphys::node::testing {

struct FakeRequest {
  std::string method, target, body;
  bool is(std::string_view wanted_method, std::string_view part_of_target) const {
    return method == wanted_method && target.find(part_of_target) != std::string::npos;
  }
};

/// What goes over the wire, in pieces of this size; "" closes the connection without an answer.
struct FakeReply {
  std::string bytes;
  std::size_t piece = 1 << 16;
};

inline FakeReply answer(int status, const std::string& body, const std::string& headers = "") {
  return {fmt::format("HTTP/1.1 {} X\r\n{}Content-Length: {}\r\n\r\n{}", status, headers, body.size(), body)};
}

/// A body of unknown length, each part a chunk of its own. Without `whole` the end is missing.
inline FakeReply chunked(const std::vector<std::string>& parts, bool whole = true) {
  std::string bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string& part : parts) bytes += fmt::format("{:x}\r\n{}\r\n", part.size(), part);
  return {bytes + (whole ? "0\r\n\r\n" : "")};
}

/// A frame of a log stream.
inline std::string log_frame(int stream, std::string_view text) {
  std::string out(8, '\0');
  out[0] = static_cast<char>(stream);
  for (int i = 0; i < 4; ++i) out[static_cast<std::size_t>(7 - i)] = static_cast<char>(text.size() >> (8 * i) & 0xff);
  return out + std::string(text);
}

class FakeEngine {
 public:
  using Handler = std::function<FakeReply(const FakeRequest&)>;
  explicit FakeEngine(Handler handler) : handler_(std::move(handler)) {
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    socket().copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 64), 0);
    thread_ = std::thread([this] { accept_all(); });
  }
  ~FakeEngine() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
    for (std::thread& one : connections_) one.join();
  }

  std::string socket() const { return temp_ / "engine.sock"; }
  /// "METHOD /target" of every request so far.
  std::vector<std::string> seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  std::ptrdiff_t count(std::string_view part) {
    const auto all = seen();
    return std::count_if(all.begin(), all.end(), [&](const std::string& one) { return one.find(part) != one.npos; });
  }

 private:
  void accept_all() {
    for (;;) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      connections_.emplace_back([this, fd] {
        serve(fd);
        ::close(fd);
      });
    }
  }

  static bool read_more(int fd, std::string& bytes) {
    char buffer[4096];
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got > 0) bytes.append(buffer, static_cast<std::size_t>(got));
    return got > 0;
  }

  void serve(int fd) {
    std::string bytes;
    std::size_t head = std::string::npos;
    while ((head = bytes.find("\r\n\r\n")) == std::string::npos) {
      if (!read_more(fd, bytes)) return;
    }
    FakeRequest request;
    request.method = bytes.substr(0, bytes.find(' '));
    const std::size_t target = request.method.size() + 1;
    request.target = bytes.substr(target, bytes.find(' ', target) - target);
    std::size_t length = 0;
    if (const std::size_t at = bytes.find("Content-Length: "); at < head) length = std::stoul(bytes.substr(at + 16));
    while (bytes.size() < head + 4 + length) {
      if (!read_more(fd, bytes)) return;
    }
    request.body = bytes.substr(head + 4);
    {
      const std::lock_guard lock(mutex_);
      seen_.push_back(request.method + " " + request.target);
    }
    const FakeReply reply = handler_(request);
    for (std::size_t at = 0; at < reply.bytes.size(); at += reply.piece) {
      const std::string_view piece = std::string_view(reply.bytes).substr(at, reply.piece);
      if (::send(fd, piece.data(), piece.size(), MSG_NOSIGNAL) < 0) return;
    }
  }

  artifact::testing::TempFolder temp_;
  Handler handler_;
  int listener_ = -1;
  std::mutex mutex_;
  std::vector<std::string> seen_;
  std::vector<std::thread> connections_;
  std::thread thread_;
};

}  // namespace tiphys::node::testing
