#include "node/agent/service_accounts.h"

#include <gtest/gtest.h>

#include "base/simulated_executor.h"
#include "node/agent/fake_cluster.h"
#include "store/testing.h"

namespace tiphys::node {
namespace {

TEST(HasToken, IsWhatPodAndAccountSay) {
  struct Row {
    const char* rule;
    const char* pod;
    std::optional<bool> account;
    bool rights;
    bool expected;
  };
  const char* plain = R"({"spec": {}})";
  const char* step = R"({"metadata": {"labels": {"workflows.argoproj.io/workflow": "w"}}, "spec": {}})";
  const char* wanted_step = R"({"metadata": {"labels": {"workflows.argoproj.io/workflow": "w"}},
                                "spec": {"automountServiceAccountToken": true}})";
  const char* refused = R"({"spec": {"automountServiceAccountToken": false}})";
  const char* wanted = R"({"spec": {"automountServiceAccountToken": true}})";
  const Row rows[] = {
      {"pods have one", plain, std::nullopt, false, true},
      {"the account says no", plain, false, true, false},
      {"the pod says no", refused, true, true, false},
      {"the pod says yes where the account says no", wanted, false, false, true},
      {"steps have none that is of no use", step, std::nullopt, false, false},
      {"steps have one where the account has rights", step, std::nullopt, true, true},
      {"steps have one where the account says so", step, true, false, true},
      {"steps have none where the account says no", step, false, true, false},
      {"steps have one that say so", wanted_step, std::nullopt, false, true},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(has_token(*doc::parse_json(row.pod), {.uid = "u", .automount = row.account}, row.rights), row.expected)
        << row.rule;
  }
}

TEST(AccountOf, IsTheDefaultOneWithoutAName) {
  EXPECT_EQ(account_of(*doc::parse_json("{}")), "default");
  EXPECT_EQ(account_of(*doc::parse_json(R"({"spec": {"serviceAccountName": "robot"}})")), "robot");
}

TEST(ServiceAccounts, AreFollowed) {
  store::TestStore store;
  const auto put = [&](const char* text) {
    ASSERT_TRUE(store.create(cluster::kServiceAccounts, *doc::parse_json(text)));
    store.run();
  };
  put(R"({"metadata": {"namespace": "default", "name": "a"}})");
  const auto accounts = std::make_shared<ServiceAccounts>(store.executor(), store.store());
  accounts->start();
  bool synced = false;
  accounts->when_synced([&] { synced = true; });
  store.run();
  EXPECT_TRUE(synced);
  put(R"({"metadata": {"namespace": "default", "name": "b"}, "automountServiceAccountToken": false})");
  ASSERT_TRUE(accounts->find("default", "a"));
  EXPECT_FALSE(accounts->find("default", "a")->uid.empty());
  EXPECT_EQ(accounts->find("default", "a")->automount, std::nullopt);
  EXPECT_EQ(accounts->find("default", "b")->automount, false);
  EXPECT_EQ(accounts->find("other", "b"), nullptr);
  ASSERT_TRUE(store.remove({&cluster::kServiceAccounts, "default", "b"}));
  store.run();
  EXPECT_EQ(accounts->find("default", "b"), nullptr);
}

TEST(ServiceAccounts, AreKnownWhileAWatchBeginsAnew) {
  SimulatedExecutor executor;
  testing::FakeCluster cluster(executor);
  const auto put = [&](const char* name) {
    cluster.put(cluster::kServiceAccounts,
                doc::Object{{"metadata", doc::Object{{"namespace", "default"}, {"name", name}, {"uid", name}}}});
  };
  put("stays");
  put("goes");
  const auto accounts = std::make_shared<ServiceAccounts>(executor, cluster);
  accounts->start();
  executor.run_ready();
  cluster.end_watches(cluster::kServiceAccounts);
  cluster.remove({&cluster::kServiceAccounts, "default", "goes"}, {}, [](const auto&) {});
  EXPECT_TRUE(executor.step());
  EXPECT_TRUE(accounts->find("default", "stays")) << "until the new watch has told what there is";
  cluster.end_watches(cluster::kServiceAccounts);
  EXPECT_TRUE(accounts->find("default", "stays")) << "a watch may end before it has told";
  executor.run_ready();
  EXPECT_TRUE(accounts->find("default", "stays"));
  EXPECT_FALSE(accounts->find("default", "goes"));
  put("comes");
  executor.run_ready();
  EXPECT_TRUE(accounts->find("default", "comes"));
}

}  // namespace
}  // namespace tiphys::node
