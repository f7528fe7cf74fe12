// What the tests of this layer share: a data directory of their own, an executor over a real clock, and a runtime.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include "base/asio_executor.h"
#include "base/unique_fd.h"
#include "node/process/process_runtime.h"
#include "node/supervisor/supervisor.h"
#include "node/supervisor/supervisor_protocol.h"

namespace tiphys::node::testing {

class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tiphys_node.XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
    ::chmod(path_.c_str(), 0755);
  }
  ~TempFolder() {
    // A supervisor that is about to leave still writes there.
    const UniqueFd lock(::open((path_ + "/supervisor/lock").c_str(), O_RDWR | O_CLOEXEC));
    if (lock) ::flock(lock.get(), LOCK_EX);
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline void write_file(const std::string& path, std::string_view text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

/// The texts of a log's lines of one stream, with their newlines.
inline std::string log_text(const std::string& path, std::string_view stream) {
  std::istringstream lines(read_file(path));
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    const auto space = line.find(' ');
    const std::string_view rest = std::string_view(line).substr(space + 1);
    if (!rest.starts_with(stream)) continue;
    text += rest.substr(stream.size() + 3);
    if (rest[stream.size() + 1] == 'F') text += '\n';
  }
  return text;
}

/// A process runtime in a data directory of its own.
class ProcessPlane {
 public:
  struct Ran {
    std::optional<Error> error;  ///< it did not start
    ContainerExit exit;
    bool started = false;
    bool ended = false;
  };

  explicit ProcessPlane(std::vector<std::string> host_paths = {}) : host_paths_(std::move(host_paths)) { open(); }

  void open() {
    auto supervisor = ensure_supervisor(folder_.path());
    if (!supervisor) throw std::runtime_error(supervisor.error().message);
    runtime_.emplace(context_, *executor_, std::move(*supervisor), ProcessRuntimeOptions{folder_.path(), host_paths_});
  }
  /// As a program that is killed: the connection is cut, what came in is forgotten.
  void crash() { runtime_.reset(); }

  const std::string& folder() const { return folder_.path(); }
  ProcessRuntime& runtime() { return *runtime_; }
  boost::asio::io_context& context() { return context_; }
  Executor& executor() { return *executor_; }

  ContainerSpec spec(const std::string& id, std::vector<std::string> command) const {
    ContainerSpec spec;
    spec.id = id;
    spec.pod_name = "pod";
    spec.container_name = "main";
    spec.command = std::move(command);
    spec.dir = fmt::format("{}/pods/{}", folder_.path(), id);
    return spec;
  }
  ContainerSpec shell(const std::string& id, const std::string& script) const {
    return spec(id, {"/bin/sh", "-c", script});
  }

  void start(const ContainerSpec& spec, Ran& ran) {
    runtime_->start(
        spec,
        [&ran](Status status) {
          ran.started = status.has_value();
          if (!status) ran.error = status.error();
          if (!status) ran.ended = true;
        },
        [&ran](ContainerExit exit) {
          ran.exit = std::move(exit);
          ran.ended = true;
        });
  }
  /// Also for what a step does in its files, which wakes nobody here.
  template <typename Done>
  void run_until(Done done) {
    while (!done()) context_.run_one_for(std::chrono::milliseconds(5));
    context_.restart();
  }
  Ran run(const ContainerSpec& spec) {
    Ran ran;
    start(spec, ran);
    run_until([&] { return ran.ended; });
    return ran;
  }
  std::string out(const ContainerSpec& spec) const { return log_text(spec.dir + "/log", "stdout"); }
  std::string err(const ContainerSpec& spec) const { return log_text(spec.dir + "/log", "stderr"); }
  Result<std::string> fetch(const std::string& id, const std::string& path) {
    std::optional<Result<std::string>> result;
    runtime_->fetch(id, path, folder_.path(), [&](Result<std::string> found) { result = std::move(found); });
    run_until([&] { return result.has_value(); });
    return *result;
  }
  /// As the supervisor itself says it: the lock in /proc/locks is named after whoever took it, which was not the
  /// supervisor.
  pid_t supervisor_pid() const {
    const auto client = ensure_supervisor(folder_.path());
    if (!client) throw std::runtime_error(client.error().message);
    std::string bytes;
    for (;;) {
      std::string_view rest = bytes;
      // News of steps may come first.
      for (auto frame = take_frame(rest); frame && *frame; frame = take_frame(rest)) {
        if ((*frame)->type == FrameType::kWelcome) return parse_welcome((*frame)->body).value().pid;
      }
      char byte = 0;
      if (::recv(client->get(), &byte, 1, 0) != 1) throw std::runtime_error("the supervisor does not say its pid");
      bytes += byte;
    }
  }

 private:
  TempFolder folder_;
  std::vector<std::string> host_paths_;
  boost::asio::io_context context_;
  std::unique_ptr<Executor> executor_ = make_asio_executor(context_);
  std::optional<ProcessRuntime> runtime_;
};

}  // namespace tiphys::node::testing
