// Tokens of pods in a plane that serves its API.
#include <gmock/gmock.h>

#include <set>

#include "base/simulated_executor.h"
#include "node/agent/agent_testing.h"

namespace tiphys::node {
namespace {

using testing::FakeCluster;
using testing::FakeRuntime;
using ::testing::HasSubstr;
using testing::read_file;
using testing::TempFolder;

/// Signs with the number of the token; some fail.
class FakeApi final : public ApiAccess {
 public:
  explicit FakeApi(Executor& executor) : executor_(executor) {}

  std::string authority() const override { return "authority"; }
  Result<std::string> sign(const TokenOwner&, const std::string&, std::chrono::seconds) const override {
    asked.push_back(executor_.now());
    if (failing.contains(asked.size())) return fail(Code::kUnavailable, "no key");
    return fmt::format("token {}", asked.size());
  }
  bool has_rights(std::string_view, std::string_view) const override { return true; }

  mutable std::vector<Time> asked;
  std::set<std::size_t> failing;  ///< which of them, from 1

 private:
  Executor& executor_;
};

/// A pod with a token, in a plane that serves its API.
class AgentWithApi : public ::testing::Test {
 protected:
  void start() {
    AgentOptions options;
    options.pods_dir = folder_.path() + "/pods";
    options.claims_dir = folder_.path() + "/claims";
    options.node_name = "laptop";
    options.runtimes = {&runtime_};
    options.http = http_.get();
    options.relay = &relay_;
    options.api = &api_;
    agent_.emplace(context_, executor_, cluster_, stores_, std::move(options));
    cluster_.put(cluster::kServiceAccounts,
                 doc::Object{{"metadata", doc::Object{{"namespace", "default"}, {"name", "default"}, {"uid", "u"}}}});
    cluster_.put(
        cluster::kPods,
        doc::Object{{"metadata", doc::Object{{"namespace", "default"}, {"name", "a"}, {"uid", "uid-a"}}},
                    {"spec", doc::Object{{"containers",
                                          doc::Array{doc::Object{{"name", "main"}, {"command", doc::Array{"x"}}}}}}}});
    agent_->start();
    ASSERT_TRUE(executor_.run_until([&] { return runtime_.containers.contains("uid-a.main"); }));
    ASSERT_TRUE(runtime_.containers.contains("uid-a.main"));
    runtime_.run("uid-a.main");
  }

  const TempFolder folder_;
  boost::asio::io_context context_;
  SimulatedExecutor executor_;
  FakeCluster cluster_{executor_};
  FakeRuntime runtime_{executor_};
  ServiceRelay relay_;
  const std::unique_ptr<web::HttpClient> http_ = web::make_http_client(executor_, {});
  const std::unique_ptr<artifact::Repository> repository_ =
      artifact::make_folder_repository(folder_.path() + "/artifacts");
  const artifact::Stores stores_{*repository_};
  FakeApi api_{executor_};
  std::optional<Agent> agent_;
};

TEST_F(AgentWithApi, ATokenThatIsNotRenewedIsTriedAgain) {
  api_.failing = {2, 3};
  start();
  ASSERT_TRUE(executor_.run_until([&] { return api_.asked.size() == 5; }));
  ASSERT_EQ(api_.asked.size(), 5U);
  const Duration usual = std::chrono::seconds(3607) * 4 / 5;
  EXPECT_EQ(api_.asked[1] - api_.asked[0], usual);
  EXPECT_EQ(api_.asked[2] - api_.asked[1], std::chrono::minutes(1));
  EXPECT_EQ(api_.asked[3] - api_.asked[2], std::chrono::minutes(1));
  EXPECT_EQ(api_.asked[4] - api_.asked[3], usual);
  EXPECT_EQ(read_file(folder_.path() + "/pods/uid-a/service-account/token"), "token 5");
}

TEST_F(AgentWithApi, WhereTheRuntimeHoldsFilesNoneIsOnDisk) {
  runtime_.holds = true;
  start();
  const ContainerSpec& spec = runtime_.containers.at("uid-a.main").spec;
  EXPECT_TRUE(spec.mounts.empty());
  ASSERT_EQ(spec.held.size(), 2U);
  EXPECT_EQ(spec.held[0], (HeldFiles{std::string(kAccountFolder),
                                     {{"ca.crt", "authority"}, {"namespace", "default"}, {"token", "token 1"}}}));
  EXPECT_EQ(spec.held[1].path, kHostsFile);
  EXPECT_THAT(spec.held[1].files.front().content, HasSubstr("127.0.0.1\ta\n"));
  ASSERT_TRUE(executor_.run_until([&] { return runtime_.renewed.size() == 1; }));
  ASSERT_EQ(runtime_.renewed.size(), 1U);
  EXPECT_EQ(runtime_.renewed[0].first, "uid-a.main");
  EXPECT_EQ(runtime_.renewed[0].second.path, kAccountFolder);
  EXPECT_EQ(runtime_.renewed[0].second.files.back().content, "token 2");
  EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/pods/uid-a"));
}

}  // namespace
}  // namespace tiphys::node
