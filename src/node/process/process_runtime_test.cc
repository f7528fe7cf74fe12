#include "node/process/process_runtime.h"

#include <gmock/gmock.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include <list>

#include "node/testing.h"

namespace tiphys::node {
namespace {

using std::chrono_literals::operator""s;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using testing::ProcessPlane;
using testing::read_file;
using ::testing::StartsWith;
using testing::write_file;

struct ScriptCase {
  std::string name;
  std::string script;
  int exit_code = 0;
  std::string out = {};
  std::string err = {};
  std::string reason = "Completed";
};

class Script : public ::testing::TestWithParam<ScriptCase> {};

TEST_P(Script, Runs) {
  ProcessPlane plane;
  const auto spec = plane.shell("step", GetParam().script);
  const auto ran = plane.run(spec);
  ASSERT_FALSE(ran.error) << ran.error->message;
  EXPECT_TRUE(ran.started);
  EXPECT_EQ(ran.exit.exit_code, GetParam().exit_code);
  EXPECT_EQ(ran.exit.reason, GetParam().reason);
  EXPECT_EQ(plane.out(spec), GetParam().out);
  EXPECT_EQ(plane.err(spec), GetParam().err);
  EXPECT_GE(ran.exit.finished_at, ran.exit.started_at);
}

INSTANTIATE_TEST_SUITE_P(
    Process, Script,
    ::testing::Values(
        ScriptCase{"Success", "true"}, ScriptCase{"ExitCode", "exit 7", 7, "", "", "Error"},
        ScriptCase{"StreamsAreApart", "echo a; echo b >&2; echo c", 0, "a\nc\n", "b\n"},
        ScriptCase{"TextWithoutNewlineIsKept", "printf 'x\\ny'", 0, "x\ny"},
        ScriptCase{"SignalIs128More", "kill -9 $$", 137, "", "", "Error"},
        ScriptCase{"TermIs143", "kill -TERM $$", 143, "", "", "Error"},
        ScriptCase{"SegfaultIs139", "kill -SEGV $$", 139, "", "", "Error"},
        ScriptCase{"WorkingDirIsRoot", "pwd", 0, "/\n"},
        ScriptCase{"EnvironmentIsCleared", "env | sort", 0,
                   "HOME=/root\nHOSTNAME=pod\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:"
                   "/usr/local/games:/usr/games\nPWD=/\n"},
        ScriptCase{"HostnameIsThePod", "cat /proc/sys/kernel/hostname", 0, "pod\n"},
        ScriptCase{"OwnProcesses", "set -- /proc/[0-9]*; echo $#; test -d /proc/1", 0, "2\n"},
        ScriptCase{"PrivateTmp", "ls -A /tmp /var/tmp/; stat -c %a /tmp", 0, "/tmp:\n\n/var/tmp/:\n1777\n"},
        ScriptCase{"Devices", "echo x > /dev/null; head -c 3 /dev/zero | wc -c; head -c 2 /dev/urandom | wc -c", 0,
                   "3\n2\n"},
        ScriptCase{"SharedMemory", "echo hi > /dev/shm/x && cat /dev/shm/x", 0, "hi\n"},
        ScriptCase{"DevIsReadOnly", "touch /dev/x 2>/dev/null && echo writable; true"},
        ScriptCase{"HostProgramsAreReadOnly", "touch /usr/x 2>/dev/null && echo writable; true"},
        ScriptCase{"HostSettingsAreReadOnly", "touch /etc/x 2>/dev/null && echo writable; true"},
        ScriptCase{"KernelSettingsAreReadOnly",
                   "v=/proc/sys/vm/swappiness; (cat $v > $v) 2>/dev/null && echo writable; cat $v > /dev/null"},
        ScriptCase{"OtherFoldersOfTheHostAreHidden", "ls -A /boot /home /srv 2>/dev/null; true"},
        ScriptCase{"RootIsWritable", "mkdir -p /out/d && echo 1 > /out/d/x && cat /out/d/x", 0, "1\n"},
        ScriptCase{"StandardInputIsEmpty", "cat", 0, ""},
        ScriptCase{"ChildrenAreReaped", "(true &); until set -- /proc/[0-9]*; test $# = 2; do :; done", 0, ""},
        ScriptCase{"GamesAreOnThePath", "echo $PATH | grep -c /usr/games", 0, "1\n"},
        ScriptCase{"NoNewPrivileges", "grep NoNewPrivs /proc/self/status", 0, "NoNewPrivs:\t1\n"},
        ScriptCase{"NoDescriptorsLeak", "ls /proc/$$/fd", 0, "0\n1\n2\n"},
        ScriptCase{"InitMayNotBeRead", "cat /proc/1/environ /proc/1/maps > /dev/null 2>&1 && echo readable; true"},
        ScriptCase{"InitSurvivesSignals", "trap '' TERM; kill -9 1; kill -TERM 1; kill -SEGV 1; echo alive", 0,
                   "alive\n"}),
    [](const auto& test) { return test.param.name; });

TEST(ProcessRuntime, AbsolutePathsLandInTheStepsFolder) {
  ProcessPlane plane;
  const auto spec = plane.shell("s", "echo text > /tmp/out.txt; mkdir -p /mnt/vol; echo v > /mnt/vol/x");
  ASSERT_EQ(plane.run(spec).exit.exit_code, 0);
  EXPECT_EQ(read_file(spec.dir + "/root/tmp/out.txt"), "text\n");
  EXPECT_EQ(read_file(spec.dir + "/root/mnt/vol/x"), "v\n");
  EXPECT_EQ(plane.fetch("s", "/mnt/vol/x").value(), spec.dir + "/root/mnt/vol/x");
}

/// "7", or "CODE: message" of an error.
std::string exec(ProcessPlane& plane, const std::string& id, std::vector<std::string> command, Duration timeout = 60s) {
  std::optional<Result<int>> code;
  plane.runtime().exec(id, std::move(command), timeout, [&](Result<int> answer) { code = std::move(answer); });
  EXPECT_FALSE(code) << "it is told later";
  plane.run_until([&] { return code.has_value(); });
  return *code ? std::to_string(**code) : code->error().message;
}

TEST(ProcessRuntime, CommandsRunInARunningStep) {
  ProcessPlane plane;
  auto spec = plane.shell("s", "touch /mark; while test ! -e /over; do sleep 0.01; done");
  spec.env = {{"WORD", "one two"}};
  spec.working_dir = "/work";
  ProcessPlane::Ran ran;
  EXPECT_EQ(exec(plane, "s", {"true"}), "s does not run");
  plane.start(spec, ran);
  plane.run_until([&] { return ran.started; });
  // A step that begins has not made its files yet.
  // Its init runs a moment before its program does.
  std::string marked = "1";
  while (marked == "1" || marked == "s does not run") marked = exec(plane, "s", {"test", "-e", "/mark"});
  EXPECT_EQ(marked, "0");
  EXPECT_EQ(exec(plane, "s", {"sh", "-c", "exit 7"}), "7");
  EXPECT_EQ(
      exec(plane, "s", {"sh", "-c", "test \"$WORD\" = 'one two' && test $PWD = /work && test ! -e /proc/9999999"}),
      "0");
  EXPECT_EQ(exec(plane, "s", {"no-such-program"}), "127");
  EXPECT_EQ(exec(plane, "s", {"sleep", "1000"}, std::chrono::milliseconds(50)),
            "the command has not ended after 50 ms");
  plane.crash();
  plane.open();
  ProcessPlane::Ran again;
  plane.start(spec, again);
  plane.run_until([&] { return again.started; });
  // One that was found again. It may end the command along with the step.
  EXPECT_THAT(exec(plane, "s", {"touch", "/over"}), AnyOf("0", "137"));
  plane.run_until([&] { return again.ended; });
  EXPECT_EQ(exec(plane, "s", {"true"}), "s does not run");
}

TEST(ProcessRuntime, FoldersOfARunningStepAreSeen) {
  ProcessPlane plane;
  ProcessPlane::Ran ran;
  const auto spec = plane.shell(
      "s", "echo 1/2 > /var/run/argo/progress; ln -s /etc /out; touch /ready; until test -e /go; do sleep 0.01; done");
  plane.start(spec, ran);
  plane.run_until([&] { return ran.started; });
  const auto folder = plane.runtime().open_folder("s", "/var/run/argo");
  ASSERT_TRUE(folder) << folder.error().message;
  const auto see = [&](const char* path, const char* file) {
    const auto at = plane.runtime().open_folder("s", path);
    return at && ::faccessat(at->get(), file, F_OK, 0) == 0;
  };
  plane.run_until([&] { return see("/", "ready"); });
  EXPECT_TRUE(see("/var/run/argo", "progress"));
  EXPECT_EQ(plane.runtime().open_folder("s", "/nowhere").error().code, Code::kNotFound);
  EXPECT_FALSE(plane.runtime().open_folder("s", "/out")) << "a link leads out of what the step has";
  const auto root = plane.runtime().open_folder("s", "/");
  UniqueFd(::openat(root->get(), "go", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  plane.run_until([&] { return ran.ended; });
  EXPECT_EQ(plane.runtime().open_folder("s", "/").error().code, Code::kNotFound);
}

TEST(ProcessRuntime, CommandsRunAsTheStepsUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root has other users";
  ProcessPlane plane;
  auto spec = plane.shell("s", "while test ! -e /tmp/over; do sleep 0.01; done");
  spec.run_as_user = 1234;
  spec.run_as_group = 1235;
  ProcessPlane::Ran ran;
  plane.start(spec, ran);
  plane.run_until([&] { return ran.started; });
  EXPECT_THAT(exec(plane, "s", {"sh", "-c", "test $(id -u).$(id -g) = 1234.1235 && touch /tmp/over"}),
              AnyOf("0", "137"));
  plane.run_until([&] { return ran.ended; });
}

struct FetchCase {
  std::string name;
  std::string script;
  std::string path;
  std::string content;  ///< "": not found
};

class Fetch : public ::testing::TestWithParam<FetchCase> {};

TEST_P(Fetch, Finds) {
  ProcessPlane plane;
  const std::string secret = plane.folder() + "/secret";
  write_file(secret, "secret");
  write_file(plane.folder() + "/volume/v.txt", "volume");
  auto spec = plane.shell("s", fmt::format("secret={}; {}", secret, GetParam().script));
  spec.mounts = {{plane.folder() + "/volume", "/mnt/vol", false}};
  ASSERT_EQ(plane.run(spec).exit.exit_code, 0);
  const auto found = plane.fetch("s", GetParam().path);
  if (GetParam().content.empty()) {
    ASSERT_FALSE(found) << *found;
    EXPECT_EQ(found.error().code, Code::kNotFound);
  } else {
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(read_file(*found), GetParam().content);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Process, Fetch,
    ::testing::Values(
        FetchCase{"File", "echo 1 > /tmp/x", "/tmp/x", "1\n"},
        FetchCase{"TerminationLog", "echo why > /dev/termination-log", "/dev/termination-log", "why\n"},
        FetchCase{"NoTerminationLog", "true", "/dev/termination-log", ""}, FetchCase{"Missing", "true", "/tmp/x", ""},
        FetchCase{"BelowAFile", "echo 1 > /tmp/x", "/tmp/x/y", ""},
        FetchCase{"AbsoluteLinkStaysInside", "echo in > /a; ln -s /a /tmp/l", "/tmp/l", "in\n"},
        FetchCase{"RelativeLinkStaysInside", "echo in > /a; ln -s ../../../../a /tmp/l", "/tmp/l", "in\n"},
        FetchCase{"LinkOutOfTheRootFindsNothing", "ln -s $secret /tmp/l", "/tmp/l", ""},
        FetchCase{"DotsOutOfTheRootFindNothing", "true", "/../../../../etc/../secret", ""},
        FetchCase{"LinkedFolder", "mkdir /d; echo 2 > /d/f; ln -s /d /e", "/e/f", "2\n"},
        FetchCase{"LoopFindsNothing", "ln -s x /dev/null/y 2>/dev/null; true", "/loop", ""},
        FetchCase{"OnAVolume", "cat /mnt/vol/v.txt", "/mnt/vol/v.txt", "volume"},
        FetchCase{"WrittenToAVolume", "echo new > /mnt/vol/n", "/mnt/vol/n", "new\n"},
        FetchCase{"LinkIntoAVolume", "ln -s /mnt/vol/v.txt /tmp/l", "/tmp/l", "volume"},
        FetchCase{"LinkFromAVolumeStaysInside", "echo s > /tmp/s; ln -s /tmp/s /mnt/vol/l", "/mnt/vol/l", "s\n"}),
    [](const auto& test) { return test.param.name; });

struct StartErrorCase {
  std::string name;
  std::vector<std::string> command;
  Code code;
  std::string message;
};

class StartError : public ::testing::TestWithParam<StartErrorCase> {};

TEST_P(StartError, Tells) {
  ProcessPlane plane;
  auto spec = plane.spec("s", GetParam().command);
  write_file(plane.folder() + "/plain", "text");
  spec.mounts = {{plane.folder() + "/plain", "/plain", true}};
  const auto ran = plane.run(spec);
  ASSERT_TRUE(ran.error);
  EXPECT_EQ(ran.error->code, GetParam().code);
  EXPECT_EQ(ran.error->message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Process, StartError,
    ::testing::Values(
        StartErrorCase{
            "NotOnThePath", {"cowsya", "hi"}, Code::kNotFound, "exec: \"cowsya\": executable file not found in $PATH"},
        StartErrorCase{"NoSuchFile", {"/no/such"}, Code::kNotFound, "exec: \"/no/such\": no such file or directory"},
        StartErrorCase{"NotExecutable", {"/plain"}, Code::kPermissionDenied, "exec: \"/plain\": permission denied"},
        StartErrorCase{
            "NulInTheCommand",
            {"/bin/sh", "-c", std::string("echo a\0b", 8)},
            Code::kInvalidArgument,
            "container main has a NUL byte in its command or environment, where programs see the end of a text"},
        StartErrorCase{"NoCommand",
                       {},
                       Code::kInvalidArgument,
                       "container main has no command: the process runtime knows no image that could have "
                       "one; set command, or use the container runtime"}),
    [](const auto& test) { return test.param.name; });

TEST(ProcessRuntime, ReadOnlyVolumesCannotBeWritten) {
  ProcessPlane plane;
  write_file(plane.folder() + "/volume/sub/f", "1");
  auto spec = plane.shell("s", "cat /v/sub/f; touch /v/x 2>/dev/null && echo wrote; touch /w/x && echo wrote /w");
  std::filesystem::create_directories(plane.folder() + "/other");
  spec.mounts = {{plane.folder() + "/volume", "/v", true}, {plane.folder() + "/other", "/w", false}};
  ASSERT_EQ(plane.run(spec).exit.exit_code, 0);
  EXPECT_EQ(plane.out(spec), "1wrote /w\n");
  EXPECT_TRUE(std::filesystem::exists(plane.folder() + "/other/x"));
}

TEST(ProcessRuntime, HostFoldersOutsideTheDataDirectoryMount) {
  ProcessPlane plane;
  const testing::TempFolder host;
  write_file(host.path() + "/f", "host");
  auto spec = plane.shell("s", "cat /h/f; echo back > /h/g");
  spec.mounts = {{host.path(), "/h", false}};
  ASSERT_EQ(plane.run(spec).exit.exit_code, 0);
  EXPECT_EQ(plane.out(spec), "host");
  EXPECT_EQ(read_file(host.path() + "/g"), "back\n");
}

TEST(ProcessRuntime, MountsMayLieInMounts) {
  ProcessPlane plane;
  std::filesystem::create_directories(plane.folder() + "/outer/in");
  write_file(plane.folder() + "/file", "inner");
  auto spec = plane.shell("s", "cat /o/in/f");
  spec.mounts = {{plane.folder() + "/file", "/o/in/f", true}, {plane.folder() + "/outer", "/o", false}};
  ASSERT_EQ(plane.run(spec).exit.exit_code, 0) << plane.err(spec);
  EXPECT_EQ(plane.out(spec), "inner");
  EXPECT_EQ(plane.fetch("s", "/o/in/f").value(), plane.folder() + "/file");
}

TEST(ProcessRuntime, ExtraHostPathsAreVisibleReadOnly) {
  const testing::TempFolder host;
  write_file(host.path() + "/venv/tool", "interpreter");
  ProcessPlane plane({host.path()});
  const auto spec =
      plane.shell("s", fmt::format("cat {0}/venv/tool; touch {0}/x 2>/dev/null && echo wrote; true", host.path()));
  ASSERT_EQ(plane.run(spec).exit.exit_code, 0);
  EXPECT_EQ(plane.out(spec), "interpreter");
}

TEST(ProcessRuntime, MissingMountSourceIsNamed) {
  ProcessPlane plane;
  auto spec = plane.shell("s", "true");
  spec.mounts = {{plane.folder() + "/none", "/v", true}};
  const auto ran = plane.run(spec);
  ASSERT_TRUE(ran.error);
  EXPECT_EQ(ran.error->message, fmt::format("mount {}/none at /v: No such file or directory", plane.folder()));
}

TEST(ProcessRuntime, InputsArePutIntoTheRoot) {
  ProcessPlane plane;
  write_file(plane.folder() + "/in/script", "#!/bin/sh\necho ran\n");
  ::chmod((plane.folder() + "/in/script").c_str(), 0755);
  write_file(plane.folder() + "/in/tree/a/b", "tree");
  auto spec = plane.shell("s", "/argo/staging/script; cat /data/tree/a/b; echo more >> /data/tree/a/b");
  spec.inputs = {{"/argo/staging/script", plane.folder() + "/in/script"}, {"/data/tree", plane.folder() + "/in/tree"}};
  ASSERT_EQ(plane.run(spec).exit.exit_code, 0) << plane.err(spec);
  EXPECT_EQ(plane.out(spec), "ran\ntree");
  EXPECT_EQ(read_file(plane.folder() + "/in/tree/a/b"), "tree");
}

TEST(ProcessRuntime, ManyStepsWithInputsFindRootsThatAreEmpty) {
  constexpr int kSteps = 100;  // more than are under way at once
  ProcessPlane plane;
  write_file(plane.folder() + "/in", "given\n");
  std::list<ProcessPlane::Ran> rans;
  int ended = 0;
  for (int i = 0; i < kSteps; ++i) {
    // Each leaves a file where the next one would see it.
    auto spec = plane.shell(fmt::format("s{}", i), "ls /tmp /mnt; cat /argo/in; touch /tmp/left /mnt/left");
    spec.inputs = {{"/argo/in", plane.folder() + "/in"}};
    ProcessPlane::Ran& ran = rans.emplace_back();
    plane.runtime().start(
        spec, [&ran](Status status) { ran.started = status.has_value(); },
        [&, spec](ContainerExit exit) {
          ran.exit = std::move(exit);
          ++ended;
          EXPECT_EQ(plane.out(spec), "/mnt:\n\n/tmp:\ngiven\n") << spec.id;
          plane.runtime().remove(spec.id);
        });
  }
  plane.run_until([&] { return ended == kSteps; });
  for (const ProcessPlane::Ran& ran : rans) EXPECT_TRUE(ran.started && ran.exit.exit_code == 0);
}

TEST(ProcessRuntime, InputsMayNotHideBehindTheHostsFolders) {
  ProcessPlane plane;
  write_file(plane.folder() + "/in", "x");
  for (const char* path : {"/usr/local/bin/x", "/bin/x", "/etc/x", "/dev/x"}) {
    auto spec = plane.shell(fmt::format("s{}", path[1]), "true");
    spec.inputs = {{path, plane.folder() + "/in"}};
    const auto ran = plane.run(spec);
    ASSERT_TRUE(ran.error) << path;
    EXPECT_THAT(ran.error->message, HasSubstr(path));
  }
}

TEST(ProcessRuntime, WorkingDirIsMadeWhenMissing) {
  ProcessPlane plane;
  auto spec = plane.shell("s", "pwd; touch here");
  spec.working_dir = "/work/deep";
  ASSERT_EQ(plane.run(spec).exit.exit_code, 0);
  EXPECT_EQ(plane.out(spec), "/work/deep\n");
  EXPECT_TRUE(std::filesystem::exists(spec.dir + "/root/work/deep/here"));
}

TEST(ProcessRuntime, EnvironmentOfTheSpecWins) {
  ProcessPlane plane;
  auto spec = plane.shell("s", "echo \"$PATH|$HOME|$A\"");
  spec.env = {{"PATH", "/usr/bin"}, {"HOME", "/h"}, {"A", "with space\nand line"}};
  plane.run(spec);
  EXPECT_EQ(plane.out(spec), "/usr/bin|/h|with space\nand line\n");
}

TEST(ProcessRuntime, ReadOnlyRootCannotBeWritten) {
  ProcessPlane plane;
  auto spec = plane.shell("s", "touch /x 2>/dev/null && echo wrote; touch /dev/shm/y && echo shm");
  spec.read_only_root = true;
  ASSERT_EQ(plane.run(spec).exit.exit_code, 0);
  EXPECT_EQ(plane.out(spec), "shm\n");
}

TEST(ProcessRuntime, RunsAsTheUserAskedFor) {
  ProcessPlane plane;
  auto spec = plane.shell("s", "id -u; id -g; id -G; touch /tmp/mine && stat -c %u /tmp/mine");
  spec.run_as_user = 1234;
  spec.run_as_group = 2345;
  ASSERT_EQ(plane.run(spec).exit.exit_code, 0) << plane.err(spec);
  EXPECT_EQ(plane.out(spec), "1234\n2345\n2345\n1234\n");
}

TEST(ProcessRuntime, CapabilitiesAreThoseOfAContainer) {
  if (::geteuid() != 0) GTEST_SKIP() << "an ordinary user's steps have none";
  ProcessPlane plane;
  const auto spec =
      plane.shell("s", "grep CapEff /proc/self/status; mount -t tmpfs x /mnt 2>/dev/null && echo mounted");
  plane.run(spec);
  EXPECT_EQ(plane.out(spec), "CapEff:\t00000000a80425fb\n");
}

TEST(ProcessRuntime, StopSendsTermToTheGroup) {
  ProcessPlane plane;
  const auto spec = plane.shell("s", "trap 'echo bye; exit 143' TERM; echo ready; while true; do sleep 0.05; done");
  ProcessPlane::Ran ran;
  plane.start(spec, ran);
  plane.run_until([&] { return plane.out(spec) == "ready\n"; });
  plane.runtime().stop("s", 100s);
  plane.run_until([&] { return ran.ended; });
  EXPECT_EQ(ran.exit.exit_code, 143);
  EXPECT_EQ(ran.exit.reason, "Error");
  EXPECT_EQ(plane.out(spec), "ready\nbye\n");
}

TEST(ProcessRuntime, StopKillsWhoIgnoresTermAfterTheGrace) {
  ProcessPlane plane;
  const auto spec = plane.shell("s", "trap '' TERM; echo out; while true; do sleep 1000; done");
  ProcessPlane::Ran ran;
  plane.start(spec, ran);
  plane.run_until([&] { return !plane.out(spec).empty(); });
  plane.runtime().stop("s", std::chrono::milliseconds(50));
  plane.run_until([&] { return ran.ended; });
  EXPECT_EQ(ran.exit.exit_code, 137);
  EXPECT_EQ(ran.exit.signal, SIGKILL);
  EXPECT_EQ(plane.out(spec), "out\n");
}

TEST(ProcessRuntime, StopReachesAStepThatIsStillStarting) {
  ProcessPlane plane;
  const auto spec = plane.spec("s", {"/bin/sleep", "1000"});
  ProcessPlane::Ran ran;
  plane.start(spec, ran);
  plane.runtime().stop("s", Duration::zero());
  plane.run_until([&] { return ran.ended; });
  EXPECT_EQ(ran.exit.exit_code, 137);
}

TEST(ProcessRuntime, WhatAStepLeavesRunningDiesWithIt) {
  ProcessPlane plane;
  std::filesystem::create_directories(plane.folder() + "/volume");
  // The child holds a lock on a file for as long as it lives.
  auto spec = plane.shell("s",
                          "setsid sh -c 'exec 9>/v/lock; flock 9; touch /v/ready; sleep 1000' >/dev/null 2>&1 & "
                          "while ! test -e /v/ready; do sleep 0.01; done");
  spec.mounts = {{plane.folder() + "/volume", "/v", false}};
  ASSERT_EQ(plane.run(spec).exit.exit_code, 0);
  const UniqueFd lock(::open((plane.folder() + "/volume/lock").c_str(), O_RDWR));
  EXPECT_EQ(::flock(lock.get(), LOCK_EX | LOCK_NB), 0);
}

TEST(ProcessRuntime, MemoryLimitKills) {
  ProcessPlane plane;
  auto spec = plane.spec("s", {"python3", "-c", "b = bytearray(400 << 20)\nfor i in range(0, len(b), 4096): b[i] = 1"});
  spec.memory_bytes = 64 << 20;
  const auto ran = plane.run(spec);
  ASSERT_FALSE(ran.error) << ran.error->message;
  // By a control group the kernel kills it, by its address space Python raises MemoryError.
  if (ran.exit.exit_code == 137) {
    EXPECT_EQ(ran.exit.reason, "OOMKilled");
  } else {
    EXPECT_EQ(ran.exit.exit_code, 1);
    EXPECT_THAT(plane.err(spec), HasSubstr("MemoryError"));
  }
}

TEST(ProcessRuntime, LongLinesAreSplitAndMarked) {
  ProcessPlane plane;
  const auto spec = plane.shell("s", "head -c 40000 /dev/zero | tr '\\0' x; echo; echo end");
  plane.run(spec);
  EXPECT_TRUE(plane.out(spec) == std::string(40000, 'x') + "\nend\n");
  std::istringstream lines(read_file(spec.dir + "/log"));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 17000u);
}

TEST(ProcessRuntime, MuchOutputIsKeptWhole) {
  ProcessPlane plane;
  const auto spec = plane.shell("s", "seq 1 300000; seq 1 1000 >&2");
  ASSERT_EQ(plane.run(spec).exit.exit_code, 0);
  const std::string out = plane.out(spec);
  ASSERT_EQ(std::ranges::count(out, '\n'), 300000);
  EXPECT_TRUE(out.ends_with("\n300000\n"));
  EXPECT_EQ(std::ranges::count(plane.err(spec), '\n'), 1000);
}

TEST(ProcessRuntime, AThousandStartsAtOnceAllEnd) {
  ProcessPlane plane;
  std::list<ProcessPlane::Ran> all;
  for (int i = 0; i < 1000; ++i) plane.start(plane.shell(fmt::format("s{}", i), "exit 3"), all.emplace_back());
  for (const auto& ran : all) plane.run_until([&] { return ran.ended; });
  for (const auto& ran : all) EXPECT_EQ(ran.exit.exit_code, 3);
}

TEST(ProcessRuntime, RootsAreReusedEmpty) {
  ProcessPlane plane;
  std::string first;
  for (int i = 0; i < 20; ++i) {
    const std::string id = fmt::format("s{}", i);
    const auto spec = plane.shell(
        id,
        "ls -A /tmp /var /var/tmp/ /root /mnt | tr '\\n' ' '; ls -d /[a-z]* | grep -c .; readlink /bin;"
        "echo x > /tmp/f; mkdir -p /a/b; echo y > /a/b/c; rm -f /bin; chmod 700 /tmp; echo z > /var/tmp/.h; "
        "mv /mnt /gone; stat -c %a /tmp");
    ASSERT_EQ(plane.run(spec).exit.exit_code, 0) << plane.err(spec);
    const std::string out = plane.out(spec);
    if (i == 0) first = out;
    EXPECT_EQ(out, first);
    plane.runtime().remove(id);
    plane.run_until([&] { return !std::filesystem::exists(spec.dir + "/root"); });
  }
}

/// The same init serves one step after another where it can.
TEST(ProcessRuntime, NothingOfAStepReachesTheNext) {
  ProcessPlane plane;
  int count = 0;
  const auto run = [&](const std::string& script) {
    const auto spec = plane.shell(fmt::format("s{}", count++), script);
    const auto ran = plane.run(spec);
    EXPECT_EQ(ran.exit.exit_code, 0) << plane.err(spec);
    plane.runtime().remove(spec.id);
    return plane.out(spec);
  };
  const std::string look =
      "for d in /* /dev/shm /tmp/* /mnt/* /root/.[a-z]* /var/*; do stat -c '%A %U %N' $d 2>/dev/null; done; "
      "tail -qn +2 /proc/sysvipc/* | wc -l; "
      "python3 -c \"import ctypes; print(ctypes.CDLL(None).mq_open(b'/q', 0))\"; "
      "set -- /proc/[0-9]*; echo $#; cat /proc/sys/kernel/hostname; ulimit -n; umask; pwd; ls -l /proc/self/fd | wc "
      "-l; ";
  const std::string first = run(look);
  EXPECT_THAT(first, HasSubstr("\n-1\n2\npod\n"));
  for (const std::string_view leave : {
           "true",
           "(trap '' TERM HUP; sleep 1000) & cd /mnt; umask 077; ulimit -n 99",
           "ipcmk -M 4096 > /dev/null",
           "ipcmk -S 1 > /dev/null",
           "ipcmk -Q > /dev/null",
           "python3 -c \"import ctypes; assert ctypes.CDLL(None).mq_open(b'/q', 0o102, 0o600, None) >= 0\"",
           "echo x > /dev/shm/x",
           "chmod 700 /dev/shm",
           "echo x > /tmp/x; mkdir /mnt/x; echo x > /root/.x; mkdir -p /var/a/b",
           "chmod 700 /tmp",
           "rm /bin; ln -s tmp /bin",
           "mv /tmp /mnt/; mkdir /tmp",
           "touch /x; rm /x",
       }) {
    run(look + std::string(leave));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(run(look), first) << leave;
  }
}

/// Without a file of its own a step needs no folder.
TEST(ProcessRuntime, AStepHasAFolderWhenItLeavesSomething) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "an init that shares no memory serves one step, in a root of its own";
#endif
  ProcessPlane plane;
  const auto leaves = [&](const std::string& id, const std::string& script) {
    const auto spec = plane.shell(id, script);
    plane.run(spec);
    return std::filesystem::exists(spec.dir);
  };
  EXPECT_TRUE(leaves("file", "echo x > /tmp/x"));
  EXPECT_TRUE(leaves("log", "echo x"));
  // A root that was made a moment ago may not be told from one that the step has changed.
  for (int i = 0; leaves(fmt::format("nothing{}", i), "true"); ++i) ASSERT_LT(i, 100);
}

TEST(ProcessRuntime, ACrashedProgramFindsItsStepsAgain) {
  ProcessPlane plane;
  write_file(plane.folder() + "/v/x", "");
  auto running = plane.shell("running", "echo a >> /v/ran; until test -e /v/go; do sleep 0.01; done; exit 5");
  running.mounts = {{plane.folder() + "/v", "/v", false}};
  auto finished = plane.shell("finished", "exit 6");
  ProcessPlane::Ran before;
  plane.start(running, before);
  ASSERT_EQ(plane.run(finished).exit.exit_code, 6);
  plane.run_until([&] { return before.started; });
  const pid_t supervisor = plane.supervisor_pid();
  plane.crash();

  plane.open();
  EXPECT_EQ(plane.supervisor_pid(), supervisor);
  EXPECT_EQ(plane.run(finished).exit.exit_code, 6);
  ProcessPlane::Ran after;
  plane.start(running, after);
  plane.run_until([&] { return after.started; });
  write_file(plane.folder() + "/v/go", "");
  plane.run_until([&] { return after.ended; });
  EXPECT_EQ(after.exit.exit_code, 5);
  EXPECT_EQ(read_file(plane.folder() + "/v/ran"), "a\n");
}

TEST(ProcessRuntime, WhatServesAPlaneEndsWithIt) {
  ProcessPlane plane;
  std::filesystem::create_directories(plane.folder() + "/v");
  auto spec = plane.shell("s", "trap 'touch /v/gone; exit 7' TERM; touch /v/up; while :; do sleep 0.01; done");
  spec.mounts = {{plane.folder() + "/v", "/v", false}};
  spec.ends_with_plane = true;
  const auto is_there = [&](const char* name) { return std::filesystem::exists(plane.folder() + "/v/" + name); };
  ProcessPlane::Ran before;
  plane.start(spec, before);
  plane.run_until([&] { return is_there("up"); });
  plane.crash();
  plane.run_until([&] { return is_there("gone"); });
  plane.open();
  EXPECT_EQ(plane.run(spec).exit.exit_code, 7) << "what is told of it later";
}

/// Fails until its third attempt, by its files.
ContainerSpec third_time(const ProcessPlane& plane, const std::string& id) {
  ContainerSpec spec = plane.shell(id, "echo x >> /tmp/runs; wc -l < /tmp/runs; test $(wc -l < /tmp/runs) = 3");
  spec.attempts = 4;
  return spec;
}

TEST(ProcessRuntime, ACommandIsRunAgainInItsFiles) {
  ProcessPlane plane;
  const ContainerSpec spec = third_time(plane, "s");
  const auto ran = plane.run(spec);
  EXPECT_EQ(ran.exit.exit_code, 0);
  EXPECT_EQ(plane.out(spec), "1\n2\n3\n");
  EXPECT_EQ(read_file(plane.fetch("s", "/tmp/runs").value()), "x\nx\nx\n");
  plane.crash();
  plane.open();
  EXPECT_EQ(plane.run(spec).exit.exit_code, 0) << "what is told of it later";
  EXPECT_EQ(plane.out(spec), "1\n2\n3\n");
  plane.runtime().remove("s");
}

TEST(ProcessRuntime, TheLastAttemptIsTheEnd) {
  ProcessPlane plane;
  ContainerSpec spec = third_time(plane, "s");
  spec.attempts = 2;
  EXPECT_EQ(plane.run(spec).exit.exit_code, 1);
  EXPECT_EQ(plane.out(spec), "1\n2\n");
  ContainerSpec none = plane.spec("none", {"/no/such/program"});
  none.attempts = 3;
  EXPECT_TRUE(plane.run(none).error) << "what cannot be run is not tried again";
  ContainerSpec leaves = plane.shell("leaves", "true");
  leaves.inputs = {{"/in", spec.dir + "/log"}};
  leaves.command.back() = "rm /in; exit 1";
  leaves.attempts = 3;
  EXPECT_EQ(plane.run(leaves).exit.exit_code, 1);
  EXPECT_THAT(plane.err(leaves), HasSubstr("No such file"));
}

TEST(ProcessRuntime, NoAttemptFollowsAStop) {
  ProcessPlane plane;
  ContainerSpec spec = plane.shell("s", "exit 3");
  spec.attempts = 3;
  spec.attempt_pause = std::chrono::hours(1);
  ProcessPlane::Ran ran;
  plane.start(spec, ran);
  plane.run_until([&] { return ran.started; });
  EXPECT_FALSE(ran.ended);
  plane.runtime().stop("s", 1s);
  plane.run_until([&] { return ran.ended; });
  // The stop may come before the first attempt's own end.
  EXPECT_TRUE(ran.exit.exit_code == 3 || ran.exit.exit_code == 143) << ran.exit.exit_code;
  ContainerSpec running = plane.shell("running", "sleep 1000");
  running.attempts = 3;
  ProcessPlane::Ran other;
  plane.start(running, other);
  plane.run_until([&] { return other.started; });
  plane.runtime().stop("running", 1s);
  plane.run_until([&] { return other.ended; });
  EXPECT_EQ(other.exit.exit_code, 143);
}

TEST(ProcessRuntime, AttemptsGoOnAfterACrash) {
  ProcessPlane plane;
  write_file(plane.folder() + "/v/x", "");
  ContainerSpec spec = plane.shell(
      "s",
      "echo x >> /v/runs; test $(wc -l < /v/runs) = 1 && exit 1; until test -e /v/go; do sleep 0.01; done; exit 5");
  spec.mounts = {{plane.folder() + "/v", "/v", false}};
  spec.attempts = 2;
  ProcessPlane::Ran before;
  plane.start(spec, before);
  plane.run_until([&] { return read_file(plane.folder() + "/v/runs") == "x\nx\n"; });
  plane.crash();
  plane.open();
  ProcessPlane::Ran after;
  plane.start(spec, after);
  plane.runtime().remove_unclaimed([](std::string_view id) { return id == "s"; });
  plane.run_until([&] { return after.started; });
  write_file(plane.folder() + "/v/go", "");
  plane.run_until([&] { return after.ended; });
  EXPECT_EQ(after.exit.exit_code, 5);
  EXPECT_EQ(read_file(plane.folder() + "/v/runs"), "x\nx\n");
}

TEST(ProcessRuntime, StepsEndWhileNobodyIsConnected) {
  ProcessPlane plane;
  const auto spec = plane.shell("s", "until test -e /v/go; do sleep 0.01; done; exit 9");
  write_file(plane.folder() + "/v/x", "");
  auto mounted = spec;
  mounted.mounts = {{plane.folder() + "/v", "/v", false}};
  ProcessPlane::Ran ran;
  plane.start(mounted, ran);
  plane.run_until([&] { return ran.started; });
  plane.crash();
  write_file(plane.folder() + "/v/go", "");
  {
    // The supervisor leaves once the step has ended.
    const UniqueFd lock(::open((plane.folder() + "/supervisor/lock").c_str(), O_RDWR | O_CLOEXEC));
    ::flock(lock.get(), LOCK_EX);
  }
  plane.open();
  EXPECT_EQ(plane.run(mounted).exit.exit_code, 9);
}

TEST(ProcessRuntime, AKilledSupervisorTakesItsStepsAlong) {
  ProcessPlane plane;
  write_file(plane.folder() + "/v/x", "");
  auto spec = plane.shell("s", "exec 9>/v/lock; flock 9; touch /v/ready; sleep 1000");
  spec.mounts = {{plane.folder() + "/v", "/v", false}};
  ProcessPlane::Ran ran;
  plane.start(spec, ran);
  plane.run_until([&] { return std::filesystem::exists(plane.folder() + "/v/ready"); });
  const pid_t supervisor = plane.supervisor_pid();
  ASSERT_GT(supervisor, 1);
  ::kill(supervisor, SIGKILL);
  plane.run_until([&] { return ran.ended; });
  EXPECT_EQ(ran.exit.reason, "ContainerStatusUnknown");
  EXPECT_EQ(ran.exit.exit_code, 137);
  EXPECT_THAT(ran.exit.message, StartsWith("the supervisor was ended while this step ran"));
  // Blocks until the step is dead.
  const UniqueFd lock(::open((plane.folder() + "/v/lock").c_str(), O_RDWR));
  EXPECT_EQ(::flock(lock.get(), LOCK_EX), 0);
  EXPECT_EQ(plane.run(plane.shell("next", "exit 4")).exit.exit_code, 4);
}

TEST(ProcessRuntime, UnclaimedStepsAreStopped) {
  ProcessPlane plane;
  ProcessPlane::Ran ran;
  plane.start(plane.spec("orphan", {"sleep", "1000"}), ran);
  ASSERT_EQ(plane.run(plane.shell("waits", "exit 8")).exit.exit_code, 8);
  plane.run_until([&] { return ran.started; });
  plane.crash();
  plane.open();
  plane.runtime().remove_unclaimed([](std::string_view id) { return id == "waits"; });
  // The supervisor only leaves when the orphan has ended.
  EXPECT_EQ(plane.run(plane.shell("next", "exit 0")).exit.exit_code, 0);
  EXPECT_EQ(plane.run(plane.shell("waits", "exit 9")).exit.exit_code, 8);
  plane.crash();
  const UniqueFd lock(::open((plane.folder() + "/supervisor/lock").c_str(), O_RDWR | O_CLOEXEC));
  EXPECT_EQ(::flock(lock.get(), LOCK_EX), 0);
}

TEST(ProcessRuntime, TheSupervisorHasATitleAndLeavesWhenIdle) {
  ProcessPlane plane;
  ASSERT_EQ(plane.run(plane.shell("s", "true")).exit.exit_code, 0);
  const pid_t pid = plane.supervisor_pid();
  EXPECT_EQ(read_file(fmt::format("/proc/{}/comm", pid)), "tiphys supervis\n");
  EXPECT_THAT(read_file(fmt::format("/proc/{}/cmdline", pid)), StartsWith("tiphys supervisor"));
  plane.crash();
  const UniqueFd lock(::open((plane.folder() + "/supervisor/lock").c_str(), O_RDWR | O_CLOEXEC));
  EXPECT_EQ(::flock(lock.get(), LOCK_EX), 0);
  EXPECT_FALSE(std::filesystem::exists(plane.folder() + "/supervisor/sock"));
}

/// All of the above once more as an ordinary user.
TEST(Rootless, TheSameHolds) {
  if (::geteuid() != 0) GTEST_SKIP() << "this is an ordinary user already";
  constexpr uid_t kNobody = 65534;
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setgroups(0, nullptr) != 0 || ::setresgid(kNobody, kNobody, kNobody) != 0 ||
        ::setresuid(kNobody, kNobody, kNobody) != 0 || ::chdir("/") != 0) {
      ::_exit(99);
    }
    if (::unshare(CLONE_NEWUSER) != 0) ::_exit(98);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WEXITSTATUS(status) == 98) GTEST_SKIP() << "this system lets ordinary users make no user namespaces";
  if (WEXITSTATUS(status) == 99) GTEST_SKIP() << "this process may not become another user";
  const pid_t again = ::fork();
  if (again == 0) {
    if (::setgroups(0, nullptr) != 0 || ::setresgid(kNobody, kNobody, kNobody) != 0 ||
        ::setresuid(kNobody, kNobody, kNobody) != 0 || ::chdir("/") != 0) {
      ::_exit(99);
    }
    ::execl("/proc/self/exe", "node_test", "--gtest_filter=*ProcessRuntime*:Process/*:WarmPython*", "--gtest_brief=1",
            nullptr);
    ::_exit(97);
  }
  ::waitpid(again, &status, 0);
  if (WEXITSTATUS(status) == 97) GTEST_SKIP() << "an ordinary user may not read this program";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace tiphys::node
