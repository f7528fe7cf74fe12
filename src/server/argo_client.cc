#include "server/argo_client.h"

#include <fmt/format.h>

#include "http/url.h"

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

http::Request request_of(const ArgoRequest& asked) {
  if (asked.verb == "GET" || asked.verb == "DELETE") {
    http::Query query;
    add_members(asked.message, "", query);
    return {.method = asked.verb, .target = asked.path + query.text()};
  }
  return {.method = asked.verb,
          .target = asked.path,
          .content_type = "application/json",
          .body = doc::to_json(doc::Value(asked.message))};
}

Result<doc::Value> read_answer(unsigned code, const std::string& body, const std::string& server) {
  auto parsed = doc::parse_json(body);
  if (code < 300) return parsed;
  // {"code", "message"}, the code one of gRPC's, as ours are. A Status of Kubernetes' is of a server without this API.
  const doc::Value* told = parsed ? doc::find(*parsed, "code") : nullptr;
  const bool of_argo = told && told->is_int64() && told->as_int64() > 0 && told->as_int64() <= 16;
  if (of_argo) return fail(static_cast<Code>(told->as_int64()), std::string(doc::find_string(*parsed, "message")));
  if (code == 401) return fail(Code::kUnauthenticated, fmt::format("the server at {} wants another token", server));
  if (code == 403)
    return fail(Code::kPermissionDenied, std::string(doc::find_string(parsed.value_or(doc::Value()), "message")));
  return fail(Code::kUnimplemented,
              fmt::format("the server at {} does not serve Argo's API (it answers {})", server, code));
}

/// Holds itself until it is answered.
struct Calling : std::enable_shared_from_this<Calling> {
  http::Client client;
  cluster::Done<doc::Value> done;
  std::unique_ptr<http::Call> call{};
  unsigned code = 0;
  std::string body{};

  Calling(boost::asio::io_context& context, http::Endpoint endpoint, cluster::Done<doc::Value> then)
      : client(context, std::move(endpoint)), done(std::move(then)) {}

  void start(http::Request request) {
    http::Sink sink;
    sink.on_head = [this](const http::Head& head) { code = head.code; };
    sink.on_body = [this](std::string_view part) { body += part; };
    sink.on_end = [self = shared_from_this()](const Status& status) {
      const auto held = self;
      const auto finished = std::move(held->call);
      if (!status) return held->done(std::unexpected(status.error()));
      held->done(read_answer(held->code, held->body, held->client.endpoint().text()));
    };
    call = client.call(std::move(request), std::move(sink));
  }
};

}  // namespace

void call_argo(boost::asio::io_context& context, http::Endpoint endpoint, const ArgoRequest& request,
               cluster::Done<doc::Value> done) {
  std::make_shared<Calling>(context, std::move(endpoint), std::move(done))->start(request_of(request));
}

}  // namespace tiphys::server
