#include "node/container/container_runtime_podman.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>

#include "artifact/testing.h"

namespace tiphys::node {
namespace {

using artifact::testing::read_file;
using artifact::testing::TempFolder;
using artifact::testing::write_file;

/// What a service said to a connection, or "" when it broke.
std::string said(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  std::string text;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    char buffer[512];
    for (ssize_t got = 0; (got = ::read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, std::size_t(got));
  }
  ::close(fd);
  return text;
}

/// Stands for podman: tells each connection how it was started.
constexpr const char* kService = R"(#!/usr/bin/python3
import os, socket, sys
print("service log", flush=True)
listener = socket.socket(fileno=3)
while True:
    connection, _ = listener.accept()
    ours = os.environ["LISTEN_PID"] == str(os.getpid()) and os.environ["LISTEN_FDS"] == "1"
    connection.sendall(" ".join([str(ours)] + sys.argv[1:]).encode())
    connection.close()
)";

struct OwnPodmanTest : ::testing::Test {
  TempFolder temp;
  void SetUp() override {
    if (::access("/usr/bin/python3", X_OK) != 0) GTEST_SKIP() << "/usr/bin/python3 is missing";
    write_file(temp / "podman", kService, 0755);
  }
};

TEST_F(OwnPodmanTest, ServesAtOnceAndEndsWithItsOwner) {
  std::string socket;
  {
    OwnPodman podman(temp.path());
    socket = *podman.socket();
    ASSERT_TRUE(podman.start(temp / "podman"));
    EXPECT_EQ(said(socket), "True system service --time=0");
    ASSERT_TRUE(podman.start(temp / "podman")) << "once more";
    EXPECT_EQ(said(socket), "True system service --time=0");
    EXPECT_EQ(artifact::testing::mode_of(socket), 0600u);
  }
  EXPECT_EQ(said(socket), "");
  EXPECT_EQ(read_file(temp / "podman.log"), "service log\n");
}

TEST_F(OwnPodmanTest, EndsWithAnOwnerThatIsKilled) {
  int ready[2];
  ASSERT_EQ(::pipe2(ready, O_CLOEXEC), 0);
  const pid_t owner = ::fork();
  ASSERT_GE(owner, 0);
  if (owner == 0) {
    OwnPodman podman(temp.path());
    const bool started = podman.start(temp / "podman").has_value() && !said(*podman.socket()).empty();
    if (::write(ready[1], started ? "y" : "n", 1) == 1) ::pause();
    ::_exit(1);
  }
  char answer = 'n';
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  ::kill(owner, SIGKILL);
  ::waitpid(owner, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!said(*OwnPodman(temp.path()).socket()).empty() && std::chrono::steady_clock::now() < patience)
    ::usleep(10'000);
  EXPECT_EQ(said(*OwnPodman(temp.path()).socket()), "");
}

TEST_F(OwnPodmanTest, AServiceThatFailsBreaksTheConnection) {
  write_file(temp / "broken", "#!/bin/sh\necho first >&2\necho 'Error: no luck' >&2\necho\nexit 125\n", 0755);
  OwnPodman podman(temp.path());
  EXPECT_EQ(podman.last_words(), "");
  ASSERT_TRUE(podman.start(temp / "broken"));
  EXPECT_EQ(said(*podman.socket()), "");
  EXPECT_EQ(podman.last_words(), "Error: no luck");
}

TEST_F(OwnPodmanTest, ADeepFolderHasItsSocketWherePathsAreShort) {
  const OwnPodman podman(temp / std::string(200, 'd'));
  const auto socket = podman.socket();
  ASSERT_TRUE(socket) << socket.error().message;
  EXPECT_LT(socket->size(), 108u);
  std::filesystem::remove_all(std::filesystem::path(*socket).parent_path());
}

}  // namespace
}  // namespace tiphys::node
