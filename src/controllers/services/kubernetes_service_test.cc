#include "controllers/services/kubernetes_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/testing.h"

namespace tiphys::controllers {
namespace {

class KubernetesServiceTest : public testing::Test {
 protected:
  std::shared_ptr<KubernetesService> begin(std::int64_t target_port) {
    auto made = std::make_shared<KubernetesService>(
        store_.executor(), store_.store(),
        KubernetesServiceOptions{.address = "127.96.0.9", .port = 443, .target_port = target_port});
    ready_ = false;
    made->start([this] { ready_ = true; });
    store_.run();
    EXPECT_TRUE(ready_);
    return made;
  }
  std::string at(const cluster::Resource& resource, const char* member) {
    const auto object = store_.store().newest({&resource, "default", "kubernetes"});
    return object && *object ? doc::to_json((*object)->at(member)) : "none";
  }

  store::TestStore store_;
  bool ready_ = false;
};

TEST_F(KubernetesServiceTest, IsMadeAndMadeRight) {
  auto service = begin(2746);
  EXPECT_THAT(at(cluster::kServices, "spec"), testing::HasSubstr(R"("clusterIP":"127.96.0.9")"));
  EXPECT_THAT(at(cluster::kServices, "spec"),
              testing::HasSubstr(R"([{"name":"https","port":443,"protocol":"TCP","targetPort":2746}])"));
  EXPECT_EQ(at(cluster::kEndpoints, "subsets"),
            R"([{"addresses":[{"ip":"127.0.0.1"}],"ports":[{"name":"https","port":2746,"protocol":"TCP"}]}])");
  EXPECT_EQ(at(cluster::kEndpointSlices, "endpoints"), R"([{"addresses":["127.0.0.1"],"conditions":{"ready":true}}])");
  // The next server has another port.
  service.reset();
  service = begin(3000);
  EXPECT_THAT(at(cluster::kServices, "spec"), testing::HasSubstr("3000"));
  EXPECT_THAT(at(cluster::kEndpoints, "subsets"), testing::HasSubstr("3000"));
  EXPECT_THAT(at(cluster::kEndpointSlices, "ports"), testing::HasSubstr("3000"));
}

TEST_F(KubernetesServiceTest, ComesBackWhenItIsDeleted) {
  const auto service = begin(2746);
  for (const auto* resource : {&cluster::kServices, &cluster::kEndpoints, &cluster::kEndpointSlices}) {
    ASSERT_TRUE(store_.remove({resource, "default", "kubernetes"}));
    store_.run();
    EXPECT_TRUE(store_.store().has({resource, "default", "kubernetes"})) << resource->kind;
  }
}

}  // namespace
}  // namespace tiphys::controllers
