// What one step costs through the process runtime, beside posix_spawn of the same program: one at a time, and with many
// under way.
//   spawn_bench [ROUNDS [UNDER_WAY [many]]]     "many": nothing but many steps under way, for a profiler
#include <fmt/format.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <vector>

#include "base/asio_executor.h"
#include "node/process/process_runtime.h"
#include "node/supervisor/supervisor.h"

namespace {

using Clock = std::chrono::steady_clock;

double microseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

void report(std::string_view name, std::vector<double> times) {
  std::ranges::sort(times);
  fmt::print("{:44} p50 {:6.0f} us   min {:6.0f}   p90 {:6.0f}\n", name, times[times.size() / 2], times.front(),
             times[times.size() * 9 / 10]);
}

pid_t spawn_true() {
  char program[] = "/bin/true";
  char* const arguments[] = {program, nullptr};
  pid_t pid = -1;
  if (::posix_spawn(&pid, program, nullptr, nullptr, arguments, environ) != 0) ::exit(1);
  return pid;
}

void measure_floor(int rounds, int under_way) {
  std::vector<double> times;
  for (int i = 0; i < rounds; ++i) {
    const auto start = Clock::now();
    ::waitpid(spawn_true(), nullptr, 0);
    times.push_back(microseconds(Clock::now() - start));
  }
  report("posix_spawn, one at a time", std::move(times));
  const auto start = Clock::now();
  for (int begun = 0, ended = 0; ended < rounds; ++ended) {
    for (; begun < rounds && begun - ended < under_way; ++begun) spawn_true();
    ::waitpid(-1, nullptr, 0);
  }
  fmt::print("{:44} {:.0f}/s\n", "posix_spawn, many under way", rounds / microseconds(Clock::now() - start) * 1e6);
}

class Steps {
 public:
  Steps(tiphys::node::ProcessRuntime& runtime, std::string folder) : runtime_(runtime), folder_(std::move(folder)) {}

  void start(std::function<void()> ended) {
    tiphys::node::ContainerSpec spec;
    spec.id = fmt::format("step-{}", ++last_);
    spec.dir = fmt::format("{}/{}", folder_, last_);
    spec.command = {"/bin/true"};
    runtime_.start(
        spec,
        [](tiphys::Status status) {
          if (!status) fmt::print("{}\n", status.error().message), ::exit(1);
        },
        [this, id = spec.id, ended = std::move(ended)](const tiphys::node::ContainerExit& exit) {
          if (exit.exit_code != 0) fmt::print("{} {}\n", exit.reason, exit.message), ::exit(1);
          runtime_.remove(id);
          ended();
        });
  }

 private:
  tiphys::node::ProcessRuntime& runtime_;
  std::string folder_;
  int last_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 500;
  const int under_way = argc > 2 ? std::atoi(argv[2]) : 16;
  const bool all = argc < 4;
  char pattern[] = "/tmp/spawn_bench.XXXXXX";
  const std::string folder = ::mkdtemp(pattern);
  const auto begin = Clock::now();
  auto supervisor = tiphys::node::ensure_supervisor(folder);
  if (!supervisor) return fmt::print("{}\n", supervisor.error().message), 1;
  fmt::print("{:44} {:10.0f} us\n", "ensure_supervisor, cold", microseconds(Clock::now() - begin));
  {
    boost::asio::io_context context;
    const auto executor = tiphys::make_asio_executor(context);
    tiphys::node::ProcessRuntime runtime(context, *executor, std::move(*supervisor), {.data_dir = folder});
    Steps steps(runtime, folder + "/pods");
    std::vector<double> times;
    for (int i = 0; i <= (all ? std::min(rounds, 500) : 1); ++i) {
      bool ended = false;
      const auto start = Clock::now();
      steps.start([&] { ended = true; });
      while (!ended) context.run_one();
      if (i != 0)
        times.push_back(microseconds(Clock::now() - start));
      else
        fmt::print("{:44} {:10.0f} us\n", "first step", microseconds(Clock::now() - begin));
    }
    report("process runtime, one at a time", std::move(times));

    int begun = 0;
    int ended = 0;
    std::function<void()> next = [&] {
      for (; begun < rounds && begun - ended < under_way; ++begun) steps.start([&] { ++ended, next(); });
    };
    const auto start = Clock::now();
    next();
    while (ended < rounds) context.run_one();
    fmt::print("{:44} {:.0f}/s\n", "process runtime, many under way",
               rounds / microseconds(Clock::now() - start) * 1e6);
  }
  if (all) measure_floor(rounds, under_way);
  std::error_code ignored;  // the supervisor is leaving meanwhile
  std::filesystem::remove_all(folder, ignored);
}
