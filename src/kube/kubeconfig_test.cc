#include "kube/kubeconfig.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace tiphys::kube {
namespace {

using testing::HasSubstr;

class KubeconfigTest : public testing::Test {
 protected:
  KubeconfigTest() {
    std::string name = testing::TempDir() + "/kubeconfig.XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~KubeconfigTest() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path;
  }
  Result<Access> find(const std::string& file, const std::string& context = "") {
    return find_access({.file = file, .context = context}, {});
  }
  std::filesystem::path folder_;
};

constexpr const char* kContext = R"(
current-context: here
contexts: [{name: here, context: {cluster: c, user: u, namespace: team}}]
)";

std::string config(const std::string& cluster, const std::string& user) {
  return fmt::format("{}clusters:\n- name: c\n  cluster: {}\nusers:\n- name: u\n  user: {}\n", kContext, cluster, user);
}

TEST_F(KubeconfigTest, TellsWhereTheClusterIsAndWhoAsks) {
  write("ca.crt", "the authority");
  const auto access = find(write(
      "config",
      config(
          "{server: 'https://k:6443', certificate-authority: ca.crt, tls-server-name: kube, proxy-url: 'http://p:1'}",
          "{client-certificate-data: Y2VydA==, client-key-data: a2V5, tokenFile: t}")));
  ASSERT_TRUE(access.has_value()) << access.error().message;
  EXPECT_EQ(access->server, "https://k:6443");
  EXPECT_EQ(access->ca, "the authority");
  EXPECT_EQ(access->tls_server_name, "kube");
  EXPECT_EQ(access->proxy_url, "http://p:1");
  EXPECT_EQ(access->ns, "team");
  EXPECT_EQ(access->context, "here");
  EXPECT_EQ(access->user.certificate, "cert");
  EXPECT_EQ(access->user.key, "key");
  EXPECT_EQ(access->user.token_file, folder_ / "t") << "paths are seen from the file";
}

TEST_F(KubeconfigTest, ReadsExecPlugins) {
  const auto access =
      find(write("config", config(R"({server: 'https://k', extensions: [
      {name: client.authentication.k8s.io/exec, extension: {audience: a}}]})",
                                  R"({exec: {apiVersion: client.authentication.k8s.io/v1, command: ./login,
      args: [-x, z], env: [{name: A, value: b}], interactiveMode: IfAvailable, provideClusterInfo: true}})")));
  ASSERT_TRUE(access.has_value()) << access.error().message;
  ASSERT_TRUE(access->user.exec.has_value());
  const ExecPlugin& exec = *access->user.exec;
  EXPECT_EQ(exec.command, folder_.string() + "/./login");
  EXPECT_EQ(exec.arguments, (std::vector<std::string>{"-x", "z"}));
  EXPECT_EQ(exec.environment.at(0), (std::pair<std::string, std::string>("A", "b")));
  EXPECT_TRUE(exec.provide_cluster_info);
  EXPECT_EQ(exec.cluster_config, R"({"audience":"a"})");
}

TEST_F(KubeconfigTest, MergesFiles) {
  const std::string first = write("one/config", R"(
current-context: b
users: [{name: u, user: {token: first}}]
contexts: [{name: a, context: {cluster: c, user: u}}]
)");
  const std::string second = write("two/config", R"(
current-context: a
users: [{name: u, user: {token: second}}]
clusters: [{name: c, cluster: {server: 'https://c', certificate-authority: ca}}]
contexts: [{name: b, context: {cluster: c, user: u, namespace: jobs}}]
)");
  write("two/ca", "pem");
  Surroundings surroundings{.kubeconfig = first + ":" + folder_.string() + "/none::" + second};
  auto access = find_access({}, surroundings);
  ASSERT_TRUE(access.has_value()) << access.error().message;
  EXPECT_EQ(access->context, "b") << "the first file's current-context counts";
  EXPECT_EQ(access->user.token, "first") << "the first file's entry counts, as a whole";
  EXPECT_EQ(access->ca, "pem") << "paths are seen from the file that has them";
  access = find_access({.context = "a"}, surroundings);
  ASSERT_TRUE(access.has_value());
  EXPECT_EQ(access->ns, "default");
}

TEST_F(KubeconfigTest, IsWithinAClusterWhenNothingElseIsSaid) {
  write("account/token", "secret\n");
  write("account/namespace", "jobs");
  write("account/ca.crt", "pem");
  Surroundings surroundings{.home = folder_, .service_host = "10.0.0.1", .service_port = "443"};
  surroundings.account = folder_ / "account";
  auto access = find_access({}, surroundings);
  ASSERT_TRUE(access.has_value()) << access.error().message;
  EXPECT_EQ(access->server, "https://10.0.0.1:443");
  EXPECT_EQ(access->ns, "jobs");
  EXPECT_EQ(access->ca, "pem");
  EXPECT_EQ(access->user.token_file, folder_ / "account/token");
  surroundings.service_host = "fd00::1";
  EXPECT_EQ(find_access({}, surroundings)->server, "https://[fd00::1]:443");
  write(".kube/config", config("{server: 'https://home'}", "{}"));
  EXPECT_EQ(find_access({}, surroundings)->server, "https://home");
  EXPECT_THAT(find_access({}, {}).error().message, HasSubstr("--kubeconfig"));
}

TEST_F(KubeconfigTest, NamesFileLineAndField) {
  struct Row {
    std::string name, text, message;
  };
  const std::string server = "{server: 'https://k'}";
  const std::vector<Row> rows{
      {"not YAML", "a: [", "config:"},
      {"a list", "- a", "config:1:1: a kubeconfig file holds a mapping"},
      {"two documents", "a: b\n---\nc: d", "one document"},
      {"another kind", "kind: Pod", "config:1:1: kind: it must be Config, not Pod"},
      {"no current context", "contexts: []", "current-context is not set"},
      {"an unknown context", "current-context: x\ncontexts: []", "there is no context \"x\""},
      {"an unknown cluster", kContext, "config:3:35: contexts[0].context.cluster: there is no cluster \"c\""},
      {"no server", config("{}", "{}"), "config:6:3: clusters[0].cluster: it has no \"server\""},
      {"a wrong type", config("{server: 1}", "{}"), "config:6:13: clusters[0].cluster.server: it must be a string"},
      {"a wrong flag", config("{server: s, insecure-skip-tls-verify: 'yes'}", "{}"), "it must be true or false"},
      {"broken base64", config("{server: s, certificate-authority-data: '%'}", "{}"), "illegal base64"},
      {"a missing file", config("{server: s, certificate-authority: nowhere}", "{}"),
       "clusters[0].cluster.certificate-authority: "},
      {"both of insecure and an authority",
       config("{server: s, insecure-skip-tls-verify: true, certificate-authority-data: YQ==}", "{}"),
       "only one of both"},
      {"a provider", config(server, "{auth-provider: {name: gcp}}"),
       "users[0].user.auth-provider: kubectl has no such"},
      {"acting as another", config(server, "{as: root}"), "users[0].user.as: "},
      {"a certificate without key", config(server, "{client-certificate-data: YQ==}"), "needs its key"},
      {"two ways in", config(server, "{token: a, username: b}"), "only one of both"},
      {"an old plugin", config(server, "{exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: c}}"),
       "exec.apiVersion: it must be client.authentication.k8s.io/v1 or"},
      {"a plugin without program", config(server, "{exec: {apiVersion: client.authentication.k8s.io/v1beta1}}"),
       "exec.command: it is needed"},
      {"a plugin that asks",
       config(server, "{exec: {apiVersion: client.authentication.k8s.io/v1, command: c, interactiveMode: Always}}"),
       "exec.interactiveMode: "},
      {"a name twice",
       std::string(kContext) + "clusters: [{name: c, cluster: {server: a}}, {name: c, cluster: {server: b}}]",
       "clusters[1].name: there is another cluster \"c\" in this file"},
  };
  for (const Row& row : rows) {
    const auto access = find(write("config", row.text));
    ASSERT_FALSE(access.has_value()) << row.name;
    EXPECT_THAT(access.error().message, HasSubstr(row.message)) << row.name;
  }
  EXPECT_EQ(find(folder_ / "none").error().code, Code::kNotFound) << "a file that is named must be there";
}

}  // namespace
}  // namespace tiphys::kube
