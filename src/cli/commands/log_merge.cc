#include "cli/commands/log_merge.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/strings.h"
#include "cli/commands/common.h"
#include "cli/terminal.h"
#include "cli/view/run_state.h"
#include "cli/view/workflow_text.h"

namespace tiphys::cli {
namespace {

/// Lines of several pods are put in order within this time, or this much text, whichever comes first.
constexpr std::chrono::milliseconds kFlushDelay(100);
constexpr std::size_t kMostBuffered = 64 * 1024 * 1024;

class LogMerge {
 public:
  LogMerge(Session& session, const LogRequest& request, const RE2* grep)
      : session_(session), request_(request), grep_(grep) {}
  ~LogMerge() { session_.loop().executor().cancel(timer_); }

  Status run() {
    TIPHYS_TRY(const auto workflow, get_object(session_, request_.workflow));
    ended_ = has_ended(*workflow);
    TIPHYS_TRY(pod_watch_.labels, cluster::Selector::parse(pod_labels()));
    TIPHYS_TRY(pod_watch_.fields,
               cluster::Selector::parse_fields(request_.pod.empty() ? "" : "metadata.name=" + request_.pod));
    pod_watch_.ns = request_.workflow.ns;
    TIPHYS_CHECK_OK(read_present_pods());
    TIPHYS_CHECK_OK(check_names());
    if (request_.options.follow && !ended_) TIPHYS_CHECK_OK(follow());
    read_until([this] { return ended_ || !request_.options.follow; });
    if (!watches_.empty() && !lost_) {
      // The watch of the workflow may have overtaken that of its pods.
      TIPHYS_CHECK_OK(read_present_pods());
      read_until([] { return true; });
    }
    flush();
    if (lost_) return std::unexpected(*lost_);
    return {};
  }

 private:
  struct Line {
    Time at;
    std::string text;
  };

  std::string pod_labels() const {
    const std::string own = "workflows.argoproj.io/workflow=" + request_.workflow.name;
    return request_.selector.empty() ? own : own + "," + request_.selector;
  }

  Status read_present_pods() {
    cluster::ListOptions options;
    options.ns = pod_watch_.ns;
    options.labels = pod_watch_.labels;
    options.fields = pod_watch_.fields;
    TIPHYS_TRY(auto pods, await<cluster::List>(session_.loop(), [&](auto done) {
                 session_.cluster().list(cluster::kPods, options, std::move(done));
               }));
    std::stable_sort(pods.items.begin(), pods.items.end(), [](const auto& a, const auto& b) {
      return time_at(*a, "status", "startTime") < time_at(*b, "status", "startTime");
    });
    for (const auto& pod : pods.items) read(*pod);
    return {};
  }

  /// Names of the command line that nothing has: an empty log would hide the mistake.
  Status check_names() const {
    const std::string& name = request_.workflow.name;
    if (!request_.pod.empty() && seen_ == 0 && (ended_ || !request_.options.follow)) {
      return fail(Code::kNotFound, fmt::format("workflow \"{}\" has no pod \"{}\"; tiphys get {} lists its pods", name,
                                               request_.pod, name));
    }
    if (seen_ == 0 || containers_.empty() || request_.options.container.empty()) return {};
    if (containers_.contains(request_.options.container)) return {};
    const std::vector<std::string> known(containers_.begin(), containers_.end());
    return fail(Code::kNotFound, fmt::format("no pod of workflow \"{}\" has a container \"{}\": there is {}", name,
                                             request_.options.container, join(known, ", ")));
  }

  /// Until all that was opened is read, and `enough`.
  template <typename Enough>
  void read_until(Enough enough) {
    session_.loop().run_until([&] { return lost_ || (open_ == 0 && enough()); });
  }

  Status follow() {
    const auto lose = [this](Error error) {
      if (!lost_) lost_ = std::move(error);
    };
    cluster::WatchSink pods;
    pods.on_event = [this](const cluster::WatchEvent& event) {
      if (event.object && event.type != cluster::WatchEvent::Type::kDeleted) read(*event.object);
    };
    pods.on_end = lose;
    watches_.push_back(session_.cluster().watch(cluster::kPods, pod_watch_, std::move(pods)));

    cluster::WatchOptions options;
    options.ns = request_.workflow.ns;
    TIPHYS_TRY(options.fields, cluster::Selector::parse_fields("metadata.name=" + request_.workflow.name));
    cluster::WatchSink workflow;
    workflow.on_event = [this](const cluster::WatchEvent& event) {
      if (event.object) ended_ = event.type == cluster::WatchEvent::Type::kDeleted || has_ended(*event.object);
    };
    workflow.on_end = lose;
    watches_.push_back(session_.cluster().watch(cluster::kWorkflows, std::move(options), std::move(workflow)));
    return {};
  }

  /// Begins to read a pod's log, once, when it has started.
  void read(const doc::Value& pod) {
    ++seen_;
    for (const char* field : {"initContainers", "containers"}) {
      const doc::Value* list = doc::find(pod, "spec", field);
      if (list == nullptr || !list->is_array()) continue;
      for (const auto& container : list->get_array()) containers_.emplace(doc::find_string(container, "name"));
    }
    const std::string_view phase = doc::find_string(pod, "status", "phase");
    if (phase.empty() || phase == "Pending") return;
    const std::string name(doc::find_string(pod, "metadata", "name"));
    const auto [entry, fresh] = readings_.try_emplace(std::string(doc::find_string(pod, "metadata", "uid")));
    if (!fresh) return;
    ++open_;
    cluster::LogSink sink;
    sink.on_line = [this, name](std::string_view line, Time at, std::string_view) { add(name, line, at); };
    sink.on_end = [this, name](const Status& status) {
      --open_;
      if (!status) print_error(fmt::format("{}: {}\n", name, status.error().message));
    };
    entry->second =
        session_.cluster().read_log({&cluster::kPods, request_.workflow.ns, name}, request_.options, std::move(sink));
  }

  void add(const std::string& pod, std::string_view line, Time at) {
    std::string content =
        request_.options.timestamps ? fmt::format("{} {}", format_rfc3339_micro(at), line) : std::string(line);
    if (grep_ && !RE2::PartialMatch(content, *grep_)) return;
    std::string text = request_.style.paint(fmt::format("{}: {}", pod, content), pod_color(pod)) + "\n";
    buffered_ += text.size();
    lines_.push_back({at, std::move(text)});
    if (buffered_ > kMostBuffered) return flush();
    if (timer_ != 0 || !request_.options.follow) return;
    timer_ = session_.loop().executor().schedule(session_.loop().now() + kFlushDelay, [this] {
      timer_ = 0;
      flush();
    });
  }

  void flush() {
    std::stable_sort(lines_.begin(), lines_.end(), [](const Line& a, const Line& b) { return a.at < b.at; });
    std::string text;
    text.reserve(buffered_);
    for (const auto& line : lines_) text += line.text;
    lines_.clear();
    buffered_ = 0;
    print(text);
  }

  Session& session_;
  const LogRequest& request_;
  const RE2* grep_;
  cluster::WatchOptions pod_watch_;
  std::map<std::string, std::unique_ptr<cluster::Watch>> readings_;  ///< by the pod's uid
  std::vector<std::unique_ptr<cluster::Watch>> watches_;
  std::size_t open_ = 0;
  std::size_t seen_ = 0;              ///< pods, running or not
  std::set<std::string> containers_;  ///< of any of them
  bool ended_ = false;
  std::optional<Error> lost_;
  std::vector<Line> lines_;
  std::size_t buffered_ = 0;
  Executor::TimerId timer_ = 0;
};

}  // namespace

Status print_logs(Session& session, const LogRequest& request) {
  std::optional<RE2> grep;
  if (!request.grep.empty()) {
    grep.emplace(request.grep, RE2::Quiet);
    if (!grep->ok())
      return fail(Code::kInvalidArgument, fmt::format("--grep: \"{}\": {}", request.grep, grep->error()));
  }
  return LogMerge(session, request, grep ? &*grep : nullptr).run();
}

}  // namespace tiphys::cli
