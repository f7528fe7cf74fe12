#include "cli/commands/print_logs.h"

#include <fmt/format.h>

#include <optional>

#include "cli/terminal.h"

namespace tiphys::cli {

Status print_logs(Session& session, const argo::PodLogRequest& request, const Style& style) {
  std::optional<Status> ended;
  argo::PodLogSink sink;
  sink.on_lines = [&](const std::vector<argo::LogLine>& lines) {
    std::string text;
    for (const argo::LogLine& line : lines) {
      const std::string_view pod = doc::find_string(*line.pod, "metadata", "name");
      text += style.paint(fmt::format("{}: {}", pod, line.content), pod_color(pod)) + "\n";
    }
    print(text);
  };
  sink.on_trouble = [](std::string_view pod, const Error& error) {
    print_error(fmt::format("{}: {}\n", pod, error.message));
  };
  sink.on_end = [&](Status status) { ended = std::move(status); };
  const auto reading = session.read_logs(request, std::move(sink));
  session.loop().run_until([&] { return ended.has_value(); });
  return *ended;
}

}  // namespace tiphys::cli
