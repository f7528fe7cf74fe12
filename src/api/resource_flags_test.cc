#include "api/resource_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tiphys::api {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ResourceFlags, OfDeletionsAreTakenTogether) {
  struct Case {
    const char* rule;
    std::vector<std::string> flags;
    int grace_seconds;
    bool force, wait;
  };
  for (const auto& [rule, words, grace, force, wait] : {
           Case{"pods have their own time", {"pod", "a"}, -1, false, true},
           Case{"a time", {"pod", "a", "--grace-period", "5"}, 5, false, true},
           Case{"none takes force", {"pod", "a", "--grace-period=0"}, 1, false, true},
           Case{"with force", {"pod", "a", "--grace-period=0", "--force"}, 0, true, true},
           Case{"force gives none", {"pod", "a", "--force=true"}, 0, true, true},
           Case{"no force", {"pod", "a", "--force=false"}, -1, false, true},
           Case{"now", {"pod", "a", "--now"}, 1, false, true},
           Case{"nobody waits", {"pod", "a", "--wait=false"}, -1, false, false},
           Case{"as it is anyway", {"pod", "a", "--cascade=background", "--wait"}, -1, false, true},
       }) {
    const auto flags = read_resource_flags(words);
    ASSERT_TRUE(flags.has_value()) << rule << ": " << flags.error().message;
    EXPECT_EQ(flags->grace_seconds, grace) << rule;
    EXPECT_EQ(flags->force, force) << rule;
    EXPECT_EQ(flags->wait, wait) << rule;
    EXPECT_THAT(flags->idle, IsEmpty()) << rule;
    EXPECT_EQ(flags->objects.at(0).name, "a") << rule;
  }
}

TEST(ResourceFlags, ThatChangeNothingAreTold) {
  const auto flags = read_resource_flags({"--validate=false", "--field-manager", "me", "pod", "x", "-o", "yaml"});
  ASSERT_TRUE(flags.has_value()) << flags.error().message;
  EXPECT_THAT(flags->idle, ElementsAre("--validate=false", "--field-manager", "-o"));
  EXPECT_EQ(flags->objects.at(0).name, "x");
}

TEST(ResourceFlags, RefusalsSayWhy) {
  struct Case {
    std::vector<std::string> flags;
    const char* error;
  };
  for (const auto& [words, error] : {
           Case{{"--now", "--grace-period=3"}, "--now and --grace-period cannot be specified together"},
           Case{{"--force", "--grace-period=3"},
                "--force and --grace-period greater than 0 cannot be specified together"},
           Case{{"--cascade=orphan"},
                "--cascade=orphan is not supported yet: what the object owns goes with it, in the background"},
           Case{{"--dry-run=server"}, "--dry-run=server is not supported yet: the step is there to do it"},
           Case{{"--context", "x"}, "--context is not supported yet: the plane is the only server"},
           Case{{"--prune"}, "--prune is not supported yet"},
       }) {
    const auto flags = read_resource_flags(words);
    ASSERT_FALSE(flags.has_value()) << error;
    EXPECT_EQ(flags.error().message, std::string("resource.flags: ") + error);
  }
}

}  // namespace
}  // namespace tiphys::api
