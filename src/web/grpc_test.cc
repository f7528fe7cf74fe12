#include "web/grpc.h"

#include <gtest/gtest.h>

namespace tiphys::web {
namespace {

using namespace std::string_literals;

TEST(Grpc, ARequestIsAFrame) {
  const HttpRequest request = grpc_request("localhost", "a.B/C", "\x0a\x01x");
  EXPECT_EQ(request.url, "http://localhost/a.B/C");
  EXPECT_EQ(request.body, "\0\0\0\0\3\x0a\1x"s);
  EXPECT_TRUE(request.http2);
}

TEST(Grpc, AnAnswerIsAMessageOrAnError) {
  struct Row {
    const char* rule;
    HttpAnswer answer;
    std::string body;
    std::string expected;
    Code code = Code::kUnknown;
  };
  const Headers fine{{"grpc-status", "0"}}, missing{{"grpc-status", "5"}, {"grpc-message", "no such%20thing"}};
  for (const Row& row : {
           Row{"a message", {.status = 200, .headers = fine, .body = ""}, "\0\0\0\0\1x"s, "x"},
           Row{"an empty one", {.status = 200, .headers = fine, .body = ""}, "\0\0\0\0\0"s, ""},
           Row{"an error",
               {.status = 200, .headers = missing, .body = ""},
               "",
               "rpc error: code = NotFound desc = no such thing",
               Code::kNotFound},
           Row{"an error of no known number",
               {.status = 200, .headers = {{"grpc-status", "99"}}, .body = ""},
               "",
               "rpc error: code = Unknown desc = "},
           Row{"no gRPC", {.status = 404, .headers = {}, .body = ""}, "", "HTTP status 404", Code::kUnavailable},
           Row{"half a message",
               {.status = 200, .headers = fine, .body = ""},
               "\0\0\0\0\5x"s,
               "the server has not answered the call",
               Code::kUnavailable},
           Row{"a compressed one",
               {.status = 200, .headers = fine, .body = ""},
               "\1\0\0\0\1x"s,
               "the server has not answered the call",
               Code::kUnavailable},
       }) {
    SCOPED_TRACE(row.rule);
    const auto message = grpc_message(row.answer, row.body);
    EXPECT_EQ(message ? *message : message.error().message, row.expected);
    if (!message) EXPECT_EQ(message.error().code, row.code);
  }
}

}  // namespace
}  // namespace tiphys::web
