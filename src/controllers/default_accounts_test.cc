#include "controllers/default_accounts.h"

#include <gtest/gtest.h>

#include "store/testing.h"

namespace tiphys::controllers {
namespace {

TEST(DefaultAccounts, AreInEachNamespace) {
  store::TestStore store;
  const auto has_account = [&](const char* ns) { return store->has({&cluster::kServiceAccounts, ns, "default"}); };
  DefaultAccounts accounts(store.executor(), store.store(), "");
  accounts.start();
  store.run();
  EXPECT_TRUE(has_account("default")) << "in one that there was";
  ASSERT_TRUE(store.create(cluster::kNamespaces, doc::Object{{"metadata", doc::Object{{"name", "later"}}}}));
  store.run();
  EXPECT_TRUE(has_account("later"));

  DefaultAccounts again(store.executor(), store.store(), "");
  again.start();
  store.run();
  EXPECT_EQ(store.list(cluster::kServiceAccounts)->items.size(), 2u) << "a start makes none twice";
}

TEST(DefaultAccounts, TheCertificateIsInEachNamespaceAndFollowsThePlane) {
  store::TestStore store;
  const auto published = [&](const char* ns) {
    const auto found = store->newest({&cluster::kConfigMaps, ns, "kube-root-ca.crt"});
    return found && *found ? std::string(doc::find_string(**found, "data", "ca.crt")) : "none";
  };
  {
    DefaultAccounts accounts(store.executor(), store.store(), "first");
    accounts.start();
    store.run();
    EXPECT_EQ(published("default"), "first");
  }
  DefaultAccounts again(store.executor(), store.store(), "second");
  again.start();
  store.run();
  EXPECT_EQ(published("default"), "second");
}

}  // namespace
}  // namespace tiphys::controllers
