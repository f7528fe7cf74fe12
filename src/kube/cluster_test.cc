#include "kube/cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "kube/difference.h"
#include "kube/gzip.h"
#include "kube/testing.h"
#include "kube/workflow_nodes.h"

namespace tiphys::kube {
namespace {

using cluster::Key;
using http::Answer;
using http::SeenRequest;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kPath = "/apis/argoproj.io/v1alpha1/namespaces/argo/workflows/w";
const Key kWorkflow{&cluster::kWorkflows, "argo", "w"};

std::string page(const std::string& items, const std::string& more = "") {
  return fmt::format(R"({{"metadata":{{"resourceVersion":"7","continue":"{}"}},"items":[{}]}})", more, items);
}

std::string named(const std::string& name, const std::string& rest = "") {
  return fmt::format(R"({{"metadata":{{"name":"{}","namespace":"argo","uid":"u","resourceVersion":"5"}}{}}})", name,
                     rest);
}

std::string event(const std::string& type, const std::string& name, int version) {
  return fmt::format(R"({{"type":"{}","object":{{"metadata":{{"name":"{}","resourceVersion":"{}"}}}}}})"
                     "\n",
                     type, name, version);
}

class KubeClusterTest : public testing::Test {
 protected:
  KubeCluster& open(http::ScriptedServer::Script script, User user = {.token = "t"}) {
    server_ = std::make_unique<http::ScriptedServer>(context_, std::move(script));
    Access access;
    access.server = fmt::format("http://127.0.0.1:{}", server_->port());
    access.user = std::move(user);
    auto made = make_kube_cluster(context_, executor_, random_, access);
    EXPECT_TRUE(made.has_value());
    cluster_ = std::move(*made);
    return *cluster_;
  }

  /// What a call gives that is made with a Done.
  template <typename T, typename Make>
  Result<T> await(Make make) {
    std::optional<Result<T>> result;
    make(cluster::Done<T>([&](Result<T> answer) { result = std::move(answer); }));
    run_until([&] { return result.has_value(); });
    return std::move(*result);
  }
  void run_until(const std::function<bool()>& done) {
    while (!done()) context_.run_one();
  }
  Result<cluster::Object> get(const Key& key) {
    return await<cluster::Object>([&](auto done) { cluster_->get(key, std::move(done)); });
  }
  Status write(cluster::WorkflowStatusUpdate update) {
    return await<void>(
        [&](auto done) { cluster_->update_workflow_status(kWorkflow, std::move(update), std::move(done)); });
  }
  std::vector<std::string> requests() const {
    std::vector<std::string> list;
    for (const SeenRequest& each : server_->seen()) list.push_back(each.method + " " + each.target);
    return list;
  }

  /// Events as "ADDED a", and the end.
  struct Heard {
    std::vector<std::string> events;
    std::optional<Error> end;
    std::unique_ptr<cluster::Watch> watch;
  };
  cluster::WatchSink sink(Heard& heard) {
    return {[&](const cluster::WatchEvent& each) {
              constexpr const char* kNames[] = {"ADDED", "MODIFIED", "DELETED", "SYNCED"};
              const std::string type = kNames[static_cast<int>(each.type)];
              heard.events.push_back(
                  each.object ? fmt::format("{} {}", type, doc::find_string(*each.object, "metadata", "name")) : type);
            },
            [&](Error error) { heard.end = std::move(error); }};
  }

  boost::asio::io_context context_;
  HastyExecutor executor_{context_};
  SeededRandom random_{1};
  FakeObjects objects_;
  std::unique_ptr<http::ScriptedServer> server_;
  std::unique_ptr<KubeCluster> cluster_;
};

TEST_F(KubeClusterTest, ErrorsAreThoseOfTheStatus) {
  for (const Code code : {Code::kNotFound, Code::kAlreadyExists, Code::kAborted, Code::kPermissionDenied,
                          Code::kFailedPrecondition, Code::kInvalidArgument}) {
    open([code](const SeenRequest&) { return FakeObjects::refuse({code, "so it is"}); });
    EXPECT_EQ(get(kWorkflow).error(), (Error{code, "so it is"}));
  }
  open([](const SeenRequest&) { return http::reply(502, "<html>"); });
  EXPECT_EQ(get(kWorkflow).error().code, Code::kInternal);
}

TEST_F(KubeClusterTest, ComesAgainWhenItIsAskedTo) {
  int count = 0;
  open([&](const SeenRequest&) {
    if (++count == 1) return http::reply(429, "", "Retry-After: 7\r\n");
    if (count == 2) return http::reply(503, "", "Retry-After: 1\r\n");
    return http::reply(200, named("w"));
  });
  ASSERT_TRUE(get(kWorkflow).has_value());
  ASSERT_EQ(executor_.delays.size(), 2u);
  EXPECT_EQ(executor_.delays[0], std::chrono::seconds(7));
  EXPECT_EQ(executor_.delays[1], std::chrono::seconds(1));
  executor_.delays.clear();
  open([](const SeenRequest&) { return http::reply(429, "too many"); });
  EXPECT_EQ(get(kWorkflow).error().code, Code::kResourceExhausted);
  EXPECT_EQ(server_->seen().size(), 10u);
  ASSERT_EQ(executor_.delays.size(), 9u);
  for (std::size_t i = 0; i < 9; ++i) {
    const Duration most = std::min<Duration>(std::chrono::milliseconds(200) * (1 << i), std::chrono::seconds(30));
    EXPECT_GE(executor_.delays[i], most / 2);
    EXPECT_LE(executor_.delays[i], most);
  }
  open([](const SeenRequest&) { return http::reply(503, "down"); });
  EXPECT_EQ(get(kWorkflow).error().code, Code::kUnavailable);
  EXPECT_EQ(server_->seen().size(), 1u) << "a server that does not ask for it is not asked again";
}

TEST_F(KubeClusterTest, ListsPageByPage) {
  open([](const SeenRequest& request) {
    if (request.target.find("continue=next") != std::string::npos) return http::reply(200, page(named("b")));
    return http::reply(200, page(named("a"), "next"));
  });
  const auto list = await<cluster::List>([&](auto done) { cluster_->list(cluster::kPods, {}, std::move(done)); });
  ASSERT_TRUE(list.has_value());
  ASSERT_EQ(list->items.size(), 2u);
  EXPECT_EQ(list->resource_version, 7u);
  EXPECT_EQ(doc::find_string(*list->items[0], "kind"), "Pod");
  EXPECT_THAT(requests(), ElementsAre("GET /api/v1/pods?limit=500", "GET /api/v1/pods?limit=500&continue=next"));
  const auto first = await<cluster::List>(
      [&](auto done) { cluster_->list(cluster::kPods, {.ns = "x", .limit = 1}, std::move(done)); });
  EXPECT_EQ(first->continue_token, "next");
}

TEST_F(KubeClusterTest, AListThatTakesTooLongBeginsAnew) {
  open([](const SeenRequest& request) {
    if (request.target.find("continue") != std::string::npos)
      return FakeObjects::refuse({Code::kOutOfRange, "too old"});
    if (request.target.find("limit") != std::string::npos) return http::reply(200, page(named("a"), "next"));
    return http::reply(200, page(named("a") + "," + named("b")));
  });
  const auto list = await<cluster::List>([&](auto done) { cluster_->list(cluster::kPods, {}, std::move(done)); });
  ASSERT_TRUE(list.has_value());
  EXPECT_EQ(list->items.size(), 2u);
}

TEST_F(KubeClusterTest, WatchesFromTheListOn) {
  int watches = 0;
  open([&](const SeenRequest& request) {
    if (request.target.find("watch=true") == std::string::npos) return http::reply(200, page(named("a")));
    switch (++watches) {
      case 1:
        return http::stream(event("MODIFIED", "a", 8) + event("BOOKMARK", "", 20), Answer::Then::kKeep);
      case 2:
        return http::stream(event("ADDED", "b", 21), Answer::Then::kClose);
      case 3:
        return http::reply(503, "", "Retry-After: 9\r\n");
      default:
        return http::stream(event("DELETED", "a", 30), Answer::Then::kHold);
    }
  });
  Heard heard;
  heard.watch = cluster_->watch(cluster::kPods, {.ns = "argo"}, sink(heard));
  run_until([&] { return heard.events.size() == 5; });
  EXPECT_THAT(heard.events, ElementsAre("ADDED a", "SYNCED", "MODIFIED a", "ADDED b", "DELETED a"));
  std::vector<std::string> versions;
  for (const SeenRequest& each : server_->seen()) {
    const auto at = each.target.find("resourceVersion=");
    if (at != std::string::npos) versions.push_back(each.target.substr(at + 16, each.target.find('&', at) - at - 16));
  }
  EXPECT_THAT(versions, ElementsAre("7", "20", "21", "21")) << "bookmarks count";
  ASSERT_FALSE(executor_.delays.empty());
  EXPECT_EQ(executor_.delays.back(), std::chrono::seconds(9));
  server_->push(event("ADDED", "c", 31));
  run_until([&] { return heard.events.size() == 6; });
  heard.watch.reset();
  server_->push(event("ADDED", "d", 32));
  context_.poll();
  EXPECT_EQ(heard.events.size(), 6u) << "nothing comes after its end";
}

TEST_F(KubeClusterTest, AWatchWithoutStatusUpdatesLeavesOutWhatIsWrittenHereAlone) {
  const auto watched = [](std::string_view version) {
    return fmt::format(
        R"({{"type":"MODIFIED","object":{{"metadata":{{"name":"w","namespace":"argo","resourceVersion":"{}"}}}}}})"
        "\n",
        version);
  };
  objects_.put(kPath, named("w", R"(,"status":{})"));
  open([&](const SeenRequest& request) {
    if (request.target.find("watch=true") == std::string::npos) return objects_.answer(request);
    return http::stream("", Answer::Then::kHold);
  });
  Heard heard;
  heard.watch =
      cluster_->watch(cluster::kWorkflows, {.resource_version = 101, .without_status_updates = true}, sink(heard));
  const auto hears = [&](std::string_view version) {
    heard.events.clear();
    server_->push(watched(version) + watched("1"));
    run_until([&] { return !heard.events.empty(); });
    context_.poll();
    return heard.events.size() == 2;
  };
  ASSERT_TRUE(write({.fields = {{"phase", "Running"}}}).has_value());
  EXPECT_FALSE(hears("102")) << "its own";
  EXPECT_TRUE(hears("103")) << "another's";

  objects_.put(kPath, named("w", R"(,"spec":{"shutdown":"Stop"},"status":{"phase":"Running"})"));
  EXPECT_EQ(doc::find_string(objects_.objects[kPath], "metadata", "resourceVersion"), "103");
  ASSERT_TRUE(write({.fields = {{"phase", "Running"}}}).has_value());
  EXPECT_TRUE(hears("103")) << "another's, on which the write has changed nothing";
}

TEST_F(KubeClusterTest, WatchesEndWhereAnotherAttemptWouldNotHelp) {
  const std::string gone =
      R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"old"}})"
      "\n";
  struct Row {
    std::string rule;
    Answer answer;
    Code code;
  };
  const Row rows[] = {
      {"forgotten, told within", http::stream(gone, Answer::Then::kKeep), Code::kOutOfRange},
      {"forgotten, told at once", FakeObjects::refuse({Code::kOutOfRange, "old"}), Code::kOutOfRange},
      {"forbidden", FakeObjects::refuse({Code::kPermissionDenied, "no"}), Code::kPermissionDenied},
      {"no such kind", FakeObjects::refuse({Code::kNotFound, "none"}), Code::kNotFound},
  };
  for (const Row& row : rows) {
    open([&](const SeenRequest&) { return row.answer; });
    Heard heard;
    heard.watch = cluster_->watch(cluster::kPods, {.resource_version = 3}, sink(heard));
    run_until([&] { return heard.end.has_value(); });
    EXPECT_EQ(heard.end->code, row.code) << row.rule;
  }
}

TEST_F(KubeClusterTest, WritesWhatChangesOfAStatus) {
  objects_.put(kPath, R"({"metadata":{"name":"w","namespace":"argo","uid":"u"},"spec":{"entrypoint":"main"},
      "status":{"nodes":{"a":{"id":"a","phase":"Running","message":"old"}},"conditions":[1]}})");
  open([&](const SeenRequest& request) { return objects_.answer(request); });
  ASSERT_TRUE(write({.nodes = {{"a", R"({"id":"a","phase":"Succeeded"})"}, {"b", R"({"id":"b"})"}},
                     .fields = {{"phase", "Running"}, {"conditions", nullptr}},
                     .labels = {{"x", "1"}}})
                  .has_value());
  const doc::Value& object = objects_.objects[kPath];
  EXPECT_EQ(doc::to_json(*doc::find(object, "status")),
            R"({"nodes":{"a":{"id":"a","phase":"Succeeded"},"b":{"id":"b"}},"phase":"Running"})");
  EXPECT_EQ(doc::find_string(object, "metadata", "labels", "x"), "1");
  EXPECT_EQ(server_->seen().back().content_type, "application/merge-patch+json");
  ASSERT_TRUE(write({.nodes = {{"a", ""}}}).has_value());
  EXPECT_EQ(doc::to_json(*doc::find(object, "status", "nodes")), R"({"b":{"id":"b"}})");
  EXPECT_THAT(requests(), ElementsAre("GET " + kPath, "PATCH " + kPath, "PATCH " + kPath)) << "it is read once";
  EXPECT_EQ(server_->seen().back().body, R"({"status":{"nodes":{"a":null}},"metadata":{"resourceVersion":"102"}})");
}

TEST_F(KubeClusterTest, WritesOfAStatusKeepWhatOthersWrite) {
  objects_.put(kPath, named("w", R"(,"status":{})"));
  open([&](const SeenRequest& request) { return objects_.answer(request); });
  ASSERT_TRUE(write({.fields = {{"phase", "Running"}}}).has_value());
  objects_.put(kPath, named("w", R"(,"spec":{"suspend":true},"status":{"phase":"Running","nodes":{"n":{"id":"n"}}})"));
  ASSERT_TRUE(write({.nodes = {{"m", R"({"id":"m"})"}}}).has_value());
  EXPECT_EQ(doc::to_json(*doc::find(objects_.objects[kPath], "spec")), R"({"suspend":true})");
  EXPECT_EQ(doc::to_json(*doc::find(objects_.objects[kPath], "status", "nodes")), R"({"n":{"id":"n"},"m":{"id":"m"}})");
  objects_.objects.clear();
  EXPECT_EQ(write({.fields = {{"phase", "Failed"}}}).error().code, Code::kNotFound);
}

TEST_F(KubeClusterTest, NodesOfALargeWorkflowArePacked) {
  objects_.put(kPath, named("w"));
  open([&](const SeenRequest& request) { return objects_.answer(request); });
  cluster::WorkflowStatusUpdate update;
  for (int i = 0; i < 300; ++i) {
    update.nodes.push_back(
        {std::to_string(i), fmt::format(R"({{"id":"{}","message":"{}"}})", i, std::string(4096, 'x'))});
  }
  ASSERT_TRUE(write(std::move(update)).has_value());
  const doc::Value& status = *doc::find(objects_.objects[kPath], "status");
  EXPECT_FALSE(doc::find(status, "nodes"));
  EXPECT_FALSE(doc::find_string(status, "compressedNodes").empty());
  auto whole = get(kWorkflow);
  ASSERT_TRUE(whole.has_value());
  EXPECT_EQ(doc::find(**whole, "status", "nodes")->get_object().size(), 300u);
  EXPECT_FALSE(doc::find(**whole, "status", "compressedNodes"));
  cluster::WorkflowStatusUpdate smaller;
  for (int i = 1; i < 300; ++i) smaller.nodes.push_back({std::to_string(i), ""});
  ASSERT_TRUE(write(std::move(smaller)).has_value());
  ASSERT_TRUE(write({.fields = {{"phase", "Running"}}}).has_value());
  EXPECT_EQ(doc::find(*doc::find(objects_.objects[kPath], "status"), "nodes")->get_object().size(), 1u)
      << "and unpacked when it is small again";
}

TEST_F(KubeClusterTest, UpdatesOfAWorkflowLeaveItsNodes) {
  objects_.put(kPath, named("w", R"(,"spec":{"a":1},"status":{"phase":"Failed","nodes":{"n":{}}})"));
  open([&](const SeenRequest& request) { return objects_.answer(request); });
  const auto update = [&](const std::string& json) {
    return await<cluster::Object>(
        [&](auto done) { cluster_->update(kWorkflow, doc::parse_json(json).value(), std::move(done)); });
  };
  ASSERT_TRUE(
      update(R"({"metadata":{"name":"w","namespace":"argo","uid":"u"},"spec":{"b":2},"status":{}})").has_value());
  EXPECT_EQ(doc::to_json(*doc::find(objects_.objects[kPath], "spec")), R"({"b":2})");
  EXPECT_EQ(doc::to_json(*doc::find(objects_.objects[kPath], "status")), R"({"nodes":{"n":{}}})");
  EXPECT_EQ(update(R"({"metadata":{"name":"w","resourceVersion":"1"}})").error().code, Code::kAborted);
}

TEST_F(KubeClusterTest, StrategicPatchesOfCustomResourcesAreAppliedHere) {
  objects_.put(kPath, named("w", R"(,"spec":{"a":1})"));
  open([&](const SeenRequest& request) { return objects_.answer(request); });
  const auto patched = await<cluster::Object>([&](auto done) {
    cluster_->patch(kWorkflow, cluster::PatchType::kStrategic,
                    {{"metadata", {{"finalizers", doc::Array{doc::Value("f")}}}}}, std::move(done));
  });
  ASSERT_TRUE(patched.has_value()) << patched.error().message;
  EXPECT_EQ(doc::to_json(*doc::find(**patched, "metadata", "finalizers")), R"(["f"])");
  EXPECT_EQ(server_->seen().back().content_type, "application/merge-patch+json");
  const Key pod{&cluster::kPods, "argo", "p"};
  await<cluster::Object>(
      [&](auto done) { cluster_->patch(pod, cluster::PatchType::kStrategic, doc::Object{}, std::move(done)); });
  EXPECT_EQ(server_->seen().back().content_type, "application/strategic-merge-patch+json");
}

TEST_F(KubeClusterTest, SaysInItsRequestsWhatIsMeant) {
  open([](const SeenRequest&) { return http::reply(200, named("p")); });
  const Key pod{&cluster::kPods, "argo", "p"};
  const auto last = [&] { return server_->seen().back(); };
  await<cluster::Object>([&](auto done) { cluster_->remove(pod, {.uid = "u", .grace_seconds = 0}, std::move(done)); });
  EXPECT_EQ(last().method, "DELETE");
  EXPECT_THAT(last().body, HasSubstr(R"("preconditions":{"uid":"u"},"gracePeriodSeconds":0)"));
  await<cluster::Object>(
      [&](auto done) { cluster_->apply(pod, doc::Object{{"kind", "Pod"}}, {.force = true}, std::move(done)); });
  EXPECT_EQ(last().method + " " + last().target, "PATCH /api/v1/namespaces/argo/pods/p?fieldManager=tiphys&force=true");
  EXPECT_EQ(last().content_type, "application/apply-patch+yaml");
  await<cluster::Object>([&](auto done) {
    cluster_->create(cluster::kPods, {{"metadata", {{"generateName", "p-"}, {"namespace", "argo"}}}}, std::move(done));
  });
  EXPECT_EQ(last().method + " " + last().target, "POST /api/v1/namespaces/argo/pods");
  EXPECT_EQ(last().authorization, "Bearer t");
}

TEST_F(KubeClusterTest, WatchesNodes) {
  const auto with = [](const std::string& type, const std::string& nodes, int version) {
    return fmt::format(
        R"({{"type":"{}","object":{{"metadata":{{"name":"w","uid":"u","resourceVersion":"{}"}},"status":{{"nodes":{}}}}}}})"
        "\n",
        type, version, nodes);
  };
  open([&](const SeenRequest& request) {
    if (request.target.find("watch=true") == std::string::npos) {
      return http::reply(200, page(named("w", R"(,"status":{"nodes":{"a":{"id":"a"}}})")));
    }
    return http::stream(with("MODIFIED", R"({"a":{"id":"a"},"b":{"id":"b"}})", 8) +
                            with("MODIFIED", R"({"a":{"id":"a","phase":"Failed"},"b":{"id":"b"}})", 9) +
                            with("MODIFIED", R"({"b":{"id":"b"}})", 10),
                        Answer::Then::kHold);
  });
  std::vector<std::string> told;
  std::optional<Error> end;
  const auto watch = cluster_->watch_nodes(
      kWorkflow, {[&](std::string_view json) { told.emplace_back(json); }, [&] { told.emplace_back("SYNCED"); },
                  [&](Error error) { end = std::move(error); }});
  run_until([&] { return end.has_value(); });
  EXPECT_THAT(told, ElementsAre(R"({"id":"a"})", "SYNCED", R"({"id":"b"})", R"({"id":"a","phase":"Failed"})"));
  EXPECT_EQ(end->code, Code::kOutOfRange);
}

TEST_F(KubeClusterTest, ReadsLogs) {
  open([](const SeenRequest&) {
    return http::stream(
        "2026-01-01T00:00:00.5Z one two\n2026-01-01T00:00:01Z \nunable to say\n2026-01-01T00:00:02Z end",
        Answer::Then::kKeep);
  });
  std::vector<std::string> lines;
  std::optional<Status> end;
  const auto reading = cluster_->read_log({&cluster::kPods, "argo", "p"}, {.follow = true, .tail = 4},
                                          {[&](std::string_view line, Time at, std::string_view) {
                                             lines.push_back(fmt::format("{}|{}", format_rfc3339(at), line));
                                           },
                                           [&](Status status) { end = std::move(status); }});
  run_until([&] { return end.has_value(); });
  EXPECT_TRUE(end->has_value());
  EXPECT_THAT(lines, ElementsAre("2026-01-01T00:00:00Z|one two", "2026-01-01T00:00:01Z|", "|unable to say",
                                 "2026-01-01T00:00:02Z|end"));
  EXPECT_EQ(requests().front(),
            "GET /api/v1/namespaces/argo/pods/p/log?container=main&timestamps=true&follow=true&tailLines=4");
}

class CredentialsTest : public KubeClusterTest {
 protected:
  CredentialsTest() {
    std::string name = testing::TempDir() + "/credentials.XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~CredentialsTest() override { std::filesystem::remove_all(folder_); }
  std::string write_file(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    std::filesystem::permissions(folder_ / name, std::filesystem::perms::owner_all);
    return folder_ / name;
  }
  std::filesystem::path folder_;
};

TEST_F(CredentialsTest, TokenFilesAreReadAgain) {
  const std::string file = write_file("token", "one\n");
  open([](const SeenRequest&) { return http::reply(200, named("w")); }, {.token_file = file});
  get(kWorkflow);
  EXPECT_EQ(server_->seen().back().authorization, "Bearer one");
  std::filesystem::rename(write_file("next", "two"), file);
  get(kWorkflow);
  EXPECT_EQ(server_->seen().back().authorization, "Bearer two");
  std::filesystem::remove(file);
  get(kWorkflow);
  EXPECT_EQ(server_->seen().back().authorization, "Bearer two") << "the last one goes on";
  open([](const SeenRequest&) { return http::reply(200, named("w")); }, {.token_file = file});
  EXPECT_EQ(get(kWorkflow).error().code, Code::kNotFound);
}

TEST_F(CredentialsTest, ExecPluginsRunOnceUntilTheirCredentialsExpire) {
  const std::string plugin = write_file("plugin", fmt::format(R"(#!/bin/sh
echo run >> {0}/runs
echo "$KUBERNETES_EXEC_INFO" > {0}/info
printf 'apiVersion: client.authentication.k8s.io/v1\nkind: ExecCredential\nstatus:\n  token: %s%s\n  expirationTimestamp: "2027-01-15T09:00:00Z"\n' "$1" "$WORD"
)",
                                                              folder_.string()));
  ExecPlugin exec{.api_version = "client.authentication.k8s.io/v1",
                  .command = plugin,
                  .arguments = {"a"},
                  .environment = {{"WORD", "b"}},
                  .provide_cluster_info = true};
  int refusals = 0;
  open(
      [&](const SeenRequest&) {
        if (refusals > 0 && refusals-- > 0) return FakeObjects::refuse({Code::kUnauthenticated, "who?"});
        return http::reply(200, named("w"));
      },
      {.exec = exec});
  const auto runs = [&] {
    std::ifstream file(folder_ / "runs");
    return std::count(std::istreambuf_iterator<char>(file), {}, '\n');
  };
  ASSERT_TRUE(get(kWorkflow).has_value());
  ASSERT_TRUE(get(kWorkflow).has_value());
  EXPECT_EQ(server_->seen().back().authorization, "Bearer ab");
  EXPECT_EQ(runs(), 1);
  std::ifstream info(folder_ / "info");
  std::string line;
  std::getline(info, line);
  EXPECT_EQ(line, fmt::format(R"({{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",)"
                              R"("spec":{{"cluster":{{"server":"http://127.0.0.1:{}"}},"interactive":false}}}})",
                              server_->port()));
  refusals = 1;
  ASSERT_TRUE(get(kWorkflow).has_value()) << "401: the plugin runs again, and so does the request";
  EXPECT_EQ(runs(), 2);
  refusals = 2;
  EXPECT_EQ(get(kWorkflow).error().code, Code::kUnauthenticated) << "but once";
  executor_.move_on(std::chrono::hours(24));
  ASSERT_TRUE(get(kWorkflow).has_value());
  EXPECT_EQ(runs(), 4);
}

TEST_F(CredentialsTest, TellWhatIsWrongWithAPlugin) {
  struct Row {
    std::string rule, script, message;
  };
  const Row rows[] = {
      {"it fails", "exit 3", "ended with status"},
      {"nothing is printed", "", "it has printed nothing"},
      {"another kind", "echo 'kind: Pod'", "it is configured for client.authentication.k8s.io/v1 ExecCredential"},
      {"no status", "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\"}'",
       "no status"},
      {"no token",
       "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{}}'",
       "no token and no certificate"},
  };
  for (const Row& row : rows) {
    ExecPlugin exec{.api_version = "client.authentication.k8s.io/v1",
                    .command = write_file("plugin", "#!/bin/sh\n" + row.script + "\n")};
    open([](const SeenRequest&) { return http::reply(200, "{}"); }, {.exec = exec});
    const auto answer = get(kWorkflow);
    ASSERT_FALSE(answer.has_value()) << row.rule;
    EXPECT_THAT(answer.error().message, HasSubstr(row.message)) << row.rule;
    EXPECT_TRUE(server_->seen().empty()) << row.rule;
  }
  ExecPlugin missing{
      .api_version = "client.authentication.k8s.io/v1", .command = "no-such-plugin", .install_hint = "get it"};
  open([](const SeenRequest&) { return http::reply(200, "{}"); }, {.exec = missing});
  EXPECT_THAT(get(kWorkflow).error().message, HasSubstr("get it"));
}

TEST(Difference, IsAMergePatch) {
  struct Row {
    const char *before, *after, *patch;
  };
  const Row rows[] = {
      {"{}", "{}", "{}"},
      {R"({"a":1})", R"({"a":1})", "{}"},
      {R"({"a":1,"b":2})", R"({"b":3})", R"({"a":null,"b":3})"},
      {R"({"a":{"b":1,"c":2}})", R"({"a":{"b":1}})", R"({"a":{"c":null}})"},
      {R"({"a":[1,2]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"({"a":1})", R"({"a":{"b":2}})", R"({"a":{"b":2}})"},
      {R"({"a":{"b":2}})", R"({"a":1})", R"({"a":1})"},
      {"{}", R"({"a":{}})", R"({"a":{}})"},
  };
  for (const Row& row : rows) {
    const doc::Value before = doc::parse_json(row.before).value(), after = doc::parse_json(row.after).value();
    const doc::Value patch = difference(before, after);
    EXPECT_EQ(doc::to_json(patch), row.patch);
    doc::Value again = before;
    ASSERT_TRUE(doc::apply_merge_patch(again, patch).has_value());
    EXPECT_EQ(again, after) << row.before << " " << row.after;
  }
}

TEST(Gzip, ComesBack) {
  for (const std::string& text : {std::string(), std::string("a"), std::string(300'000, 'x')}) {
    EXPECT_EQ(gunzip(gzip(text)).value(), text);
  }
  EXPECT_FALSE(gunzip("nothing").has_value());
  EXPECT_FALSE(gunzip(gzip("cut").substr(0, 10)).has_value());
}

TEST(WorkflowNodes, InADatabaseAreRefused) {
  doc::Value workflow = doc::parse_json(R"({"status":{"offloadNodeStatusVersion":"fnv:1"}})").value();
  EXPECT_EQ(unpack_nodes(workflow).error().code, Code::kUnimplemented);
  workflow = doc::parse_json(R"({"status":{"compressedNodes":"AAAA"}})").value();
  EXPECT_THAT(unpack_nodes(workflow).error().message, HasSubstr("status.compressedNodes: "));
}

}  // namespace
}  // namespace tiphys::kube
