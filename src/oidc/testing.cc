#include "oidc/testing.h"

#include <algorithm>

#include "jose/signed_token.h"

namespace tiphys::oidc {
namespace {

class FakeCall final : public web::HttpCall {
 public:
  explicit FakeCall(std::shared_ptr<bool> alive) : alive_(std::move(alive)) {}
  ~FakeCall() override { *alive_ = false; }

 private:
  std::shared_ptr<bool> alive_;
};

}  // namespace

doc::Object FakeProvider::claims(Time now) const {
  return {{"iss", kIssuer},
          {"aud", kClient},
          {"sub", "u-1"},
          {"exp", jose::numeric_date(now + std::chrono::hours(1))},
          {"iat", jose::numeric_date(now)},
          {"email", "ann@example.com"},
          {"email_verified", true},
          {"name", "Ann"},
          {"preferred_username", "ann"},
          {"groups", doc::Array{"staff", "admin"}}};
}

std::unique_ptr<web::HttpCall> FakeProvider::send(web::HttpRequest request, Done done) {
  requests.push_back(request);
  auto alive = std::make_shared<bool>(true);
  auto call = std::make_unique<FakeCall>(alive);
  if (silent) return call;
  executor_.post([answer = answer(request), done = std::move(done), alive]() mutable {
    if (*alive) done(std::move(answer));
  });
  return call;
}

web::HttpAnswer FakeProvider::answer(const web::HttpRequest& request) const {
  web::HttpAnswer made;
  for (const auto& [end, code] : codes) {
    if (!request.url.ends_with(end)) continue;
    made.status = code;
    made.status_line = std::to_string(code);
    made.body = R"({"error":"invalid_grant","error_description":"no"})";
    return made;
  }
  doc::Value told = userinfo;
  if (request.url.ends_with("/openid-configuration")) told = document;
  if (request.url.ends_with("/keys")) told = jose::web_key_set(keys);
  if (request.url.ends_with("/token")) {
    doc::Object tokens{{"access_token", "access"}, {"token_type", "Bearer"}};
    if (!id_token.empty()) tokens["id_token"] = id_token;
    told = tokens;
  }
  made.status = 200;
  made.status_line = "200 OK";
  made.body = doc::to_json(told);
  return made;
}

std::size_t FakeProvider::asked(std::string_view end) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(requests, [&](const web::HttpRequest& each) { return each.url.ends_with(end); }));
}

}  // namespace tiphys::oidc
