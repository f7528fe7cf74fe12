#include "node/agent/pod_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "node/agent/shown_files.h"
#include "node/testing.h"

namespace tiphys::node {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

class FakeApi final : public ApiAccess {
 public:
  std::string authority() const override { return "CERTIFICATE"; }
  Result<std::string> sign(const TokenOwner& owner, const std::string& audience,
                           std::chrono::seconds lifetime) const override {
    return fmt::format("{} of {}/{} for {}, {}s, {}", owner.account, owner.ns, owner.pod,
                       audience.empty() ? "the API" : audience, lifetime.count(), ++signed_);
  }
  bool has_rights(std::string_view, std::string_view) const override { return true; }

 private:
  mutable int signed_ = 0;
};

const TokenOwner kOwner{.ns = "default", .account = "robot", .account_uid = "a", .pod = "p", .pod_uid = "u"};

class PodTokensTest : public ::testing::Test {
 protected:
  const testing::TempFolder folder_;
  const PodPlace place_{.dir = folder_.path() + "/pod"};
  const FakeApi api_;
};

TEST_F(PodTokensTest, TheUsualFolderHasWhatClientsLookFor) {
  const auto token = make_account_folder(place_, "default", api_);
  ASSERT_TRUE(token) << token.error().message;
  ASSERT_TRUE(write_tokens({*token}, kOwner, api_));
  const std::string folder = account_folder(place_);
  EXPECT_EQ(testing::read_file(folder + "/ca.crt"), "CERTIFICATE");
  EXPECT_EQ(testing::read_file(folder + "/namespace"), "default");
  EXPECT_EQ(testing::read_file(folder + "/token"), "robot of default/p for the API, 31536000s, 1");
  ASSERT_TRUE(write_tokens({*token}, kOwner, api_));
  EXPECT_THAT(testing::read_file(folder + "/token"), HasSubstr(", 2"));
  EXPECT_FALSE(std::filesystem::exists(folder + "/token.new"));
  remove_account_folder(place_);
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST_F(PodTokensTest, ARuntimeThatHoldsFilesGetsTheSame) {
  const auto files = account_files(kOwner, api_);
  ASSERT_TRUE(files);
  EXPECT_EQ(*files, (HeldFiles{std::string(kAccountFolder),
                               {{"ca.crt", "CERTIFICATE"},
                                {"namespace", "default"},
                                {"token", "robot of default/p for the API, 31536000s, 1"}}}));
}

TEST(ShownFiles, AreWhereAContainerHasNothingOfItsOwn) {
  PodContainers made;
  made.init.resize(1);
  made.containers.resize(2);
  made.containers[1].mounts.push_back({.host_path = "/x", .path = "/there"});
  mount_in_all(made, {.host_path = "/y", .path = "/there", .read_only = true});
  ASSERT_EQ(made.init[0].mounts.size(), 1U);
  EXPECT_EQ(made.init[0].mounts[0].host_path, "/y");
  EXPECT_TRUE(made.init[0].mounts[0].read_only);
  ASSERT_EQ(made.containers[0].mounts.size(), 1U);
  ASSERT_EQ(made.containers[1].mounts.size(), 1U);
  EXPECT_EQ(made.containers[1].mounts[0].host_path, "/x");
  hold_in_all(made, {"/there", {{"token", "t"}}});
  hold_in_all(made, {"/elsewhere", {{"token", "t"}}});
  ASSERT_EQ(made.containers[1].held.size(), 1U);
  EXPECT_EQ(made.containers[1].held[0].path, "/elsewhere");
}

TEST_F(PodTokensTest, ProjectedOnesAreAsTheirSourceSays) {
  struct Row {
    const char* rule;
    const char* source;
    const char* audience;
    std::chrono::seconds lifetime;
  };
  for (const Row& row : {Row{"an hour for the API", R"({"path": "t"})", "", 3600s},
                         Row{"for others", R"({"path": "t", "audience": "vault"})", "vault", 3600s},
                         Row{"for as long", R"({"path": "t", "expirationSeconds": 600})", "", 600s}}) {
    const auto files = projected_tokens(
        *doc::parse_json(std::string(R"({"spec": {"volumes": [{"name": "plain", "emptyDir": {}}, {"name": "v",
            "projected": {"defaultMode": 256, "sources": [{"secret": {"name": "s"}}, {"serviceAccountToken": )") +
                         row.source + "}]}}]}}"),
        place_);
    ASSERT_TRUE(files) << row.rule;
    ASSERT_EQ(files->size(), 1U) << row.rule;
    EXPECT_EQ(files->front().path, place_.dir + "/volumes/v/t") << row.rule;
    EXPECT_EQ(files->front().audience, row.audience) << row.rule;
    EXPECT_EQ(files->front().lifetime, row.lifetime) << row.rule;
    EXPECT_EQ(files->front().valid, row.lifetime) << row.rule;
    ASSERT_TRUE(write_tokens(*files, kOwner, api_));
    struct stat about{};
    ASSERT_EQ(::stat(files->front().path.c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 07777U, 0400U);
  }
}

TEST_F(PodTokensTest, TooShortALifeIsRefused) {
  const auto files = projected_tokens(
      *doc::parse_json(
          R"({"spec": {"volumes": [{"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 5}}]}}]}})"),
      place_);
  ASSERT_FALSE(files);
  EXPECT_THAT(files.error().message, HasSubstr("expirationSeconds must be at least 600"));
}

TEST(RefreshAfter, IsBeforeTheShortestEnds) {
  EXPECT_EQ(refresh_after({{.lifetime = 1000s}, {.lifetime = 600s}}), 480s);
  EXPECT_EQ(refresh_after({{.lifetime = 240h}}), 24h);
  EXPECT_EQ(refresh_after({}, true), 3607s * 4 / 5);
}

}  // namespace
}  // namespace tiphys::node
