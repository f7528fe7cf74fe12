#include "node/services/service_proxy.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/log.h"

namespace tiphys::node {
namespace {

constexpr std::string_view kFailedToListen = "FailedToListen";

bool is_loopback(Ipv4 address) {
  return address >> 24 == 127;
}

/// A pod of this host that listens at this number on all addresses answers at each of them.
bool answers_itself(const TcpAddress& at, const Listener& listener) {
  return std::ranges::any_of(listener.targets, [&](const TcpAddress& target) {
    return target.port == at.port && is_loopback(target.address);
  });
}

}  // namespace

std::string why_not_listening(const TcpAddress& at, const Error& error) {
  const std::string what = fmt::format("nothing answers at {}: ", text_of(at));
  if (!is_loopback(at.address)) {
    return what + "the address is not of the plane's range; delete the service and create it again to get one that is";
  }
  if (error.code == Code::kPermissionDenied) {
    return what +
           "ports below 1024 are for root; use a port from 1024 on, or allow all with \"sysctl -w "
           "net.ipv4.ip_unprivileged_port_start=0\"";
  }
  if (error.code == Code::kAlreadyExists) {
    return what + fmt::format(
                      "another program of this host listens on port {}, maybe on all addresses (0.0.0.0); have "
                      "it listen on 127.0.0.1, or give the service another port",
                      at.port);
  }
  return what + error.message;
}

void ServiceProxy::start() {
  directory_.listen([weak = weak_from_this()](const Name& name) {
    if (const auto self = weak.lock()) self->look_soon(name);
  });
  watch();
}

void ServiceProxy::watch() {
  synced_ = false;
  slices_.clear();
  cluster::WatchSink sink;
  sink.on_event = [this](const cluster::WatchEvent& event) { on_event(event); };
  sink.on_end = [this](const Error& error) {
    log::warn("the watch of endpoint slices ended: {}", error.message);
    // Not from inside its own callback.
    executor_.post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->watch();
    });
  };
  watch_ = cluster_.watch(cluster::kEndpointSlices, {}, std::move(sink));
}

void ServiceProxy::on_event(const cluster::WatchEvent& event) {
  if (event.type == cluster::WatchEvent::Type::kSynced) {
    synced_ = true;
    for (const auto& [name, record] : directory_.all()) look_soon(name);
    return;
  }
  const doc::Value& slice = *event.object;
  const Name service{std::string(doc::find_string(slice, "metadata", "namespace")), std::string(service_of(slice))};
  const std::string name(doc::find_string(slice, "metadata", "name"));
  if (service.second.empty()) return;
  if (event.type == cluster::WatchEvent::Type::kDeleted) {
    const auto known = slices_.find(service);
    if (known == slices_.end()) return;
    known->second.erase(name);
    if (known->second.empty()) slices_.erase(known);
  } else {
    slices_[service].insert_or_assign(name, slice_record(slice));
  }
  look_soon(service);
}

/// Once for all that is told at a time.
void ServiceProxy::look_soon(const Name& service) {
  to_look_at_.insert(service);
  if (!synced_ || std::exchange(looks_soon_, true)) return;
  executor_.post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->look();
  });
}

void ServiceProxy::look() {
  looks_soon_ = false;
  if (!synced_) return;
  for (const Name& service : std::exchange(to_look_at_, {})) look_at(service);
}

void ServiceProxy::look_at(const Name& name) {
  const ServiceRecord* service = directory_.find(name);
  Listeners wanted;
  if (service) {
    std::vector<SliceRecord> slices;
    if (const auto known = slices_.find(name); known != slices_.end()) {
      for (const auto& [slice_name, slice] : known->second) slices.push_back(slice);
    }
    wanted = listeners_of(*service, slices);
    tell_of_other_protocols(*service);
  }
  for (auto it = ports_.begin(); it != ports_.end();) {
    auto& [at, port] = *it;
    const bool stays = port.service != name || wanted.contains(at);
    if (!stays) forget(at, port);
    it = stays ? std::next(it) : ports_.erase(it);
  }
  if (!service) told_of_protocols_.erase(name);
  for (auto& [at, listener] : wanted) apply(at, *service, std::move(listener));
}

void ServiceProxy::apply(const TcpAddress& at, const ServiceRecord& service, Listener listener) {
  Port& port = ports_[at];
  port.service = {service.ns, service.name};
  if (port.listener != listener) {
    relay_.set(at, listener);
    port.listener = std::move(listener);
  }
  if (port.listener.targets.empty()) return stop_listening(at, port);
  if (port.socket) return;
  if (!is_loopback(at.address)) return complain(service, port, why_not_listening(at, {}));
  auto socket = listen_at(at);
  if (!socket) {
    if (socket.error().code == Code::kAlreadyExists && answers_itself(at, port.listener)) return;
    return complain(service, port, why_not_listening(at, socket.error()));
  }
  port.socket.reset(::fcntl(socket->get(), F_DUPFD_CLOEXEC, 0));
  if (!port.socket) return complain(service, port, why_not_listening(at, fail_errno("dup", errno).error()));
  port.complaint.clear();
  relay_.open(at, std::move(*socket));
}

void ServiceProxy::forget(const TcpAddress& at, Port& port) {
  stop_listening(at, port);
  relay_.forget(at);
}

/// At once, whenever the relay's thread hears of it: the address may be listened on again in this turn.
void ServiceProxy::stop_listening(const TcpAddress& at, Port& port) {
  if (!port.socket) return;
  relay_.close(at);
  ::shutdown(port.socket.get(), SHUT_RDWR);
  port.socket.reset();
}

void ServiceProxy::complain(const ServiceRecord& service, Port& port, std::string message) {
  if (port.complaint == message) return;
  events_.warn({&cluster::kServices, service.ns, service.name, service.uid}, kFailedToListen, message);
  port.complaint = std::move(message);
}

void ServiceProxy::tell_of_other_protocols(const ServiceRecord& service) {
  if (service.address.empty()) return;
  for (const ServicePort& port : service.ports) {
    if (port.protocol == "TCP" || !told_of_protocols_.insert({service.ns, service.name}).second) continue;
    events_.warn(
        {&cluster::kServices, service.ns, service.name, service.uid}, kFailedToListen,
        fmt::format("nothing answers at {}:{} by {}: only TCP is relayed", service.address, port.port, port.protocol));
  }
}

}  // namespace tiphys::node
