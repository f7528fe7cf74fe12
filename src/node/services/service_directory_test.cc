#include "node/services/service_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/testing.h"

namespace tiphys::node {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

class ServiceDirectoryTest : public testing::Test {
 protected:
  void make(const std::string& ns, const std::string& name) {
    ASSERT_TRUE(store_.create(
        cluster::kServices, *doc::parse_json(R"({"metadata": {"namespace": ")" + ns + R"(", "name": ")" + name +
                                             R"("}, "spec": {"clusterIP": "127.96.0.9", "ports": [{"port": 80}]}})")));
    store_.run();
  }
  std::shared_ptr<ServiceDirectory> begin(bool serves_api = true) {
    auto made = std::make_shared<ServiceDirectory>(store_.executor(), store_.store(), serves_api);
    made->start();
    return made;
  }

  store::TestStore store_;
};

TEST_F(ServiceDirectoryTest, KnowsWhatThereIsAndFollowsIt) {
  make("default", "a");
  const auto directory = begin();
  bool synced = false;
  directory->when_synced([&] { synced = true; });
  std::vector<std::string> told;
  directory->listen([&](const auto& name) { told.push_back(name.second); });
  store_.run();
  EXPECT_TRUE(synced);
  EXPECT_NE(directory->find({"default", "a"}), nullptr);
  make("default", "b");
  ASSERT_TRUE(store_.remove({&cluster::kServices, "default", "a"}));
  store_.run();
  EXPECT_EQ(directory->find({"default", "a"}), nullptr);
  EXPECT_THAT(told, ElementsAre("a", "b", "a"));
}

TEST_F(ServiceDirectoryTest, VariablesAreOfThePodsNamespaceAndOfTheApi) {
  make("default", "kubernetes");
  make("default", "a");
  make("other", "b");
  const auto directory = begin();
  store_.run();
  struct Row {
    const char* ns;
    bool links;
    std::vector<std::string> hosts;
  };
  const Row rows[] = {{"default", true, {"A_SERVICE_HOST", "KUBERNETES_SERVICE_HOST"}},
                      {"default", false, {"KUBERNETES_SERVICE_HOST"}},
                      {"other", true, {"KUBERNETES_SERVICE_HOST", "B_SERVICE_HOST"}},
                      {"third", true, {"KUBERNETES_SERVICE_HOST"}}};
  for (const Row& row : rows) {
    std::vector<std::string> hosts;
    for (const auto& [name, value] : directory->variables(row.ns, row.links)) {
      if (name.ends_with("_SERVICE_HOST")) hosts.push_back(name);
    }
    EXPECT_EQ(hosts, row.hosts) << row.ns << row.links;
  }
}

TEST_F(ServiceDirectoryTest, TheApisServiceCountsOnlyWhereItIsServed) {
  make("default", "kubernetes");
  const auto directory = begin();
  const auto without = begin(false);
  store_.run();
  EXPECT_FALSE(directory->has_others());
  EXPECT_THAT(directory->variables("default", true), Not(IsEmpty()));
  EXPECT_THAT(without->variables("default", true), IsEmpty());
  make("default", "a");
  EXPECT_TRUE(directory->has_others());
}

}  // namespace
}  // namespace tiphys::node
