// Files that the process runtime holds in memory: who sees them, how, and how long.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <set>

#include "node/testing.h"

namespace tiphys::node {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::ProcessPlane;

HeldFiles account(std::string token) {
  return {std::string(kAccountFolder), {{"ca.crt", "authority"}, {"token", std::move(token)}}};
}

HeldFiles hosts(std::string text) {
  return {std::string(kHostsFile), {{"", std::move(text)}}};
}

class HeldFilesTest : public ::testing::Test {
 protected:
  ContainerSpec with_token(const std::string& id, const std::string& script) {
    auto spec = plane_.shell(id, "cd " + std::string(kAccountFolder) + " && { " + script + "; }");
    spec.held = {account("secret of " + id), hosts("127.0.0.1\tlocalhost " + id + "\n")};
    return spec;
  }
  std::string run(const ContainerSpec& spec) {
    const auto ran = plane_.run(spec);
    EXPECT_FALSE(ran.error) << ran.error->message;
    EXPECT_EQ(ran.exit.exit_code, 0) << plane_.err(spec);
    return plane_.out(spec);
  }
  static std::vector<std::string> files_in(const std::string& folder) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) names.push_back(entry.path().filename());
    }
    return names;
  }
  /// The same for steps that one init has served.
  static constexpr const char* kInit = "readlink /proc/self/ns/mnt; cut -d ' ' -f 22 /proc/1/stat";
  std::string init_of(const ContainerSpec& spec) {
    std::string name = run(spec);
    plane_.runtime().remove(spec.id);
    return name;
  }

  ProcessPlane plane_;
};

TEST_F(HeldFilesTest, AreSeenReadOnly) {
  EXPECT_EQ(run(with_token("a",
                           "cat ca.crt token; echo; stat -c '%A %n' . token; grep -c ' a$' /etc/hosts; "
                           "for f in token ca.crt new /etc/hosts; do (echo x > $f) 2>/dev/null && echo writable; "
                           "done; rm -f token 2>/dev/null && echo removable; "
                           "grep -c 'serviceaccount tmpfs ro,' /proc/self/mounts")),
            "authoritysecret of a\ndrwxr-xr-x .\n-rw-r--r-- token\n1\n1\n");
}

TEST_F(HeldFilesTest, HaveTheirMode) {
  auto spec = with_token("a", "stat -c %a token");
  spec.held[0].files[1].mode = 0400;
  EXPECT_EQ(run(spec), "400\n");
}

TEST_F(HeldFilesTest, AreOnNoDiskAndGoWithTheirStep) {
  const auto spec = with_token("a", "echo ready; until test -e /go; do sleep 0.01; done");
  ProcessPlane::Ran ran;
  plane_.start(spec, ran);
  plane_.run_until([&] { return ran.started && plane_.out(spec) == "ready\n"; });
  for (const auto& entry : std::filesystem::recursive_directory_iterator(plane_.folder())) {
    if (!entry.is_regular_file()) continue;
    EXPECT_THAT(testing::read_file(entry.path()), Not(HasSubstr("secret of a"))) << entry.path();
  }
  const std::string held = fmt::format("/proc/{}/root/held", plane_.supervisor_pid());
  // Only root looks into a supervisor.
  const bool sees = ::geteuid() == 0;
  if (sees) {
    EXPECT_THAT(files_in(held), Contains("token"));
  }
  const auto root = plane_.runtime().open_folder("a", "/");
  ASSERT_TRUE(root) << root.error().message;
  UniqueFd(::openat(root->get(), "go", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  plane_.run_until([&] { return ran.ended; });
  if (sees) {
    EXPECT_THAT(files_in(held), Not(Contains("token")));
  }
}

TEST_F(HeldFilesTest, StepsThatHaveThemShareAnInit) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "an init that shares no memory serves one step";
#endif
  // The one before may still be tidying up.
  std::set<std::string> inits;
  for (int i = 0; inits.insert(init_of(with_token(fmt::format("s{}", i), kInit))).second; ++i) ASSERT_LT(i, 100);
  // And not with others.
  EXPECT_FALSE(inits.contains(init_of(plane_.shell("plain", kInit))));
}

/// Whichever init and root it gets.
TEST_F(HeldFilesTest, NobodyElseSeesThem) {
  int count = 0;
  const auto next = [&] { return fmt::format("s{}", count++); };
  const std::string plain = "ls -d /var/run/*; grep -c ' s[0-9]*$' /etc/hosts; true";
  const std::string token = "ls -A . .. ../..; cat token; tail -n 1 /etc/hosts";
  const auto see = [&](const ContainerSpec& spec) {
    std::string seen = run(spec);
    plane_.runtime().remove(spec.id);
    return seen;
  };
  for (const char* leaves : {
           "true",
           "echo x > /tmp/x",
           "echo x > /var/run/secrets/x; mkdir /var/run/secrets/kubernetes.io/x",
           "chmod 700 /var/run/secrets",
           "mv /var/run/secrets/kubernetes.io /tmp/ 2>/dev/null; mv /var/run/secrets /var/run/elsewhere 2>/dev/null",
           "setsid sleep 1000 & exec 9< token",
       }) {
    see(with_token(next(), leaves));
    for (int i = 0; i < 3; ++i) {
      const std::string id = next();
      EXPECT_EQ(see(with_token(id, token)),
                ".:\nca.crt\ntoken\n\n..:\nserviceaccount\n\n../..:\nkubernetes.io\nsecret of " + id +
                    "127.0.0.1\tlocalhost " + id + "\n")
          << leaves;
      EXPECT_EQ(see(plane_.shell(next(), plain)), "/var/run/argo\n0\n") << leaves;
    }
  }
}

TEST_F(HeldFilesTest, ThoseOfAStepWithAMountTooAreSeen) {
  std::filesystem::create_directories(plane_.folder() + "/volume");
  auto spec = with_token("a", "cat token; ls -d /var/run/secrets/*");
  spec.mounts = {{plane_.folder() + "/volume", "/var/run/secrets/own", false}};
  EXPECT_EQ(run(spec), "secret of a/var/run/secrets/kubernetes.io\n/var/run/secrets/own\n");
}

TEST_F(HeldFilesTest, AreRenewedWhileTheStepRuns) {
  const auto spec = with_token("a",
                               "echo ready; until grep -q new token && grep -q db /etc/hosts; do sleep 0.01; done; "
                               "cat token ca.crt; cat /etc/hosts; ls");
  ProcessPlane::Ran ran;
  plane_.start(spec, ran);
  plane_.run_until([&] { return plane_.out(spec) == "ready\n"; });
  plane_.runtime().renew_held("nobody", account("new"));
  plane_.runtime().renew_held("a", account("new"));
  plane_.runtime().renew_held("a", hosts("10.0.0.1\tdb\n"));
  plane_.run_until([&] { return ran.ended; });
  EXPECT_EQ(plane_.out(spec), "ready\nnewauthority10.0.0.1\tdb\nca.crt\ntoken\n");
}

TEST_F(HeldFilesTest, AreRenewedByWhoFindsTheStepAgain) {
  auto spec = with_token("a", "echo ready; until grep -q new token; do sleep 0.01; done");
  ProcessPlane::Ran before;
  plane_.start(spec, before);
  plane_.run_until([&] { return before.started && plane_.out(spec) == "ready\n"; });
  plane_.crash();
  plane_.open();
  spec.held[0] = account("new");
  EXPECT_EQ(plane_.run(spec).exit.exit_code, 0);
}

}  // namespace
}  // namespace tiphys::node
