// What containers that have ended say of it: the file that terminationMessagePath names, or the end of their log
// (k8s.io/kubernetes/pkg/kubelet/kuberuntime, whose bounds these are).
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/unique_fd.h"
#include "doc/utf8.h"
#include "node/agent/pod_io.h"
#include "node/agent/pod_run.h"
#include "node/agent/write_file.h"
#include "node/log/log_file.h"

namespace tiphys::node {
namespace {

constexpr std::size_t kMostMessageBytes = 4096;
constexpr std::size_t kMostLogBytes = 2048;
constexpr std::ptrdiff_t kMostLogLines = 80;
constexpr std::string_view kUsualPath = "/dev/termination-log";

std::string message_path(const doc::Value* container) {
  const std::string_view path = container ? doc::find_string(*container, "terminationMessagePath") : "";
  return std::string(path.empty() ? kUsualPath : path);
}

bool falls_back_to_log(const doc::Value* container) {
  return container && doc::find_string(*container, "terminationMessagePolicy") == "FallbackToLogsOnError";
}

std::string message_in(const std::string& host_path) {
  const UniqueFd file(::open(host_path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat about{};
  if (!file || ::fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode)) return "";
  std::string text(kMostMessageBytes, '\0');
  const ssize_t count = ::pread(file.get(), text.data(), text.size(), 0);
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return text;
}

std::string end_of_log(const std::string& log_path) {
  const auto tail = log_tail(log_path, kMostLogBytes, LogStreams::kBoth);
  if (!tail) return "";
  std::string_view lines = *tail;
  for (std::ptrdiff_t extra = std::ranges::count(lines, '\n') + 1 - kMostLogLines; extra > 0; --extra) {
    lines.remove_prefix(lines.find('\n') + 1);
  }
  return std::string(lines);
}

}  // namespace

/// In an engine the file is one of this host, as a kubelet's. In the process runtime it is in the step's root, to which
/// a link in its /dev leads.
Status PodRun::give_message_files(PodContainers& made) {
  if (shares_network()) return {};
  for (const bool init : {true, false}) {
    for (ContainerSpec& spec : init ? made.init : made.containers) {
      const std::string path = message_path(document_of(spec.container_name, init));
      if (std::ranges::find(spec.mounts, path, &Mount::path) != spec.mounts.end()) continue;
      TIPHYS_CHECK_OK(make_folder(spec.dir, 0755));
      // Whoever its user is. What an adopted container has written stays.
      const std::string file = message_file(spec);
      if (!std::filesystem::exists(file)) TIPHYS_CHECK_OK(write_file(file, "", 0666));
      spec.mounts.push_back({.host_path = file, .path = path});
    }
  }
  return {};
}

std::string PodRun::message_file(const ContainerSpec& spec) {
  return spec.dir + "/termination-log";
}

/// Of a step that has ended well nobody reads it, and to look costs time.
bool PodRun::wants_message(const Container& container) const {
  const auto& exit = container.report.exit;
  if (!exit || container.report.started_at == Time{} || !exit->message.empty()) return false;
  return exit->exit_code != 0 || !is_of_workflow(*pod_);
}

/// One container after the other, from this one on.
void PodRun::read_messages(std::size_t index) {
  while (index < containers_.size() && !wants_message(containers_[index])) ++index;
  if (index == containers_.size()) return gather();
  const Container& container = containers_[index];
  if (!shares_network()) {
    take_message(index, message_in(message_file(container.spec)));
    return read_messages(index + 1);
  }
  runtime_.fetch(container.spec.id, message_path(document_of(container)), place_.dir,
                 [self = shared_from_this(), index](const Result<std::string>& file) {
                   self->take_message(index, file ? message_in(*file) : "");
                   self->read_messages(index + 1);
                 });
}

void PodRun::take_message(std::size_t index, std::string message) {
  Container& container = containers_[index];
  ContainerExit& exit = *container.report.exit;
  if (message.empty() && exit.exit_code != 0 && falls_back_to_log(document_of(container))) {
    message = end_of_log(container.spec.dir + "/log");
  }
  exit.message = doc::to_utf8(message);
}

}  // namespace tiphys::node
