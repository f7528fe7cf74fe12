// Steps that are forks of an interpreter that is kept, of this host's own python3; tests/e2e/test_warm_python.py looks
// at what their programs see.
#include "node/python/warm_python.h"

#include <gmock/gmock.h>
#include <signal.h>

#include <filesystem>

#include "node/testing.h"

namespace tiphys::node {
namespace {

using std::chrono_literals::operator""s;
using ::testing::HasSubstr;
using testing::ProcessPlane;
using testing::read_file;

constexpr char kTells[] = "print(open('/proc/self/cmdline').read().count(' '.join(['tiphys', 'zygote'])))";

class WarmPythonTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::access("/usr/bin/python3", X_OK) != 0) GTEST_SKIP() << "there is no /usr/bin/python3";
  }

  ContainerSpec python(const std::string& code) {
    auto spec = plane_.spec(fmt::format("s{}", ++last_), {"/usr/bin/python3", "-c", code});
    spec.warm_python = "true";
    return spec;
  }
  /// What it writes to its output, after checking that it succeeds.
  std::string output(const ContainerSpec& spec) {
    const auto ran = plane_.run(spec);
    EXPECT_FALSE(ran.error) << ran.error->message;
    EXPECT_EQ(ran.exit.exit_code, 0) << plane_.err(spec);
    return plane_.out(spec);
  }
  /// Of the interpreter that is kept; 0 when there is none.
  pid_t zygote() const {
    const std::string children = fmt::format("/proc/{0}/task/{0}/children", plane_.supervisor_pid());
    std::istringstream pids(read_file(children));
    for (pid_t pid = 0; pids >> pid;) {
      const std::string line = read_file(fmt::format("/proc/{}/cmdline", pid));
      if (line.find("tiphys zygote") != std::string::npos) return pid;
    }
    return 0;
  }

  ProcessPlane plane_;
  int last_ = 0;
};

TEST_F(WarmPythonTest, AForkEndsAsItsProgramDoes) {
  struct Row {
    const char* name;
    const char* code;
    int exit_code;
    const char* out;
    const char* err;
  };
  const Row rows[] = {
      {"success", "print(1)", 0, "1\n", ""},
      {"an exit code", "raise SystemExit(7)", 7, "", ""},
      {"text", "raise SystemExit('why')", 1, "", "why\n"},
      {"an exception", "1/0", 1, "", "ZeroDivisionError"},
      {"a signal", "import os; os.kill(os.getpid(), 9)", 137, "", ""},
      {"an interrupt", "raise KeyboardInterrupt", 130, "", "KeyboardInterrupt"},
      {"at exit", "import atexit; atexit.register(print, 2); print(1)", 0, "1\n2\n", ""},
      {"a file that is left open", "f = open('/dev/stderr', 'w'); f.write('kept')", 0, "", "kept"},
  };
  for (const Row& row : rows) {
    const auto spec = python(row.code);
    const auto ran = plane_.run(spec);
    ASSERT_FALSE(ran.error) << row.name;
    EXPECT_EQ(ran.exit.exit_code, row.exit_code) << row.name;
    EXPECT_EQ(plane_.out(spec), row.out) << row.name;
    EXPECT_THAT(plane_.err(spec), HasSubstr(row.err)) << row.name;
  }
}

TEST_F(WarmPythonTest, EveryKindOfStepMayBeAFork) {
  EXPECT_EQ(output(python(kTells)), "1\n");
  auto limited = python(kTells);
  limited.memory_bytes = 512 << 20;
  limited.cpus = 1;
  EXPECT_EQ(output(limited), "1\n");
  auto with_volume = python(std::string(kTells) + "; open('/v/x', 'w').write('1')");
  std::filesystem::create_directory(plane_.folder() + "/v");
  with_volume.mounts = {{plane_.folder() + "/v", "/v", false}};
  EXPECT_EQ(output(with_volume), "1\n");
  EXPECT_EQ(read_file(plane_.folder() + "/v/x"), "1");
  auto with_input = plane_.spec("input", {"/usr/bin/python3", "/work/main.py"});
  with_input.warm_python = "true";
  testing::write_file(plane_.folder() + "/main.py", kTells);
  with_input.inputs = {{"/work/main.py", plane_.folder() + "/main.py"}};
  EXPECT_EQ(output(with_input), "1\n");
  auto hidden = python(kTells);
  std::filesystem::create_directory(plane_.folder() + "/lib");
  hidden.mounts = {{plane_.folder() + "/lib", "/usr/share", false}};
  EXPECT_EQ(output(hidden), "0\n") << "a volume lies over a folder of the interpreter's";
  auto plain = python(kTells);
  plain.warm_python = "false";
  EXPECT_EQ(output(plain), "0\n");
  if (::geteuid() != 0) return;
  auto of_another =
      python(std::string(kTells) + "; import os; print(os.getuid(), os.getgid(), os.access('/root', os.W_OK))");
  of_another.run_as_user = 1234;
  EXPECT_EQ(output(of_another), "1\n1234 0 False\n");
}

TEST_F(WarmPythonTest, StepsDoNotMeet) {
  const std::string code =
      "import json, os, random; print(hasattr(json, 'x'), 'X' in os.environ, len(os.listdir('/proc/self/fd')));"
      "json.x = os.environ['X'] = '1'; open('/tmp/x', 'w')";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(output(python(code)), "False False 4\n");
  const std::string chance = "import random; print(random.random())";
  EXPECT_NE(output(python(chance)), output(python(chance)));
}

TEST_F(WarmPythonTest, OneThatHasDiedIsStartedAgain) {
  EXPECT_EQ(output(python(kTells)), "1\n");
  const pid_t first = zygote();
  ASSERT_GT(first, 0);
  ::kill(first, SIGKILL);
  // By an interpreter of its own, or by the next that is kept.
  output(python(kTells));
  EXPECT_EQ(output(python(kTells)), "1\n");
  EXPECT_NE(zygote(), first);
}

TEST_F(WarmPythonTest, OneThatDoesNotAnswerHoldsNoStep) {
  EXPECT_EQ(output(python(kTells)), "1\n");
  const pid_t stopped = zygote();
  ASSERT_GT(stopped, 0);
  ::kill(stopped, SIGSTOP);
  ProcessPlane::Ran ran;
  const auto spec = python("import time; time.sleep(1000)");
  plane_.start(spec, ran);
  plane_.runtime().stop(spec.id, 60s);
  plane_.run_until([&] { return ran.ended; });
  EXPECT_EQ(ran.exit.exit_code, 143);
  ::kill(stopped, SIGKILL);
}

TEST_F(WarmPythonTest, AStepIsFoundAgain) {
  ProcessPlane::Ran ran;
  const auto spec =
      python(std::string(kTells) + "\nimport os\nopen('/begun', 'w')\nwhile not os.path.exists('/go'): pass");
  plane_.start(spec, ran);
  plane_.run_until([&] { return ran.started; });
  plane_.crash();
  plane_.open();
  ProcessPlane::Ran again;
  plane_.start(spec, again);
  plane_.run_until([&] { return again.started; });
  const auto root = plane_.runtime().open_folder(spec.id, "/");
  ASSERT_TRUE(root) << root.error().message;
  UniqueFd(::openat(root->get(), "go", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  plane_.run_until([&] { return again.ended; });
  EXPECT_EQ(again.exit.exit_code, 0);
  EXPECT_EQ(plane_.out(spec), "1\n");
}

TEST_F(WarmPythonTest, NamesOfModulesAreChecked) {
  auto spec = python(kTells);
  spec.warm_python = "a b";
  const auto ran = plane_.run(spec);
  ASSERT_TRUE(ran.error);
  EXPECT_THAT(ran.error->message, HasSubstr("\"a b\" is no module of Python"));
}

}  // namespace
}  // namespace tiphys::node
