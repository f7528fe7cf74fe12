#include "node/services/service_relay.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <thread>

namespace tiphys::node {
namespace {

using testing::HasSubstr;

/// Blocking sockets with a time-out that no test that passes meets.
void be_patient(int socket) {
  const timeval most{.tv_sec = 60, .tv_usec = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
}

TcpAddress address_of(int socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  return {ntohl(address.sin_addr.s_addr), ntohs(address.sin_port)};
}

UniqueFd connect_to(const TcpAddress& to) {
  UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(to.port);
  address.sin_addr.s_addr = htonl(to.address);
  be_patient(socket.get());
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
  return socket;
}

/// What comes until the other side has no more to say; "reset" when it breaks off.
std::string read_all(int socket) {
  std::string text;
  char piece[4096];
  for (;;) {
    const ssize_t count = ::recv(socket, piece, sizeof piece, 0);
    if (count == 0) return text;
    if (count < 0) return errno == ECONNRESET ? "reset" : strerror(errno);
    text.append(piece, static_cast<std::size_t>(count));
  }
}

bool send_all(int socket, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (count < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

/// A server that tests answer for themselves.
struct Server {
  Server() : socket(std::move(*listen_at({kLocalhost, 0}))), at(address_of(socket.get())) {
    ::fcntl(socket.get(), F_SETFL, 0);
    be_patient(socket.get());
  }
  UniqueFd accept() const {
    UniqueFd client(::accept4(socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (client) be_patient(client.get());
    return client;
  }
  UniqueFd socket;
  TcpAddress at;
};

class ServiceRelayTest : public testing::Test {
 protected:
  /// Gives the address at which it is relayed.
  TcpAddress relay(std::vector<TcpAddress> targets, ServiceRelay& by) {
    auto socket = listen_at({kLocalhost, 0});
    const TcpAddress at = address_of(socket->get());
    by.set(at, {.targets = std::move(targets)});
    by.open(at, std::move(*socket));
    return at;
  }
  TcpAddress relay(std::vector<TcpAddress> targets) { return relay(std::move(targets), relay_); }

  ServiceRelay relay_;
};

TEST_F(ServiceRelayTest, EachDirectionHasItsOwnEnd) {
  const Server server;
  const UniqueFd client = connect_to(relay({server.at}));
  ASSERT_TRUE(send_all(client.get(), "question"));
  ::shutdown(client.get(), SHUT_WR);
  const UniqueFd peer = server.accept();
  EXPECT_EQ(read_all(peer.get()), "question");
  // The client has no more to say, and still listens.
  ASSERT_TRUE(send_all(peer.get(), "answer"));
  ::shutdown(peer.get(), SHUT_WR);
  EXPECT_EQ(read_all(client.get()), "answer");
}

TEST_F(ServiceRelayTest, TheServerMayEndFirst) {
  const Server server;
  const UniqueFd client = connect_to(relay({server.at}));
  const UniqueFd peer = server.accept();
  ASSERT_TRUE(send_all(peer.get(), "greeting"));
  ::shutdown(peer.get(), SHUT_WR);
  EXPECT_EQ(read_all(client.get()), "greeting");
  ASSERT_TRUE(send_all(client.get(), "more"));
  ::shutdown(client.get(), SHUT_WR);
  EXPECT_EQ(read_all(peer.get()), "more");
}

TEST_F(ServiceRelayTest, WhatBreaksOffBreaksOffOnTheOtherSide) {
  const Server server;
  const TcpAddress at = relay({server.at});
  const linger hard{.l_onoff = 1, .l_linger = 0};
  UniqueFd client = connect_to(at);
  UniqueFd peer = server.accept();
  ::setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  client.reset();
  EXPECT_EQ(read_all(peer.get()), "reset");
  client = connect_to(at);
  peer = server.accept();
  ::setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  peer.reset();
  EXPECT_EQ(read_all(client.get()), "reset");
}

TEST_F(ServiceRelayTest, MuchGoesOverInBothDirectionsAtOnce) {
  const Server server;
  const UniqueFd client = connect_to(relay({server.at}));
  const UniqueFd peer = server.accept();
  std::string much(20'000'000, '\0');
  for (std::size_t i = 0; i < much.size(); ++i) much[i] = static_cast<char>(i * 31 >> 7);
  const auto say = [&](int socket) {
    EXPECT_TRUE(send_all(socket, much));
    ::shutdown(socket, SHUT_WR);
  };
  std::jthread up(say, client.get()), down(say, peer.get());
  std::string at_peer;
  std::jthread reader([&] { at_peer = read_all(peer.get()); });
  EXPECT_TRUE(read_all(client.get()) == much);
  reader.join();
  EXPECT_TRUE(at_peer == much);
}

/// Gives how much a sender gets rid of when nobody reads.
std::size_t fill(int socket) {
  const std::string piece(1 << 16, 'x');
  std::size_t sent = 0;
  for (;;) {
    pollfd ready{.fd = socket, .events = POLLOUT, .revents = 0};
    // What is under way within this time is no more than buffers hold.
    if (::poll(&ready, 1, 500) == 0) return sent;
    const ssize_t count = ::send(socket, piece.data(), piece.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) sent += static_cast<std::size_t>(count);
  }
}

TEST_F(ServiceRelayTest, ASideThatDoesNotReadHoldsTheOtherUp) {
  const Server server;
  const UniqueFd client = connect_to(relay({server.at}));
  const UniqueFd peer = server.accept();
  const std::size_t sent = fill(client.get());
  EXPECT_LT(sent, 64U << 20) << "the kernel's buffers of four sockets, and no more";
  ::shutdown(client.get(), SHUT_WR);
  EXPECT_EQ(read_all(peer.get()).size(), sent) << "and nothing is lost";
}

TEST_F(ServiceRelayTest, AnotherTargetIsTriedWhenOneDoesNotAnswer) {
  const Server server;
  TcpAddress dead;
  {
    const Server gone;
    dead = gone.at;
  }
  const TcpAddress at = relay({server.at, dead});
  for (int i = 0; i < 4; ++i) {
    const UniqueFd client = connect_to(at);
    const UniqueFd peer = server.accept();
    ASSERT_TRUE(send_all(peer.get(), "hi"));
    ::shutdown(peer.get(), SHUT_WR);
    EXPECT_EQ(read_all(client.get()), "hi");
  }
}

TEST_F(ServiceRelayTest, WithoutATargetThatAnswersTheClientIsCutOff) {
  TcpAddress dead;
  {
    const Server gone;
    dead = gone.at;
  }
  EXPECT_EQ(read_all(connect_to(relay({dead})).get()), "reset");
}

TEST_F(ServiceRelayTest, NewConnectionsGoToNewTargetsAndOldOnesStay) {
  const Server first, second;
  const TcpAddress at = relay({first.at});
  const UniqueFd old = connect_to(at);
  const UniqueFd old_peer = first.accept();
  relay_.set(at, {.targets = {second.at}});
  const UniqueFd client = connect_to(at);
  const UniqueFd peer = second.accept();
  EXPECT_TRUE(peer);
  relay_.close(at);
  ASSERT_TRUE(send_all(old_peer.get(), "still"));
  ::shutdown(old_peer.get(), SHUT_WR);
  EXPECT_EQ(read_all(old.get()), "still");
}

TEST_F(ServiceRelayTest, WhatIsOfNoServiceIsCutOff) {
  const Server server;
  const TcpAddress at = relay({server.at});
  relay_.forget(at);
  EXPECT_EQ(read_all(connect_to(at).get()), "reset");
}

TEST_F(ServiceRelayTest, BeyondItsBoundClientsWait) {
  const Server server;
  ServiceRelay small(1);
  const TcpAddress at = relay({server.at}, small);
  const UniqueFd first = connect_to(at);
  UniqueFd first_peer = server.accept();
  const UniqueFd second = connect_to(at);
  ASSERT_TRUE(second) << "it waits in the kernel's queue";
  ASSERT_TRUE(send_all(first.get(), "first"));
  ::shutdown(first.get(), SHUT_WR);
  EXPECT_EQ(read_all(first_peer.get()), "first");
  ASSERT_TRUE(send_all(second.get(), "second"));
  ::shutdown(second.get(), SHUT_WR);
  first_peer.reset();
  const UniqueFd second_peer = server.accept();
  EXPECT_EQ(read_all(second_peer.get()), "second");
}

TEST_F(ServiceRelayTest, ItEndsWithWhatIsConnected) {
  const Server server;
  auto relay_here = std::make_unique<ServiceRelay>();
  const UniqueFd client = connect_to(relay({server.at}, *relay_here));
  const UniqueFd peer = server.accept();
  relay_here.reset();
  const std::string end = read_all(client.get());
  EXPECT_TRUE(end.empty() || end == "reset") << end;
}

TEST(ListenAt, TellsWhatIsInTheWay) {
  const Server server;
  const auto taken = listen_at(server.at);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Code::kAlreadyExists);
  EXPECT_THAT(taken.error().message, HasSubstr(text_of(server.at)));
  const auto foreign = listen_at({*parse_ipv4("192.0.2.1"), 0});
  EXPECT_FALSE(foreign);
}

}  // namespace
}  // namespace tiphys::node
