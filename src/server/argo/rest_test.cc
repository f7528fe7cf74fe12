// Argo's API by REST, without sockets.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "server/argo/rest_route.h"
#include "server/argo/testing.h"
#include "server/audit.h"
#include "store/testing.h"

namespace tiphys::server {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class RestTest : public testing::Test {
 protected:
  std::shared_ptr<Recorder> ask(std::string method, std::string target, std::string body = "",
                                std::string accept = "") {
    const auto recorder = std::make_shared<Recorder>();
    handle(served_,
           {.method = std::move(method),
            .target = std::move(target),
            .accept = std::move(accept),
            .body = std::move(body),
            .caller = caller_,
            .impersonation = impersonation_},
           recorder);
    return recorder;
  }

  store::TestStore store_;
  objects::Kinds kinds_;
  objects::ObjectApi api_{{.executor = store_.executor(), .store = store_.store(), .kinds = kinds_}};
  FakeServices services_;
  Served served_{.executor = store_.executor(), .api = api_, .argo = &services_};
  std::shared_ptr<const objects::Caller> caller_;
  Impersonation impersonation_;
};

struct RequestCase {
  const char* rule;
  const char* verb;
  const char* target;
  const char* body;
  const char* method;   ///< "": refused
  const char* request;  ///< or what it is refused with
};

TEST_F(RestTest, RequestsBecomeMessages) {
  const RequestCase cases[] = {
      {"path", "GET", "/api/v1/workflows/argo/hello", "", "GetWorkflow", R"({"namespace":"argo","name":"hello"})"},
      {"a name that is a word of its own", "GET", "/api/v1/workflows/argo/@latest", "", "GetWorkflow",
       R"({"namespace":"argo","name":"@latest"})"},
      {"escapes in the path", "GET", "/api/v1/workflows/argo/%40latest", "", "GetWorkflow",
       R"({"namespace":"argo","name":"@latest"})"},
      {"no namespace is all of them", "GET", "/api/v1/workflows/", "", "ListWorkflows", R"({"namespace":""})"},
      {"segments behind a name", "GET", "/api/v1/workflows/argo/a/log", "", "WorkflowLogs",
       R"({"namespace":"argo","name":"a"})"},
      {"two of them", "GET", "/api/v1/workflows/argo/a/pod-1/log", "", "PodLogs",
       R"({"namespace":"argo","name":"a","podName":"pod-1"})"},
      {"a word where others have a name", "POST", "/api/v1/workflows/argo/submit",
       R"({"resourceKind":"WorkflowTemplate"})", "SubmitWorkflow",
       R"({"resourceKind":"WorkflowTemplate","namespace":"argo"})"},
      {"nested parameters", "GET", "/api/v1/workflows/argo?listOptions.labelSelector=a%3Db&listOptions.limit=10", "",
       "ListWorkflows", R"({"listOptions":{"labelSelector":"a=b","limit":10},"namespace":"argo"})"},
      {"Python's booleans", "GET", "/api/v1/workflows/argo/a/log?logOptions.follow=True&logOptions.container=main", "",
       "WorkflowLogs", R"({"logOptions":{"follow":true,"container":"main"},"namespace":"argo","name":"a"})"},
      {"repeated parameters", "DELETE",
       "/api/v1/workflows/argo/a?deleteOptions.dryRun=All&deleteOptions.dryRun=b&force=1", "", "DeleteWorkflow",
       R"({"deleteOptions":{"dryRun":["All","b"]},"force":true,"namespace":"argo","name":"a"})"},
      {"pointers", "DELETE",
       "/api/v1/workflows/argo/a?deleteOptions.propagationPolicy=Foreground&deleteOptions.gracePeriodSeconds=0", "",
       "DeleteWorkflow",
       R"({"deleteOptions":{"propagationPolicy":"Foreground","gracePeriodSeconds":0},"namespace":"argo","name":"a"})"},
      {"times", "GET", "/api/v1/workflows/argo/a/log?logOptions.sinceTime=2026-01-02T03:04:05Z", "", "WorkflowLogs",
       R"({"logOptions":{"sinceTime":"2026-01-02T03:04:05Z"},"namespace":"argo","name":"a"})"},
      {"times in parts", "GET",
       "/api/v1/workflows/argo/a/log?logOptions.sinceTime.seconds=60&logOptions.sinceTime.nanos=1", "", "WorkflowLogs",
       R"({"logOptions":{"sinceTime":"1970-01-01T00:01:00Z"},"namespace":"argo","name":"a"})"},
      {"unknown parameters are ignored", "GET", "/api/v1/workflows/argo?some=1&listOptions.other=2&labels[a]=b", "",
       "ListWorkflows", R"({"listOptions":{},"namespace":"argo"})"},
      {"the path wins over the query", "GET", "/api/v1/workflows/argo?namespace=other", "", "ListWorkflows",
       R"({"namespace":"argo"})"},
      {"the path wins over the body", "PUT", "/api/v1/workflows/argo/a/stop",
       R"({"name":"b","namespace":"c","message":"m"})", "StopWorkflow",
       R"({"name":"a","namespace":"argo","message":"m"})"},
      {"a body leaves no room for a query", "PUT", "/api/v1/workflows/argo/a/stop?message=m", "{}", "StopWorkflow",
       R"({"namespace":"argo","name":"a"})"},
      {"a body of nothing", "PUT", "/api/v1/workflows/argo/a/suspend", "", "SuspendWorkflow",
       R"({"namespace":"argo","name":"a"})"},
      {"a body of null", "PUT", "/api/v1/workflows/argo/a/suspend", " null\n", "SuspendWorkflow",
       R"({"namespace":"argo","name":"a"})"},
      {"a kind gets what it is", "POST", "/api/v1/workflows/argo", R"({"workflow":{"metadata":{"name":"a"}}})",
       "CreateWorkflow",
       R"({"workflow":{"metadata":{"name":"a"},"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow"},"namespace":"argo"})"},
      {"nulls are dropped but in what may be anything", "POST", "/api/v1/workflows/argo",
       R"({"createOptions":null,"workflow":{"apiVersion":"a","kind":"b","metadata":{"labels":{"l":null}},"status":null,)"
       R"("spec":{"templates":[{"name":"x","container":null,"plugin":{"y":null},"steps":[[{"name":"s","withItems":[null]}]]}]}}})",
       "CreateWorkflow",
       R"({"workflow":{"apiVersion":"a","kind":"b","metadata":{"labels":{"l":""}},)"
       R"("spec":{"templates":[{"name":"x","plugin":{"y":null},"steps":[[{"name":"s","withItems":[null]}]]}]}},"namespace":"argo"})"},
      {"unknown members of a body stay for whoever knows them", "POST", "/api/v1/workflows/argo/lint",
       R"({"more":{"a":1}})", "LintWorkflow", R"({"more":{"a":1},"namespace":"argo"})"},
      {"64 bits as text", "POST", "/api/v1/workflows/argo/submit", R"({"submitOptions":{"priority":"3"}})",
       "SubmitWorkflow", R"({"submitOptions":{"priority":3},"namespace":"argo"})"},
      {"a body that is one field", "POST", "/api/v1/events/argo/x", R"([1,null])", "ReceiveEvent",
       R"({"payload":[1,null],"namespace":"argo","discriminator":"x"})"},
      {"with nothing to tell it apart", "POST", "/api/v1/events/argo/", R"({})", "ReceiveEvent",
       R"({"payload":{},"namespace":"argo","discriminator":""})"},
      {"choices", "GET", "/api/v1/sync/argo/key?type=DATABASE", "", "GetSyncLimit",
       R"({"type":"DATABASE","namespace":"argo","key":"key"})"},
      {"choices by number", "POST", "/api/v1/sync/argo", R"({"type":1,"key":"k","limit":2})", "CreateSyncLimit",
       R"({"type":"DATABASE","key":"k","limit":2,"namespace":"argo"})"},
      {"without a namespace", "GET", "/api/v1/cluster-workflow-templates/t", "", "GetClusterWorkflowTemplate",
       R"({"name":"t"})"},
      {"nothing at all", "GET", "/api/v1/info", "", "GetInfo", "{}"},

      {"no such verb", "PATCH", "/api/v1/workflows/argo/a", "", "", R"(501 {"code":12,"message":"Not Implemented"})"},
      {"no such path", "GET", "/api/v1/workflows", "", "", R"(501 {"code":12,"message":"Not Implemented"})"},
      {"too long a path", "GET", "/api/v1/info/more", "", "", R"(501 {"code":12,"message":"Not Implemented"})"},
      {"a path out of its place", "GET", "/api/v1/workflows/argo/..%2f..%2fetc", "", "",
       R"(400 {"code":3,"message":"the path's part \"..%2f..%2fetc\" is no name"})"},
      {"dots", "GET", "/api/v1/workflows/../a", "", "",
       R"(400 {"code":3,"message":"the path's part \"..\" is no name"})"},
      {"a zero byte", "GET", "/api/v1/workflows/argo/a%00", "", "",
       R"(400 {"code":3,"message":"the path's part \"a%00\" is no name"})"},
      {"a broken escape", "GET", "/api/v1/workflows/argo/%zz", "", "", R"(400 {"code":3,)"},
      {"a boolean of no kind", "GET", "/api/v1/workflows/argo/a/log?logOptions.follow=maybe", "", "",
       R"(400 {"code":3,"message":"logOptions.follow: strconv.ParseBool: parsing \"maybe\": invalid syntax"})"},
      {"a number of no kind", "GET", "/api/v1/workflows/argo?listOptions.limit=x", "", "",
       R"(400 {"code":3,"message":"listOptions.limit: strconv.ParseInt: parsing \"x\": invalid syntax"})"},
      {"a message as a parameter", "GET", "/api/v1/workflows/argo?listOptions=x", "", "",
       R"(400 {"code":3,"message":"listOptions: a field of this type is not supported in query parameters"})"},
      {"below a text", "GET", "/api/v1/workflows/argo?fields.a=x", "", "",
       R"(400 {"code":3,"message":"fields.a: unexpected nested field a in fields"})"},
      {"a choice of none", "GET", "/api/v1/sync/argo/key?type=OTHER", "", "",
       R"(400 {"code":3,"message":"type: OTHER is none of)"},
      {"no JSON", "POST", "/api/v1/workflows/argo", "{", "", R"(400 {"code":3,"message":"the body: )"},
      {"a body of another form", "POST", "/api/v1/workflows/argo", "[1]", "",
       R"(400 {"code":3,"message":"the body must be a JSON object, not [1]"})"},
      {"a kind of another form", "POST", "/api/v1/workflows/argo", R"({"workflow":"x"})", "",
       R"(400 {"code":3,"message":"workflow: must be an object, not \"x\""})"},
      {"a field of another form", "POST", "/api/v1/workflows/argo", R"({"serverDryRun":"x"})", "",
       R"(400 {"code":3,"message":"serverDryRun: must be a boolean, not \"x\""})"},
  };
  services_.respond = [](argo::Answer& answer) { answer.reply(doc::Object()); };
  for (const RequestCase& one : cases) {
    services_.method.clear();
    const auto answer = ask(one.verb, one.target, one.body);
    EXPECT_TRUE(answer->ended) << one.rule;
    EXPECT_EQ(services_.method, one.method) << one.rule << ": " << answer->body;
    if (*one.method != '\0') {
      EXPECT_EQ(doc::to_json(services_.request), one.request) << one.rule;
      EXPECT_EQ(answer->head.code, 200U) << one.rule;
      EXPECT_EQ(answer->body, "{}") << one.rule;
    } else {
      EXPECT_THAT(fmt::format("{} {}", answer->head.code, answer->body), StartsWith(one.request)) << one.rule;
    }
    EXPECT_EQ(answer->head.content_type, "application/json") << one.rule;
  }
}

TEST_F(RestTest, KubernetesKeepsItsPaths) {
  for (const char* target : {"/api/v1/namespaces/default/configmaps", "/api/v1/events", "/api/v1/namespaces/a/events",
                             "/version", "/api/v1", "/api/v1/pods", "/apis/argoproj.io/v1alpha1/workflows"}) {
    const auto answer = ask("GET", target);
    store_.run();
    EXPECT_EQ(answer->head.code, 200U) << target << ": " << answer->body;
    EXPECT_EQ(services_.method, "") << target;
  }
  // Below events only what is Argo's whole.
  EXPECT_THAT(ask("GET", "/api/v1/events/argo/x")->body, HasSubstr(R"("kind":"Status")"));
}

TEST_F(RestTest, WithoutServicesThereIsNoSuchApi) {
  served_.argo = nullptr;
  const auto answer = ask("GET", "/api/v1/workflows/argo");
  EXPECT_EQ(answer->head.code, 404U);
  EXPECT_THAT(answer->body, HasSubstr(R"("kind":"Status")"));
}

TEST_F(RestTest, ErrorsHaveTheGatewaysCodes) {
  const std::tuple<Code, unsigned> cases[] = {
      {Code::kCancelled, 408U},          {Code::kUnknown, 500U},     {Code::kInvalidArgument, 400U},
      {Code::kDeadlineExceeded, 504U},   {Code::kNotFound, 404U},    {Code::kAlreadyExists, 409U},
      {Code::kPermissionDenied, 403U},   {Code::kAborted, 409U},     {Code::kResourceExhausted, 429U},
      {Code::kFailedPrecondition, 400U}, {Code::kOutOfRange, 400U},  {Code::kUnimplemented, 501U},
      {Code::kInternal, 500U},           {Code::kUnavailable, 503U}, {Code::kDataLoss, 500U},
      {Code::kUnauthenticated, 401U}};
  for (const auto& [code, http] : cases) {
    services_.respond = [code = code](argo::Answer& answer) { answer.refuse({code, "why"}); };
    const auto answer = ask("GET", "/api/v1/info");
    EXPECT_EQ(answer->head.code, http);
    EXPECT_EQ(answer->body, fmt::format(R"({{"code":{},"message":"why"}})", static_cast<int>(code)));
  }
}

TEST_F(RestTest, AnswersTellTheirVersion) {
  services_.respond = [](argo::Answer& answer) { answer.reply_text(R"({"a":1})"); };
  const auto answer = ask("GET", "/api/v1/info");
  EXPECT_EQ(answer->body, R"({"a":1})");
  EXPECT_EQ(Recorder::value(answer->head.fields, "Grpc-Metadata-Argo-Version"), "v4.1.2");
}

TEST_F(RestTest, ACallWithoutAnAnswerIsAnError) {
  services_.respond = [](argo::Answer&) {};
  EXPECT_EQ(ask("GET", "/api/v1/info")->body, R"({"code":13,"message":"GetInfo gave no answer"})");
}

TEST_F(RestTest, StreamsAreLines) {
  const auto answer = ask("GET", "/api/v1/workflow-events/argo");
  EXPECT_FALSE(answer->begun) << "an error would still be one";
  services_.answer->send(R"({"type":"ADDED"})");
  services_.answer->send(R"({"type":"DELETED"})");
  EXPECT_TRUE(answer->begun);
  EXPECT_EQ(answer->head.content_type, "application/json");
  services_.answer->end();
  EXPECT_EQ(answer->body, "{\"result\":{\"type\":\"ADDED\"}}\n{\"result\":{\"type\":\"DELETED\"}}\n");
  EXPECT_TRUE(answer->ended);
}

TEST_F(RestTest, OrEventsWhereExactlyThoseAreAccepted) {
  FakeFeed feed;
  const auto answer = ask("GET", "/api/v1/workflows/argo/a/log", "", "text/event-stream");
  services_.answer->hold(feed.watch());
  const Time asked = store_.executor().now();
  EXPECT_TRUE(store_.executor().run_until([&] { return !answer->body.empty(); })) << "it goes on";
  EXPECT_EQ(store_.executor().now() - asked, std::chrono::seconds(15));
  EXPECT_EQ(answer->head.content_type, "text/event-stream");
  services_.answer->send(R"({"content":"x"})");
  EXPECT_EQ(answer->body, ":\ndata: {\"result\":{\"content\":\"x\"}} \n\n\n");
  answer->source->pause(true);
  EXPECT_EQ(feed.pauses, 1);
  const std::weak_ptr<argo::Answer> known = std::exchange(services_.answer, nullptr);
  EXPECT_FALSE(known.expired()) << "the stream keeps it";
  std::exchange(answer->source, nullptr).reset();
  EXPECT_TRUE(feed.gone);
  EXPECT_TRUE(known.expired());

  const auto lines = ask("GET", "/api/v1/workflows/argo/a/log", "", "text/event-stream, */*");
  services_.answer->send("{}");
  EXPECT_EQ(lines->body, "{\"result\":{}}\n");
}

TEST_F(RestTest, ErrorsOfStreams) {
  services_.respond = [](argo::Answer& answer) { answer.refuse({Code::kNotFound, "no pod"}); };
  const auto early = ask("GET", "/api/v1/workflows/argo/a/log", "", "text/event-stream");
  EXPECT_EQ(early->head.code, 404U);
  EXPECT_EQ(early->body, R"({"code":5,"message":"no pod"})");

  services_.respond = [](argo::Answer& answer) {
    answer.send("{}");
    answer.refuse({Code::kUnavailable, "gone"});
  };
  constexpr const char* kError =
      R"({"error":{"grpc_code":14,"http_code":503,"message":"gone","http_status":"Service Unavailable"}})";
  EXPECT_EQ(ask("GET", "/api/v1/workflows/argo/a/log")->body, fmt::format("{{\"result\":{{}}}}\n{}\n", kError));
  const auto events = ask("GET", "/api/v1/workflows/argo/a/log", "", "text/event-stream");
  EXPECT_EQ(events->body, fmt::format("data: {{\"result\":{{}}}} \n\n\ndata: {} \n\n\n", kError));
  EXPECT_TRUE(events->ended);
}

TEST_F(RestTest, FieldsOfStreams) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"result.object.metadata.name", R"({"type":"A","object":{"metadata":{"name":"a","uid":"u"},"spec":{}}})",
       R"({"result":{"object":{"metadata":{"name":"a"}}}})"},
      {"result.type,result.object.spec", R"({"type":"A","object":{"metadata":{},"spec":{"b":1}}})",
       R"({"result":{"type":"A","object":{"spec":{"b":1}}}})"},
      {"-result.object.status", R"({"type":"A","object":{"status":{"nodes":1},"spec":{}}})",
       R"({"result":{"type":"A","object":{"spec":{}}}})"},
      {"result.object.items.a", R"({"object":{"items":[{"a":1,"b":2},{"b":3}]}})",
       R"({"result":{"object":{"items":[{"a":1},{}]}}})"},
  };
  for (const auto& [fields, message, left] : cases) {
    services_.respond = [message = message](argo::Answer& answer) {
      answer.send(message);
      answer.end();
    };
    EXPECT_EQ(ask("GET", fmt::format("/api/v1/workflow-events/argo?fields={}", fields))->body,
              fmt::format("{}\n", left))
        << fields;
  }
}

TEST_F(RestTest, CallersMayBeOthers) {
  caller_ = std::make_shared<const objects::Caller>(objects::service_account("a", "b", "u"));
  impersonation_.groups = {"x"};
  EXPECT_EQ(ask("GET", "/api/v1/info")->body,
            R"({"code":3,"message":"requested groups or uid without impersonating a user"})");
  impersonation_.user = "somebody";
  ask("GET", "/api/v1/info");
  ASSERT_NE(services_.caller, nullptr);
  EXPECT_EQ(services_.caller->name, "somebody");
}

TEST_F(RestTest, CallsAreAudited) {
  const store::TempDir dir;
  const std::string path = dir.path() + "/audit";
  served_.audit = *AuditLog::open(path);
  services_.respond = [](argo::Answer& answer) { answer.refuse({Code::kNotFound, "none"}); };
  ask("PUT", "/api/v1/workflows/argo/a/retry", R"({"parameters":["secret=1"]})");
  std::string line;
  std::ifstream file(path);
  std::getline(file, line);
  const doc::Value told = doc::parse_json(line).value();
  EXPECT_EQ(doc::find_string(told, "verb"), "retry");
  EXPECT_EQ(doc::find_string(told, "annotations", "tiphys.io/argo-method"), "/workflow.WorkflowService/RetryWorkflow");
  EXPECT_EQ(doc::find_string(told, "objectRef", "namespace"), "argo");
  EXPECT_EQ(doc::find_string(told, "objectRef", "name"), "a");
  EXPECT_EQ(doc::find(told, "responseStatus", "code")->to_number<int>(), 404);
  EXPECT_EQ(line.find("secret"), std::string::npos);
}

}  // namespace
}  // namespace tiphys::server
