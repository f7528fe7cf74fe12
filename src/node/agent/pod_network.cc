#include "node/agent/pod_network.h"

#include <fmt/format.h>

#include <utility>

#include "base/log.h"
#include "node/network_holder.h"

namespace tiphys::node {
namespace {

/// No container's name has an underscore.
constexpr std::string_view kName = "_network";

std::string holder_id(const std::string& pod_uid, std::size_t ended) {
  return ended == 0 ? fmt::format("{}.{}", pod_uid, kName) : fmt::format("{}.{}.{}", pod_uid, kName, ended);
}

}  // namespace

PodNetwork::PodNetwork(Runtime& runtime, const ContainerSpec& any) : runtime_(runtime) {
  holder_.id = holder_id(any.pod_uid, 0);
  holder_.pod_uid = any.pod_uid;
  holder_.pod_name = any.pod_name;
  holder_.ns = any.ns;
  holder_.container_name = kName;
  holder_.image = kNetworkHolderImage;
  holder_.image_pull_policy = "IfNotPresent";
  holder_.command = {std::string(kNetworkHolderProgram)};
  holder_.hostname = any.hostname;
  holder_.reaches_services = any.reaches_services;
}

void PodNetwork::when_there(std::move_only_function<void(const Status&)> then) {
  if (state_ == State::kThere) return then({});
  waiting_.push_back(std::move(then));
  if (state_ == State::kMissing) start();
}

void PodNetwork::start() {
  state_ = State::kComes;
  runtime_.start(
      holder_, [self = shared_from_this()](const Status& status) { self->started(status); },
      [self = shared_from_this()](const ContainerExit&) {
        self->state_ = State::kMissing;
        self->ended_.push_back(self->holder_.id);
        self->holder_.id = holder_id(self->holder_.pod_uid, self->ended_.size());
      });
}

void PodNetwork::started(const Status& status) {
  state_ = status ? State::kThere : State::kMissing;
  if (!status) log::warn("the network of pod {}/{}: {}", holder_.ns, holder_.pod_name, status.error().message);
  for (auto& then : std::exchange(waiting_, {})) then(status);
}

void PodNetwork::remove() {
  if (state_ != State::kMissing) runtime_.remove(holder_.id);
  for (const std::string& id : std::exchange(ended_, {})) runtime_.remove(id);
}

}  // namespace tiphys::node
