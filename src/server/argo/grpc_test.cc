// Argo's API by gRPC: frames, and calls without sockets; ../http2_test.cc has them over HTTP/2.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "schema/protobuf.h"
#include "server/argo/grpc_frames.h"
#include "server/argo/testing.h"
#include "store/testing.h"

namespace tiphys::server {
namespace {

using testing::HasSubstr;

std::string gzip(std::string_view text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string compressed(std::string_view message) {
  std::string frame = grpc_frame(message);
  frame[0] = 1;
  return frame;
}

TEST(GrpcFrames, AreReadOrRefused) {
  const std::string large(2000, 'x');
  const struct {
    const char* rule;
    std::string body, encoding;
    const char* message;  ///< or what it is refused with
    Code code = Code::kUnknown;
  } cases[] = {
      {"plain", grpc_frame("abc"), "", "abc"},
      {"empty", grpc_frame(""), "", ""},
      {"plain, though others might be compressed", grpc_frame("abc"), "gzip", "abc"},
      {"compressed", compressed(gzip("abc")), "gzip", "abc"},
      {"nothing", "", "", "a call needs one message", Code::kInternal},
      {"half a prefix", "\1\0", "", "unexpected EOF", Code::kInternal},
      {"half a message", grpc_frame("abc").substr(0, 7), "", "unexpected EOF", Code::kInternal},
      {"two messages", grpc_frame("a") + grpc_frame("b"), "", "not several", Code::kInternal},
      {"another flag", "\2" + grpc_frame("a").substr(1), "", "unexpected payload format 2", Code::kInternal},
      {"compressed by nothing", compressed("abc"), "identity", "compressed flag set", Code::kInternal},
      {"compressed by what nobody knows", compressed("abc"), "snappy", "grpc-encoding \"snappy\"",
       Code::kUnimplemented},
      {"compressed, but not so", compressed("abc"), "gzip", "failed to decompress", Code::kInternal},
      {"compressed and cut", compressed(gzip("abc").substr(0, 12)), "gzip", "failed to decompress", Code::kInternal},
      {"too large", grpc_frame(large), "", "larger than max (1000 bytes)", Code::kResourceExhausted},
      {"as it says itself", std::string("\0\xff\xff\xff\xff", 5), "", "larger than max", Code::kResourceExhausted},
      {"too large once it is unpacked", compressed(gzip(large)), "gzip", "larger than max", Code::kResourceExhausted},
  };
  for (const auto& one : cases) {
    const auto read = read_grpc_message(one.body, one.encoding, 1000);
    if (one.code == Code::kUnknown) {
      ASSERT_TRUE(read.has_value()) << one.rule << ": " << read.error().message;
      EXPECT_EQ(*read, one.message) << one.rule;
    } else {
      ASSERT_FALSE(read.has_value()) << one.rule;
      EXPECT_EQ(read.error().code, one.code) << one.rule;
      EXPECT_THAT(read.error().message, HasSubstr(one.message)) << one.rule;
    }
  }
}

TEST(GrpcFrames, StreamsComeInAnyPieces) {
  const std::string large(2000, 'x');
  const struct {
    const char* rule;
    std::string bytes, encoding;
    std::vector<std::string> messages;
    bool whole = true;
    const char* refused = nullptr;
    Code code = Code::kUnknown;
  } cases[] = {
      {"nothing", "", "", {}},
      {"several", grpc_frame("a") + grpc_frame("") + grpc_frame("bc"), "", {"a", "", "bc"}},
      {"some compressed", compressed(gzip("abc")) + grpc_frame("d"), "gzip", {"abc", "d"}},
      {"cut in a prefix", grpc_frame("a") + std::string(3, '\0'), "", {"a"}, false},
      {"cut in a message", grpc_frame("a") + grpc_frame("bc").substr(0, 6), "", {"a"}, false},
      {"another flag",
       grpc_frame("a") + "\2" + grpc_frame("b").substr(1),
       "",
       {"a"},
       true,
       "payload format 2",
       Code::kInternal},
      {"compressed by nothing", compressed("a"), "", {}, true, "compressed flag set", Code::kInternal},
      {"compressed, but not so", compressed("abc"), "gzip", {}, true, "failed to decompress", Code::kInternal},
      {"too large, by its prefix alone",
       grpc_frame("a") + grpc_frame(large).substr(0, 5),
       "",
       {"a"},
       false,
       "larger than max",
       Code::kResourceExhausted},
      {"too large once it is unpacked",
       compressed(gzip(large)),
       "gzip",
       {},
       true,
       "larger than max",
       Code::kResourceExhausted},
  };
  for (const auto& one : cases) {
    for (const std::size_t piece : {one.bytes.size() + 1, std::size_t{1}, std::size_t{4}}) {
      GrpcMessages reader(one.encoding, 1000);
      std::vector<std::string> messages;
      std::optional<Error> error;
      for (std::size_t at = 0; at < one.bytes.size() && !error; at += piece) {
        reader.add(std::string_view(one.bytes).substr(at, piece));
        auto message = reader.next();
        for (; message && *message; message = reader.next()) messages.push_back(**message);
        if (!message) error = message.error();
      }
      EXPECT_EQ(messages, one.messages) << one.rule << " in pieces of " << piece;
      ASSERT_EQ(error.has_value(), one.refused != nullptr) << one.rule << " in pieces of " << piece;
      if (!error) EXPECT_EQ(reader.whole(), one.whole) << one.rule << " in pieces of " << piece;
      if (!error) continue;
      EXPECT_EQ(error->code, one.code) << one.rule;
      EXPECT_THAT(error->message, HasSubstr(one.refused)) << one.rule;
    }
  }
}

TEST(GrpcFrames, TimeoutsHaveAUnit) {
  using namespace std::chrono_literals;
  const std::pair<const char*, Duration> cases[] = {{"100n", 100ns}, {"5u", 5us}, {"20m", 20ms},           {"3S", 3s},
                                                    {"2M", 2min},    {"1H", 1h},  {"99999999H", 24h * 365}};
  for (const auto& [text, duration] : cases) EXPECT_EQ(parse_grpc_timeout(text).value(), duration) << text;
  for (const char* text : {"", "1", "S", "1s", "-1S", "1.5S", "123456789S", "1 S", "1S "}) {
    EXPECT_FALSE(parse_grpc_timeout(text)) << text;
  }
}

TEST(GrpcFrames, StatusTextIsAscii) {
  EXPECT_EQ(encode_grpc_text("100% \n\u00e9"), "100%25 %0A%C3%A9");
}

class GrpcTest : public testing::Test {
 protected:
  std::shared_ptr<Recorder> ask(std::string target, std::string body, GrpcHeaders headers = {},
                                std::string content_type = "application/grpc", std::string method = "POST") {
    const auto recorder = std::make_shared<Recorder>();
    handle(served_,
           {.method = std::move(method),
            .target = std::move(target),
            .content_type = std::move(content_type),
            .body = std::move(body),
            .grpc = std::move(headers)},
           recorder);
    return recorder;
  }
  static std::string message(std::string_view type, const char* json) {
    return grpc_frame(schema::encode_message(*argo::find_message(type), doc::parse_json(json).value()).value());
  }
  static std::string status(const Recorder& answer) {
    const HeaderFields& fields = answer.begun ? answer.trailers : answer.head.fields;
    return Recorder::value(fields, "grpc-status") + " " + Recorder::value(fields, "grpc-message");
  }

  store::TestStore store_;
  objects::Kinds kinds_;
  objects::ObjectApi api_{{.executor = store_.executor(), .store = store_.store(), .kinds = kinds_}};
  FakeServices services_;
  Served served_{.executor = store_.executor(), .api = api_, .argo = &services_};
};

constexpr const char* kGet = "/workflow.WorkflowService/GetWorkflow";
constexpr const char* kWatch = "/workflow.WorkflowService/WatchWorkflows";

TEST_F(GrpcTest, CallsAreAnswered) {
  services_.respond = [](argo::Answer& answer) {
    answer.reply(doc::Object{{"apiVersion", "x"}, {"metadata", doc::Object{{"name", "a"}}}});
  };
  const auto answer = ask(kGet, message("workflow.WorkflowGetRequest", R"({"name":"a","namespace":"argo"})"));
  EXPECT_EQ(doc::to_json(services_.request), R"({"name":"a","namespace":"argo"})");
  EXPECT_EQ(answer->head.code, 200U);
  EXPECT_EQ(answer->head.content_type, "application/grpc");
  EXPECT_EQ(Recorder::value(answer->head.fields, "argo-version"), "v4.1.2");
  EXPECT_EQ(answer->body, message("io.argoproj.workflow.v1alpha1.Workflow", R"({"metadata":{"name":"a"}})"));
  EXPECT_EQ(status(*answer), "0 ");
}

TEST_F(GrpcTest, KindsGetWhatTheyAre) {
  ask("/workflow.WorkflowService/CreateWorkflow",
      message("workflow.WorkflowCreateRequest", R"({"namespace":"argo","workflow":{"metadata":{"name":"a"}}})"));
  EXPECT_EQ(
      doc::to_json(services_.request),
      R"({"namespace":"argo","workflow":{"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow","metadata":{"name":"a"}}})");
  services_.answer->refuse({Code::kUnknown, ""});
}

TEST_F(GrpcTest, StreamsAreAnsweredMessageByMessage) {
  const auto answer = ask(kWatch, grpc_frame(""));
  services_.answer->send(R"({"type":"ADDED"})");
  services_.answer->send(R"({"type":"DELETED"})");
  EXPECT_EQ(answer->body, message("workflow.WorkflowWatchEvent", R"({"type":"ADDED"})") +
                              message("workflow.WorkflowWatchEvent", R"({"type":"DELETED"})"));
  EXPECT_FALSE(answer->ended);
  services_.answer->refuse({Code::kUnavailable, "the plane ends"});
  EXPECT_EQ(status(*answer), "14 the plane ends");
}

TEST_F(GrpcTest, WhatCannotBeDoneIsToldByTheStatusAlone) {
  services_.respond = [](argo::Answer& answer) { answer.refuse({Code::kNotFound, "50% \n"}); };
  const struct {
    const char* rule;
    const char* target;
    std::string body;
    GrpcHeaders headers;
    const char* status;
  } cases[] = {
      {"the service refuses", kGet, grpc_frame(""), {}, "5 50%25 %0A"},
      {"no such service",
       "/grpc.health.v1.Health/Check",
       grpc_frame(""),
       {},
       "12 unknown service grpc.health.v1.Health"},
      {"no such method",
       "/info.InfoService/None",
       grpc_frame(""),
       {},
       "12 unknown method None for service info.InfoService"},
      {"no method at all", "/", grpc_frame(""), {}, "12 malformed method name: \"/\""},
      {"no message", kGet, "", {}, "13 grpc: a call needs one message"},
      {"an encoding that nobody knows",
       kGet,
       compressed("x"),
       {.timeout = "", .encoding = "br"},
       "12 grpc: Decompressor is not installed for grpc-encoding \"br\""},
      {"no message of this type",
       kGet,
       grpc_frame("\x0a"),
       {},
       "3 grpc: error unmarshalling request: "
       "the protobuf message ends in the middle of a field"},
      {"no timeout", kGet, grpc_frame(""), {.timeout = "soon", .encoding = ""}, "13 malformed grpc-timeout: \"soon\""},
  };
  for (const auto& one : cases) {
    const auto answer = ask(one.target, one.body, one.headers);
    EXPECT_EQ(answer->head.code, 200U) << one.rule;
    EXPECT_EQ(answer->head.content_type, "application/grpc") << one.rule;
    EXPECT_EQ(status(*answer), one.status) << one.rule;
    EXPECT_FALSE(answer->begun) << one.rule;
    EXPECT_TRUE(answer->ended) << one.rule;
  }
  EXPECT_EQ(Recorder::value(ask("/a/b", "")->head.fields, "grpc-accept-encoding"), "identity,gzip");
}

TEST_F(GrpcTest, WhatIsNoGrpcIsToldByHttp) {
  EXPECT_EQ(ask(kGet, "", {}, "application/grpc-web")->head.code, 415U);
  EXPECT_EQ(ask(kGet, "", {}, "application/grpc+json")->head.code, 415U);
  EXPECT_EQ(ask(kGet, "", {}, "application/grpc", "GET")->head.code, 405U);
  EXPECT_EQ(ask(kGet, grpc_frame(""), {}, "application/grpc+proto; a=b")->head.code, 0U);
  EXPECT_EQ(services_.method, "GetWorkflow");
}

TEST_F(GrpcTest, CallsEndInTime) {
  const auto unary = ask(kGet, grpc_frame(""), {.timeout = "100m", .encoding = ""});
  EXPECT_TRUE(store_.executor().run_until([&] { return unary->ended; }));
  EXPECT_EQ(status(*unary), "4 context deadline exceeded");
  services_.answer->reply(doc::Object());
  EXPECT_EQ(unary->body, "");

  FakeFeed feed;
  const auto stream = ask(kWatch, grpc_frame(""), {.timeout = "2S", .encoding = ""});
  services_.answer->hold(feed.watch());
  services_.answer->send("{}");
  EXPECT_TRUE(store_.executor().run_until([&] { return stream->ended; }));
  EXPECT_EQ(status(*stream), "4 context deadline exceeded");
  EXPECT_TRUE(feed.gone);
}

TEST_F(GrpcTest, AnswersThatAreNoMessagesAreErrors) {
  services_.respond = [](argo::Answer& answer) { answer.reply_text(R"({"spec":[]})"); };
  EXPECT_EQ(status(*ask(kGet, grpc_frame(""))), "13 the answer cannot be written: spec: an object is expected, not []");
  services_.respond = [](argo::Answer& answer) {
    answer.send("{}");
    answer.send(R"({"type":{}})");
  };
  EXPECT_EQ(status(*ask(kWatch, grpc_frame(""))),
            "13 the answer cannot be written: type: a string is expected, not {}");
  services_.respond = [](argo::Answer& answer) {
    answer.reply(doc::Object{{"spec", doc::Object{{"entrypoint", std::string(kMostGrpcMessageBytes, 'x')}}}});
  };
  EXPECT_THAT(status(*ask(kGet, grpc_frame(""))), HasSubstr("8 grpc: trying to send message larger than max"));
  services_.respond = [](argo::Answer&) {};
  EXPECT_EQ(status(*ask(kGet, grpc_frame(""))), "13 GetWorkflow gave no answer");
}

TEST_F(GrpcTest, WithoutServicesThereIsNoSuchApi) {
  served_.argo = nullptr;
  EXPECT_EQ(status(*ask(kGet, grpc_frame(""))), "12 unknown service workflow.WorkflowService");
}

}  // namespace
}  // namespace tiphys::server
