// The http template: a request. It stays a document, as its texts are substituted.
#include "api/fields.h"

namespace tiphys::api {
namespace {

constexpr Shape kSecretKey = kubernetes("SecretKeySelector");

constexpr Field<Unread> kHeaderSourceFields[] = {
    {"secretKeyRef", Handling::kRead, nullptr, "A key of a Secret.", &kSecretKey,
     "HttpRunnerTest.SendsWhatTheTemplateSays"},
};
constexpr FieldTable kHeaderSourceTable("HTTPHeaderSource", kHeaderSourceFields);

constexpr Field<Unread> kHeaderFields[] = {
    {"name", Handling::kRead, check_as<std::string>, "Its name; \"host\" is the host that is asked for.", &kString},
    {"value", Handling::kRead, check_as<std::string>, "Its value.", &kString},
    {"valueFrom", Handling::kRead, [](const Place& place, Unread&) { check_object(place, kHeaderSourceFields); },
     "Where its value is.", &kObject<kHeaderSourceTable>},
};
constexpr FieldTable kHeaderTable("HTTPRequestHeader", kHeaderFields);

constexpr Field<Unread> kBodyFields[] = {
    {"bytes", Handling::kRead, check_as<std::string>, "The bytes, in base64.", &kString,
     "HttpRunnerTest.SendsWhatTheTemplateSays"},
};
constexpr FieldTable kBodyTable("HTTPBodySource", kBodyFields);

void check_headers(const Place& place, Unread&) {
  if (!expect_array(place)) return;
  const doc::Array& array = place.value().get_array();
  for (std::size_t i = 0; i < array.size(); ++i) {
    const Place header = place.element(i, array[i]);
    check_object(header, kHeaderFields);
    if (doc::find_string(array[i], "name").empty()) header.key_error(header.name() + ".name is required");
  }
}

constexpr Field<Unread> kHttpFields[] = {
    {"method", Handling::kRead, check_as<std::string>, "GET without a word.", &kString,
     "HttpRunnerTest.SendsWhatTheTemplateSays"},
    {"url", Handling::kRead, check_as<std::string>, "Whom and what to ask: http:// or https://.", &kString,
     "test_http_requests"},
    {"headers", Handling::kRead, check_headers, "Headers of the request.", &kObject<kHeaderTable, Shape::Around::kList>,
     "HttpRunnerTest.SendsWhatTheTemplateSays"},
    {"body", Handling::kRead, check_as<std::string>, "The body of the request.", &kString,
     "HttpRunnerTest.SendsWhatTheTemplateSays"},
    {"bodyFrom", Handling::kRead, [](const Place& place, Unread&) { check_object(place, kBodyFields); },
     "The body, when it is no text.", &kObject<kBodyTable>, "test_http_requests"},
    {"timeoutSeconds", Handling::kRead, check_as<std::int64_t>,
     "It fails when the answer is not there after so many seconds; it waits without end when absent.", &kInteger,
     "HttpClientTest.TimeoutsEndIt"},
    {"insecureSkipVerify", Handling::kRead, check_as<bool>,
     "The server's certificate is not looked at, and no proxy is asked.", &kBoolean, "test_certificates"},
    {"successCondition", Handling::kRead, check_as<std::string>,
     "An expression of request and response: \"response.statusCode == 201\". Without one it is a status of 2xx.",
     &kString, "HttpRunnerTest.TheAnswerIsJudged"},
};

}  // namespace

constexpr FieldTable kHttpTable("HTTP", kHttpFields);

void check_http(const Place& place) {
  check_object(place, kHttpFields);
}

}  // namespace tiphys::api
