#include "store/vault.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "store/sqlite.h"
#include "store/testing.h"

namespace tiphys::store {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kPassword = "correct horse battery staple";

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

TEST(Vault, OpensWhatItHasSealed) {
  const TempDir dir;
  Vault vault(dir.path() + "/key");
  const auto sealed = vault.seal(kPassword, "uid-1");
  ASSERT_TRUE(sealed) << sealed.error().message;
  EXPECT_TRUE(Vault::is_sealed(*sealed));
  EXPECT_THAT(*sealed, Not(HasSubstr("horse")));
  EXPECT_NE(*vault.seal(kPassword, "uid-1"), *sealed) << "each time with a nonce of its own";
  EXPECT_EQ(*Vault(dir.path() + "/key").open(*sealed, "uid-1"), kPassword) << "the key is kept";

  EXPECT_EQ(vault.open(*sealed, "uid-2").error().code, Code::kDataLoss) << "it is another object's";
  std::string changed = *sealed;
  changed[changed.size() - 8] = changed[changed.size() - 8] == 'A' ? 'B' : 'A';
  EXPECT_EQ(vault.open(changed, "uid-1").error().code, Code::kDataLoss);
  EXPECT_EQ(vault.open(sealed->substr(0, 30), "uid-1").error().code, Code::kDataLoss);
}

TEST(Vault, TellsWhichKeyIsMissing) {
  const TempDir dir;
  const std::string path = dir.path() + "/key";
  const auto sealed = Vault(path).seal(kPassword, "uid-1");
  ASSERT_TRUE(sealed);
  std::filesystem::rename(path, path + ".old");
  EXPECT_THAT(Vault(path).open(*sealed, "uid-1").error().message, HasSubstr(path + ", is gone: put it back"));
  EXPECT_FALSE(std::filesystem::exists(path)) << "reading makes no key";
  Vault other(path);
  ASSERT_TRUE(other.seal("x", "uid-1"));
  EXPECT_THAT(other.open(*sealed, "uid-1").error().message, HasSubstr("another key"));
  std::ofstream(path) << "no key";
  EXPECT_THAT(Vault(path).open(*sealed, "uid-1").error().message, HasSubstr(path + " is no key"));
}

class SealedStoreTest : public testing::Test {
 protected:
  TestStore::Options options(bool with_key) const {
    return {.path = path_, .secrets_key = with_key ? dir_.path() + "/secrets.key" : ""};
  }
  static void create(TestStore& store, const cluster::Resource& resource) {
    EXPECT_TRUE(store.create(resource, doc::Object{{"metadata", doc::Object{{"name", "a"}, {"namespace", "default"}}},
                                                   {"data", doc::Object{{"password", kPassword}}}}));
  }
  static std::string password(TestStore& store) {
    const auto object = store.get({&cluster::kSecrets, "default", "a"});
    return object ? std::string(doc::find_string(**object, "data", "password")) : object.error().message;
  }
  std::string on_disk() const { return read_file(path_) + read_file(path_ + "-wal"); }

  TempDir dir_;
  std::string path_ = dir_.path() + "/tiphys.db";
};

TEST_F(SealedStoreTest, KeepsSecretsOutOfTheDatabase) {
  {
    TestStore store(options(true));
    create(store, cluster::kSecrets);
    create(store, cluster::kConfigMaps);
    EXPECT_EQ(password(store), kPassword);
    std::string kept = on_disk();
    const auto at = kept.find(kPassword);
    ASSERT_NE(at, kept.npos) << "of the ConfigMap";
    EXPECT_EQ(kept.find(kPassword, at + 1), kept.npos) << "and of no other";
  }
  TestStore again(options(true));
  EXPECT_EQ(password(again), kPassword);
}

TEST_F(SealedStoreTest, SealsWhatAnOlderProgramWroteInClearText) {
  {
    TestStore store(options(false));
    create(store, cluster::kSecrets);
  }
  EXPECT_NE(on_disk().find(kPassword), std::string::npos);
  {
    auto database = Database::open(path_, SQLITE_OPEN_READWRITE);
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->execute("PRAGMA user_version = 3"));
  }
  {
    TestStore store(options(true));
    EXPECT_EQ(password(store), kPassword);
  }
  EXPECT_EQ(on_disk().find(kPassword), std::string::npos);
}

}  // namespace
}  // namespace tiphys::store
