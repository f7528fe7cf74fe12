#include "node/agent/pod_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "node/agent/pod_io.h"

namespace tiphys::node {
namespace {

using namespace std::chrono_literals;

/// A step that ends sooner is reported once, by its end.
constexpr Duration kRunningDelay = 20ms;
constexpr Duration kFirstRetry = 100ms;
constexpr Duration kLongestRetry = 30s;
constexpr std::int64_t kDefaultGraceSeconds = 30;
constexpr std::string_view kMain = "main";

std::optional<std::int64_t> spec_number(const doc::Value& pod, std::string_view field) {
  const doc::Value* value = doc::find(pod, "spec", field);
  return value && value->is_int64() ? std::optional(value->get_int64()) : std::nullopt;
}

bool deleting(const doc::Value& pod) {
  return !doc::find_string(pod, "metadata", "deletionTimestamp").empty();
}

/// A runtime's error as the exit of a container that never ran. The message may lead with Kubernetes' reason.
ContainerExit exit_of(const Error& error, Time now) {
  ContainerExit exit;
  exit.exit_code = error.code == Code::kNotFound ? 127 : error.code == Code::kPermissionDenied ? 126 : 128;
  exit.reason = "StartError";
  exit.message = error.message;
  for (const std::string_view reason : {"ErrImagePull", "ErrImageNeverPull", "CreateContainerError", "StartError"}) {
    if (!error.message.starts_with(reason) || !std::string_view(error.message).substr(reason.size()).starts_with(": "))
      continue;
    exit.reason = reason;
    exit.message = error.message.substr(reason.size() + 2);
  }
  exit.finished_at = now;
  return exit;
}

}  // namespace

PodRun::PodRun(PodWorld world, cluster::Object pod, PodPlace place, Runtime& runtime, Events events)
    : world_(world),
      pod_(std::move(pod)),
      key_{&cluster::kPods, std::string(doc::find_string(*pod_, "metadata", "namespace")),
           std::string(doc::find_string(*pod_, "metadata", "name"))},
      place_(std::move(place)),
      runtime_(runtime),
      events_(std::move(events)) {}

void PodRun::begin() {
  begun_ = true;
  started_at_ = parse_rfc3339(doc::find_string(*pod_, "status", "startTime")).value_or(world_.executor.now());
  PodSources::fetch(world_.cluster, *pod_, [self = shared_from_this()](Result<PodSources> sources) {
    if (self->settled_) return;
    if (!sources) return self->failed_before_start("init", sources.error());
    self->prepare(*sources);
  });
}

void PodRun::prepare(const PodSources& sources) {
  auto volumes = make_volumes(*pod_, sources, place_);
  if (!volumes) return failed_before_start("init", volumes.error());
  auto specs = container_specs(*pod_, sources, *volumes, place_);
  if (!specs) return failed_before_start("init", specs.error());
  stage(std::move(*specs));
}

void PodRun::stage(std::vector<ContainerSpec> specs) {
  const std::string annotation(doc::find_string(*pod_, "metadata", "annotations", kInputsAnnotation));
  if (annotation.empty()) return start_containers(std::move(specs));
  world_.workers.run([annotation, dir = place_.dir + "/inputs",
                      repository = &world_.repository] { return stage_inputs(annotation, dir, *repository); },
                     [self = shared_from_this(), specs = std::move(specs)](Result<StagedInputs> staged) mutable {
                       if (self->settled_) return;
                       if (!staged) return self->failed_before_start("init", staged.error());
                       specs.front().inputs = std::move(*staged);
                       self->start_containers(std::move(specs));
                     });
}

void PodRun::start_containers(std::vector<ContainerSpec> specs) {
  set_deadline();
  for (ContainerSpec& spec : specs) {
    Container container;
    container.report.name = spec.container_name;
    container.report.image = spec.image;
    container.spec = std::move(spec);
    containers_.push_back(std::move(container));
  }
  for (std::size_t i = 0; i < containers_.size() && !stopping_; ++i) {
    containers_[i].asked = true;
    runtime_.start(
        containers_[i].spec, [self = shared_from_this(), i](Status status) { self->started(i, status); },
        [self = shared_from_this(), i](ContainerExit exit) { self->ended(i, std::move(exit)); });
  }
}

void PodRun::started(std::size_t index, const Status& status) {
  if (!status) {
    if (status.error().code == Code::kFailedPrecondition) {
      reason_ = "NoContainerEngine";
      message_ = status.error().message;
    }
    return ended(index, exit_of(status.error(), world_.executor.now()));
  }
  containers_[index].report.started_at = world_.executor.now();
  if (running_timer_ != 0 || doc::find_string(*pod_, "status", "phase") == "Running") return;
  running_timer_ = world_.executor.schedule(world_.executor.now() + kRunningDelay,
                                            [self = shared_from_this()] { self->report_running(); });
}

void PodRun::ended(std::size_t index, ContainerExit exit) {
  Container& container = containers_[index];
  if (container.report.exit) return;
  if (exit.finished_at == Time{}) exit.finished_at = world_.executor.now();
  container.report.exit = std::move(exit);
  world_.logs.ended(container.spec.dir + "/log");
  // When main has ended the others have nothing left to serve.
  if (container.spec.container_name == kMain) stop_all(grace());
  const bool all = std::all_of(containers_.begin(), containers_.end(),
                               [](const Container& one) { return one.report.exit || !one.asked; });
  if (all) all_ended();
}

void PodRun::failed_before_start(std::string container, const Error& error) {
  // As the original's init container fails: the node ends in Error and its message names what could not be had.
  ContainerReport failed;
  failed.name = std::move(container);
  failed.exit = ContainerExit{.exit_code = 64,
                              .signal = 0,
                              .reason = "Error",
                              .message = error.message,
                              .started_at = {},
                              .finished_at = world_.executor.now()};
  PodReport end = report("Failed");
  end.containers = {std::move(failed)};
  settle();
  write(std::move(end), kFirstRetry);
}

void PodRun::set_deadline() {
  const auto seconds = spec_number(*pod_, "activeDeadlineSeconds");
  if (!seconds) return;
  deadline_ = world_.executor.schedule(started_at_ + std::chrono::seconds(*seconds), [self = shared_from_this()] {
    self->deadline_ = 0;
    if (self->settled_) return;
    self->reason_ = "DeadlineExceeded";
    self->message_ = "Pod was active on the node longer than the specified deadline";
    self->stop_all(self->grace());
  });
}

void PodRun::stop_all(Duration grace) {
  stopping_ = true;
  for (const Container& container : containers_) {
    if (container.asked && !container.report.exit) runtime_.stop(container.spec.id, grace);
  }
}

void PodRun::all_ended() {
  if (settled_) return;
  settle();
  if (deleting(*pod_)) return finish_deletion();
  const auto main = std::find_if(containers_.begin(), containers_.end(),
                                 [](const Container& one) { return one.spec.container_name == kMain; });
  // Only what has run has outputs.
  if (main == containers_.end() || main->report.started_at == Time{} || !main->report.exit)
    return report_end(doc::Object{});
  OutputsRequest request;
  request.annotation = doc::find_string(*pod_, "metadata", "annotations", kOutputsWantedAnnotation);
  request.container_id = main->spec.id;
  request.log_path = main->spec.dir + "/log";
  request.scratch_dir = place_.dir;
  request.exit_code = main->report.exit->exit_code;
  collect_outputs(runtime_, world_.repository, world_.workers, std::move(request),
                  [self = shared_from_this()](Result<doc::Object> outputs) { self->report_end(std::move(outputs)); });
}

void PodRun::settle() {
  settled_ = true;
  if (deadline_ != 0) world_.executor.cancel(deadline_);
  if (running_timer_ != 0) world_.executor.cancel(running_timer_);
  // Posted: the agent may forget this run in it.
  world_.executor.post(events_.on_settled);
}

void PodRun::report_running() {
  if (settled_ || deleting(*pod_)) return;
  world_.cluster.patch(key_, cluster::PatchType::kMerge, report_patch(report("Running")),
                       [key = key_](const Result<cluster::Object>& written) {
                         // Its end will be written again and again; that it runs is told by the next report.
                         if (!written && written.error().code != Code::kNotFound)
                           log::warn("pod {}/{}: {}", key.ns, key.name, written.error().message);
                       });
}

void PodRun::report_end(Result<doc::Object> outputs) {
  const bool succeeded =
      reason_.empty() && std::all_of(containers_.begin(), containers_.end(), [](const Container& one) {
        return (one.report.exit && one.report.exit->exit_code == 0) || one.spec.container_name != kMain;
      });
  PodReport end = report(succeeded && outputs ? "Succeeded" : "Failed");
  if (outputs && !outputs->empty()) end.outputs = doc::to_json(std::move(*outputs));
  if (!outputs) {
    // As the original's wait container fails.
    ContainerReport failed;
    failed.name = "wait";
    failed.exit = ContainerExit{.exit_code = 64,
                                .signal = 0,
                                .reason = "Error",
                                .message = outputs.error().message,
                                .started_at = {},
                                .finished_at = world_.executor.now()};
    end.containers.push_back(std::move(failed));
  }
  write(std::move(end), kFirstRetry);
}

void PodRun::write(PodReport report, Duration retry_after) {
  world_.cluster.patch(key_, cluster::PatchType::kMerge, report_patch(report),
                       [self = shared_from_this(), report, retry_after](Result<cluster::Object> written) mutable {
                         if (written || written.error().code == Code::kNotFound) {
                           self->free_containers();
                           if (written && deleting(**written)) self->finish_deletion();
                           return self->events_.on_reported();
                         }
                         log::warn("pod {}/{}: its end cannot be written, trying again: {}", self->key_.ns,
                                   self->key_.name, written.error().message);
                         Executor& executor = self->world_.executor;
                         executor.schedule(executor.now() + retry_after,
                                           [self, report = std::move(report), retry_after]() mutable {
                                             self->write(std::move(report), std::min(retry_after * 2, kLongestRetry));
                                           });
                       });
}

PodReport PodRun::report(std::string phase) const {
  PodReport made;
  made.phase = std::move(phase);
  made.reason = reason_;
  made.message = message_;
  made.started_at = started_at_;
  made.node_name = place_.node_name;
  for (const Container& container : containers_) made.containers.push_back(container.report);
  return made;
}

Duration PodRun::grace() const {
  const doc::Value* asked = doc::find(*pod_, "metadata", "deletionGracePeriodSeconds");
  if (asked && asked->is_int64()) return std::chrono::seconds(asked->get_int64());
  return std::chrono::seconds(spec_number(*pod_, "terminationGracePeriodSeconds").value_or(kDefaultGraceSeconds));
}

void PodRun::update(cluster::Object pod) {
  pod_ = std::move(pod);
  if (!deleting(*pod_)) return;
  // Its end is about to be written; the deletion follows it.
  if (settled_) return;
  const bool none_runs = containers_.empty();
  stop_all(grace());
  if (!none_runs) return;
  settle();
  finish_deletion();
}

void PodRun::refuse(std::string reason, std::string message) {
  reason_ = std::move(reason);
  message_ = std::move(message);
  settle();
  write(report("Failed"), kFirstRetry);
}

void PodRun::free_containers() {
  // Not before the pod's end is on disk: a runtime that has forgotten a container would run it again.
  for (const Container& container : containers_) {
    if (container.asked) runtime_.remove(container.spec.id);
  }
}

void PodRun::finish_deletion() {
  free_containers();
  cluster::DeleteOptions options;
  options.uid = doc::find_string(*pod_, "metadata", "uid");
  options.grace_seconds = 0;
  world_.cluster.remove(key_, std::move(options), [key = key_](const Result<cluster::Object>& removed) {
    if (!removed && removed.error().code != Code::kNotFound)
      log::warn("pod {}/{} cannot be removed: {}", key.ns, key.name, removed.error().message);
  });
}

}  // namespace tiphys::node
