#include "base/network_doors.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace tiphys {
namespace {

/// The network in which a socket was made.
std::uint64_t network_of(int socket) {
  constexpr unsigned long kSiocGetNetNs = 0x894C;
  const UniqueFd ns(::ioctl(socket, kSiocGetNetNs));
  struct stat about{};
  return ns && ::fstat(ns.get(), &about) == 0 ? about.st_ino : 0;
}

/// A process in a network of its own, until it goes.
class Elsewhere {
 public:
  Elsewhere() {
    int made[2], over[2];
    EXPECT_EQ(::pipe2(made, O_CLOEXEC), 0);
    EXPECT_EQ(::pipe2(over, O_CLOEXEC), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(over[1]);
      char answer = ::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 ? 'y' : 'n';
      if (::write(made[1], &answer, 1) != 1) ::_exit(1);
      static_cast<void>(::read(over[0], &answer, 1));
      ::_exit(0);
    }
    ::close(over[0]);
    over_.reset(over[1]);
    char answer = 'n';
    EXPECT_EQ(::read(made[0], &answer, 1), 1);
    ::close(made[0]);
    ::close(made[1]);
    is_made_ = answer == 'y';
  }
  ~Elsewhere() {
    over_.reset();
    ::waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }
  bool is_made() const { return is_made_; }

 private:
  pid_t pid_ = 0;
  bool is_made_ = false;
  UniqueFd over_;
};

constexpr std::uint32_t kAddress = 10u << 24 | 88u << 16 | 7u;

TEST(NetworkDoors, LeadToAnotherNetworkForAsLongAsTheyAreThere) {
  Elsewhere elsewhere;
  if (!elsewhere.is_made()) GTEST_SKIP() << "no namespaces may be made here";
  NetworkDoors doors;
  EXPECT_FALSE(doors.open(kAddress)) << "it is reached as any other";
  ASSERT_TRUE(doors.add(kAddress, elsewhere.pid()));
  struct stat theirs{};
  ASSERT_EQ(::stat(("/proc/" + std::to_string(elsewhere.pid()) + "/ns/net").c_str(), &theirs), 0);
  for (int i = 0; i < 20; ++i) {
    const UniqueFd socket(doors.open_tcp(kAddress));
    ASSERT_TRUE(socket);
    EXPECT_EQ(network_of(socket.get()), theirs.st_ino);
  }
  const UniqueFd other(doors.open_tcp(kAddress + 1));
  EXPECT_NE(network_of(other.get()), theirs.st_ino);
  doors.remove(kAddress);
  EXPECT_FALSE(doors.open(kAddress));
}

TEST(NetworkDoors, WhatIsNotThereIsAnError) {
  NetworkDoors doors;
  EXPECT_EQ(doors.add(kAddress, 1 << 30).error().code, Code::kNotFound);
  EXPECT_FALSE(doors.open(kAddress));
}

}  // namespace
}  // namespace tiphys
