// How the containers of a pod are, and what they are told of their lives: probes and lifecycle hooks, as a kubelet has
// them. A container that is ended for what it does fails with the exit code of its signal.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "base/log.h"
#include "node/agent/pod_io.h"
#include "node/agent/pod_run.h"

namespace tiphys::node {
namespace {

/// What a container has left after its hook, however long that took.
constexpr Duration kLeastGrace = std::chrono::seconds(2);
/// Of a hook after the start: it goes on as long as its container.
constexpr Duration kNoLimit = std::chrono::hours(24 * 365);

/// As the original waits for it.
constexpr Duration kKillCommandLimit = std::chrono::minutes(2);

/// A list of words as JSON, in which %d is the signal.
Result<std::vector<std::string>> kill_command(std::string_view written) {
  TIPHYS_TRY(const doc::Value words, doc::parse_json(written));
  if (!words.is_array() || words.get_array().empty()) return fail(Code::kInvalidArgument, "it is no list of words");
  std::vector<std::string> command;
  for (const doc::Value& word : words.get_array()) {
    std::string& text = command.emplace_back(doc::scalar_text(word));
    for (std::size_t at = 0; (at = text.find("%d", at)) != std::string::npos;) {
      text.replace(at, 2, std::to_string(SIGTERM));
    }
  }
  return command;
}

bool has_probes(const doc::Value& document) {
  return std::ranges::any_of(std::initializer_list<std::string_view>{"startupProbe", "readinessProbe", "livenessProbe"},
                             [&](std::string_view name) {
                               const doc::Value* probe = doc::find(document, name);
                               return probe && probe->is_object();
                             });
}

}  // namespace

HandlerWorld PodRun::handler_world(const Container& container) {
  return {world_.context, world_.http,
          [&runtime = runtime_, id = container.spec.id](const auto& command, Duration timeout, auto done) {
            runtime.exec(id, command, timeout, [done = std::move(done)](const Result<int>& code) { done(code); });
          }};
}

/// The hook and the container's command run side by side; what comes after the start waits for the hook.
void PodRun::run_post_start(std::size_t index, const doc::Value& document) {
  with_address([self = shared_from_this(), index, document] {
    Container& container = self->containers_[index];
    if (!runs(container)) return container.sidecar ? void() : self->start_next();
    const auto hook = parse_hook(document, self->address_, "postStart");
    const auto end = [index](PodRun& run, const std::string& reason) {
      run.containers_[index].failure = fmt::format("PostStartHookError: {}", reason);
      run.kill(index, run.grace());
      run.run_on(index);
    };
    if (!hook) return end(*self, hook.error().message);
    container.post_start = std::make_unique<HandlerRun>(
        self->handler_world(container), *hook, kNoLimit,
        [weak = self->weak_from_this(), index, end](Finding finding, const std::string& reason) {
          const auto run = weak.lock();
          if (!run || run->settled_ || !runs(run->containers_[index])) return;
          run->containers_[index].post_start.reset();
          if (finding != Finding::kGood) return end(*run, reason);
          run->run_on(index);
        });
  });
}

/// It has begun, and its hook is over.
void PodRun::run_on(std::size_t index) {
  Container& container = containers_[index];
  const doc::Value* document = container.lives() ? document_of(container) : nullptr;
  const bool waits = container.sidecar && document && doc::find(*document, "startupProbe");
  if (!container.failure.empty()) {
    // Its hook has failed: it is about to end.
  } else if (document && has_probes(*document)) {
    probe(index, *document);
  } else {
    container.report.has_started = container.report.ready = true;
  }
  report_soon();
  // One that was started again has let the next one go long ago. Of a sidecar that has to say so itself, or is about to
  // end, another start does it.
  const bool lets_go_on = container.sidecar ? !waits && container.failure.empty() : !container.init;
  if (lets_go_on && !container.in_set && index + 1 == next_) start_next();
}

void PodRun::probe(std::size_t index, const doc::Value& document) {
  with_address([self = shared_from_this(), index, document] {
    Container& container = self->containers_[index];
    if (!runs(container)) return;
    const auto change = [weak = self->weak_from_this(), index](auto what) {
      const auto run = weak.lock();
      if (!run || run->settled_) return;
      what(*run, run->containers_[index]);
    };
    ContainerProbes::Events events;
    events.on_started = [change, index] {
      change([index](PodRun& run, Container& one) {
        one.report.has_started = true;
        if (one.sidecar && index + 1 == run.next_) run.start_next();
      });
    };
    events.on_ready = [change](bool ready) {
      change([ready](PodRun& run, Container& one) {
        one.report.ready = ready;
        run.report_running();
      });
    };
    events.on_unhealthy = [change, index](const std::string& reason, std::optional<Duration> grace) {
      change([&](PodRun& run, Container& one) {
        one.failure = fmt::format("Container {} {}", one.spec.container_name, reason);
        log::info("pod {}/{}: {}", run.key_.ns, run.key_.name, one.failure);
        run.kill(index, grace.value_or(run.grace()));
      });
    };
    auto probes = ContainerProbes::begin(self->handler_world(container), document, self->address_, std::move(events));
    if (probes) {
      container.probes = std::move(*probes);
      return;
    }
    self->reason_ = "InvalidProbe";
    self->message_ = probes.error().message;
    self->stop_all(self->grace());
  });
}

/// As the original's executor ends a container: by the command of its annotation where it has one. What does not listen
/// to it gets the signal.
void PodRun::signal(std::size_t index, Duration grace) {
  Container& container = containers_[index];
  const std::string& id = container.spec.id;
  const std::string name = fmt::format("{}{}", kKillCommandAnnotation, container.spec.container_name);
  const std::string_view written = doc::find_string(*pod_, "metadata", "annotations", name);
  if (written.empty() || container.report.started_at == Time{}) return runtime_.stop(id, grace);
  if (std::exchange(container.told, true)) return;
  const auto command = kill_command(written);
  if (!command) {
    log::warn("pod {}/{}: annotation {}: {}", key_.ns, key_.name, name, command.error().message);
    return runtime_.stop(id, grace);
  }
  const auto stop = [weak = weak_from_this(), index](Duration left) {
    const auto run = weak.lock();
    if (run && runs(run->containers_[index])) run->runtime_.stop(run->containers_[index].spec.id, left);
  };
  runtime_.exec(id, *command, kKillCommandLimit, [stop, grace](const Result<int>& code) {
    if (!code || *code != 0) stop(grace);
  });
  world_.executor.schedule(world_.executor.now() + grace, [stop] { stop(Duration{0}); });
}

/// As a kubelet ends a container: its hook runs before the signal, and its time is the container's.
void PodRun::kill(std::size_t index, Duration grace) {
  Container& container = containers_[index];
  if (!runs(container)) return;
  const doc::Value* document = container.lives() ? document_of(container) : nullptr;
  const doc::Value* written = document ? doc::find(*document, "lifecycle", "preStop") : nullptr;
  // A second kill, such as a deletion that does not wait, goes before the hook.
  if (container.pre_stop && grace >= container.kill_grace) return;
  container.kill_grace = grace;
  const bool hooked = written && grace > Duration{0} && !container.pre_stop && container.report.started_at != Time{};
  if (!hooked) return runtime_.stop(container.spec.id, grace);
  const auto hook = parse_hook(*document, address_, "preStop");
  if (!hook) {
    log::warn("pod {}/{}: {}", key_.ns, key_.name, hook.error().message);
    return runtime_.stop(container.spec.id, grace);
  }
  const Time begun = world_.executor.now();
  const auto over = [weak = weak_from_this(), index, begun, grace] {
    const auto run = weak.lock();
    if (!run || !runs(run->containers_[index])) return;
    const Duration left = grace - (run->world_.executor.now() - begun);
    run->runtime_.stop(run->containers_[index].spec.id, std::max(left, kLeastGrace));
  };
  container.pre_stop =
      std::make_unique<HandlerRun>(handler_world(container), *hook, grace,
                                   [over, name = key_.name, ns = key_.ns](Finding finding, const std::string& reason) {
                                     if (finding != Finding::kGood)
                                       log::warn("pod {}/{}: PreStopHookError: {}", ns, name, reason);
                                     over();
                                   });
}

void PodRun::kill_all(Duration grace) {
  begin_to_end(grace);
  for (std::size_t i = 0; i < containers_.size(); ++i) {
    Container& one = containers_[i];
    one.ending = one.ending || grace == Duration{0};
    if (!one.sidecar || one.ending) kill(i, grace);
  }
  give_up_restarts();
  end_sidecars();
}

}  // namespace tiphys::node
