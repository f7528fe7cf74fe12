#include "node/python/python_command.h"

#include <gtest/gtest.h>

#include <set>

#include "node/python/warm_python.h"

namespace tiphys::node {
namespace {

using Texts = std::vector<std::string>;

struct CommandRow {
  const char* name;
  Texts argv;
  Texts env;
  bool forked;
  bool forked_with_modules;
};

const CommandRow kCommands[] = {
    {"a script", {"python", "/argo/staging/script"}, {}, true, true},
    {"python3, a path, a version", {"/usr/bin/python3.11", "train.py", "--rate", "1"}, {}, true, true},
    {"code", {"python3", "-c", "print(1)", "x"}, {}, true, true},
    {"a module", {"python", "-m", "hera.workflows.runner", "-e", "m:f"}, {}, true, true},
    {"-u", {"python", "-u", "train.py"}, {}, true, true},
    {"-u twice", {"python", "-u", "-u", "-m", "m"}, {}, true, true},
    {"another flag", {"python", "-O", "train.py"}, {}, false, false},
    {"flags in one word", {"python", "-uc", "1"}, {}, false, false},
    {"from standard input", {"python", "-"}, {}, false, false},
    {"nothing to run", {"python"}, {}, false, false},
    {"an empty file name", {"python", ""}, {}, false, false},
    {"-c without code", {"python", "-c"}, {}, false, false},
    {"a shell", {"sh", "-c", "python train.py"}, {}, false, false},
    {"another program of this name", {"python-config", "x"}, {}, false, false},
    {"pypy", {"pypy3", "x.py"}, {}, false, false},
    {"no program", {}, {}, false, false},
    {"usual variables", {"python", "x"}, {"PATH=/usr/bin", "HOME=/root", "ARGO_NODE_ID=a", "TZ=UTC"}, true, true},
    {"where modules are", {"python", "x"}, {"PYTHONPATH=/src"}, true, true},
    {"streams", {"python", "x"}, {"PYTHONUNBUFFERED=1"}, true, true},
    {"the seed of hashes", {"python", "x"}, {"PYTHONHASHSEED=0"}, false, false},
    {"other variables of Python", {"python", "x"}, {"PYTHONDONTWRITEBYTECODE=1"}, false, false},
    {"a language", {"python", "x"}, {"LANG=C.UTF-8"}, false, false},
    {"a locale", {"python", "x"}, {"LC_ALL=C"}, false, false},
    {"libraries", {"python", "x"}, {"LD_LIBRARY_PATH=/lib"}, false, false},
    {"threads of libraries", {"python", "x"}, {"OMP_NUM_THREADS=1"}, true, false},
    {"devices", {"python", "x"}, {"CUDA_VISIBLE_DEVICES="}, true, false},
};

TEST(PythonCommandTest, WhatAForkRunsAlike) {
  for (const CommandRow& row : kCommands) {
    EXPECT_EQ(is_forked_alike(row.argv, row.env, false), row.forked) << row.name;
    EXPECT_EQ(is_forked_alike(row.argv, row.env, true), row.forked_with_modules) << row.name;
  }
}

struct ProgramRow {
  const char* name;
  const char* program;
  const char* path;
  const char* found;
};

const ProgramRow kPrograms[] = {
    {"the first of the path", "python3", "/usr/local/bin:/usr/bin:/bin", "/usr/bin/python3"},
    {"an environment first", "python", "/home/u/env/bin:/usr/bin", "/home/u/env/bin/python"},
    {"a path", "/usr/bin/python3", "", "/usr/bin/python3"},
    {"a path of the step's own", "/tmp/python3", "", ""},
    {"a relative path", "bin/python3", "/usr/bin", ""},
    {"the step's own folders come first", "python3", "/tmp:/usr/bin", ""},
    {"they come later", "python3", "/usr/bin:/tmp", "/usr/bin/python3"},
    {"nowhere", "python2", "/usr/bin", ""},
    {"no path", "python3", "", ""},
};

TEST(PythonCommandTest, TheProgramThatAStepFinds) {
  const std::set<std::string> programs = {"/usr/bin/python3", "/home/u/env/bin/python", "/tmp/python3"};
  const auto seen = [](std::string_view path) { return path.starts_with("/usr/") || path.starts_with("/home/u/env/"); };
  const auto exists = [&](const std::string& path) { return programs.contains(path); };
  for (const ProgramRow& row : kPrograms) {
    EXPECT_EQ(program_of(row.program, row.path, seen, exists), row.found) << row.name;
  }
}

TEST(PythonCommandTest, ModulesByAFlag) {
  EXPECT_EQ(parse_warm_python("").value(), std::nullopt);
  EXPECT_EQ(parse_warm_python("false").value(), std::nullopt);
  EXPECT_EQ(parse_warm_python("true").value(), Texts{});
  EXPECT_EQ(parse_warm_python("numpy, hera.workflows").value(), (Texts{"numpy", "hera.workflows"}));
  for (const char* wrong : {"numpy,", "a b", "-c", "a..b", "1", "../x"}) {
    const auto parsed = parse_warm_python(wrong);
    ASSERT_FALSE(parsed) << wrong;
    EXPECT_EQ(parsed.error().code, Code::kInvalidArgument) << wrong;
  }
}

}  // namespace
}  // namespace tiphys::node
