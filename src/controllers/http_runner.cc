#include "controllers/http_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/encoding.h"
#include "cluster/secret.h"
#include "doc/utf8.h"
#include "expr/condition.h"

namespace tiphys::controllers {
namespace {

using api::NodePhase;

const doc::Array& headers_of(const doc::Value& http) {
  static const doc::Array kNone;
  const doc::Value* headers = doc::find(http, "headers");
  return headers && headers->is_array() ? headers->get_array() : kNone;
}

const doc::Value* secret_of(const doc::Value& header) {
  const doc::Value* secret = doc::find(header, "valueFrom", "secretKeyRef");
  return secret && secret->is_object() ? secret : nullptr;
}

/// "content-type" as Go writes it: "Content-Type".
std::string canonical(std::string_view name) {
  std::string made(name);
  bool first = true;
  for (char& c : made) {
    const auto letter = static_cast<unsigned char>(c);
    c = static_cast<char>(first ? std::toupper(letter) : std::tolower(letter));
    first = c == '-';
  }
  return made;
}

Result<std::string> bytes_of(const doc::Value& http) {
  auto bytes = decode_base64(doc::find_string(http, "bodyFrom", "bytes"));
  if (!bytes) return std::unexpected(bytes.error().in("bodyFrom.bytes"));
  return bytes;
}

Result<web::HttpRequest> request_of(const doc::Value& http) {
  web::HttpRequest request;
  if (const std::string_view method = doc::find_string(http, "method"); !method.empty()) request.method = method;
  request.url = doc::find_string(http, "url");
  request.body = doc::find_string(http, "body");
  if (doc::find(http, "bodyFrom")) {
    TIPHYS_TRY(request.body, bytes_of(http));
  }
  const doc::Value* timeout = doc::find(http, "timeoutSeconds");
  if (timeout && timeout->is_int64()) request.timeout = std::chrono::seconds(timeout->get_int64());
  const doc::Value* insecure = doc::find(http, "insecureSkipVerify");
  request.insecure = insecure && insecure->is_bool() && insecure->get_bool();
  return request;
}

Result<std::string> secret_value(const Result<cluster::Object>& secret, const doc::Value& selector) {
  if (!secret) return std::unexpected(secret.error());
  return cluster::secret_value(**secret, doc::find_string(selector, "key"));
}

/// What successCondition sees.
doc::Object request_scope(const doc::Value& http) {
  doc::Object headers;
  for (const doc::Value& header : headers_of(http)) {
    if (doc::find(header, "valueFrom")) continue;
    headers[doc::find_string(header, "name")] = doc::Array{doc::find_string(header, "value")};
  }
  doc::Array bytes;
  for (const unsigned char byte : bytes_of(http).value_or("")) bytes.emplace_back(static_cast<std::int64_t>(byte));
  return {{"method", doc::find_string(http, "method")},
          {"url", doc::find_string(http, "url")},
          {"body", doc::find_string(http, "body")},
          {"bodyBytes", std::move(bytes)},
          {"headers", std::move(headers)}};
}

doc::Object response_scope(const web::HttpAnswer& answer) {
  doc::Object headers;
  for (const auto& [name, value] : answer.headers) {
    doc::Value& values = headers[canonical(name)];
    if (!values.is_array()) values = doc::Array{};
    values.get_array().emplace_back(value);
  }
  return {
      {"statusCode", static_cast<std::int64_t>(answer.status)}, {"body", answer.body}, {"headers", std::move(headers)}};
}

Result<bool> condition_holds(std::string_view condition, const doc::Value& http, const web::HttpAnswer& answer) {
  expr::Scope scope;
  scope.set_value("request", request_scope(http));
  scope.set_value("response", response_scope(answer));
  return expr::eval_bool_expression(condition, scope, expr::Functions::kExprLang);
}

class Conversation : public std::enable_shared_from_this<Conversation> {
 public:
  Conversation(cluster::Cluster& cluster, web::HttpClient* client, ActionRequest action, ActionRunner::Changed done)
      : cluster_(cluster), client_(client), action_(std::move(action)), done_(std::move(done)) {}

  void begin() {
    if (!done_) return;
    if (!client_) return failed("this plane makes no HTTP requests");
    auto request = request_of(http());
    if (!request) return failed(request.error().message);
    request_ = std::move(*request);
    add_headers(0);
  }

  void cancel() {
    done_ = nullptr;
    call_.reset();
  }

 private:
  const doc::Value& http() const { return *doc::find(*action_.run.template_document, "http"); }

  /// Those from `next` on, one after the other: a secret may have to be read.
  void add_headers(std::size_t next) {
    const doc::Array& headers = headers_of(http());
    for (; next < headers.size(); ++next) {
      const doc::Value& header = headers[next];
      const doc::Value* selector = secret_of(header);
      if (!selector) {
        request_.headers.emplace_back(doc::find_string(header, "name"), doc::find_string(header, "value"));
        continue;
      }
      const cluster::Key key{&cluster::kSecrets, action_.ns, std::string(doc::find_string(*selector, "name"))};
      return cluster_.get(key, [self = shared_from_this(), next, selector](const Result<cluster::Object>& secret) {
        if (!self->done_) return;
        auto value = secret_value(secret, *selector);
        if (!value) return self->failed(value.error().message);
        self->request_.headers.emplace_back(doc::find_string(headers_of(self->http())[next], "name"),
                                            std::move(*value));
        self->add_headers(next + 1);
      });
    }
    call_ = client_->send(request_, [weak = weak_from_this()](Result<web::HttpAnswer> answer) {
      if (const auto self = weak.lock()) self->answered(std::move(answer));
    });
  }

  void answered(Result<web::HttpAnswer> answer) {
    if (answer) return finish(judge_answer(http(), std::move(*answer)));
    if (answer.error().code != Code::kResourceExhausted) return failed(answer.error().message);
    engine::ActionChanged finished;
    finished.phase = NodePhase::kError;
    finished.message =
        fmt::format("HTTP request completed successfully but an error occurred when patching its result: {}",
                    answer.error().message);
    finish(std::move(finished));
  }

  void failed(std::string message) {
    engine::ActionChanged finished;
    finished.phase = NodePhase::kFailed;
    finished.message = std::move(message);
    finish(std::move(finished));
  }

  void finish(engine::ActionChanged finished) {
    if (!done_) return;
    finished.node_id = action_.run.node_id;
    std::exchange(done_, nullptr)(std::move(finished));
  }

  cluster::Cluster& cluster_;
  web::HttpClient* client_;
  const ActionRequest action_;
  ActionRunner::Changed done_;
  web::HttpRequest request_;
  std::unique_ptr<web::HttpCall> call_;
};

}  // namespace

engine::ActionChanged judge_answer(const doc::Value& http, web::HttpAnswer answer) {
  engine::ActionChanged finished;
  answer.body = doc::to_utf8(answer.body);
  const std::string_view condition = doc::find_string(http, "successCondition");
  if (condition.empty() && (answer.status < 200 || answer.status >= 300)) {
    finished.phase = NodePhase::kFailed;
    finished.message = fmt::format("received non-2xx response code: {}", answer.status);
  } else if (!condition.empty()) {
    const auto holds = condition_holds(condition, http, answer);
    if (!holds) {
      finished.phase = NodePhase::kFailed;
      finished.message = holds.error().message;
      return finished;
    }
    if (!*holds) {
      finished.phase = NodePhase::kFailed;
      finished.message = fmt::format("successCondition '{}' evaluated false", condition);
    }
  }
  finished.outputs.emplace().result = std::move(answer.body);
  return finished;
}

std::unique_ptr<RunningAction> HttpRunner::run(ActionRequest request, Changed done) {
  auto conversation = std::make_shared<Conversation>(cluster_, client_, std::move(request), std::move(done));
  executor_.post([weak = std::weak_ptr(conversation)] {
    if (const auto self = weak.lock()) self->begin();
  });
  return std::make_unique<CancellableAction<Conversation>>(std::move(conversation));
}

}  // namespace tiphys::controllers
