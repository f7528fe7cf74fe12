#include "node/agent/handler.h"

#include <fmt/format.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <charconv>

#include "node/agent/grpc_health.h"
#include "node/agent/reaching_socket.h"
#include "web/request_rules.h"

namespace tiphys::node {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

std::chrono::milliseconds milliseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
}

/// A number from 1 to 65535; nothing for any other text.
std::optional<std::uint16_t> port_number(std::string_view text) {
  std::uint16_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value == 0) return std::nullopt;
  return value;
}

Result<std::uint16_t> port_of(const doc::Value& action, const doc::Value& container, std::string_view name) {
  const doc::Value* port = doc::find(action, "port");
  const std::string written = port ? doc::scalar_text(*port) : "";
  if (const auto number = port_number(written)) return *number;
  const doc::Value* ports = doc::find(container, "ports");
  if (ports && ports->is_array() && !written.empty()) {
    for (const doc::Value& named : ports->get_array()) {
      const doc::Value* number = doc::find(named, "containerPort");
      if (!number || doc::find_string(named, "name") != written) continue;
      if (const auto found = port_number(doc::scalar_text(*number))) return *found;
    }
  }
  return fail(
      Code::kInvalidArgument,
      fmt::format("{}: port \"{}\" is no number from 1 to 65535, and no name of the container's ports", name, written));
}

std::string host_of(const doc::Value& action, const std::string& address) {
  const std::string_view host = doc::find_string(action, "host");
  return host.empty() ? address : std::string(host);
}

std::string authority(const std::string& host, std::uint16_t port) {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

web::HttpRequest http_request(const doc::Value& action, const std::string& address, std::uint16_t port) {
  web::HttpRequest request;
  const std::string_view path = doc::find_string(action, "path");
  request.url = fmt::format("{}://{}{}{}", doc::find_string(action, "scheme") == "HTTPS" ? "https" : "http",
                            authority(host_of(action, address), port), path.starts_with('/') ? "" : "/", path);
  if (const doc::Value* headers = doc::find(action, "httpHeaders"); headers && headers->is_array()) {
    for (const doc::Value& header : headers->get_array()) {
      request.headers.emplace_back(doc::find_string(header, "name"), doc::find_string(header, "value"));
    }
  }
  if (!web::find_header(request.headers, "accept")) request.headers.emplace_back("Accept", "*/*");
  if (!web::find_header(request.headers, "user-agent")) request.headers.emplace_back("User-Agent", "kube-probe/tiphys");
  request.insecure = true;
  request.stays_at_host = true;
  return request;
}

}  // namespace

Result<Handler> parse_handler(const doc::Value& written, const doc::Value& container, const std::string& address,
                              std::string_view name) {
  Handler handler;
  if (const doc::Value* exec = doc::find(written, "exec")) {
    const doc::Value* command = doc::find(*exec, "command");
    if (command && command->is_array()) {
      for (const doc::Value& word : command->get_array()) handler.command.push_back(doc::scalar_text(word));
    }
    if (!handler.command.empty()) return handler;
    return fail(Code::kInvalidArgument, fmt::format("{}: exec has no command", name));
  }
  if (const doc::Value* sleep = doc::find(written, "sleep")) {
    handler.kind = Handler::Kind::kSleep;
    const doc::Value* seconds = doc::find(*sleep, "seconds");
    if (seconds && seconds->is_int64() && seconds->get_int64() >= 0) {
      handler.sleep = std::chrono::seconds(seconds->get_int64());
      return handler;
    }
    return fail(Code::kInvalidArgument, fmt::format("{}: sleep.seconds must be a whole number", name));
  }
  const std::pair<const char*, Handler::Kind> kinds[] = {
      {"httpGet", Handler::Kind::kHttp}, {"tcpSocket", Handler::Kind::kTcp}, {"grpc", Handler::Kind::kGrpc}};
  for (const auto& [field, kind] : kinds) {
    const doc::Value* action = doc::find(written, field);
    if (!action) continue;
    handler.kind = kind;
    TIPHYS_TRY(handler.port, port_of(*action, container, name));
    if (kind == Handler::Kind::kHttp) handler.request = http_request(*action, address, handler.port);
    if (kind == Handler::Kind::kTcp) handler.host = host_of(*action, address);
    if (kind == Handler::Kind::kGrpc) {
      handler.request = health_request(authority(address, handler.port), doc::find_string(*action, "service"));
    }
    return handler;
  }
  return fail(Code::kInvalidArgument, fmt::format("{} has no handler: exec, httpGet, tcpSocket, ...", name));
}

Result<Handler> parse_hook(const doc::Value& container, const std::string& address, std::string_view name) {
  TIPHYS_TRY(Handler hook, parse_handler(*doc::find(container, "lifecycle", name), container, address,
                                         fmt::format("lifecycle.{}", name)));
  hook.any_answer = true;
  return hook;
}

class HandlerRun::State : public std::enable_shared_from_this<State> {
 public:
  State(HandlerWorld world, Done done)
      : world_(std::move(world)), done_(std::move(done)), timer_(world_.context), socket_(world_.context) {}

  void begin(const Handler& handler, Duration timeout) {
    switch (handler.kind) {
      case Handler::Kind::kExec:
        return run(handler.command, timeout);
      case Handler::Kind::kSleep:
        return after(std::min(handler.sleep, timeout), [this] { tell(Finding::kGood, ""); });
      case Handler::Kind::kTcp:
        return connect(handler, timeout);
      case Handler::Kind::kHttp:
      case Handler::Kind::kGrpc:
        return send(handler, timeout);
    }
  }

  void end() {
    done_ = nullptr;
    call_.reset();
    timer_.cancel();
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

 private:
  template <typename Then>
  void after(Duration time, Then then) {
    timer_.expires_after(milliseconds(time));
    timer_.async_wait([self = shared_from_this(), then](boost::system::error_code error) {
      if (!error && self->done_) then();
    });
  }

  void tell(Finding finding, std::string reason) {
    const auto done = std::exchange(done_, nullptr);
    timer_.cancel();
    boost::system::error_code ignored;
    socket_.close(ignored);
    if (done) done(finding, std::move(reason));
  }

  void run(const std::vector<std::string>& command, Duration timeout) {
    world_.exec(command, timeout, [weak = weak_from_this()](const Result<int>& code) {
      const auto self = weak.lock();
      if (!self) return;
      if (code && *code == 0) return self->tell(Finding::kGood, "");
      if (code) return self->tell(Finding::kBad, fmt::format("command exited with {}", *code));
      const bool late = code.error().code == Code::kDeadlineExceeded;
      self->tell(late ? Finding::kBad : Finding::kUnknown, code.error().message);
    });
  }

  void connect(const Handler& handler, Duration timeout) {
    boost::system::error_code error;
    const auto address = asio::ip::make_address(handler.host == "localhost" ? "127.0.0.1" : handler.host, error);
    if (error) {
      return asio::post(world_.context, [self = shared_from_this(), host = handler.host] {
        self->tell(Finding::kBad, fmt::format("dial tcp: \"{}\" is no address", host));
      });
    }
    if ((error = open_socket_to(address, socket_))) {
      return asio::post(world_.context,
                        [self = shared_from_this(), error] { self->tell(Finding::kBad, error.message()); });
    }
    after(timeout, [this] { tell(Finding::kBad, "dial tcp: i/o timeout"); });
    socket_.async_connect(tcp::endpoint(address, handler.port),
                          [self = shared_from_this()](boost::system::error_code failed) {
                            self->tell(failed ? Finding::kBad : Finding::kGood, failed ? failed.message() : "");
                          });
  }

  void send(const Handler& handler, Duration timeout) {
    web::HttpRequest request = handler.request;
    request.timeout = timeout;
    call_ = world_.http.send(std::move(request), [weak = weak_from_this(), kind = handler.kind,
                                                  any = handler.any_answer](const Result<web::HttpAnswer>& answer) {
      const auto self = weak.lock();
      if (self && any && answer) return self->tell(Finding::kGood, "");
      if (self) self->answered(kind, answer);
    });
  }

  void answered(Handler::Kind kind, const Result<web::HttpAnswer>& answer) {
    if (!answer) return tell(Finding::kBad, answer.error().message);
    if (kind == Handler::Kind::kGrpc) {
      const Status serving = is_serving(*answer);
      return tell(serving ? Finding::kGood : Finding::kBad, serving ? "" : serving.error().message);
    }
    if (answer->status >= 200 && answer->status < 400) return tell(Finding::kGood, "");
    tell(Finding::kBad, fmt::format("HTTP probe failed with statuscode: {}", answer->status));
  }

  HandlerWorld world_;
  Done done_;
  asio::steady_timer timer_;
  tcp::socket socket_;
  std::unique_ptr<web::HttpCall> call_;
};

HandlerRun::HandlerRun(HandlerWorld world, const Handler& handler, Duration timeout, Done done)
    : state_(std::make_shared<State>(std::move(world), std::move(done))) {
  state_->begin(handler, timeout);
}

HandlerRun::~HandlerRun() {
  state_->end();
}

}  // namespace tiphys::node
