#include "web/request_rules.h"

#include <gtest/gtest.h>

namespace tiphys::web {
namespace {

Url url(const std::string& text) {
  return *Url::parse(*libcurl(), text);
}

TEST(Url, ReadsAndResolves) {
  EXPECT_EQ(url("HTTP://Example.com").scheme(), "http");
  EXPECT_EQ(url("http://example.com/a/../b c/\xc3\xa4?q=x y").text(), "http://example.com/a/../b%20c/%c3%a4?q=x+y");
  EXPECT_EQ(url("http://me:secret@example.com/x").shown(), "http://me:***@example.com/x");
  EXPECT_EQ(url("http://me:secret@example.com/x").without_user(), "http://example.com/x");
  EXPECT_EQ(url("ftp://example.com/").scheme(), "ftp");
  EXPECT_EQ(url("https://a.com/b/c?d").resolve("/e")->text(), "https://a.com/e");
  EXPECT_EQ(url("https://a.com/b/c?d").resolve("../e?f")->text(), "https://a.com/e?f");
  EXPECT_EQ(url("https://a.com/b").resolve("//c.com/d")->text(), "https://c.com/d");
  EXPECT_EQ(url("https://a.com/b").resolve("http://c.com")->text(), "http://c.com/");
  EXPECT_FALSE(Url::parse(*libcurl(), "http://example.com:port/"));
  EXPECT_FALSE(Url::parse(*libcurl(), "example"));
}

TEST(Url, KnowsThisHost) {
  for (const char* own :
       {"http://localhost/", "http://LOCALHOST:1/", "http://127.0.0.1/", "http://127.1.2.3:80/", "http://[::1]/"}) {
    EXPECT_TRUE(url(own).is_loopback()) << own;
  }
  for (const char* other : {"http://example.com/", "http://127.0.0.1.example.com/", "http://10.0.0.1/"}) {
    EXPECT_FALSE(url(other).is_loopback()) << other;
  }
}

TEST(RequestRules, WhatWouldBeginAnotherHeaderIsRefused) {
  EXPECT_TRUE(check_method("PROPFIND"));
  EXPECT_EQ(check_method("GET / HTTP/1.1\r\nX:").error().message, "net/http: invalid method \"GET / HTTP/1.1\r\nX:\"");
  EXPECT_EQ(check_method("").error().message, "net/http: invalid method \"\"");
  EXPECT_TRUE(check_headers({{"X-Name", "any\ttext, \xc3\xa4"}, {"X-Empty", ""}}));
  EXPECT_EQ(check_headers({{"Authorization", "Bearer abc\n"}}).error().message,
            "net/http: invalid header field value for \"Authorization\"");
  EXPECT_EQ(check_headers({{"X Y", "z"}}).error().message, "net/http: invalid header field name \"X Y\"");
}

TEST(RequestRules, AnswersThatSendElsewhere) {
  struct Row {
    int status;
    const char* location;
    const char* to;
  };
  for (const Row& row : std::initializer_list<Row>{{301, "/a", "/a"},
                                                   {302, "/a", "/a"},
                                                   {303, "/a", "/a"},
                                                   {307, "/a", "/a"},
                                                   {308, "/a", "/a"},
                                                   {200, "/a", nullptr},
                                                   {300, "/a", nullptr},
                                                   {304, "/a", nullptr},
                                                   {301, "", nullptr}}) {
    const auto to = redirection({row.status, {{"location", row.location}}, ""});
    EXPECT_EQ(to, row.to ? std::optional<std::string>(row.to) : std::nullopt) << row.status;
  }
}

TEST(RequestRules, RedirectsAreThoseOfGo) {
  struct Row {
    const char* name;
    const char* method;
    int status;
    const char* location;
    const char* then;     ///< method, URL, body
    const char* headers;  ///< names
  };
  constexpr const char* kAll = "Host Authorization Content-Type X-Other";
  for (const Row& row : std::initializer_list<Row>{
           {"a form becomes a question", "POST", 302, "/b", "GET https://a.com/b ", "Host Authorization X-Other"},
           {"so does a deletion", "DELETE", 301, "/b", "GET https://a.com/b ", "Host Authorization X-Other"},
           {"HEAD stays", "HEAD", 303, "/b", "HEAD https://a.com/b ", "Host Authorization X-Other"},
           {"307 keeps all", "POST", 307, "/b", "POST https://a.com/b body", kAll},
           {"308 keeps all", "PUT", 308, "/b", "PUT https://a.com/b body", kAll},
           {"an absolute place has a host", "PUT", 308, "https://a.com/b", "PUT https://a.com/b body",
            "Authorization Content-Type X-Other"},
           {"a domain below may know the secret", "PUT", 308, "https://c.a.com/b", "PUT https://c.a.com/b body",
            "Authorization Content-Type X-Other"},
           {"another may not", "PUT", 308, "https://ba.com/b", "PUT https://ba.com/b body", "Content-Type X-Other"},
       }) {
    HttpRequest request{.method = row.method,
                        .url = "https://a.com/x",
                        .headers = {{"Host", "h"}, {"Authorization", "s"}, {"Content-Type", "t"}, {"X-Other", "o"}},
                        .body = "body"};
    const Url from = url(request.url);
    redirect(request, row.status, row.location, from, *from.resolve(row.location));
    EXPECT_EQ(request.method + " " + request.url + " " + request.body, row.then) << row.name;
    std::string names;
    for (const auto& header : request.headers) names += (names.empty() ? "" : " ") + header.first;
    EXPECT_EQ(names, row.headers) << row.name;
  }
}

TEST(RequestRules, ThePlaceIsNotToldWithoutTls) {
  EXPECT_EQ(referer(url("https://me:pw@a.com/x"), url("https://b.com")), "https://a.com/x");
  EXPECT_EQ(referer(url("http://a.com/x"), url("http://b.com")), "http://a.com/x");
  EXPECT_EQ(referer(url("https://a.com/x"), url("http://b.com")), "");
}

}  // namespace
}  // namespace tiphys::web
