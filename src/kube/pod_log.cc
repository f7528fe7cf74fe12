#include "kube/pod_log.h"

#include "cluster/api_request.h"
#include "cluster/api_status.h"
#include "http/url.h"

namespace tiphys::kube {
namespace {

class LogReading final : public cluster::Watch {
 public:
  LogReading(const std::shared_ptr<Api>& api, std::string target, cluster::LogSink sink) : sink_(std::move(sink)) {
    api->stream(
        stream_, {.target = std::move(target)},
        {[this](std::string_view line) { on_line(line); }, [this](Status status) { sink_.on_end(std::move(status)); }});
  }

 private:
  /// "TIME TEXT"; what comes without a time is a word of the kubelet's.
  void on_line(std::string_view line) {
    const auto space = line.find(' ');
    const Result<Time> at = parse_rfc3339(line.substr(0, space));
    if (!at) return sink_.on_line(line, Time{}, "stdout");
    sink_.on_line(space == std::string_view::npos ? std::string_view() : line.substr(space + 1), *at, "stdout");
  }

  cluster::LogSink sink_;
  http::LineStream stream_{&cluster::error_of};
};

}  // namespace

std::unique_ptr<cluster::Watch> read_pod_log(const std::shared_ptr<Api>& api, const cluster::Key& pod,
                                             const cluster::LogOptions& options, cluster::LogSink sink) {
  http::Query query;
  query.add("container", options.container);
  query.add("timestamps", "true");
  if (options.follow) query.add("follow", "true");
  if (options.previous) query.add("previous", "true");
  if (options.tail >= 0) query.add("tailLines", std::to_string(options.tail));
  if (options.since != Time{}) query.add("sinceTime", format_rfc3339_micro(options.since));
  return std::make_unique<LogReading>(api, cluster::api_path(pod) + "/log" + query.text(), std::move(sink));
}

}  // namespace tiphys::kube
