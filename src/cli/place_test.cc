#include "cli/place.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "cli/loop.h"
#include "http/tls.h"

namespace tiphys::cli {
namespace {

using testing::HasSubstr;

constexpr const char* kVariables[] = {"TIPHYS_SERVER", "TIPHYS_DATA_DIR", "TIPHYS_TOKEN",
                                      "ARGO_SERVER",   "ARGO_TOKEN",      "ARGO_SECURE",
                                      "ARGO_HTTP1",    "ARGO_BASE_HREF",  "ARGO_INSECURE_SKIP_VERIFY",
                                      "KUBECONFIG",    "ARGO_NAMESPACE"};

class PlaceTest : public testing::Test {
 protected:
  PlaceTest() {
    for (const char* name : kVariables) ::unsetenv(name);
    std::string pattern = testing::TempDir() + "tiphys-place-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    ::setenv("HOME", folder_.c_str(), 1);
    ::unsetenv("XDG_DATA_HOME");
    write("cluster.yaml", R"(
apiVersion: v1
kind: Config
current-context: one
clusters:
  - {name: a, cluster: {server: "https://a:6443"}}
  - {name: b, cluster: {server: "https://b:6443"}}
users:
  - {name: u, user: {token: secret}}
  - {name: v, user: {token: other}}
contexts:
  - {name: one, context: {cluster: a, user: u, namespace: theirs}}
  - {name: two, context: {cluster: b, user: u}}
)");
  }
  ~PlaceTest() override {
    for (const char* name : kVariables) ::unsetenv(name);
    std::filesystem::remove_all(folder_);
  }
  void write(const std::string& file, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(folder_ + "/" + file).parent_path());
    std::ofstream(folder_ + "/" + file) << text;
  }
  static void set(const std::map<std::string, std::string>& variables) {
    for (const char* name : kVariables) ::unsetenv(name);
    for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
  }
  std::string kubeconfig() const { return folder_ + "/cluster.yaml"; }

  std::string folder_;
};

struct KindCase {
  const char* rule;
  std::map<std::string, std::string> variables;
  void (*flags)(Place& place);
  PlaceKind kind;
};

TEST_F(PlaceTest, flags_go_before_variables) {
  const std::string file = kubeconfig();
  const auto none = [](Place&) {};
  const KindCase cases[] = {
      {"nothing is said", {}, none, PlaceKind::kDirectory},
      {"tiphys' own variable", {{"TIPHYS_SERVER", "h:1"}, {"ARGO_SERVER", "h:2"}}, none, PlaceKind::kTiphysServer},
      {"argo's variable", {{"ARGO_SERVER", "h:2"}, {"KUBECONFIG", file}}, none, PlaceKind::kArgoServer},
      {"a server goes before a directory",
       {{"ARGO_SERVER", "h:2"}, {"TIPHYS_DATA_DIR", "/d"}},
       none,
       PlaceKind::kArgoServer},
      {"a kubeconfig", {{"KUBECONFIG", file}}, none, PlaceKind::kKubernetes},
      {"a directory goes before a kubeconfig",
       {{"KUBECONFIG", file}, {"TIPHYS_DATA_DIR", "/d"}},
       none,
       PlaceKind::kDirectory},
      {"the flag of a directory",
       {{"KUBECONFIG", file}, {"ARGO_SERVER", "h:2"}},
       [](Place& place) { place.data_dir = "/d"; },
       PlaceKind::kDirectory},
      {"the flag of a server",
       {{"TIPHYS_SERVER", "h:1"}},
       [](Place& place) { place.argo_server = "h:2"; },
       PlaceKind::kArgoServer},
      {"a context",
       {{"ARGO_SERVER", "h:2"}},
       [](Place& place) { place.kubeconfig.context = "two"; },
       PlaceKind::kKubernetes},
      {"a server with a kubeconfig's token",
       {},
       [](Place& place) {
         place.argo_server = "h:2";
         place.kubeconfig.context = "two";
       },
       PlaceKind::kArgoServer},
      {"variables of others, where ours alone will do",
       {{"ARGO_SERVER", "h:2"}, {"KUBECONFIG", file}},
       [](Place& place) { place.ours = true; },
       PlaceKind::kDirectory},
  };
  for (const KindCase& row : cases) {
    set(row.variables);
    Place place;
    row.flags(place);
    const auto kind = place.kind();
    ASSERT_TRUE(kind) << row.rule;
    EXPECT_EQ(*kind, row.kind) << row.rule;
  }
  Place place;
  place.ours = true;
  place.argo_server = "h:2";
  EXPECT_FALSE(place.kind()) << "a flag that cannot be followed is an error";
}

TEST_F(PlaceTest, the_kubeconfig_of_a_directory_is_the_directory) {
  write("data/kubeconfig", "{}");
  set({{"KUBECONFIG", folder_ + "/data/kubeconfig"}, {"TIPHYS_DATA_DIR", folder_ + "/data"}});
  EXPECT_EQ(Place().kind().value(), PlaceKind::kDirectory);
  write(".local/share/tiphys/kubeconfig", "{}");
  set({{"KUBECONFIG", folder_ + "/.local/share/tiphys/kubeconfig"}});
  EXPECT_EQ(Place().kind().value(), PlaceKind::kDirectory);
}

TEST_F(PlaceTest, namespaces) {
  set({{"KUBECONFIG", kubeconfig()}});
  EXPECT_EQ(Place().choose_namespace(""), "theirs");
  EXPECT_EQ(Place().choose_namespace("mine"), "mine");
  set({{"KUBECONFIG", kubeconfig()}, {"ARGO_NAMESPACE", "n"}});
  EXPECT_EQ(Place().choose_namespace(""), "n");
  set({{"KUBECONFIG", kubeconfig()}, {"ARGO_SERVER", "h:1"}});
  EXPECT_EQ(Place().choose_namespace(""), "theirs");
  set({});
  EXPECT_EQ(Place().choose_namespace(""), "default");
}

struct ServerCase {
  const char* rule;
  std::map<std::string, std::string> variables;
  const char* host;
  unsigned short port;
  bool tls;
  const char* base;
  const char* authorization;
};

TEST_F(PlaceTest, servers_of_argos_api) {
  const ServerCase cases[] = {
      {"TLS, unless it is said otherwise", {{"ARGO_SERVER", "h:2746"}}, "h", 2746, true, "", ""},
      {"plain text", {{"ARGO_SERVER", "h:2746"}, {"ARGO_SECURE", "false"}}, "h", 2746, false, "", ""},
      {"a scheme says it", {{"ARGO_SERVER", "http://h:2746/argo/"}}, "h", 2746, false, "/argo", ""},
      {"and TLS", {{"ARGO_SERVER", "https://h"}, {"ARGO_SECURE", "false"}}, "h", 443, true, "", ""},
      {"below a path", {{"ARGO_SERVER", "h:1"}, {"ARGO_BASE_HREF", "argo/"}}, "h", 1, true, "/argo", ""},
      {"the root is no path", {{"ARGO_SERVER", "h:1"}, {"ARGO_BASE_HREF", "/"}}, "h", 1, true, "", ""},
      {"a token", {{"ARGO_SERVER", "h:1"}, {"ARGO_TOKEN", "Bearer abc"}}, "h", 1, true, "", "Bearer abc"},
      {"a token alone", {{"ARGO_SERVER", "h:1"}, {"ARGO_TOKEN", "abc"}}, "h", 1, true, "", "Bearer abc"},
      {"a name and a password", {{"ARGO_SERVER", "h:1"}, {"ARGO_TOKEN", "Basic abc"}}, "h", 1, true, "", "Basic abc"},
      {"the kubeconfig's token",
       {{"ARGO_SERVER", "h:1"}, {"KUBECONFIG", kubeconfig()}},
       "h",
       1,
       true,
       "",
       "Bearer secret"},
  };
  Loop loop;
  for (const ServerCase& row : cases) {
    set(row.variables);
    const auto server = argo_server(loop, Place());
    ASSERT_TRUE(server) << row.rule << ": " << server.error().message;
    EXPECT_EQ(server->endpoint.host, row.host) << row.rule;
    EXPECT_EQ(server->endpoint.port, row.port) << row.rule;
    EXPECT_EQ(server->endpoint.tls != nullptr, row.tls) << row.rule;
    EXPECT_EQ(server->base_path, row.base) << row.rule;
    EXPECT_EQ(server->headers.empty() ? "" : server->headers.back().second, row.authorization) << row.rule;
  }
}

TEST_F(PlaceTest, grpc_unless_rest_is_asked_for) {
  const struct {
    const char* rule;
    std::map<std::string, std::string> variables;
    bool grpc;
  } cases[] = {
      {"nothing is said", {{"ARGO_SERVER", "h:1"}}, true},
      {"the variable", {{"ARGO_SERVER", "h:1"}, {"ARGO_HTTP1", "true"}}, false},
      {"its other value", {{"ARGO_SERVER", "h:1"}, {"ARGO_HTTP1", "false"}}, true},
      {"a URL", {{"ARGO_SERVER", "https://h/"}}, true},
      {"a path in a URL, which gRPC cannot keep to", {{"ARGO_SERVER", "https://h/argo"}}, false},
      {"a path for REST, should it be asked for", {{"ARGO_SERVER", "h:1"}, {"ARGO_BASE_HREF", "/argo"}}, true},
  };
  Loop loop;
  for (const auto& row : cases) {
    set(row.variables);
    EXPECT_EQ(argo_server(loop, Place())->grpc, row.grpc) << row.rule;
  }
}

TEST_F(PlaceTest, the_own_server_is_known) {
  write("data/server.json", R"({"address": "127.0.0.1:2746", "token": "own"})");
  Loop loop;
  set({{"TIPHYS_DATA_DIR", folder_ + "/data"}, {"ARGO_SERVER", "localhost:2746"}});
  auto server = argo_server(loop, Place());
  ASSERT_TRUE(server);
  EXPECT_EQ(server->endpoint.tls, nullptr) << "it speaks plain text, too";
  EXPECT_EQ(server->headers.back().second, "Bearer own");
  set({{"TIPHYS_DATA_DIR", folder_ + "/data"}, {"ARGO_SERVER", "localhost:2747"}});
  server = argo_server(loop, Place());
  ASSERT_TRUE(server);
  EXPECT_NE(server->endpoint.tls, nullptr);
  EXPECT_TRUE(server->headers.empty()) << "the token is for its own server alone";
}

TEST_F(PlaceTest, headers_and_bad_flags) {
  Loop loop;
  Place place;
  place.argo_server = "h:1";
  place.headers = {"X-A: b:c,X-D:e"};
  const auto server = argo_server(loop, place);
  ASSERT_TRUE(server) << server.error().message;
  const std::vector<std::pair<std::string, std::string>> wanted{{"X-A", "b:c"}, {"X-D", "e"}};
  EXPECT_EQ(server->headers, wanted);
  place.headers = {"none"};
  EXPECT_THAT(argo_server(loop, place).error().message, HasSubstr("NAME: VALUE"));
  place.headers.clear();
  place.certificate_authority = folder_ + "/none.pem";
  EXPECT_THAT(argo_server(loop, place).error().message, HasSubstr("--certificate-authority"));
  place = Place();
  place.argo_server = "nowhere:port";
  EXPECT_THAT(argo_server(loop, place).error().message, HasSubstr("HOST:PORT"));
}

TEST_F(PlaceTest, a_cluster_by_flags_alone) {
  Place place;
  place.server = "https://h:6443";
  place.token = "t";
  EXPECT_EQ(place.kind().value(), PlaceKind::kKubernetes);
  const auto access = kubernetes_access(place);
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->server, "https://h:6443");
  EXPECT_EQ(access->user.token, "t");
}

TEST_F(PlaceTest, parts_of_a_kubeconfig_are_chosen) {
  Place place;
  place.kubeconfig.file = kubeconfig();
  EXPECT_EQ(kubernetes_access(place)->server, "https://a:6443");
  place.kubeconfig.context = "two";
  EXPECT_EQ(kubernetes_access(place)->server, "https://b:6443");
  place.cluster = "a";
  place.user = "v";
  EXPECT_EQ(kubernetes_access(place)->server, "https://a:6443");
  EXPECT_EQ(kubernetes_access(place)->user.token, "other");
  place.token = "Bearer mine";
  EXPECT_EQ(kubernetes_access(place)->user.token, "mine");
  place.as_groups = {"g"};
  EXPECT_THAT(kubernetes_access(place).error().message, HasSubstr("--as"));
  place.as = "somebody";
  EXPECT_EQ(kubernetes_access(place)->acts_as.name, "somebody");
  for (const auto& [text, seconds] : {std::pair("0", 0), {"5", 5}, {"2m", 120}, {"1500ms", 2}}) {
    place.request_timeout = text;
    EXPECT_EQ(kubernetes_access(place)->request_timeout.count(), seconds) << text;
  }
  place.request_timeout = "soon";
  EXPECT_THAT(kubernetes_access(place).error().message, HasSubstr("--request-timeout"));
  place.request_timeout.clear();
  place.client_key = kubeconfig();
  EXPECT_THAT(kubernetes_access(place).error().message, HasSubstr("--client-certificate"));
  place.client_key.clear();
  place.user = "nobody";
  EXPECT_THAT(kubernetes_access(place).error().message, HasSubstr("nobody"));
}

}  // namespace
}  // namespace tiphys::cli
