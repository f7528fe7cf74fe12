// The part of PodRun that opens streams into its containers.
#include <fmt/format.h>

#include "node/agent/attach_session.h"
#include "node/agent/pod_run.h"
#include "node/agent/port_session.h"

namespace tiphys::node {
namespace {

void answer_later(Executor& executor, cluster::Done<std::unique_ptr<cluster::Session>> done, Error error) {
  executor.post(
      [done = std::move(done), error = std::move(error)]() mutable { done(std::unexpected(std::move(error))); });
}

}  // namespace

/// For a port: any that has the pod's network.
const PodRun::Container* PodRun::running(const cluster::SessionOptions& options) const {
  for (const Container& container : containers_) {
    if (container.report.started_at == Time{} || container.report.exit) continue;
    if (options.kind == cluster::SessionOptions::Kind::kPort || container.spec.container_name == options.container)
      return &container;
  }
  return nullptr;
}

void PodRun::open_session(cluster::SessionOptions options, cluster::Done<std::unique_ptr<cluster::Session>> done) {
  using Kind = cluster::SessionOptions::Kind;
  const Container* container = running(options);
  if (!container) {
    return answer_later(world_.executor, std::move(done),
                        {Code::kNotFound, options.kind == Kind::kPort
                                              ? std::string("no container of the pod runs")
                                              : fmt::format("container not found (\"{}\"): it does not run at present",
                                                            options.container)});
  }
  switch (options.kind) {
    case Kind::kExec: {
      const std::string id = container->spec.id;
      return runtime_.open_exec(id, std::move(options), std::move(done));
    }
    case Kind::kAttach:
      return attach(*container, options, std::move(done));
    case Kind::kPort:
      return open_port(*container, options.port, std::move(done));
  }
}

void PodRun::attach(const Container& container, const cluster::SessionOptions& options,
                    cluster::Done<std::unique_ptr<cluster::Session>> done) {
  const doc::Value* document = document_of(container);
  const doc::Value* reads = document ? doc::find(*document, "stdin") : nullptr;
  if (options.in && reads && reads->is_bool() && reads->get_bool()) {
    return answer_later(
        world_.executor, std::move(done),
        {Code::kUnimplemented,
         fmt::format("the standard input of container {} cannot be attached to: no runtime of this program "
                     "keeps one open; attach without --stdin, or use kubectl exec --stdin",
                     options.container)});
  }
  auto has_ended = [weak = weak_from_this(), name = container.spec.container_name] {
    const auto run = weak.lock();
    cluster::SessionOptions which;
    which.kind = cluster::SessionOptions::Kind::kAttach;
    which.container = name;
    return !run || run->settled_ || !run->running(which);
  };
  auto session = std::make_unique<AttachSession>(world_.executor);
  session->begin(world_.logs, container.spec.dir + "/log", std::move(has_ended));
  world_.executor.post([done = std::move(done), session = std::move(session)]() mutable { done(std::move(session)); });
}

void PodRun::open_port(const Container& container, std::uint16_t port,
                       cluster::Done<std::unique_ptr<cluster::Session>> done) {
  runtime_.find_address(network_owner(container),
                        [&context = world_.context, port, done = std::move(done)](Result<std::string> address) mutable {
                          if (!address) return done(std::unexpected(std::move(address.error())));
                          connect_to_port(context, *address, port, std::move(done));
                        });
}

}  // namespace tiphys::node
