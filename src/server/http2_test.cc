#include "server/http2.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <map>

#include "schema/protobuf.h"
#include "server/argo/grpc_frames.h"
#include "server/argo/testing.h"
#include "server/session/testing.h"
#include "store/testing.h"

namespace tiphys::server {
namespace {

using testing::HasSubstr;
using Headers = std::vector<std::pair<std::string, std::string>>;

/// The library's own client, whose bytes the test carries.
class Client {
 public:
  Client() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                      const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
          auto& answer = static_cast<Client*>(user)->answers[frame->hd.stream_id];
          answer.headers[std::string(reinterpret_cast<const char*>(name), name_size)] =
              std::string(reinterpret_cast<const char*>(value), value_size);
          return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks,
        [](nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes, std::size_t size, void* user) {
          static_cast<Client*>(user)->answers[id].body.append(reinterpret_cast<const char*>(bytes), size);
          return 0;
        });
    nghttp2_session_callbacks_set_on_stream_close_callback(
        callbacks, [](nghttp2_session*, std::int32_t id, std::uint32_t code, void* user) {
          static_cast<Client*>(user)->answers[id].ended = static_cast<int>(code);
          return 0;
        });
    nghttp2_option* options = nullptr;
    nghttp2_option_new(&options);
    nghttp2_option_set_no_auto_window_update(options, 1);
    nghttp2_option_set_max_send_header_block_length(options, 1 << 20);
    nghttp2_session_client_new2(&session_, callbacks, this, options);
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
  }
  ~Client() { nghttp2_session_del(session_); }

  struct Answer {
    std::map<std::string, std::string> headers;
    std::string body;
    int ended = -1;  ///< the code of its end; -1: it goes on
  };

  std::int32_t ask(const std::string& method, const std::string& target, const Headers& more = {},
                   std::string body = "") {
    Headers all{{":method", method}, {":path", target}, {":scheme", "http"}, {":authority", "localhost"}};
    all.insert(all.end(), more.begin(), more.end());
    std::vector<nghttp2_nv> list;
    for (auto& [name, value] : all) {
      list.push_back({reinterpret_cast<std::uint8_t*>(name.data()), reinterpret_cast<std::uint8_t*>(value.data()),
                      name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    bodies_.push_back(std::make_unique<std::string>(std::move(body)));
    const nghttp2_data_provider provider{
        .source = {.ptr = bodies_.back().get()},
        .read_callback = [](nghttp2_session*, std::int32_t, std::uint8_t* into, std::size_t most, std::uint32_t* flags,
                            nghttp2_data_source* source, void*) {
          auto& left = *static_cast<std::string*>(source->ptr);
          const std::size_t size = std::min(most, left.size());
          std::memcpy(into, left.data(), size);
          left.erase(0, size);
          if (left.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF;
          return static_cast<ssize_t>(size);
        }};
    return nghttp2_submit_request(session_, nullptr, list.data(), list.size(),
                                  bodies_.back()->empty() ? nullptr : &provider, nullptr);
  }
  void cancel(std::int32_t id) { nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL); }
  /// Makes room for what more the server has to say on a stream.
  void take(std::int32_t id, std::size_t bytes) { nghttp2_session_consume(session_, id, bytes); }

  std::string said() {
    std::string out;
    const std::uint8_t* bytes = nullptr;
    while (true) {
      const auto size = nghttp2_session_mem_send(session_, &bytes);
      if (size <= 0) return out;
      out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    }
  }
  void hear(std::string_view bytes) {
    nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  }

  std::map<std::int32_t, Answer> answers;

 private:
  nghttp2_session* session_ = nullptr;
  std::vector<std::unique_ptr<std::string>> bodies_;
};

constexpr const char* kMaps = "/api/v1/namespaces/default/configmaps";
const Headers kIsJson{{"content-type", "application/json"}};

std::string map_named(std::string_view name, std::size_t size = 1) {
  return fmt::format(R"({{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{}"}},"data":{{"a":"{}"}}}})", name,
                     std::string(size, 'x'));
}

class Http2Test : public testing::Test {
 protected:
  Http2Test() { speak({served_, nullptr, nullptr}); }

  void speak(const Entrance& entrance) {
    speaker_ = std::make_unique<Http2>(entrance, "127.0.0.1");
    wire_.sent.clear();
    speaker_->begin(wire_);
  }
  void make(std::string_view name, std::size_t size = 1) {
    doc::Value map = *doc::parse_json(map_named(name, size));
    map.at("metadata").as_object()["namespace"] = "default";
    EXPECT_TRUE(store_.create(cluster::kConfigMaps, std::move(map)));
    carry();
  }
  /// Carries bytes until nobody has anything to say.
  void carry() {
    while (true) {
      const std::string asked = client_.said();
      if (!asked.empty() && speaker_) speaker_->receive(asked);
      store_.run();
      const std::string said = std::exchange(wire_.sent, "");
      client_.hear(said);
      if (asked.empty() && said.empty()) return;
    }
  }
  Client::Answer answer(const std::string& method, const std::string& target, const Headers& more = {},
                        std::string body = "") {
    const auto id = client_.ask(method, target, more, std::move(body));
    carry();
    return client_.answers[id];
  }

  store::TestStore store_;
  objects::Kinds kinds_;
  objects::ObjectApi api_{{.executor = store_.executor(), .store = store_.store(), .kinds = kinds_}};
  FakeServices services_;
  Served served_{.executor = store_.executor(), .api = api_, .argo = &services_};
  FakeWire wire_;
  Client client_;
  std::unique_ptr<Http2> speaker_;
};

TEST_F(Http2Test, AnswersRequests) {
  const auto made = answer("POST", kMaps, kIsJson, map_named("one"));
  EXPECT_EQ(made.headers.at(":status"), "201");
  EXPECT_EQ(made.headers.at("content-type"), "application/json");
  EXPECT_EQ(made.headers.at("content-length"), std::to_string(made.body.size()));
  EXPECT_EQ(made.ended, 0);
  EXPECT_THAT(answer("GET", std::string(kMaps) + "/one").body, HasSubstr(R"("name":"one")"));
  EXPECT_EQ(answer("GET", std::string(kMaps) + "/none").headers.at(":status"), "404");
}

TEST_F(Http2Test, SeveralAtOnce) {
  std::vector<std::int32_t> ids;
  for (int i = 0; i < 100; ++i) ids.push_back(client_.ask("POST", kMaps, kIsJson, map_named(fmt::format("m{}", i))));
  carry();
  for (const std::int32_t id : ids) EXPECT_EQ(client_.answers[id].headers[":status"], "201");
}

TEST_F(Http2Test, LetsInWhoHasAToken) {
  speak({served_, std::make_shared<const Gate>(store_.executor(), api_, "secret", nullptr), nullptr});
  EXPECT_EQ(answer("GET", kMaps).headers.at(":status"), "401");
  EXPECT_EQ(answer("GET", kMaps, {{"authorization", "Bearer secret"}}).headers.at(":status"), "200");
  const std::string file = "/artifacts/default/workflow/node/name";
  EXPECT_EQ(answer("GET", kMaps, {{"cookie", "authorization=Bearer secret"}}).headers.at(":status"), "401")
      << "Kubernetes' API knows no cookies";
  EXPECT_EQ(answer("GET", file, {{"cookie", "a=b"}, {"cookie", "authorization=Bearer secret"}}).headers.at(":status"),
            "404")
      << "a browser splits its cookies";
  EXPECT_EQ(answer("GET", file, {{"cookie", "a=b"}}).headers.at(":status"), "401");
  EXPECT_EQ(answer("PUT", file, {{"cookie", "authorization=Bearer secret"}, {"sec-fetch-site", "same-site"}})
                .headers.at(":status"),
            "403");
  EXPECT_EQ(answer("GET", kMaps, {{"authorization", "Bearer secret"}, {"origin", "https://elsewhere.example"}})
                .headers.at(":status"),
            "403");
  EXPECT_EQ(answer("GET", "/healthz").headers.at(":status"), "200");
}

TEST_F(Http2Test, LargeBodiesAndHeadersAreRefused) {
  EXPECT_EQ(answer("POST", kMaps, kIsJson, std::string(kMostBodyBytes + 1, ' ')).headers.at(":status"), "413");
  EXPECT_EQ(
      answer("GET", kMaps, {{"x", std::string(40'000, 'x')}, {"y", std::string(40'000, 'y')}}).headers.at(":status"),
      "431");
  EXPECT_EQ(answer("GET", kMaps).headers.at(":status"), "200") << "the connection goes on";
}

TEST_F(Http2Test, AWatchGoesOnUntilItsClientCancelsIt) {
  const auto id = client_.ask("GET", std::string(kMaps) + "?watch=1");
  carry();
  EXPECT_EQ(client_.answers[id].headers.at(":status"), "200");
  answer("POST", kMaps, kIsJson, map_named("one"));
  EXPECT_THAT(client_.answers[id].body, HasSubstr(R"({"type":"ADDED")"));
  EXPECT_EQ(client_.answers[id].ended, -1);
  client_.cancel(id);
  carry();
  const std::size_t seen = client_.answers[id].body.size();
  answer("POST", kMaps, kIsJson, map_named("two"));
  EXPECT_EQ(client_.answers[id].body.size(), seen);
}

TEST_F(Http2Test, OneSlowReaderDoesNotHoldUpTheOthers) {
  const auto slow = client_.ask("GET", std::string(kMaps) + "?watch=1");
  carry();
  // More than the stream's window.
  for (int i = 0; i < 3; ++i) make(fmt::format("large{}", i), 50'000);
  EXPECT_LT(client_.answers[slow].body.size(), 70'000u);
  EXPECT_EQ(answer("GET", std::string(kMaps) + "/none").headers.at(":status"), "404");
  client_.take(slow, client_.answers[slow].body.size());
  carry();
  EXPECT_GT(client_.answers[slow].body.size(), 100'000u);
}

const Headers kIsGrpc{{"content-type", "application/grpc"}, {"te", "trailers"}};
constexpr const char* kGet = "/workflow.WorkflowService/GetWorkflow";
constexpr const char* kLogs = "/workflow.WorkflowService/WorkflowLogs";

TEST_F(Http2Test, GrpcTellsTheStatusBehindTheMessages) {
  services_.respond = [](argo::Answer& answer) { answer.reply(doc::Object()); };
  const auto done = answer("POST", kGet, kIsGrpc, grpc_frame(""));
  EXPECT_EQ(done.headers.at(":status"), "200");
  EXPECT_EQ(done.headers.at("content-type"), "application/grpc");
  EXPECT_EQ(done.headers.at("argo-version"), "v4.1.2");
  EXPECT_EQ(done.headers.at("grpc-status"), "0");
  EXPECT_EQ(done.headers.count("content-length"), 0u);
  EXPECT_EQ(done.body, grpc_frame(""));
  EXPECT_EQ(done.ended, 0);

  services_.respond = [](argo::Answer& answer) { answer.refuse({Code::kNotFound, "none"}); };
  const auto refused = answer("POST", kGet, kIsGrpc, grpc_frame(""));
  EXPECT_EQ(refused.headers.at("grpc-status"), "5");
  EXPECT_EQ(refused.headers.at("grpc-message"), "none");
  EXPECT_EQ(refused.body, "");
  EXPECT_EQ(refused.ended, 0);
}

TEST_F(Http2Test, WhatIsRefusedBeforeItIsACallIsAStatusToo) {
  speak({served_, std::make_shared<const Gate>(store_.executor(), api_, "secret", nullptr), nullptr});
  EXPECT_EQ(answer("POST", kGet, kIsGrpc, grpc_frame("")).headers.at("grpc-status"), "16");
  EXPECT_EQ(services_.method, "");
  const auto rest = answer("GET", "/api/v1/workflows/argo");
  EXPECT_EQ(rest.headers.at(":status"), "401");
  EXPECT_THAT(rest.body, HasSubstr(R"({"code":16,"message":)"));

  Headers allowed = kIsGrpc;
  allowed.emplace_back("authorization", "Bearer secret");
  EXPECT_EQ(answer("POST", kGet, allowed, std::string(kMostBodyBytes + 1, ' ')).headers.at("grpc-status"), "8");
  Headers many = allowed;
  for (int i = 0; i < 20; ++i) many.emplace_back(fmt::format("x{}", i), std::string(4000, 'x'));
  EXPECT_EQ(answer("POST", kGet, many, grpc_frame("")).headers.at("grpc-status"), "8");
  services_.respond = [](argo::Answer& answer) { answer.reply(doc::Object()); };
  EXPECT_EQ(answer("POST", kGet, allowed, grpc_frame("")).headers.at("grpc-status"), "0");
  EXPECT_EQ(services_.caller->name, objects::plane_owner().name);
}

TEST_F(Http2Test, ASlowReaderPausesWhatFeedsIt) {
  FakeFeed feed;
  const auto id = client_.ask("POST", kLogs, kIsGrpc, grpc_frame(""));
  carry();
  services_.answer->hold(feed.watch());
  const std::string line = doc::to_json(doc::Object{{"content", std::string(100'000, 'x')}});
  for (int i = 0; i < 30 && feed.pauses == 0; ++i) services_.answer->send(line);
  EXPECT_EQ(feed.pauses, 1);
  carry();
  while (feed.resumptions == 0) {
    const std::size_t seen = client_.answers[id].body.size();
    client_.take(id, 60'000);
    carry();
    ASSERT_GT(client_.answers[id].body.size(), seen);
  }
  services_.answer->end();
  while (client_.answers[id].ended < 0) {
    client_.take(id, 60'000);
    carry();
  }
  EXPECT_EQ(client_.answers[id].headers.at("grpc-status"), "0");
  store_.run();
  EXPECT_TRUE(feed.gone);
}

TEST_F(Http2Test, AClientThatCancelsEndsWhatFeedsIt) {
  FakeFeed feed;
  const auto id = client_.ask("POST", kLogs, kIsGrpc, grpc_frame(""));
  carry();
  services_.answer->hold(feed.watch());
  client_.cancel(id);
  carry();
  EXPECT_TRUE(feed.gone);
  services_.answer->send("{}");
  services_.answer->end();
}

TEST_F(Http2Test, WhatIsNoHttp2EndsTheConnection) {
  speaker_->receive("GET / HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(wire_.closed);
}

TEST_F(Http2Test, AnIdleClientIsLetGo) {
  carry();
  EXPECT_TRUE(store_.executor().run_until([&] { return !wire_.sent.empty(); })) << "it says so";
  carry();
  EXPECT_TRUE(wire_.closed);
}

TEST_F(Http2Test, ItsEndEndsWhatFeedsIt) {
  client_.ask("GET", std::string(kMaps) + "?watch=1");
  carry();
  speaker_.reset();
  make("late");
}

}  // namespace
}  // namespace tiphys::server
