#include "kube/api.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>

#include "base/encoding.h"
#include "base/log.h"
#include "cluster/api_status.h"
#include "http/tls.h"
#include "http/url.h"

namespace tiphys::kube {
namespace {

constexpr int kMostAttempts = 10;
constexpr http::ClientLimits kLimits{.most_connections = 32, .keep = true, .connect_timeout = std::chrono::seconds(30)};

http::ClientLimits limits_of(const Access& access) {
  http::ClientLimits limits = kLimits;
  if (access.request_timeout > std::chrono::seconds::zero()) limits.answer_timeout = access.request_timeout;
  return limits;
}

Status use_proxy(const std::string& text, http::Endpoint& endpoint) {
  TIPHYS_TRY(const http::Url url, http::Url::parse(text));
  if (url.scheme != "http") {
    return fail(Code::kInvalidArgument, fmt::format("proxy-url {}: only http proxies are supported", text));
  }
  endpoint.proxy_host = url.host;
  endpoint.proxy_port = url.port;
  if (!url.user.empty()) endpoint.proxy_authorization = "Basic " + encode_base64(url.user);
  return {};
}

/// Temporary, as the server says.
bool asks_to_come_again(const http::Head& head) {
  return head.code == 429 || (head.code >= 500 && !head.retry_after.empty());
}

}  // namespace

/// One call with all its attempts.
struct Api::Attempt {
  Attempt(http::Request wanted, Done<std::string> then, Random& random)
      : request(std::move(wanted)), done(std::move(then)), backoff(random) {}

  http::Request request;
  Done<std::string> done;
  Backoff backoff;
  int count = 0;
  bool refused = false;
  http::Head head{};
  std::string body{};
  std::unique_ptr<http::Call> call{};
  Executor::TimerId timer = 0;
};

Api::Api(boost::asio::io_context& context, Executor& executor, Random& random, const Access& access,
         http::Endpoint endpoint, std::string path)
    : executor_(executor),
      random_(random),
      server_name_(access.tls_server_name.empty() ? endpoint.host : access.tls_server_name),
      ca_(access.ca),
      insecure_(access.insecure),
      acts_as_(access.acts_as),
      path_(std::move(path)),
      client_(context, std::move(endpoint), limits_of(access)),
      credentials_(make_credentials(executor, access)) {}

Result<std::shared_ptr<Api>> Api::make(boost::asio::io_context& context, Executor& executor, Random& random,
                                       const Access& access) {
  TIPHYS_TRY(const http::Url url, http::Url::parse(access.server));
  if (url.scheme != "https" && url.scheme != "http") {
    return fail(Code::kInvalidArgument, fmt::format("the server {}: it must be https or http", access.server));
  }
  http::Endpoint endpoint{.unix_path = {}, .host = url.host, .port = url.port};
  if (!access.proxy_url.empty()) {
    TIPHYS_CHECK_OK(use_proxy(access.proxy_url, endpoint));
  }
  if (url.scheme == "https") {
    TIPHYS_TRY(endpoint.tls,
               http::Tls::make({.ca = access.ca,
                                .insecure = access.insecure,
                                .server_name = access.tls_server_name.empty() ? url.host : access.tls_server_name,
                                .certificate = access.user.certificate,
                                .key = access.user.key}));
  }
  std::shared_ptr<Api> api(new Api(context, executor, random, access, std::move(endpoint), url.path));
  api->identity_.certificate = access.user.certificate;
  api->identity_.key = access.user.key;
  return api;
}

void Api::call(http::Request request, Done<std::string> done) {
  auto attempt = std::make_shared<Attempt>(std::move(request), std::move(done), random_);
  attempts_.emplace(attempt.get(), attempt);
  start(std::move(attempt));
}

void Api::stop() {
  for (const auto& [key, attempt] : attempts_) executor_.cancel(attempt->timer);
  attempts_.clear();
}

void Api::forget_identity() {
  credentials_->refused(identity_);
}

/// For connections from now on.
Status Api::show(const Identity& identity) {
  const bool other = identity.certificate != identity_.certificate || identity.key != identity_.key;
  identity_ = identity;
  if (!other || !client_.endpoint().tls) return {};
  TIPHYS_TRY(auto tls, http::Tls::make({.ca = ca_,
                                        .insecure = insecure_,
                                        .server_name = server_name_,
                                        .certificate = identity.certificate,
                                        .key = identity.key}));
  client_.set_tls(std::move(tls));
  return {};
}

http::Request Api::with_identity(http::Request request) const {
  request.target = path_ + request.target;
  if (!identity_.authorization.empty()) request.headers.emplace_back("Authorization", identity_.authorization);
  if (!acts_as_.name.empty()) request.headers.emplace_back("Impersonate-User", acts_as_.name);
  if (!acts_as_.uid.empty()) request.headers.emplace_back("Impersonate-Uid", acts_as_.uid);
  for (const std::string& group : acts_as_.groups) request.headers.emplace_back("Impersonate-Group", group);
  return request;
}

void Api::start(std::shared_ptr<Attempt> attempt) {
  ++attempt->count;
  std::weak_ptr<Attempt> weak = attempt;
  credentials_->obtain(guarded([weak = std::move(weak)](Api& self, Result<Identity> identity) {
    const auto live = weak.lock();
    if (!live) return;
    Status shown;
    if (identity) shown = self.show(*identity);
    if (identity && shown) return self.send(live);
    // Never from inside the call.
    Error error = identity ? std::move(shown).error() : std::move(identity).error();
    live->timer = self.executor_.schedule(
        self.executor_.now(), self.guarded([weak = std::weak_ptr(live), error = std::move(error)](Api& again) mutable {
          if (const auto still = weak.lock()) again.answered(still, std::unexpected(std::move(error)));
        }));
  }));
}

void Api::send(const std::shared_ptr<Attempt>& attempt) {
  attempt->head = {};
  attempt->body.clear();
  Attempt* const raw = attempt.get();
  http::Sink sink;
  sink.on_head = [raw](const http::Head& head) { raw->head = head; };
  sink.on_body = [raw](std::string_view part) { raw->body += part; };
  sink.on_end = guarded([weak = std::weak_ptr(attempt)](Api& self, Status status) {
    if (const auto live = weak.lock()) self.answered(live, std::move(status));
  });
  attempt->call = client_.call(with_identity(attempt->request), std::move(sink));
}

void Api::answered(const std::shared_ptr<Attempt>& attempt, Status status) {
  if (status && attempt->count < kMostAttempts && asks_to_come_again(attempt->head)) return try_later(attempt);
  if (status && attempt->head.code == 401 && !attempt->refused && credentials_->refused(identity_)) {
    attempt->refused = true;
    return start(attempt);
  }
  const auto finished = attempts_.extract(attempt.get());
  if (!status) return attempt->done(std::unexpected(std::move(status).error()));
  if (attempt->head.code >= 300) {
    return attempt->done(std::unexpected(cluster::error_of(attempt->head.code, attempt->body)));
  }
  attempt->done(std::move(attempt->body));
}

void Api::try_later(const std::shared_ptr<Attempt>& attempt) {
  const Duration delay = attempt->backoff.next(attempt->head.retry_after);
  log::debug("{} {} is asked again in {}: HTTP {}", attempt->request.method, attempt->request.target,
             format_go_duration(delay), attempt->head.code);
  attempt->timer = executor_.schedule(executor_.now() + delay, guarded([weak = std::weak_ptr(attempt)](Api& self) {
                                        if (auto live = weak.lock()) self.start(std::move(live));
                                      }));
}

void Api::stream(http::LineStream& stream, http::Request request, http::LineStream::Sink sink) {
  credentials_->obtain(guarded([&stream, alive = stream.alive(), request = std::move(request), sink = std::move(sink)](
                                   Api& self, Result<Identity> identity) mutable {
    if (alive.expired()) return;
    Status shown;
    if (identity) shown = self.show(*identity);
    if (identity && shown) return stream.start(self.client_, self.with_identity(std::move(request)), std::move(sink));
    Error error = identity ? std::move(shown).error() : std::move(identity).error();
    self.executor_.post([alive, sink = std::move(sink), error = std::move(error)]() mutable {
      if (!alive.expired()) sink.on_end(std::unexpected(std::move(error)));
    });
  }));
}

}  // namespace tiphys::kube
