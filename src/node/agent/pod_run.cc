#include "node/agent/pod_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "node/agent/pod_io.h"
#include "node/agent/shown_files.h"

namespace tiphys::node {
namespace {

using namespace std::chrono_literals;

/// A step that ends sooner is reported once, by its end.
constexpr Duration kRunningDelay = 20ms;
constexpr Duration kFirstRetry = 100ms;
constexpr Duration kLongestRetry = 30s;
constexpr std::int64_t kDefaultGraceSeconds = 30;
constexpr std::string_view kMain = "main";
constexpr std::string_view kStartError = "StartError";

std::optional<std::int64_t> spec_number(const doc::Value& pod, std::string_view field) {
  const doc::Value* value = doc::find(pod, "spec", field);
  return value && value->is_int64() ? std::optional(value->get_int64()) : std::nullopt;
}

bool deleting(const doc::Value& pod) {
  return !doc::find_string(pod, "metadata", "deletionTimestamp").empty();
}

/// A step: what has ended is not started again, and its end is the pod's.
bool runs_once(const doc::Value& pod) {
  const auto policy = doc::find_string(pod, "spec", "restartPolicy");
  return policy != "Always" && policy != "OnFailure";
}

bool to_end(const doc::Value& pod) {
  return doc::find_string(pod, "metadata", "annotations", kEndAnnotation) == "true";
}

/// Somebody else lets it go: until then its end can be seen.
bool is_waited_for(const doc::Value& pod) {
  const doc::Value* finalizers = doc::find(pod, "metadata", "finalizers");
  return finalizers && finalizers->is_array() && !finalizers->get_array().empty();
}

/// A runtime's error as the exit of a container that never ran. The message may lead with Kubernetes' reason.
ContainerExit exit_of(const Error& error, Time now) {
  ContainerExit exit;
  exit.exit_code = error.code == Code::kNotFound ? 127 : error.code == Code::kPermissionDenied ? 126 : 128;
  exit.reason = kStartError;
  exit.message = error.message;
  for (const std::string_view reason :
       {"ErrImagePull", "ErrImageNeverPull", "CreateContainerConfigError", "CreateContainerError", "StartError"}) {
    if (!error.message.starts_with(reason) || !std::string_view(error.message).substr(reason.size()).starts_with(": "))
      continue;
    exit.reason = reason;
    exit.message = error.message.substr(reason.size() + 2);
  }
  exit.finished_at = now;
  return exit;
}

/// As a kubelet reports a container that was to end before it ran: nobody is to blame.
ContainerExit never_ran(Time now) {
  ContainerExit exit;
  exit.exit_code = 137;
  exit.reason = "ContainerStatusUnknown";
  exit.message = "The container could not be located when the pod was terminated";
  exit.finished_at = now;
  return exit;
}

/// Main gets the inputs; containers that mirror its mounts see the same files.
void give_inputs(Staged staged, PodContainers& made) {
  if (staged.mirrored.empty()) {
    made.containers.front().inputs = std::move(staged.inputs);
    return;
  }
  const auto add_mounts = [&](ContainerSpec& spec) {
    for (const auto& [path, from] : staged.inputs) spec.mounts.push_back({.host_path = from, .path = path});
  };
  add_mounts(made.containers.front());
  for (std::vector<ContainerSpec>* list : {&made.init, &made.containers}) {
    for (ContainerSpec& spec : *list) {
      if (std::ranges::find(staged.mirrored, spec.container_name) != staged.mirrored.end()) add_mounts(spec);
    }
  }
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
    self->prepare(std::move(*sources));
  });
}

void PodRun::prepare(PodSources sources) {
  if (Status known = check_stores(); !known) return failed_before_start("init", known.error());
  for (const auto& [key, uid] : sources.claims()) claims_.push_back(world_.claims.use(uid));
  if (const auto owner = token_owner(); !owner) place_.why_no_tokens = owner.error().message;
  auto volumes = make_volumes(*pod_, sources, place_);
  if (!volumes) return failed_before_start("init", volumes.error());
  const doc::Value* links = doc::find(*pod_, "spec", "enableServiceLinks");
  const bool reaches = reaches_services();
  if (reaches) {
    place_.variables = world_.services.variables(key_.ns, !links || !links->is_bool() || links->get_bool());
  }
  auto made = container_specs(*pod_, sources, *volumes, place_);
  if (!made) return failed_before_start("init", made.error());
  for (const Status& given : {give_tokens(*made), give_progress_folder(*made), give_message_files(*made)}) {
    if (!given) return failed_before_start("init", given.error());
  }
  for (std::vector<ContainerSpec>* list : {&made->init, &made->containers}) {
    for (ContainerSpec& spec : *list) spec.reaches_services = reaches;
  }
  keep_for_files(std::move(sources), std::move(*volumes));
  if (!sources_) place_.variables = {};
  give_hosts(std::move(*made), reaches);
}

/// What nobody can keep is known before anything runs.
Status PodRun::check_stores() const {
  for (const std::string_view name : {kInputsAnnotation, kOutputsWantedAnnotation}) {
    const std::string_view annotation = doc::find_string(*pod_, "metadata", "annotations", name);
    if (annotation.find("\"plugin\"") == annotation.npos) continue;
    for (const doc::Value& location : artifact_locations(annotation)) TIPHYS_CHECK_OK(world_.stores.knows(location));
  }
  return {};
}

void PodRun::fetch_credentials(PodContainers made) {
  const std::string_view annotation = doc::find_string(*pod_, "metadata", "annotations", kInputsAnnotation);
  if (annotation.empty()) return start_containers(std::move(made));
  artifact::Credentials::fetch(
      world_.cluster, key_.ns, artifact_locations(annotation),
      [self = shared_from_this(), made = std::move(made)](Result<artifact::Credentials> credentials) mutable {
        if (self->settled_) return;
        if (!credentials) return self->failed_before_start("init", credentials.error());
        self->stage(std::move(made), std::move(*credentials));
      });
}

void PodRun::stage(PodContainers made, artifact::Credentials credentials) {
  const std::string annotation(doc::find_string(*pod_, "metadata", "annotations", kInputsAnnotation));
  std::vector<Mount> mounts = made.containers.front().mounts;
  world_.workers.run(
      [annotation, dir = place_.dir + "/inputs", mounts = std::move(mounts), stores = &world_.stores,
       credentials = std::move(credentials)]() -> Result<Staged> {
        TIPHYS_TRY(Staged staged, stage_inputs(annotation, dir, *stores, credentials));
        TIPHYS_CHECK_OK(put_into_volumes(mounts, staged.inputs));
        return staged;
      },
      [self = shared_from_this(), made = std::move(made)](Result<Staged> staged) mutable {
        if (self->settled_) return;
        if (!staged) return self->failed_before_start("init", staged.error());
        give_inputs(std::move(*staged), made);
        self->start_containers(std::move(made));
      });
}

void PodRun::start_containers(PodContainers made) {
  set_deadline();
  for (const HeldFiles& files : held_) hold_in_all(made, files);
  for (const bool init : {true, false}) {
    for (ContainerSpec& spec : init ? made.init : made.containers) {
      Container container;
      container.report.name = spec.container_name;
      container.report.image = spec.image;
      container.init = init;
      container.spec = std::move(spec);
      const doc::Value* document = init ? document_of(container) : nullptr;
      container.sidecar = container.report.sidecar = document && is_sidecar(*document);
      containers_.push_back(std::move(container));
    }
  }
  if (Status ordered = order_set(); !ordered) {
    containers_.clear();
    return failed_before_start("init", ordered.error());
  }
  take_up_restarts();
  if (needs_network()) network_ = std::make_shared<PodNetwork>(runtime_, containers_.front().spec);
  if (!to_end(*pod_)) return start_next();
  // An earlier agent has begun it: what runs is found by starting it.
  auto find_all = [self = shared_from_this()](const Status& = {}) {
    while (self->next_ < self->containers_.size()) self->start(self->next_++);
    self->stop_all(self->grace());
  };
  network_ ? network_->when_there(std::move(find_all)) : find_all();
}

/// In an engine, where one of its containers may be there when that which has the network has ended, or before; and
/// where the pod's address is to stay when its only one is started again.
bool PodRun::needs_network() const {
  if (shares_network()) return false;
  if (has_sidecars() || doc::find_string(*pod_, "spec", "restartPolicy") == "Always") return true;
  const auto after_init = std::ranges::count_if(containers_, [](const Container& one) { return !one.init; });
  const bool in_set = std::ranges::any_of(containers_, &Container::in_set);
  return after_init > 1 && (in_set || !runs_once(*pod_));
}

/// The next container, unless another one has to end or start first: an init container is alone, and main goes before
/// those that share its network.
void PodRun::start_next() {
  if (stopping_ || next_ == containers_.size()) return;
  if (containers_[next_].in_set) return start_set();
  start(next_++);
}

void PodRun::start(std::size_t i) {
  containers_[i].asked = true;
  containers_[i].report.id = containers_[i].spec.id;
  if (!network_) return start_in_network(i);
  network_->when_there([self = shared_from_this(), i](const Status& there) {
    if (!there) return self->started(i, there);
    if (self->stopping_) return self->started(i, fail(Code::kCancelled, "stopped before it had started"));
    self->containers_[i].spec.network_of = self->network_->holder();
    self->start_in_network(i);
  });
}

void PodRun::start_in_network(std::size_t i) {
  if (Status read = read_files(containers_[i]); !read) {
    world_.executor.post([self = shared_from_this(), i, read = std::move(read)] { self->started(i, read); });
    return;
  }
  runtime_.start(
      containers_[i].spec, [self = shared_from_this(), i](Status status) { self->started(i, status); },
      [self = shared_from_this(), i](ContainerExit exit) { self->ended(i, std::move(exit)); });
}

void PodRun::started(std::size_t index, const Status& status) {
  Container& container = containers_[index];
  if (!status) {
    cannot_start(container, status.error());
    return ended(index, exit_of(status.error(), world_.executor.now()));
  }
  container.report.started_at = world_.executor.now();
  if (hosts_ && container.lives()) with_address([] {});
  const doc::Value* document = container.lives() ? document_of(container) : nullptr;
  if (document && doc::find(*document, "lifecycle", "postStart")) return run_post_start(index, *document);
  run_on(index);
}

const doc::Value* PodRun::document_of(const Container& container) const {
  return document_of(container.spec.container_name, container.init);
}

const doc::Value* PodRun::document_of(std::string_view name, bool init) const {
  const doc::Value* list = doc::find(*pod_, "spec", init ? "initContainers" : "containers");
  if (!list || !list->is_array()) return nullptr;
  for (const doc::Value& document : list->get_array()) {
    if (doc::find_string(document, "name") == name) return &document;
  }
  return nullptr;
}

const std::string& PodRun::network_owner(const Container& container) const {
  return network_ ? network_->holder() : container.spec.id;
}

/// Once the pod's address is known. Where it cannot be had the pod goes without.
void PodRun::with_address(std::function<void()> then) {
  const auto owner = std::ranges::find_if(containers_, &Container::lives);
  if (!address_.empty() || owner == containers_.end() || owner->report.started_at == Time{}) return then();
  runtime_.find_address(network_owner(*owner),
                        [self = shared_from_this(), then = std::move(then)](Result<std::string> found) {
                          if (self->settled_) return;
                          if (found) self->address_ = std::move(*found);
                          if (found && self->hosts_) self->hosts_->set_address(self->address_);
                          if (!found) log::warn("pod {}/{}: {}", self->key_.ns, self->key_.name, found.error().message);
                          then();
                        });
}

void PodRun::cannot_start(Container& container, const Error& error) {
  if (error.code == Code::kFailedPrecondition) {
    reason_ = "NoContainerEngine";
    message_ = error.message;
  } else if (stopping_) {
    // It was to end before it had begun.
    container.report.exit = never_ran(world_.executor.now());
  } else if (container.lives() && !container.in_set && container.spec.container_name != kMain && runs_once(*pod_) &&
             container.report.restarts == 0) {
    // Main might wait for it for ever.
    stop_all(grace());
  }
}

/// A container beside main could not start, which has ended main. But main may have ended by itself, just before: then
/// there was no network left to share.
void PodRun::judge_unstarted() {
  for (Container& container : containers_) {
    const bool failed = container.lives() && !container.in_set && container.asked &&
                        container.report.started_at == Time{} && container.report.restarts == 0 &&
                        container.report.exit->exit_code != never_ran({}).exit_code;
    if (!failed || container.spec.container_name == kMain || !reason_.empty()) continue;
    const ContainerExit& exit = *container.report.exit;
    const Container* main = main_container();
    const bool ended_by_itself = main && main->report.exit && main->report.exit->signal == 0;
    if (ended_by_itself && exit.reason == kStartError) {
      container.report.exit = never_ran(world_.executor.now());
      continue;
    }
    reason_ = exit.reason;
    message_ =
        fmt::format("container \"{}\" cannot start: {}: {}", container.spec.container_name, exit.reason, exit.message);
  }
}

const PodRun::Container* PodRun::main_container() const {
  const auto main = std::ranges::find_if(
      containers_, [](const Container& one) { return !one.init && one.spec.container_name == kMain; });
  return main == containers_.end() ? nullptr : &*main;
}

void PodRun::ended(std::size_t index, ContainerExit exit) {
  Container& container = containers_[index];
  if (exit.finished_at == Time{}) exit.finished_at = world_.executor.now();
  if (!container.report.exit) container.report.exit = std::move(exit);
  if (!container.failure.empty() && container.report.exit->exit_code != 0 && container.report.exit->message.empty()) {
    container.report.exit->message = container.failure;
  }
  container.report.ready = false;
  container.probes.reset();
  container.pre_stop.reset();
  if (const auto progress = std::exchange(container.progress, nullptr)) progress->read();
  const bool others_wait = std::exchange(container.post_start, nullptr) != nullptr;
  world_.logs.ended(container.spec.dir + "/log");
  if (is_restarted(container)) return back_off(index);
  // When main has ended the others have nothing left to serve.
  if (container.in_set) {
    container_of_set_ended(index);
  } else if (!container.init && container.spec.container_name == kMain && runs_once(*pod_)) {
    stop_all(grace());
  }
  const bool lets_go_on =
      container.init ? !container.sidecar && container.report.exit->exit_code == 0 : others_wait && !container.in_set;
  if (lets_go_on) start_next();
  end_sidecars();
  if (none_runs()) return all_ended();
  if (!container.init) report_soon();
}

bool PodRun::runs(const Container& container) {
  return container.asked && !container.report.exit && container.report.waiting_reason.empty();
}

bool PodRun::none_runs() const {
  return std::ranges::all_of(containers_, [](const Container& one) { return one.report.exit || !one.asked; });
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
    self->kill_all(self->grace());
  });
}

void PodRun::stop_all(Duration grace) {
  begin_to_end(grace);
  for (std::size_t i = 0; i < containers_.size(); ++i) {
    if (runs(containers_[i]) && !containers_[i].sidecar) signal(i, grace);
  }
  give_up_restarts();
  end_sidecars();
}

void PodRun::all_ended() {
  if (settled_) return;
  settle();
  if (deleting(*pod_) && !is_waited_for(*pod_)) return finish_deletion();
  for (Container& container : containers_) {
    if (!container.asked && !container.init && !container.report.exit && main_started())
      container.report.exit = never_ran(world_.executor.now());
  }
  judge_unstarted();
  read_messages(0);
}

void PodRun::gather() {
  const Container* main = main_container();
  // Only what has run has outputs.
  const bool ran = main ? main->report.started_at != Time{} && main->report.exit : main_started();
  if (!ran) return report_end(doc::Object{});
  const std::string_view annotation = doc::find_string(*pod_, "metadata", "annotations", kOutputsWantedAnnotation);
  artifact::Credentials::fetch(world_.cluster, key_.ns, artifact_locations(annotation),
                               [self = shared_from_this(), main](Result<artifact::Credentials> credentials) {
                                 self->collect(main, std::move(credentials));
                               });
}

void PodRun::collect(const Container* main, Result<artifact::Credentials> credentials) {
  if (!credentials) return report_end(std::unexpected(credentials.error()));
  OutputsRequest request;
  request.annotation = doc::find_string(*pod_, "metadata", "annotations", kOutputsWantedAnnotation);
  if (main) {
    request.container_id = main->spec.id;
    request.log_path = main->spec.dir + "/log";
  }
  for (const Container& container : containers_) {
    if (!container.init) request.logs.emplace_back(container.spec.container_name, container.spec.dir + "/log");
  }
  request.scratch_dir = place_.dir;
  request.credentials = std::move(*credentials);
  request.exit_code = main ? std::optional(main->report.exit->exit_code) : std::nullopt;
  collect_outputs(runtime_, world_.stores, world_.workers, std::move(request),
                  [self = shared_from_this()](Result<doc::Object> outputs) { self->report_end(std::move(outputs)); });
}

void PodRun::settle() {
  settled_ = true;
  remove_secret_volumes(*pod_, place_);
  hosts_.reset();
  if (token_timer_ != 0) world_.executor.cancel(token_timer_);
  if (!tokens_.empty()) remove_account_folder(place_);
  if (deadline_ != 0) world_.executor.cancel(deadline_);
  if (running_timer_ != 0) world_.executor.cancel(running_timer_);
  // Posted: the agent may forget this run in it.
  world_.executor.post(events_.on_settled);
}

bool PodRun::main_started() const {
  return std::ranges::any_of(containers_, [](const Container& one) {
    return !one.init && (one.report.started_at != Time{} || one.report.last);
  });
}

/// What ends sooner is told once, by the pod's end.
void PodRun::report_soon() {
  report_by(world_.executor.now() + kRunningDelay);
}

void PodRun::report_by(Time when) {
  if (stopping_ || settled_ || (running_timer_ != 0 && running_due_ <= when)) return;
  if (running_timer_ != 0) world_.executor.cancel(running_timer_);
  running_due_ = when;
  running_timer_ = world_.executor.schedule(when, [self = shared_from_this()] {
    self->running_timer_ = 0;
    self->follow_progress();
    self->with_address([self] { self->report_running(); });
  });
}

void PodRun::report_running() {
  if (settled_ || deleting(*pod_)) return;
  last_report_ = world_.executor.now();
  world_.cluster.patch(key_, cluster::PatchType::kMerge,
                       report_patch(report(main_started() ? "Running" : "Pending"), *pod_, world_.executor.now()),
                       [key = key_](const Result<cluster::Object>& written) {
                         // Its end will be written again and again; that it runs is told by the next report.
                         if (!written && written.error().code != Code::kNotFound)
                           log::warn("pod {}/{}: {}", key.ns, key.name, written.error().message);
                       });
}

void PodRun::report_end(Result<doc::Object> outputs) {
  const bool succeeded = reason_.empty() && std::ranges::all_of(containers_, [](const Container& one) {
                           return one.sidecar || (one.report.exit && one.report.exit->exit_code == 0);
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
  world_.cluster.patch(key_, cluster::PatchType::kMerge, report_patch(report, *pod_, world_.executor.now()),
                       [self = shared_from_this(), report, retry_after](Result<cluster::Object> written) mutable {
                         if (written || written.error().code == Code::kNotFound) {
                           self->free_what_it_used();
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
  made.pod_ip = address_;
  made.progress = progress_;
  for (const Container& container : containers_) {
    (container.init ? made.init_containers : made.containers).push_back(container.report);
  }
  return made;
}

Duration PodRun::grace() const {
  const doc::Value* asked = doc::find(*pod_, "metadata", "deletionGracePeriodSeconds");
  if (asked && asked->is_int64()) return std::chrono::seconds(asked->get_int64());
  return std::chrono::seconds(spec_number(*pod_, "terminationGracePeriodSeconds").value_or(kDefaultGraceSeconds));
}

void PodRun::update(cluster::Object pod) {
  pod_ = std::move(pod);
  if (!deleting(*pod_) && !to_end(*pod_)) return;
  // Its end is about to be written; the deletion follows it.
  if (settled_ || (stopping_ && !deleting(*pod_))) return;
  const bool none = containers_.empty();
  if (deleting(*pod_)) {
    kill_all(grace());
  } else {
    stop_all(grace());
  }
  if (!none) return;
  settle();
  finish_deletion();
}

void PodRun::refuse(std::string reason, std::string message) {
  reason_ = std::move(reason);
  message_ = std::move(message);
  settle();
  write(report("Failed"), kFirstRetry);
}

void PodRun::free_what_it_used() {
  // Not before the pod's end is on disk: a runtime that has forgotten a container would run it again.
  for (const Container& container : containers_) {
    if (container.asked) runtime_.remove(container.spec.id);
  }
  if (network_) network_->remove();
  claims_.clear();
}

void PodRun::finish_deletion() {
  free_what_it_used();
  cluster::DeleteOptions options;
  options.uid = doc::find_string(*pod_, "metadata", "uid");
  options.grace_seconds = 0;
  world_.cluster.remove(key_, std::move(options), [key = key_](const Result<cluster::Object>& removed) {
    if (!removed && removed.error().code != Code::kNotFound)
      log::warn("pod {}/{} cannot be removed: {}", key.ns, key.name, removed.error().message);
  });
}

}  // namespace tiphys::node
