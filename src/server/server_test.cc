// The server and its client against each other, over real sockets, on one thread.
#include "server/server.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/asio_executor.h"
#include "server/client.h"
#include "server/connection.h"
#include "server/testing.h"

namespace tiphys::server {
namespace {

namespace asio = boost::asio;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using Type = cluster::WatchEvent::Type;

const cluster::Key kConfig{&cluster::kConfigMaps, "default", "c"};
const cluster::Key kFlow{&cluster::kWorkflows, "default", "w"};

doc::Value object(const cluster::Key& key) {
  doc::Object object{
      {"apiVersion", key.resource->api_version()},
      {"kind", key.resource->kind},
      {"metadata", doc::Object{{"name", key.name}, {"namespace", key.ns}, {"labels", doc::Object{{"l", key.name}}}}}};
  if (key.resource == &cluster::kWorkflows) object["spec"] = doc::Object{};
  return object;
}

class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    std::string pattern = testing::TempDir() + "tiphys-server-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    restart();
  }
  ~ServerTest() override {
    remote_.reset();
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  void restart() {
    server_.reset();
    auto server = Server::start(context_, *executor_, api_,
                                {.unix_path = folder_ + "/api.sock",
                                 .tcp_address = "127.0.0.1:0",
                                 .token = "secret",
                                 .announce_path = folder_ + "/server.json",
                                 .metrics = [] { return std::string("argo_workflows_m 1\n"); },
                                 .config = std::make_shared<const doc::Value>(doc::Object{{"a", 1}})});
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }

  template <typename Done>
  void run_until(Done done) {
    context_.restart();
    while (!done()) {
      ASSERT_NE(context_.run_one_for(std::chrono::seconds(20)), 0u) << "nothing happened";
    }
  }

  template <typename T, typename Call>
  Result<T> await(Call call) {
    std::optional<Result<T>> answer;
    call([&](Result<T> result) { answer = std::move(result); });
    run_until([&] { return answer.has_value(); });
    return answer ? std::move(*answer) : fail(Code::kInternal, "no answer");
  }

  Result<cluster::Object> create(const cluster::Key& key) {
    return await<cluster::Object>([&](auto done) { remote_->create(*key.resource, object(key), std::move(done)); });
  }

  /// What comes back for raw bytes, to the connection's end.
  std::string raw(const std::string& request, bool tcp = true) {
    asio::generic::stream_protocol::socket socket(context_);
    if (tcp) {
      socket.connect(asio::ip::tcp::endpoint(asio::ip::make_address("127.0.0.1"), server_->port()));
    } else {
      socket.connect(asio::local::stream_protocol::endpoint(folder_ + "/api.sock"));
    }
    std::string answer;
    bool ended = false;
    asio::async_write(socket, asio::buffer(request), [](boost::system::error_code, std::size_t) {});
    asio::async_read(socket, asio::dynamic_buffer(answer),
                     [&](boost::system::error_code, std::size_t) { ended = true; });
    run_until([&] { return ended; });
    return answer;
  }

  std::string get(const std::string& path, const std::string& headers, bool tcp = true) {
    return raw("GET " + path + " HTTP/1.1\r\nConnection: close\r\n" + headers + "\r\n", tcp);
  }

  asio::io_context context_;
  std::unique_ptr<Executor> executor_ = make_asio_executor(context_);
  FakeCluster fake_{*executor_};
  objects::Kinds kinds_;
  objects::ObjectApi api_{{.executor = *executor_, .store = fake_, .kinds = kinds_}};
  std::string folder_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<cluster::Cluster> remote_ = make_remote_cluster(context_, {.unix_path = "", .token = ""});

  void connect_by_socket() { remote_ = make_remote_cluster(context_, {.unix_path = folder_ + "/api.sock"}); }
  void connect_by_tcp(const std::string& token) {
    remote_ = make_remote_cluster(context_, {.host = "127.0.0.1", .port = server_->port(), .token = token});
  }
};

TEST_F(ServerTest, objects_make_the_round_trip) {
  connect_by_socket();
  const auto created = create(kConfig);
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_EQ(doc::find_string(**created, "metadata", "uid"), "uid-c");

  const auto got = await<cluster::Object>([&](auto done) { remote_->get(kConfig, std::move(done)); });
  ASSERT_TRUE(got);
  EXPECT_EQ(**got, **created);

  const auto patched = await<cluster::Object>([&](auto done) {
    remote_->patch(kConfig, cluster::PatchType::kMerge, doc::Object{{"data", doc::Object{{"a", "1"}}}},
                   std::move(done));
  });
  ASSERT_TRUE(patched);
  EXPECT_EQ(doc::find_string(**patched, "data", "a"), "1");

  const auto stale = await<cluster::Object>([&](auto done) { remote_->update(kConfig, **created, std::move(done)); });
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().code, Code::kAborted);

  const auto updated = await<cluster::Object>([&](auto done) { remote_->update(kConfig, **patched, std::move(done)); });
  EXPECT_TRUE(updated);

  const auto removed = await<cluster::Object>(
      [&](auto done) { remote_->remove(kConfig, {.uid = "uid-c", .grace_seconds = 3}, std::move(done)); });
  EXPECT_TRUE(removed);
  EXPECT_EQ(fake_.find(kConfig), nullptr);
}

TEST_F(ServerTest, errors_keep_their_code) {
  connect_by_socket();
  const auto missing = await<cluster::Object>([&](auto done) { remote_->get(kConfig, std::move(done)); });
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error(), (Error{Code::kNotFound, "configmaps \"c\" not found"}));
  ASSERT_TRUE(create(kConfig));
  EXPECT_EQ(create(kConfig).error().code, Code::kAlreadyExists);
  fake_.broken = Error{Code::kResourceExhausted, "the disk is full"};
  EXPECT_EQ(create(kFlow).error(), *fake_.broken);
}

TEST_F(ServerTest, lists_are_paged_and_selected) {
  connect_by_socket();
  for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(create({&cluster::kConfigMaps, "default", name}));
  cluster::ListOptions options;
  options.ns = "default";
  options.limit = 2;
  auto first = await<cluster::List>([&](auto done) { remote_->list(cluster::kConfigMaps, options, std::move(done)); });
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->items.size(), 2u);
  EXPECT_GT(first->resource_version, 0u);
  options.continue_token = first->continue_token;
  auto second = await<cluster::List>([&](auto done) { remote_->list(cluster::kConfigMaps, options, std::move(done)); });
  ASSERT_TRUE(second);
  EXPECT_EQ(second->items.size(), 1u);
  EXPECT_EQ(second->continue_token, "");

  cluster::ListOptions selected;
  selected.labels = cluster::Selector::parse("l in (a,c)").value();
  selected.fields = cluster::Selector::parse_fields("metadata.name!=a").value();
  auto chosen =
      await<cluster::List>([&](auto done) { remote_->list(cluster::kConfigMaps, selected, std::move(done)); });
  ASSERT_TRUE(chosen);
  ASSERT_EQ(chosen->items.size(), 1u);
  EXPECT_EQ(doc::find_string(*chosen->items[0], "metadata", "name"), "c");
}

TEST_F(ServerTest, lists_of_workflows_have_their_nodes_unless_told_otherwise) {
  connect_by_socket();
  ASSERT_TRUE(create(kFlow));
  fake_.set_node(kFlow, "x", R"({"id":"x"})");
  const std::string workflows = "/apis/argoproj.io/v1alpha1/namespaces/default/workflows";
  EXPECT_THAT(get(workflows, "", false), HasSubstr(R"("nodes":{"x":{"id":"x"}})"));
  for (const bool wanted : {true, false}) {
    cluster::ListOptions options;
    options.with_nodes = wanted;
    const auto list =
        await<cluster::List>([&](auto done) { remote_->list(cluster::kWorkflows, options, std::move(done)); });
    ASSERT_TRUE(list) << list.error().message;
    EXPECT_EQ(doc::find(*list->items.at(0), "status", "nodes") != nullptr, wanted);
  }
}

/// The events of a watch as "ADDED c".
struct WatchLog {
  std::vector<std::string> events;
  std::optional<Error> end;
  std::unique_ptr<cluster::Watch> watch;

  cluster::WatchSink sink() {
    return {[this](const cluster::WatchEvent& event) {
              static constexpr const char* kNames[] = {"ADDED", "MODIFIED", "DELETED", "SYNCED"};
              std::string line = kNames[static_cast<int>(event.type)];
              if (event.object) line += " " + std::string(doc::find_string(*event.object, "metadata", "name"));
              events.push_back(line);
            },
            [this](Error error) { end = std::move(error); }};
  }
};

TEST_F(ServerTest, watches_see_what_is_there_then_changes) {
  connect_by_socket();
  ASSERT_TRUE(create(kConfig));
  WatchLog log;
  log.watch = remote_->watch(cluster::kConfigMaps, {.ns = "default"}, log.sink());
  run_until([&] { return log.events.size() == 2; });
  EXPECT_THAT(log.events, ElementsAre("ADDED c", "SYNCED"));
  ASSERT_TRUE(create({&cluster::kConfigMaps, "default", "d"}));
  ASSERT_TRUE(create({&cluster::kConfigMaps, "other", "e"}));
  ASSERT_TRUE(await<cluster::Object>([&](auto done) { remote_->remove(kConfig, {}, std::move(done)); }));
  run_until([&] { return log.events.size() == 4; });
  EXPECT_THAT(log.events, ElementsAre("ADDED c", "SYNCED", "ADDED d", "DELETED c"));

  log.watch.reset();
  run_until([&] { return fake_.open_watches() == 0; });
}

TEST_F(ServerTest, the_end_of_a_watch_is_told) {
  connect_by_socket();
  WatchLog old;
  old.watch = remote_->watch(cluster::kConfigMaps, {.resource_version = 5}, old.sink());
  run_until([&] { return old.end.has_value(); });
  EXPECT_EQ(old.end->code, Code::kOutOfRange) << "a version that is forgotten";

  WatchLog log;
  log.watch = remote_->watch(cluster::kConfigMaps, {}, log.sink());
  run_until([&] { return log.events.size() == 1; });
  fake_.end_watches({Code::kOutOfRange, "too many changes"});
  run_until([&] { return log.end.has_value(); });
  EXPECT_EQ(*log.end, (Error{Code::kOutOfRange, "too many changes"}));
}

TEST_F(ServerTest, a_lost_watch_goes_on_where_it_was) {
  connect_by_socket();
  ASSERT_TRUE(create(kConfig));
  WatchLog log;
  log.watch = remote_->watch(cluster::kConfigMaps, {}, log.sink());
  run_until([&] { return log.events.size() == 2; });
  restart();
  run_until([&] { return fake_.open_watches() == 1; });
  ASSERT_TRUE(create({&cluster::kConfigMaps, "default", "d"}));
  run_until([&] { return log.events.size() == 3; });
  EXPECT_THAT(log.events, ElementsAre("ADDED c", "SYNCED", "ADDED d"));
  EXPECT_FALSE(log.end);
}

TEST_F(ServerTest, a_server_that_is_gone_ends_watches_and_calls) {
  connect_by_socket();
  WatchLog log;
  log.watch = remote_->watch(cluster::kConfigMaps, {}, log.sink());
  run_until([&] { return log.events.size() == 1; });
  server_.reset();
  run_until([&] { return log.end.has_value(); });
  EXPECT_EQ(log.end->code, Code::kUnavailable);
  EXPECT_EQ(create(kConfig).error().code, Code::kUnavailable);
}

TEST_F(ServerTest, nodes_are_watched) {
  connect_by_socket();
  ASSERT_TRUE(create(kFlow));
  fake_.set_node(kFlow, "w", R"({"id":"w","phase":"Running"})");
  std::vector<std::string> seen;
  cluster::Cluster::NodeSink sink;
  sink.on_node = [&](std::string_view json) { seen.emplace_back(json); };
  sink.on_synced = [&] { seen.emplace_back("synced"); };
  std::optional<Error> end;
  sink.on_end = [&](Error error) { end = std::move(error); };
  const auto watch = remote_->watch_nodes(kFlow, std::move(sink));
  run_until([&] { return seen.size() == 2; });
  fake_.set_node(kFlow, "w", R"({"id":"w","phase":"Succeeded","message":"a}{\"b"})");
  run_until([&] { return seen.size() == 3; });
  EXPECT_THAT(seen, ElementsAre(R"({"id":"w","phase":"Running"})", "synced",
                                R"({"id":"w","phase":"Succeeded","message":"a}{\"b"})"));
  server_.reset();
  run_until([&] { return end.has_value(); });
  EXPECT_EQ(end->code, Code::kUnavailable);
}

struct LogLines {
  std::vector<std::string> lines;
  std::optional<Status> end;
  std::unique_ptr<cluster::Watch> reading;

  cluster::LogSink sink() {
    return {[this](std::string_view line, Time at, std::string_view stream) {
              lines.push_back(std::string(stream) + " " + format_rfc3339_micro(at) + " " + std::string(line));
            },
            [this](Status status) { end = std::move(status); }};
  }
};

TEST_F(ServerTest, logs_keep_time_and_stream) {
  connect_by_socket();
  const Time at = parse_rfc3339("2026-11-24T10:00:00.25Z").value();
  fake_.logs["p"] = {{"one", at}, {"", at}, {"three  words F", at + std::chrono::seconds(1), "stderr"}};
  LogLines log;
  log.reading = remote_->read_log({&cluster::kPods, "default", "p"}, {.tail = 2}, log.sink());
  run_until([&] { return log.end.has_value(); });
  EXPECT_TRUE(*log.end);
  EXPECT_THAT(log.lines,
              ElementsAre("stdout 2026-11-24T10:00:00.250000Z ", "stderr 2026-11-24T10:00:01.250000Z three  words F"));

  LogLines missing;
  missing.reading = remote_->read_log({&cluster::kPods, "default", "q"}, {}, missing.sink());
  run_until([&] { return missing.end.has_value(); });
  EXPECT_EQ(missing.end->error().code, Code::kNotFound);
}

TEST_F(ServerTest, a_reader_that_goes_ends_a_log_without_lines) {
  connect_by_socket();
  fake_.logs["p"] = {};
  fake_.open_logs = {"p"};
  LogLines log;
  log.reading = remote_->read_log({&cluster::kPods, "default", "p"}, {.follow = true}, log.sink());
  run_until([&] { return fake_.open_watches() == 1; });
  log.reading.reset();
  run_until([&] { return fake_.open_watches() == 0; });
}

TEST_F(ServerTest, a_long_log_waits_for_its_reader) {
  connect_by_socket();
  fake_.logs["p"] = std::vector<FakeCluster::LogLine>(8, {std::string(1 << 20, 'x'), {}});
  LogLines log;
  log.reading = remote_->read_log({&cluster::kPods, "default", "p"}, {}, log.sink());
  run_until([&] { return log.end.has_value(); });
  EXPECT_TRUE(*log.end);
  EXPECT_EQ(log.lines.size(), 8u);
  EXPECT_GT(fake_.pauses, 0u);
  EXPECT_EQ(fake_.pauses, fake_.resumptions);
}

TEST_F(ServerTest, status_updates_stay_inside) {
  connect_by_socket();
  const auto answer = await<void>([&](auto done) { remote_->update_workflow_status(kFlow, {}, std::move(done)); });
  EXPECT_EQ(answer.error().code, Code::kUnimplemented);
}

TEST_F(ServerTest, tcp_asks_for_the_token) {
  connect_by_tcp("secret");
  EXPECT_TRUE(create(kConfig));
  connect_by_tcp("wrong");
  EXPECT_EQ(create(kFlow).error().code, Code::kUnauthenticated);
  connect_by_tcp("");
  EXPECT_EQ(create(kFlow).error().code, Code::kUnauthenticated);
}

TEST_F(ServerTest, all_addresses_of_a_name_are_tried) {
  remote_ = make_remote_cluster(context_, {.host = "localhost", .port = server_->port(), .token = "secret"});
  EXPECT_TRUE(create(kConfig)) << "the server listens on 127.0.0.1 only";
}

TEST_F(ServerTest, http_refusals) {
  const std::string host = "Host: localhost\r\n", token = "Authorization: Bearer secret\r\n";
  struct Row {
    const char* rule;
    std::string request;
    const char* expected;
  };
  const auto line = [&](const std::string& request_line, const std::string& headers, const std::string& body = "") {
    return request_line + " HTTP/1.1\r\nConnection: close\r\n" + headers +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  };
  const std::string config_maps = "/api/v1/namespaces/default/configmaps";
  const Row rows[] = {
      {"no token", line("GET /version", host), "HTTP/1.1 401"},
      {"a wrong token", line("GET /version", host + "Authorization: Bearer x\r\n"), "HTTP/1.1 401"},
      {"no host", line("GET /version", token), "HTTP/1.1 403"},
      {"another host", line("GET /version", "Host: evil.example\r\n" + token), "HTTP/1.1 403"},
      {"a page of another origin", line("GET /version", host + token + "Origin: https://evil.example\r\n"),
       "HTTP/1.1 403"},
      {"a page of this origin", line("GET /version", host + token + "Origin: http://localhost:2746\r\n"),
       "HTTP/1.1 200"},
      {"health needs no token", line("GET /healthz", host), "HTTP/1.1 200"},
      {"health needs the host", line("GET /healthz", "Host: evil.example\r\n"), "HTTP/1.1 403"},
      {"metrics need no token", line("GET /metrics", host), "HTTP/1.1 200"},
      {"metrics need the host", line("GET /metrics", "Host: evil.example\r\n"), "HTTP/1.1 403"},
      {"the configuration needs a token", line("GET /configz", host), "HTTP/1.1 401"},
      {"the configuration", line("GET /configz", host + token), "HTTP/1.1 200"},
      {"metrics are only read", line("POST /metrics", host + token), "HTTP/1.1 404"},
      {"an unknown path", line("GET /nothing", host + token), "HTTP/1.1 404"},
      {"a missing object", line("GET " + config_maps + "/x", host + token), "HTTP/1.1 404"},
      {"a method that is not there", line("PUT " + config_maps, host + token), "HTTP/1.1 405"},
      {"a body that is no JSON", line("POST " + config_maps, host + token, "{"), "HTTP/1.1 400"},
      {"a body that is no object", line("POST " + config_maps, host + token, "[]"), "HTTP/1.1 400"},
      {"another kind in the body", line("POST " + config_maps, host + token, R"({"kind":"Pod"})"), "HTTP/1.1 400"},
      {"another namespace in the body", line("POST " + config_maps, host + token, R"({"metadata":{"namespace":"x"}})"),
       "HTTP/1.1 400"},
      {"type and namespace are filled in", line("POST " + config_maps, host + token, R"({"metadata":{"name":"x"}})"),
       "HTTP/1.1 201"},
      {"it exists", line("POST " + config_maps, host + token, R"({"metadata":{"name":"x"}})"), "HTTP/1.1 409"},
      {"another name in the body", line("PUT " + config_maps + "/x", host + token, R"({"metadata":{"name":"y"}})"),
       "HTTP/1.1 400"},
      {"a patch without a type", line("PATCH " + config_maps + "/x", host + token, "{}"), "HTTP/1.1 415"},
      {"a patch",
       line("PATCH " + config_maps + "/x",
            host + token + "Content-Type: application/merge-patch+json; charset=utf-8\r\n", "{}"),
       "HTTP/1.1 200"},
      {"a bad selector", line("GET " + config_maps + "?labelSelector=%3D%3D", host + token), "HTTP/1.1 400"},
      {"a bad limit", line("GET " + config_maps + "?limit=x", host + token), "HTTP/1.1 400"},
      {"a broken escape", line("GET /api/%zz", host + token), "HTTP/1.1 400"},
      {"nodes of what has none", line("GET " + config_maps + "/x?watchNodes=true", host + token), "HTTP/1.1 400"},
      {"a large header", line("GET /version", host + token + "X: " + std::string(kMostHeaderBytes, 'x') + "\r\n"),
       "HTTP/1.1 431"},
      {"no HTTP", "hello\r\n\r\n", "HTTP/1.1 400"},
      {"a large body", "POST " + config_maps + " HTTP/1.1\r\n" + host + token + "Content-Length: 99999999\r\n\r\n",
       "HTTP/1.1 413"},
  };
  for (const auto& row : rows) {
    const std::string answer = raw(row.request);
    EXPECT_THAT(answer, StartsWith(row.expected)) << row.rule;
    if (answer.find(" 20") == std::string::npos) {
      EXPECT_THAT(answer, HasSubstr(R"("kind":"Status")")) << row.rule;
    }
  }
}

TEST_F(ServerTest, the_unix_socket_needs_no_token_and_is_its_owners) {
  EXPECT_THAT(get("/version", "", false), HasSubstr("\"gitVersion\":\"v"));
  struct stat info{};
  ASSERT_EQ(::stat((folder_ + "/api.sock").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(ServerTest, metrics_are_a_page_for_prometheus) {
  const std::string answer = raw("GET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n", false);
  EXPECT_THAT(answer, testing::HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\nargo_workflows_m 1\n"));
}

TEST_F(ServerTest, the_configuration_is_a_page) {
  std::optional<Result<cluster::Object>> page;
  read_config(context_, http::Endpoint{.unix_path = folder_ + "/api.sock"}, [&](auto answer) { page = answer; });
  run_until([&] { return page.has_value(); });
  ASSERT_TRUE(*page) << page->error().message;
  EXPECT_EQ(doc::to_json(***page), R"({"a":1})");
}

TEST_F(ServerTest, connections_are_kept_for_more_requests) {
  const std::string answer =
      raw("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /readyz HTTP/1.1\r\nConnection: close\r\n\r\n", false);
  EXPECT_THAT(answer, testing::ContainsRegex("200 OK(.|\n)*200 OK"));
}

TEST_F(ServerTest, kubernetes_watch_lines) {
  connect_by_socket();
  ASSERT_TRUE(create(kConfig));
  run_until([&] { return fake_.find(kConfig) != nullptr; });
  std::string answer;
  asio::local::stream_protocol::socket socket(context_);
  socket.connect(folder_ + "/api.sock");
  const std::string request =
      "GET /api/v1/configmaps?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan HTTP/1.1\r\n\r\n";
  asio::write(socket, asio::buffer(request));
  bool ended = false;
  asio::async_read(socket, asio::dynamic_buffer(answer), [&](boost::system::error_code, std::size_t) { ended = true; });
  run_until([&] { return answer.find("BOOKMARK") != std::string::npos || ended; });
  fake_.end_watches({Code::kOutOfRange, "too old"});
  run_until([&] { return ended; });
  EXPECT_THAT(answer, HasSubstr("Transfer-Encoding: chunked"));
  EXPECT_THAT(answer, HasSubstr(R"({"type":"ADDED","object":{"apiVersion":"v1","kind":"ConfigMap",)"));
  EXPECT_THAT(answer,
              HasSubstr(R"("metadata":{"resourceVersion":"101","annotations":{"k8s.io/initial-events-end":"true"}})"));
  EXPECT_THAT(answer, HasSubstr(R"({"type":"ERROR","object":{"kind":"Status",)"));
  EXPECT_THAT(answer, testing::EndsWith("0\r\n\r\n"));
}

TEST_F(ServerTest, a_slow_reader_is_cut) {
  connect_by_socket();
  ASSERT_TRUE(create(kFlow));
  asio::local::stream_protocol::socket socket(context_);
  socket.connect(folder_ + "/api.sock");
  const std::string request =
      "GET /apis/argoproj.io/v1alpha1/namespaces/default/workflows/w?watchNodes=true HTTP/1.1\r\n\r\n";
  asio::write(socket, asio::buffer(request));
  run_until([&] { return fake_.open_watches() == 1; });
  const std::string large = R"({"id":"x","message":")" + std::string(1 << 20, 'x') + "\"}";
  for (int i = 0; i < 40; ++i) fake_.set_node(kFlow, "x", large);
  run_until([&] { return fake_.open_watches() == 0; });
}

TEST_F(ServerTest, too_many_connections_are_refused) {
  std::vector<asio::local::stream_protocol::socket> sockets;
  for (int i = 0; i < 256; ++i) sockets.emplace_back(context_).connect(folder_ + "/api.sock");
  EXPECT_THAT(get("/healthz", "", false), StartsWith("HTTP/1.1 503"));
  sockets.clear();
  EXPECT_THAT(get("/healthz", "", false), StartsWith("HTTP/1.1 200"));
}

/// How many sockets are open here; those that a program started now would inherit are failures.
std::size_t private_sockets() {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename().string());
    std::error_code gone;  // the iterator's own
    if (fd <= STDERR_FILENO || !std::filesystem::read_symlink(entry, gone).string().starts_with("socket:")) continue;
    ++count;
    EXPECT_TRUE(::fcntl(fd, F_GETFD) & FD_CLOEXEC) << fd;
  }
  return count;
}

TEST_F(ServerTest, programs_started_here_inherit_no_socket) {
  WatchLog local, loopback;
  connect_by_socket();
  local.watch = remote_->watch(cluster::kConfigMaps, {}, local.sink());
  run_until([&] { return local.events.size() == 1; });
  connect_by_tcp("secret");
  loopback.watch = remote_->watch(cluster::kConfigMaps, {}, loopback.sink());
  run_until([&] { return loopback.events.size() == 1; });
  EXPECT_GE(private_sockets(), 6U) << "two listeners, two connections with two ends each";
}

TEST_F(ServerTest, the_announcement_is_private_and_goes_with_the_server) {
  std::ifstream file(folder_ + "/server.json");
  std::stringstream text;
  text << file.rdbuf();
  const doc::Value content = doc::parse_json(text.str()).value();
  EXPECT_EQ(doc::find_string(content, "address"), "127.0.0.1:" + std::to_string(server_->port()));
  EXPECT_EQ(doc::find_string(content, "token"), "secret");
  struct stat info{};
  ASSERT_EQ(::stat((folder_ + "/server.json").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  server_.reset();
  EXPECT_NE(::stat((folder_ + "/server.json").c_str(), &info), 0);
  EXPECT_NE(::stat((folder_ + "/api.sock").c_str(), &info), 0);
}

TEST_F(ServerTest, long_socket_paths_work) {
  const std::string deep = folder_ + "/" + std::string(150, 'd');
  std::filesystem::create_directory(deep);
  const auto server = Server::start(context_, *executor_, api_, {.unix_path = deep + "/api.sock"});
  ASSERT_TRUE(server) << server.error().message;
  remote_ = make_remote_cluster(context_, {.unix_path = deep + "/api.sock"});
  EXPECT_TRUE(create(kConfig));
}

TEST_F(ServerTest, without_tls_and_a_token_only_loopback_is_listened_on) {
  for (const char* address : {"0.0.0.0:0", "192.168.1.1:80", "nonsense", "127.0.0.1", "127.0.0.1:99999"}) {
    const auto server = Server::start(context_, *executor_, api_, {.tcp_address = address});
    ASSERT_FALSE(server) << address;
    EXPECT_EQ(server.error().code, Code::kInvalidArgument) << address;
  }
}

}  // namespace
}  // namespace tiphys::server
