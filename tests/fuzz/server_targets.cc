#include <algorithm>

#include "argo/methods.h"
#include "fuzz/targets.h"
#include "objects/kinds.h"
#include "schema/protobuf.h"
#include "server/argo/grpc_frames.h"
#include "server/http2.h"
#include "server/session/spdy_sessions.h"
#include "server/session/testing.h"
#include "server/session/websocket_tunnel.h"
#include "store/testing.h"

namespace tiphys::fuzz {
namespace {

/// What a reader makes of an input that comes in pieces: a line for all that is no data, the data in between as one.
template <typename Reader, typename Tell>
std::string read_in_pieces(std::string_view input, std::size_t step, Tell tell) {
  Reader reader;
  std::string told;
  while (!input.empty()) {
    const std::string_view piece = input.substr(0, step);
    input.remove_prefix(piece.size());
    reader.feed(piece);
    for (;;) {
      const auto next = reader.next();
      check_error(next);
      if (!next) return told + next.error().message;
      if (!*next) break;
      tell(told, **next);
    }
  }
  return told;
}

void tell_frame(std::string& told, const server::SpdyFrame& frame) {
  using Type = server::SpdyFrame::Type;
  // The pieces of a data frame are as its bytes come.
  if (frame.type == Type::kData) {
    told += frame.data;
    return;
  }
  told += "\n" + std::to_string(static_cast<int>(frame.type)) + " " + std::to_string(frame.stream);
  for (const auto& [name, value] : frame.headers) told += " " + name + "=" + value;
  told += "\n";
}

void spdy(std::string_view input) {
  const auto all = read_in_pieces<server::SpdyReader>(input, input.size(), tell_frame);
  const auto bytes = read_in_pieces<server::SpdyReader>(input, 1, tell_frame);
  TIPHYS_CHECK(all == bytes, "how bytes come in pieces does not matter");
}

void websocket(std::string_view input) {
  const auto tell = [](std::string& told, const server::WebSocketMessage& message) {
    told += std::to_string(static_cast<int>(message.kind)) + " " + message.payload + "\n";
  };
  const auto all = read_in_pieces<server::WebSocketReader>(input, input.size(), tell);
  const auto bytes = read_in_pieces<server::WebSocketReader>(input, 1, tell);
  TIPHYS_CHECK(all == bytes, "how bytes come in pieces does not matter");
}

/// A client of ports, whose ports all answer.
void spdy_forward(std::string_view input) {
  server::FakeWire wire;
  std::vector<std::shared_ptr<server::FakeSession::State>> ports;
  server::SpdyForward speaker(
      [&](std::uint16_t port, cluster::Done<std::unique_ptr<cluster::Session>> done) {
        if (port % 2 == 1) return done(fail(Code::kUnavailable, "nobody listens"));
        ports.push_back(std::make_shared<server::FakeSession::State>());
        done(std::make_unique<server::FakeSession>(ports.back()));
      },
      "p");
  speaker.begin(wire);
  while (!input.empty() && !wire.closed) {
    const std::string_view piece = input.substr(0, 64);
    input.remove_prefix(piece.size());
    speaker.receive(piece);
    for (std::size_t i = 0; i < ports.size(); ++i) {
      if (ports[i]->write && !ports[i]->gone) ports[i]->take();
      if (ports[i]->out && !ports[i]->gone) ports[i]->give(ports[i]->out, i % 3 == 2 ? "" : "x");
    }
  }
}

const objects::Kinds& kinds() {
  static const objects::Kinds kKinds;
  return kKinds;
}

/// Answers each call at once, with messages of which something is left once they are written.
struct Services final : argo::Services {
  void call(argo::Call call) override {
    if (!call.method.streams) return call.answer->reply(doc::Object{{"metadata", doc::Object{{"name", "a"}}}});
    call.answer->send(R"({"type":"ADDED","object":{"metadata":{"name":"a"}},"content":"c"})");
    call.answer->end();
  }
};

/// An API over a store of its own.
struct World {
  store::TestStore store;
  Services services;
  objects::ObjectApi api{{.executor = store.executor(), .store = store.store(), .kinds = kinds()}};
  server::Served served{.executor = store.executor(), .api = api, .argo = &services};
};

/// A client of the whole server, whose bytes these are.
void http2(std::string_view input) {
  World world;
  server::FakeWire wire;
  server::Http2 speaker({world.served, nullptr, nullptr}, "");
  speaker.begin(wire);
  while (!input.empty() && !wire.closed) {
    const std::string_view piece = input.substr(0, 256);
    input.remove_prefix(piece.size());
    speaker.receive(piece);
    world.store.run();
  }
}

struct Answer final : server::Responder {
  void reply(server::AnswerHead head, std::string body) override {
    TIPHYS_CHECK(!begun, "there is one answer");
    begun = ended = true;
    TIPHYS_CHECK(head.code >= 200 && head.code != 500, body);
  }
  void begin_stream(server::AnswerHead) override {
    TIPHYS_CHECK(!begun, "there is one answer");
    begun = true;
  }
  void write(std::string) override {}
  void bound_lag() override {}
  void end_stream(server::HeaderFields) override { ended = true; }
  void upgrade(std::string, std::unique_ptr<server::Speaker>) override { begun = ended = true; }
  void hold(std::unique_ptr<cluster::Watch> fed) override { source = std::move(fed); }

  bool begun = false, ended = false;
  std::unique_ptr<cluster::Watch> source;
};

/// Method, target, content type, body: whatever they are, there is an answer, and none that blames the server.
void request(std::string_view input) {
  const auto [method, target, content_type, body] = parts<4>(input);
  World world;
  const auto answer = std::make_shared<Answer>();
  server::handle(world.served,
                 {.method = std::string(method),
                  .target = std::string(target),
                  .content_type = std::string(content_type),
                  .accept = "application/json",
                  .body = std::string(body)},
                 answer);
  world.store.run();
  TIPHYS_CHECK(answer->begun, "each request is answered");
  answer->source.reset();
}

/// A path, a timeout, an encoding, and a body that may be anything.
void grpc(std::string_view input) {
  const auto [path, timeout, encoding] = parts<3>(input);
  const std::size_t before = path.size() + timeout.size() + encoding.size() + 3;
  World world;
  const auto answer = std::make_shared<Answer>();
  server::handle(world.served,
                 {.method = "POST",
                  .target = std::string(path),
                  .content_type = "application/grpc",
                  .body = std::string(input.substr(std::min(before, input.size()))),
                  .grpc = server::GrpcHeaders{.timeout = std::string(timeout), .encoding = std::string(encoding)}},
                 answer);
  TIPHYS_CHECK(answer->ended, "each call is answered");
}

/// What is read of a message says the same once it is written and read again. The first byte chooses the method.
void argo_message(std::string_view input) {
  if (input.empty()) return;
  const argo::Method& method = argo::methods()[static_cast<unsigned char>(input.front()) % argo::methods().size()];
  input.remove_prefix(1);
  for (const schema::Type* type : {method.request, method.response}) {
    const auto read = schema::decode_message(*type, input);
    check_error(read);
    if (!read) continue;
    const auto written = schema::encode_message(*type, *read);
    TIPHYS_CHECK(written, "what has been read can be written");
    const auto again = schema::decode_message(*type, *written);
    TIPHYS_CHECK(again && *again == *read, "what has been written is what was read");
  }
}

constexpr std::array kTargets{
    Target{"argo_message", argo_message}, Target{"grpc", grpc}, Target{"http2", http2},
    Target{"request", request},           Target{"spdy", spdy}, Target{"spdy_forward", spdy_forward},
    Target{"websocket", websocket},
};

}  // namespace

std::span<const Target> server_targets() {
  return kTargets;
}

}  // namespace tiphys::fuzz
