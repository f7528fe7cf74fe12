#include "node/agent/readiness_probe.h"

#include <fmt/format.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <charconv>

#include "base/strings.h"

namespace tiphys::node {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t kMostHeadBytes = 64 * 1024;

std::int64_t number(const doc::Value& probe, std::string_view field, std::int64_t fallback) {
  const doc::Value* value = doc::find(probe, field);
  return value && value->is_int64() && value->get_int64() > 0 ? value->get_int64() : fallback;
}

Result<std::string> port_of(const doc::Value& action, const doc::Value& container) {
  const doc::Value* port = doc::find(action, "port");
  std::string written = port ? doc::scalar_text(*port) : "";
  int value = 0;
  const auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), value);
  if (error == std::errc() && end == written.data() + written.size() && value > 0 && value < 65536) return written;
  const doc::Value* ports = doc::find(container, "ports");
  if (ports && ports->is_array() && !written.empty()) {
    for (const doc::Value& named : ports->get_array()) {
      const doc::Value* number_of = doc::find(named, "containerPort");
      if (number_of && doc::find_string(named, "name") == written) return doc::scalar_text(*number_of);
    }
  }
  return fail(Code::kInvalidArgument,
              fmt::format("readinessProbe: port \"{}\" is no number from 1 to 65535, and no name "
                          "of the container's ports",
                          written));
}

/// The status of an answer's first line: "HTTP/1.1 200 OK".
bool good_answer(std::string_view head) {
  const std::size_t space = head.find(' ');
  if (!head.starts_with("HTTP/") || space == std::string_view::npos) return false;
  int status = 0;
  const std::string_view rest = head.substr(space + 1);
  std::from_chars(rest.data(), rest.data() + rest.size(), status);
  return status >= 200 && status < 400;
}

Status read_request(const doc::Value& probe, const doc::Value& container, const std::string& address, ProbeSpec& spec) {
  const doc::Value* http = doc::find(probe, "httpGet");
  const doc::Value* action = http ? http : doc::find(probe, "tcpSocket");
  if (!action) {
    return fail(Code::kUnimplemented, "readinessProbe: only exec, httpGet and tcpSocket are supported here");
  }
  spec.http = http != nullptr;
  TIPHYS_TRY(spec.port, port_of(*action, container));
  spec.host = doc::find_string(*action, "host");
  if (spec.host.empty()) spec.host = address;
  spec.path = doc::find_string(*action, "path");
  if (!spec.path.starts_with('/')) spec.path = "/" + spec.path;
  if (const doc::Value* headers = doc::find(*action, "httpHeaders"); headers && headers->is_array()) {
    for (const doc::Value& header : headers->get_array()) {
      spec.headers.emplace_back(doc::find_string(header, "name"), doc::find_string(header, "value"));
    }
  }
  return {};
}

}  // namespace

Result<ProbeSpec> parse_probe(const doc::Value& container, const std::string& address) {
  const doc::Value* probe = doc::find(container, "readinessProbe");
  if (!probe) return fail(Code::kInvalidArgument, "there is no readinessProbe");
  ProbeSpec spec;
  const doc::Value* command = doc::find(*probe, "exec", "command");
  if (command && command->is_array()) {
    for (const doc::Value& word : command->get_array()) spec.command.push_back(doc::scalar_text(word));
  }
  if (spec.command.empty()) TIPHYS_CHECK_OK(read_request(*probe, container, address, spec));
  spec.initial_delay = std::chrono::seconds(number(*probe, "initialDelaySeconds", 0));
  spec.period = std::chrono::seconds(number(*probe, "periodSeconds", 10));
  spec.timeout = std::chrono::seconds(number(*probe, "timeoutSeconds", 1));
  spec.successes = static_cast<int>(number(*probe, "successThreshold", 1));
  spec.failures = static_cast<int>(number(*probe, "failureThreshold", 3));
  return spec;
}

class ReadinessProbe::State : public std::enable_shared_from_this<State> {
 public:
  State(asio::io_context& context, ProbeSpec spec, Exec exec, std::function<void(bool)> on_change)
      : spec_(std::move(spec)),
        exec_(std::move(exec)),
        on_change_(std::move(on_change)),
        pause_(context),
        limit_(context),
        socket_(context) {}

  void begin() { wait(spec_.initial_delay); }
  void end() {
    on_change_ = nullptr;
    pause_.cancel();
    limit_.cancel();
    close();
  }

 private:
  void close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

  void wait(Duration pause) {
    pause_.expires_after(std::chrono::duration_cast<std::chrono::milliseconds>(pause));
    pause_.async_wait([self = shared_from_this()](boost::system::error_code error) {
      if (!error && self->on_change_) self->probe();
    });
  }

  void probe() {
    if (!spec_.command.empty()) {
      return exec_(spec_.command, spec_.timeout, [weak = weak_from_this()](bool good) {
        if (const auto self = weak.lock()) self->judge(good);
      });
    }
    answer_.clear();
    limit_.expires_after(std::chrono::duration_cast<std::chrono::milliseconds>(spec_.timeout));
    limit_.async_wait([self = shared_from_this()](boost::system::error_code error) {
      if (!error) self->close();
    });
    boost::system::error_code error;
    const auto address = asio::ip::make_address(spec_.host == "localhost" ? "127.0.0.1" : spec_.host, error);
    if (error) return judge(false);
    int port = 0;
    std::from_chars(spec_.port.data(), spec_.port.data() + spec_.port.size(), port);
    socket_.async_connect(tcp::endpoint(address, static_cast<unsigned short>(port)),
                          [self = shared_from_this()](boost::system::error_code failed) {
                            if (failed || !self->spec_.http) return self->judge(!failed);
                            self->ask();
                          });
  }

  void ask() {
    request_ = fmt::format(
        "GET {} HTTP/1.1\r\nHost: {}:{}\r\nUser-Agent: kube-probe/tiphys\r\nAccept: */*\r\n"
        "Connection: close\r\n",
        spec_.path, spec_.host, spec_.port);
    for (const auto& [name, value] : spec_.headers) request_ += fmt::format("{}: {}\r\n", name, value);
    request_ += "\r\n";
    asio::async_write(socket_, asio::buffer(request_),
                      [self = shared_from_this()](boost::system::error_code failed, std::size_t) {
                        if (failed) return self->judge(false);
                        self->read();
                      });
  }

  void read() {
    asio::async_read_until(socket_, asio::dynamic_buffer(answer_, kMostHeadBytes), "\r\n",
                           [self = shared_from_this()](boost::system::error_code failed, std::size_t) {
                             self->judge(!failed && good_answer(self->answer_));
                           });
  }

  void judge(bool good) {
    limit_.cancel();
    close();
    if (!on_change_) return;
    in_a_row_ = good == last_ ? in_a_row_ + 1 : 1;
    last_ = good;
    if (good != ready_ && in_a_row_ >= (good ? spec_.successes : spec_.failures)) {
      ready_ = good;
      // A copy: it may end this probe.
      const auto tell = on_change_;
      tell(ready_);
    }
    if (on_change_) wait(spec_.period);
  }

  const ProbeSpec spec_;
  const Exec exec_;
  std::function<void(bool)> on_change_;
  asio::steady_timer pause_, limit_;
  tcp::socket socket_;
  std::string request_, answer_;
  bool ready_ = false;
  bool last_ = false;
  int in_a_row_ = 0;
};

ReadinessProbe::ReadinessProbe(asio::io_context& context, ProbeSpec spec, Exec exec,
                               std::function<void(bool ready)> on_change)
    : state_(std::make_shared<State>(context, std::move(spec), std::move(exec), std::move(on_change))) {
  state_->begin();
}

ReadinessProbe::~ReadinessProbe() {
  state_->end();
}

}  // namespace tiphys::node
