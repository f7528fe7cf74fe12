#include "server/sso/sign_on_routes.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "server/auth_mode.h"
#include "server/cookies.h"
#include "server/sso/sign_on.h"

namespace tiphys::server {
namespace {

constexpr std::string_view kRedirect = "/oauth2/redirect", kCallback = "/oauth2/callback", kLogout = "/oauth2/logout";
/// Somewhat longer than what it keeps is good for: that decides.
constexpr std::chrono::minutes kSignInCookieLife(10);
constexpr std::size_t kMostStateBytes = 64;

std::string_view path_of(std::string_view target) {
  return target.substr(0, target.find('?'));
}

AnswerHead plain(unsigned code) {
  return {.code = code,
          .content_type = "text/plain; charset=utf-8",
          .fields = {{"X-Content-Type-Options", "nosniff"}, {"Referrer-Policy", "no-referrer"}}};
}

/// A cookie of a sign-in under way; there may be several at once, of as many tabs.
Cookie sign_in_cookie(const SignOn& sign_on, std::string_view state) {
  return {.name = fmt::format("sso-{}", state),
          .path = fmt::format("{}oauth2/", sign_on.base_path()),
          .secure = sign_on.is_secure(),
          .strict = false};
}

Cookie session_cookie(const SignOn& sign_on) {
  return {.name = std::string(kCookieName), .path = sign_on.base_path(), .secure = sign_on.is_secure()};
}

void send_on(const Exchange& exchange, const std::string& location, std::vector<Cookie> cookies) {
  AnswerHead head{.code = 302, .fields = {{"Location", location}, {"Referrer-Policy", "no-referrer"}}};
  for (const Cookie& cookie : cookies) head.fields.emplace_back("Set-Cookie", set_cookie(cookie));
  exchange.responder->reply(std::move(head), "");
}

/// What is wrong is for the log; of what a person can do something about he is told.
void refuse_sign_in(const Exchange& exchange, const Error& error, std::vector<Cookie> cookies) {
  struct Told {
    unsigned code;
    std::string_view text;
  };
  const auto told = [&]() -> Told {
    switch (error.code) {
      case Code::kInvalidArgument:
        return {400, error.message};
      case Code::kUnauthenticated:
        return {401, "signing in has failed: the server's log tells why"};
      case Code::kUnavailable:
      case Code::kResourceExhausted:
        return {503, "the provider cannot be asked at present: try again later"};
      default:
        return {500, "the server is not ready for people to sign in: its log tells why"};
    }
  }();
  log::warn("sso: {}", error.message);
  AnswerHead head = plain(told.code);
  for (const Cookie& cookie : cookies) head.fields.emplace_back("Set-Cookie", set_cookie(cookie));
  exchange.responder->reply(std::move(head), fmt::format("{}\n", told.text));
}

void redirect(const ExchangePtr& exchange, SignOn& sign_on, const Target& query) {
  sign_on.begin(query.value("redirect"), exchange->request.host, [exchange, &sign_on](Result<SignInBegun> begun) {
    if (!begun) return refuse_sign_in(*exchange, begun.error(), {});
    Cookie cookie = sign_in_cookie(sign_on, begun->state);
    cookie.value = std::move(begun->kept);
    cookie.life = kSignInCookieLife;
    send_on(*exchange, begun->location, {std::move(cookie)});
  });
}

bool can_be_state(std::string_view text) {
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return !text.empty() && text.size() <= kMostStateBytes && text.find_first_not_of(kAllowed) == std::string_view::npos;
}

void callback(const ExchangePtr& exchange, SignOn& sign_on, const Target& query) {
  const std::string state(query.value("state"));
  if (!can_be_state(state)) return refuse_sign_in(*exchange, {Code::kInvalidArgument, "there is no state"}, {});
  const Cookie spent = sign_in_cookie(sign_on, state);
  const auto kept = cookies_named(exchange->request.cookie, spent.name);
  if (kept.empty()) {
    return refuse_sign_in(
        *exchange, {Code::kInvalidArgument, "this sign-in has not been begun in this browser, or too long ago"}, {});
  }
  if (const std::string_view error = query.value("error"); !error.empty()) {
    const std::string why = fmt::format("the provider refuses: {} {}", error, query.value("error_description"));
    return refuse_sign_in(*exchange, {Code::kUnauthenticated, why}, {spent});
  }
  sign_on.finish(state, kept.front(), std::string(query.value("code")),
                 [exchange, &sign_on, spent](Result<SignedIn> signed_in) {
                   if (!signed_in) return refuse_sign_in(*exchange, signed_in.error(), {spent});
                   Cookie session = session_cookie(sign_on);
                   session.value = std::move(signed_in->session);
                   session.life = std::chrono::floor<std::chrono::seconds>(sign_on.session_life());
                   send_on(*exchange, signed_in->location, {spent, std::move(session)});
                 });
}

void reply_text(const Exchange& exchange, unsigned code, std::string_view text) {
  exchange.responder->reply(plain(code), fmt::format("{}\n", text));
}

}  // namespace

bool is_sign_on_page(std::string_view target) {
  const std::string_view path = path_of(target);
  return path == kRedirect || path == kCallback || path == kLogout;
}

bool serve_sign_on(const ExchangePtr& exchange) {
  const Request& request = exchange->request;
  if (!is_sign_on_page(request.target)) return false;
  SignOn* const sign_on = exchange->served.auth.sign_on;
  if (!sign_on) {
    reply_text(*exchange, 501, "there is no single sign-on here: tiphys up --auth-mode sso");
    return true;
  }
  const std::string_view path = path_of(request.target);
  const std::string_view method = path == kLogout ? "POST" : "GET";
  if (request.method != method) {
    AnswerHead head = plain(405);
    head.fields.emplace_back("Allow", std::string(method));
    exchange->responder->reply(std::move(head), "Method not allowed\n");
    return true;
  }
  const auto query = Target::parse(request.target);
  if (!query) {
    reply_text(*exchange, 400, query.error().message);
    return true;
  }
  if (path == kRedirect) redirect(exchange, *sign_on, *query);
  if (path == kCallback) callback(exchange, *sign_on, *query);
  if (path == kLogout) send_on(*exchange, sign_on->base_path(), {session_cookie(*sign_on)});
  return true;
}

}  // namespace tiphys::server
