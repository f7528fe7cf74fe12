#include "server/session/spdy_sessions.h"

#include <charconv>

namespace tiphys::server {
namespace {

/// In which the streams of a command have to come.
constexpr std::chrono::seconds kOpening(30);

std::uint16_t port_of(const SpdyHeaders& headers) {
  const std::string_view text = spdy_header(headers, "port");
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() ? port : 0;
}

/// Old clients name no request: their streams come in pairs, the error stream first.
std::string request_of(const SpdyHeaders& headers, const Channel& channel, bool is_error) {
  const std::string_view named = spdy_header(headers, "requestid");
  return named.empty() ? std::to_string(is_error ? channel.id() : channel.id() - 2) : std::string(named);
}

}  // namespace

SpdyCommand::SpdyCommand(Executor& executor, const cluster::SessionOptions& options, bool with_sizes, EndForm end,
                         std::unique_ptr<cluster::Session> session)
    : executor_(executor),
      options_(options),
      with_sizes_(with_sizes && options.tty),
      relay_(std::move(session), options.command, end) {
  timer_ = executor_.schedule(executor_.now() + kOpening, [this] { finish(); });
}

SpdyCommand::~SpdyCommand() {
  executor_.cancel(timer_);
}

bool SpdyCommand::on_stream(Channel& channel, const SpdyHeaders& headers) {
  const std::string_view type = spdy_header(headers, "streamtype");
  const auto take = [&](Channel*& place, bool wanted) {
    if (!wanted || place || begun_) return false;
    place = &channel;
    return true;
  };
  if (type == "error") return take(channels_.error, true);
  if (type == "stdin") return take(channels_.in, options_.in);
  if (type == "stdout") return take(channels_.out, options_.out);
  if (type == "stderr") return take(channels_.err, options_.err);
  if (type == "resize") return take(channels_.resize, with_sizes_);
  return false;
}

void SpdyCommand::on_answered() {
  const auto is_there = [](const Channel* channel, bool wanted) { return !wanted || channel; };
  if (begun_ || !is_there(channels_.error, true) || !is_there(channels_.in, options_.in) ||
      !is_there(channels_.out, options_.out) || !is_there(channels_.err, options_.err) ||
      !is_there(channels_.resize, with_sizes_)) {
    return;
  }
  begun_ = true;
  executor_.cancel(timer_);
  for (Channel* written : {channels_.out, channels_.err}) {
    if (written) written->discard();
  }
  relay_.begin(channels_, [this] { finish(); });
}

bool SpdyForward::on_stream(Channel& channel, const SpdyHeaders& headers) {
  const std::string_view type = spdy_header(headers, "streamtype");
  const std::uint16_t port = port_of(headers);
  if (port == 0 || (type != "error" && type != "data")) return false;
  newest_ = request_of(headers, channel, type == "error");
  Pair& pair = pairs_[newest_];
  Channel*& place = type == "error" ? pair.error : pair.data;
  if (place) return false;
  place = &channel;
  if (type == "data") pair.port = port;
  return true;
}

void SpdyForward::on_answered() {
  Pair& pair = pairs_[newest_];
  if (pair.relay || !pair.data || !pair.error) return;
  pair.relay = std::make_unique<PortRelay>(*pair.data, *pair.error, [this, request = newest_] { end(request); });
  pair.relay->begin(open_, pod_, pair.port);
}

void SpdyForward::end(const std::string& request) {
  const auto found = pairs_.find(request);
  // The relay goes before its channels.
  Pair ended = std::move(found->second);
  pairs_.erase(found);
  ended.relay.reset();
  release(*ended.data);
  release(*ended.error);
}

}  // namespace tiphys::server
