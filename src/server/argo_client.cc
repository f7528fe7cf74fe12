#include "server/argo_client.h"

#include "base/check.h"
#include "base/percent.h"
#include "base/strings.h"
#include "http/line_stream.h"
#include "http/url.h"
#include "server/argo_answer.h"
#include "server/argo_grpc_client.h"

namespace tiphys::server {
namespace {

/// {"listOptions": {"limit": 3}} as listOptions.limit=3.
void add_members(const doc::Object& message, const std::string& prefix, http::Query& query) {
  for (const auto& [key, value] : message) {
    const std::string name = prefix + std::string(key);
    if (const doc::Object* below = value.if_object()) {
      add_members(*below, name + ".", query);
    } else if (const doc::Array* list = value.if_array()) {
      for (const doc::Value& each : *list) query.add(name, doc::scalar_text(each));
    } else {
      query.add(name, doc::scalar_text(value));
    }
  }
}

/// The path of a route, with the members of the message that belong there, which are taken from it.
std::string take_path(const argo::Route& route, doc::Object& message) {
  std::string path;
  for (const std::string& segment : route.path) {
    path += '/';
    if (!segment.starts_with('{')) {
      path += segment;
      continue;
    }
    const std::string field = segment.substr(1, segment.size() - 2);
    if (const doc::Value* value = message.if_contains(field)) path += percent_encode(doc::scalar_text(*value));
    message.erase(field);
  }
  return path;
}

http::Request request_of(const ArgoServer& server, const argo::Method& method, doc::Object message) {
  TIPHYS_CHECK(!method.routes.empty(), "every method has a route");
  const argo::Route& route = method.routes.front();
  http::Request request{.method = route.verb, .target = server.base_path + take_path(route, message)};
  request.headers = server.headers;
  if (route.body.empty()) {
    http::Query query;
    add_members(message, "", query);
    request.target += query.text();
    return request;
  }
  request.content_type = "application/json";
  const doc::Value* part = message.if_contains(route.body);
  request.body = doc::to_json(route.body == "*" ? doc::Value(message) : part ? *part : doc::Value(doc::Object()));
  return request;
}

/// Holds itself until it is answered.
struct Calling : std::enable_shared_from_this<Calling> {
  http::Client client;
  std::shared_ptr<argo::Answer> answer;
  std::unique_ptr<http::Call> call{};
  unsigned code = 0;
  std::string body{};

  Calling(http::Client of, std::shared_ptr<argo::Answer> to) : client(std::move(of)), answer(std::move(to)) {}

  void start(http::Request request) {
    http::Sink sink;
    sink.on_head = [this](const http::Head& head) { code = head.code; };
    sink.on_body = [this](std::string_view part) { body += part; };
    sink.on_end = [self = shared_from_this()](const Status& status) {
      const auto held = self;
      const auto finished = std::move(held->call);
      status ? held->finish() : held->answer->refuse(status.error());
    };
    call = client.call(std::move(request), std::move(sink));
  }

  void finish() {
    if (code >= 300) return answer->refuse(error_of_answer(code, body));
    const auto message = doc::parse_json(body);
    if (message) return answer->reply(*message);
    answer->refuse(not_of_argo(client.endpoint(), body));
  }
};

/// The lines {"result": MESSAGE} of a stream. Its answer holds it, and may let it go at any of them.
class Feed final : public cluster::Watch {
 public:
  explicit Feed(const std::shared_ptr<argo::Answer>& answer) : answer_(answer) {}

  void start(const http::Client& client, http::Request request) {
    stream_.start(client, std::move(request),
                  {[this](std::string_view line) { take(line); }, [this](Status status) { end(std::move(status)); }});
  }

 private:
  void take(std::string_view line) {
    constexpr std::string_view kResult = R"({"result":)";
    line = trim(line);
    const auto to = answer_.lock();
    if (!to || line.empty()) return;
    if (line.starts_with(kResult) && line.ends_with('}')) {
      return to->send(std::string(line.substr(kResult.size(), line.size() - kResult.size() - 1)));
    }
    const auto parsed = doc::parse_json(line);
    const doc::Value* error = parsed ? doc::find(*parsed, "error") : nullptr;
    if (!error) return to->refuse({Code::kInternal, "the server's stream has a line that is none of its messages"});
    const doc::Value* code = doc::find(*error, "grpc_code");
    to->refuse({code && code->is_int64() ? static_cast<Code>(code->as_int64()) : Code::kUnknown,
                std::string(doc::find_string(*error, "message"))});
  }

  void end(Status status) {
    const auto to = answer_.lock();
    if (to) status ? to->end() : to->refuse(std::move(status.error()));
  }

  std::weak_ptr<argo::Answer> answer_;
  http::LineStream stream_{error_of_answer};
};

class RestClient final : public argo::Services {
 public:
  RestClient(boost::asio::io_context& context, ArgoServer server)
      : server_(std::move(server)), client_(context, server_.endpoint, {.keep = true}) {}

  void call(argo::Call call) override {
    const argo::Method* method = argo::find_method(call.method.service, call.method.name);
    TIPHYS_CHECK(method, "who asks names methods that there are");
    http::Request request = request_of(server_, *method, std::move(call.request));
    if (!method->streams) return std::make_shared<Calling>(client_, std::move(call.answer))->start(std::move(request));
    auto feed = std::make_unique<Feed>(call.answer);
    feed->start(client_, std::move(request));
    call.answer->hold(std::move(feed));
  }

 private:
  const ArgoServer server_;
  http::Client client_;
};

}  // namespace

std::unique_ptr<argo::Services> make_argo_client(boost::asio::io_context& context, ArgoServer server) {
  if (server.grpc) return make_argo_grpc_client(context, std::move(server));
  return std::make_unique<RestClient>(context, std::move(server));
}

}  // namespace tiphys::server
