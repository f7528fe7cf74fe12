// The routes pods/exec, pods/attach and pods/portforward: what is wrong is answered before the upgrade.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>

#include "base/strings.h"
#include "server/exchange.h"
#include "server/session/spdy_sessions.h"
#include "server/session/upgrade.h"
#include "server/session/websocket_sessions.h"
#include "server/session/websocket_tunnel.h"

namespace tiphys::server {
namespace {

using objects::Outcome;

constexpr std::string_view kCommandsByWebSocket[] = {
    "v5.channel.k8s.io", "v4.channel.k8s.io",        "v3.channel.k8s.io",    "v2.channel.k8s.io",
    "channel.k8s.io",    "v4.base64.channel.k8s.io", "base64.channel.k8s.io"};
constexpr std::string_view kCommandsBySpdy[] = {"v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io",
                                                "channel.k8s.io"};
constexpr std::string_view kTunnel = "SPDY/3.1+portforward.k8s.io";
constexpr std::string_view kPortsByWebSocket[] = {kTunnel, "v4.channel.k8s.io", "v4.base64.channel.k8s.io"};
constexpr std::string_view kPortsBySpdy[] = {"portforward.k8s.io"};
/// Of one WebSocket; each has a connection.
constexpr std::size_t kMostPorts = 64;

ChannelForm form_of(std::string_view protocol) {
  return {.base64 = protocol.find("base64") != std::string_view::npos, .tells_close = protocol.starts_with("v5")};
}

EndForm end_form(std::string_view protocol) {
  return protocol.starts_with("v4") || protocol.starts_with("v5") ? EndForm::kStatus : EndForm::kWords;
}

std::vector<std::string> names_of(const doc::Value& pod, std::string_view list_name) {
  std::vector<std::string> names;
  const doc::Value* list = doc::find(pod, "spec", list_name);
  if (!list || !list->is_array()) return names;
  for (const doc::Value& container : list->get_array()) names.emplace_back(doc::find_string(container, "name"));
  return names;
}

/// The container that is meant, when it is one of the pod.
Outcome<std::string> container_of(const doc::Value& pod, std::string_view asked) {
  const std::string_view pod_name = doc::find_string(pod, "metadata", "name");
  const std::vector<std::string> names = names_of(pod, "containers");
  if (asked.empty() && names.size() == 1) return names.front();
  if (asked.empty()) {
    return std::unexpected(objects::bad_request(fmt::format(
        "a container name must be specified for pod {}, choose one of: [{}]", pod_name, fmt::join(names, " "))));
  }
  TIPHYS_CHECK_OK(check_container(pod, asked));
  return std::string(asked);
}

Outcome<cluster::SessionOptions> options_of(const Target& query, bool exec) {
  using Kind = cluster::SessionOptions::Kind;
  cluster::SessionOptions options{.kind = exec ? Kind::kExec : Kind::kAttach};
  for (const auto& [name, value] : query.query) {
    if (name == "command") options.command.push_back(value);
  }
  options.in = query.flag("stdin");
  options.out = query.flag("stdout");
  options.tty = query.flag("tty");
  // A terminal has one output.
  options.err = query.flag("stderr") && !options.tty;
  if (!options.in && !options.out && !options.err) {
    return std::unexpected(objects::bad_request("you must specify at least 1 of stdin, stdout, stderr"));
  }
  if (exec && options.command.empty()) {
    return std::unexpected(objects::bad_request("you must specify at least one command for the container"));
  }
  return options;
}

objects::Refusal refusal_to_open(const Error& error) {
  if (error.code == Code::kInternal || error.code == Code::kUnavailable) {
    return {500, "InternalError", "Internal error occurred: " + error.message};
  }
  return objects::bad_request(error.message);
}

void reply_upgrade(const Exchange& exchange, const Agreed& agreed, std::unique_ptr<Speaker> speaker) {
  exchange.responder->upgrade(agreed.head, std::move(speaker));
}

void begin_command(const Exchange& exchange, const Agreed& agreed, const cluster::SessionOptions& options,
                   std::unique_ptr<cluster::Session> session) {
  const EndForm end = end_form(agreed.protocol);
  if (agreed.transport == Transport::kWebSocket) {
    return reply_upgrade(
        exchange, agreed,
        std::make_unique<WebSocketCommand>(form_of(agreed.protocol), options, end, std::move(session)));
  }
  const bool with_sizes = agreed.protocol.starts_with("v3") || agreed.protocol.starts_with("v4");
  reply_upgrade(exchange, agreed,
                std::make_unique<SpdyCommand>(exchange.served.executor, options, with_sizes, end, std::move(session)));
}

/// Of a WebSocket's query; a SPDY client names its ports by and by.
Outcome<std::vector<std::uint16_t>> ports_of(const Target& query) {
  std::vector<std::uint16_t> ports;
  for (const auto& [name, value] : query.query) {
    if (name != "ports" && name != "port") continue;
    for (const std::string_view text : split(value, ',')) {
      std::uint16_t port = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
      if (error != std::errc() || end != text.data() + text.size() || port == 0) {
        return std::unexpected(objects::bad_request(fmt::format("unable to parse \"{}\" as a port", value)));
      }
      ports.push_back(port);
    }
  }
  if (ports.empty()) return std::unexpected(objects::bad_request("query parameter \"ports\" is required"));
  if (ports.size() > kMostPorts) {
    return std::unexpected(objects::bad_request(fmt::format("more than {} ports at once", kMostPorts)));
  }
  return ports;
}

PortOpener opener_of(const Exchange& exchange, const cluster::Object& pod) {
  return [&sessions = exchange.served.sessions, pod](std::uint16_t port, auto done) {
    sessions(pod, {.kind = cluster::SessionOptions::Kind::kPort, .port = port}, std::move(done));
  };
}

Handled begin_forward(const Exchange& exchange, const Agreed& agreed, const cluster::Object& pod) {
  const std::string_view phase = doc::find_string(*pod, "status", "phase");
  if (phase != "Running") {
    return std::unexpected(objects::bad_request(
        fmt::format("unable to forward port because pod is not running. Current status={}", phase)));
  }
  const std::string name(doc::find_string(*pod, "metadata", "name"));
  if (agreed.transport == Transport::kSpdy) {
    reply_upgrade(exchange, agreed, std::make_unique<SpdyForward>(opener_of(exchange, pod), name));
    return {};
  }
  if (agreed.protocol == kTunnel) {
    reply_upgrade(exchange, agreed,
                  std::make_unique<WebSocketTunnel>(std::make_unique<SpdyForward>(opener_of(exchange, pod), name)));
    return {};
  }
  TIPHYS_TRY(auto ports, ports_of(exchange.query));
  reply_upgrade(
      exchange, agreed,
      std::make_unique<WebSocketForward>(form_of(agreed.protocol), opener_of(exchange, pod), name, std::move(ports)));
  return {};
}

Handled open_command(const ExchangePtr& exchange, const Agreed& agreed, cluster::SessionOptions options,
                     const cluster::Object& pod) {
  TIPHYS_TRY(options.container, container_of(*pod, exchange->query.value("container")));
  exchange->served.sessions(pod, options,
                            [exchange, agreed, options](Result<std::unique_ptr<cluster::Session>> session) {
                              if (!session) return reply_refusal(*exchange, refusal_to_open(session.error()));
                              begin_command(*exchange, agreed, options, std::move(*session));
                            });
  return {};
}

using WithPod = std::function<Handled(const ExchangePtr& exchange, const cluster::Object& pod)>;

void with_pod(const ExchangePtr& exchange, objects::Target target, WithPod then) {
  target.subresource.clear();
  target.caller.reset();
  exchange->api().get(target, [exchange, then = std::move(then)](Outcome<cluster::Object> pod) {
    if (!pod) return reply_refusal(*exchange, pod.error());
    if (const Handled handled = then(exchange, *pod); !handled) reply_refusal(*exchange, handled.error());
  });
}

}  // namespace

bool is_session(std::string_view subresource) {
  return subresource == "exec" || subresource == "attach" || subresource == "portforward";
}

Handled open_session(const ExchangePtr& exchange, const objects::Target& target) {
  if (!exchange->served.sessions) return refuse(501, "NotImplemented", "this server has no way into pods");
  TIPHYS_CHECK_OK(exchange->api().allow(target, exchange->request.method == "GET" ? "get" : "create"));
  if (target.subresource == "portforward") {
    TIPHYS_TRY(const Agreed agreed, agree(exchange->request, kPortsByWebSocket, kPortsBySpdy));
    with_pod(exchange, target, [agreed](const ExchangePtr& asked, const cluster::Object& pod) {
      return begin_forward(*asked, agreed, pod);
    });
    return {};
  }
  TIPHYS_TRY(const auto options, options_of(exchange->query, target.subresource == "exec"));
  TIPHYS_TRY(const Agreed agreed, agree(exchange->request, kCommandsByWebSocket, kCommandsBySpdy));
  with_pod(exchange, target, [agreed, options](const ExchangePtr& asked, const cluster::Object& pod) {
    return open_command(asked, agreed, options, pod);
  });
  return {};
}

}  // namespace tiphys::server
