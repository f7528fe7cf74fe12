#include "node/services/service_network.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cstring>
#include <fstream>
#include <thread>

#include "base/network_doors.h"
#include "node/services/network_join.h"
#include "node/services/redirect_rules.h"

namespace tiphys::node {
namespace {

constexpr char kNoNamespaces = 'n', kReady = 'r', kRefused = 'f';

bool raise_loopback() {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  return ::ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0;
}

UniqueFd connect_to(const TcpAddress& to) {
  UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(to.port);
  address.sin_addr.s_addr = htonl(to.address);
  const timeval most{.tv_sec = 60, .tv_usec = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
  return socket;
}

/// A process in a network of its own that connects to a Service whenever it is told to, and tells what it got.
class Contained {
 public:
  explicit Contained(TcpAddress service) {
    int asked[2], told[2];
    EXPECT_EQ(::pipe2(asked, O_CLOEXEC), 0);
    EXPECT_EQ(::pipe2(told, O_CLOEXEC), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(asked[1]);
      ::close(told[0]);
      run(service, asked[0], told[1]);
    }
    ::close(asked[0]);
    ::close(told[1]);
    ask_.reset(asked[1]);
    tell_.reset(told[0]);
  }
  ~Contained() {
    ask_.reset();
    ::waitpid(pid_, nullptr, 0);
  }

  pid_t pid() const { return pid_; }
  char next() {
    char answer = 0;
    EXPECT_EQ(::read(tell_.get(), &answer, 1), 1);
    return answer;
  }
  char connect() {
    EXPECT_EQ(::write(ask_.get(), "c", 1), 1);
    return next();
  }

 private:
  [[noreturn]] static void run(TcpAddress service, int asked, int tell) {
    const bool made = ::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 && raise_loopback();
    char answer = made ? kReady : kNoNamespaces;
    if (::write(tell, &answer, 1) != 1) ::_exit(1);
    for (char question = 0; ::read(asked, &question, 1) == 1;) {
      const UniqueFd socket = connect_to(service);
      answer = kRefused;
      if (socket && ::read(socket.get(), &answer, 1) != 1) answer = kRefused;
      if (::write(tell, &answer, 1) != 1) ::_exit(1);
    }
    ::_exit(0);
  }

  pid_t pid_ = 0;
  UniqueFd ask_, tell_;
};

std::string own_cgroup() {
  std::string line;
  std::getline(std::ifstream("/proc/self/cgroup") >> std::ws, line);
  return line;
}

class ServiceNetworkTest : public testing::Test {
 protected:
  void SetUp() override {
    if (contained_.next() == kNoNamespaces) GTEST_SKIP() << "no namespaces may be made here";
    server_ = std::move(*listen_at({kLocalhost, 0}));
    ::fcntl(server_.get(), F_SETFL, 0);
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ::getsockname(server_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    relay_.set(at_, {.targets = {{kLocalhost, ntohs(address.sin_port)}}});
  }
  void answer(char with) {
    const UniqueFd client(::accept4(server_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    EXPECT_EQ(::write(client.get(), &with, 1), 1);
  }

  const TcpAddress at_{*parse_ipv4("127.96.7.8"), 80};
  Contained contained_{at_};  // first: it forks
  UniqueFd server_;
  ServiceRelay relay_;
  ServiceNetwork network_{relay_};
};

TEST_F(ServiceNetworkTest, LeadsConnectionsOfAnotherNetworkToEndpoints) {
  EXPECT_EQ(contained_.connect(), kRefused);
  const Status opened = network_.open("c", own_cgroup(), contained_.pid());
  ASSERT_TRUE(opened) << opened.error().message;
  const std::jthread servera([this] { answer('a'); });
  EXPECT_EQ(contained_.connect(), 'a');
  // Once more, as a plane does that has been started again: the port is another one.
  ASSERT_TRUE(network_.open("c", own_cgroup(), contained_.pid()));
  const std::jthread serverb([this] { answer('b'); });
  EXPECT_EQ(contained_.connect(), 'b');
  network_.close("c");
}

TEST_F(ServiceNetworkTest, WhatIsOfNoServiceIsCutOff) {
  relay_.forget(at_);
  ASSERT_TRUE(network_.open("c", own_cgroup(), contained_.pid()));
  EXPECT_EQ(contained_.connect(), kRefused);
}

TEST_F(ServiceNetworkTest, ADoorIsThereUntilTheContainerEnds) {
  const Ipv4 address = *parse_ipv4("10.88.0.7");
  ASSERT_TRUE(network_.open_door("c", "10.88.0.7", own_cgroup(), contained_.pid()));
  const auto socket = NetworkDoors::of_process().open(address);
  ASSERT_TRUE(socket);
  EXPECT_TRUE(*socket);
  network_.close("c");
  EXPECT_FALSE(NetworkDoors::of_process().open(address));
  EXPECT_EQ(network_.open_door("c", "fd00::7", own_cgroup(), contained_.pid()).error().code, Code::kUnimplemented);
}

TEST(FindContainerProcess, IsByTheNameOfItsControlGroup) {
  EXPECT_EQ(find_container_process(own_cgroup(), ::getpid()).value_or(0), ::getpid());
  const auto none = find_container_process("0123456789abcdef-of-no-container", ::getpid());
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, testing::HasSubstr("no process of container 0123456789ab is on this machine"));
  EXPECT_FALSE(find_container_process("", ::getpid()));
}

TEST(OpenSocketsBeside, InOnesOwnNetworkThereAreNone) {
  const auto sockets = open_sockets_beside(::getpid());
  ASSERT_TRUE(sockets) << sockets.error().message;
  EXPECT_FALSE(sockets->listener);
}

TEST(RedirectRules, AreOneBatch) {
  const std::string rules = redirect_rules(0x1234);
  EXPECT_EQ(rules.size() % 4, 0U);
  EXPECT_THAT(rules, testing::HasSubstr("redir"));
  EXPECT_THAT(rules, testing::HasSubstr("\x12\x34")) << "the port, in the order of the network";
}

}  // namespace
}  // namespace tiphys::node
