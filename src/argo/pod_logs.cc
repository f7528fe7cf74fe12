#include "argo/pod_logs.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "argo/states.h"
#include "base/strings.h"

namespace tiphys::argo {
namespace {

/// Lines of several pods are put in order within this time, or this much text, whichever comes first.
constexpr std::chrono::milliseconds kFlushDelay(100);
constexpr std::size_t kMostBuffered = 16 * 1024 * 1024;

class LogMerge : public std::enable_shared_from_this<LogMerge> {
 public:
  LogMerge(Executor& executor, cluster::Cluster& cluster, PodLogRequest request, PodLogSink sink)
      : executor_(executor), cluster_(cluster), request_(std::move(request)), sink_(std::move(sink)) {}
  ~LogMerge() { executor_.cancel(timer_); }

  void start() {
    if (const Status prepared = prepare(); !prepared) {
      return executor_.post([weak = weak_from_this(), error = prepared.error()] {
        if (const auto self = weak.lock()) self->finish(std::unexpected(error));
      });
    }
    if (request_.workflow.name.empty()) {
      return read_present_pods([](LogMerge& merge) { merge.begin(); });
    }
    cluster_.get(request_.workflow, [weak = weak_from_this()](Result<cluster::Object> workflow) {
      const auto self = weak.lock();
      if (!self) return;
      if (!workflow) return self->finish(std::unexpected(workflow.error()));
      self->ended_ = has_ended(**workflow);
      self->read_present_pods([](LogMerge& merge) { merge.begin(); });
    });
  }

  void pause(bool paused) {
    paused_ = paused;
    for (const auto& [uid, reading] : readings_) {
      if (reading) reading->pause(paused);
    }
  }

 private:
  Status prepare() {
    if (!request_.grep.empty()) {
      grep_.emplace(request_.grep, RE2::Quiet);
      if (!grep_->ok()) {
        return fail(Code::kInvalidArgument, fmt::format("grep: \"{}\": {}", request_.grep, grep_->error()));
      }
    }
    std::string labels = request_.selector;
    if (const std::string& name = request_.workflow.name; !name.empty()) {
      labels += (labels.empty() ? "" : ",") + ("workflows.argoproj.io/workflow=" + name);
    }
    TIPHYS_TRY(pod_watch_.labels, cluster::Selector::parse(labels));
    TIPHYS_TRY(pod_watch_.fields,
               cluster::Selector::parse_fields(request_.pod.empty() ? "" : "metadata.name=" + request_.pod));
    pod_watch_.ns = request_.workflow.ns;
    return {};
  }

  void begin() {
    if (const Status known = check_names(); !known) return finish(known);
    if (request_.options.follow && !ended_) follow();
    settle();
  }

  void read_present_pods(void (*then)(LogMerge&)) {
    cluster::ListOptions options;
    options.ns = pod_watch_.ns;
    options.labels = pod_watch_.labels;
    options.fields = pod_watch_.fields;
    cluster_.list(cluster::kPods, std::move(options), [weak = weak_from_this(), then](Result<cluster::List> pods) {
      const auto self = weak.lock();
      if (!self) return;
      if (!pods) return self->finish(std::unexpected(pods.error()));
      std::ranges::stable_sort(pods->items, {}, [](const cluster::Object& pod) {
        return parse_rfc3339(doc::find_string(*pod, "status", "startTime")).value_or(Time{});
      });
      for (const auto& pod : pods->items) self->read(pod);
      then(*self);
    });
  }

  /// Names that nothing has: an empty log would hide the mistake.
  Status check_names() const {
    const std::string& name = request_.workflow.name;
    if (name.empty()) return {};
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

  void follow() {
    follows_ = true;
    cluster::WatchSink pods;
    pods.on_event = [this](const cluster::WatchEvent& event) {
      if (event.object && event.type != cluster::WatchEvent::Type::kDeleted) read(event.object);
    };
    pods.on_end = [this](Error error) { lose(std::move(error)); };
    watches_.push_back(cluster_.watch(cluster::kPods, pod_watch_, std::move(pods)));

    if (request_.workflow.name.empty()) return;
    cluster::WatchOptions options;
    options.ns = request_.workflow.ns;
    options.fields = *cluster::Selector::parse_fields("metadata.name=" + request_.workflow.name);
    cluster::WatchSink workflow;
    workflow.on_event = [this](const cluster::WatchEvent& event) {
      if (!event.object) return;
      ended_ = event.type == cluster::WatchEvent::Type::kDeleted || has_ended(*event.object);
      settle();
    };
    workflow.on_end = [this](Error error) { lose(std::move(error)); };
    watches_.push_back(cluster_.watch(cluster::kWorkflows, std::move(options), std::move(workflow)));
  }

  void lose(Error error) {
    if (!lost_) lost_ = std::move(error);
    settle();
  }

  /// Begins to read a pod's log, once, when it has started.
  void read(const cluster::Object& object) {
    const doc::Value& pod = *object;
    ++seen_;
    for (const char* field : {"initContainers", "containers"}) {
      const doc::Value* list = doc::find(pod, "spec", field);
      if (list == nullptr || !list->is_array()) continue;
      for (const auto& container : list->get_array()) containers_.emplace(doc::find_string(container, "name"));
    }
    const std::string_view phase = doc::find_string(pod, "status", "phase");
    if (phase.empty() || phase == "Pending") return;
    const std::string name(doc::find_string(pod, "metadata", "name")),
        ns(doc::find_string(pod, "metadata", "namespace"));
    const auto [entry, fresh] = readings_.try_emplace(std::string(doc::find_string(pod, "metadata", "uid")));
    if (!fresh) return;
    ++open_;
    cluster::LogSink sink;
    sink.on_line = [this, object](std::string_view line, Time at, std::string_view) { add(object, line, at); };
    sink.on_end = [this, name](const Status& status) {
      --open_;
      if (!status) sink_.on_trouble(name, status.error());
      settle();
    };
    entry->second = cluster_.read_log({&cluster::kPods, ns, name}, request_.options, std::move(sink));
    if (entry->second && paused_) entry->second->pause(true);
  }

  void add(const cluster::Object& pod, std::string_view line, Time at) {
    std::string content =
        request_.options.timestamps ? fmt::format("{} {}", format_rfc3339_micro(at), line) : std::string(line);
    if (grep_ && !RE2::PartialMatch(content, *grep_)) return;
    buffered_ += content.size();
    lines_.push_back({at, pod, std::move(content)});
    if (buffered_ > kMostBuffered) return flush();
    if (timer_ != 0 || !request_.options.follow) return;
    timer_ = executor_.schedule(executor_.now() + kFlushDelay, [this] {
      timer_ = 0;
      flush();
    });
  }

  void flush() {
    if (lines_.empty()) return;
    std::ranges::stable_sort(lines_, {}, &LogLine::at);
    buffered_ = 0;
    sink_.on_lines(std::exchange(lines_, {}));
  }

  /// Ends once all that was opened is read, and nothing can come any more. Not from within what tells us so: it may be
  /// ended by that.
  void settle() {
    if (settling_) return;
    settling_ = true;
    executor_.post([weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self) return;
      self->settling_ = false;
      self->end_if_done();
    });
  }

  void end_if_done() {
    if (lost_) return finish(std::unexpected(*lost_));
    if (open_ > 0 || (request_.options.follow && !ended_)) return;
    if (!follows_ || looked_again_) return finish({});
    // The watch of the workflow may have overtaken that of its pods.
    looked_again_ = true;
    read_present_pods([](LogMerge& merge) { merge.settle(); });
  }

  void finish(Status status) {
    const auto self = shared_from_this();
    watches_.clear();
    flush();
    if (auto tell = std::exchange(sink_.on_end, {})) tell(std::move(status));
  }

  Executor& executor_;
  cluster::Cluster& cluster_;
  const PodLogRequest request_;
  PodLogSink sink_;
  std::optional<RE2> grep_;
  cluster::WatchOptions pod_watch_;
  std::map<std::string, std::unique_ptr<cluster::Watch>> readings_;  ///< by the pod's uid
  std::vector<std::unique_ptr<cluster::Watch>> watches_;
  std::size_t open_ = 0;
  std::size_t seen_ = 0;              ///< pods, running or not
  std::set<std::string> containers_;  ///< of any of them
  bool ended_ = false, follows_ = false, looked_again_ = false, settling_ = false, paused_ = false;
  std::optional<Error> lost_;
  std::vector<LogLine> lines_;
  std::size_t buffered_ = 0;
  Executor::TimerId timer_ = 0;
};

class Handle final : public cluster::Watch {
 public:
  explicit Handle(std::shared_ptr<LogMerge> merge) : merge_(std::move(merge)) {}
  void pause(bool paused) override { merge_->pause(paused); }

 private:
  std::shared_ptr<LogMerge> merge_;
};

}  // namespace

std::unique_ptr<cluster::Watch> read_pod_logs(Executor& executor, cluster::Cluster& cluster, PodLogRequest request,
                                              PodLogSink sink) {
  auto merge = std::make_shared<LogMerge>(executor, cluster, std::move(request), std::move(sink));
  merge->start();
  return std::make_unique<Handle>(std::move(merge));
}

}  // namespace tiphys::argo
