#include "node/agent/hosts_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "store/testing.h"

namespace tiphys::node {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

doc::Value endpoints(std::string_view name, std::string_view addresses) {
  return *doc::parse_json(R"({"metadata": {"namespace": "default", "name": ")" + std::string(name) +
                          R"("}, "subsets": [{"addresses": )" + std::string(addresses) + "}]}");
}

TEST(HostsText, NamesPodsAndServices) {
  std::map<cluster::Key, cluster::Object> all;
  all[{&cluster::kEndpoints, "default", "web"}] = std::make_shared<const doc::Value>(
      endpoints("web", R"([{"ip": "10.0.0.1", "hostname": "web-0"}, {"ip": "10.0.0.2"}])"));
  EXPECT_EQ(hosts_text({.path = "",
                        .ns = "default",
                        .hostname = "p",
                        .subdomain = "web",
                        .others = "127.0.0.1\tlocalhost\n",
                        .address = "10.0.0.9"},
                       {}, all),
            "127.0.0.1\tlocalhost\n"
            "10.0.0.9\tp.web.default.svc.cluster.local p\n"
            "10.0.0.1\tweb-0.web web-0.web.default web-0.web.default.svc web-0.web.default.svc.cluster.local\n"
            "10.0.0.1\tweb web.default web.default.svc web.default.svc.cluster.local\n"
            "10.0.0.2\tweb web.default web.default.svc web.default.svc.cluster.local\n");
  EXPECT_THAT(
      hosts_text({.path = "", .ns = "other", .hostname = "p", .subdomain = "", .others = "", .address = ""}, {}, all),
      Not(HasSubstr("\tweb ")));
}

TEST(HostsText, WhereAServiceAnswersItsNameStandsForItsAddress) {
  std::map<cluster::Key, cluster::Object> all;
  for (const char* name : {"web", "headless"}) {
    all[{&cluster::kEndpoints, "default", name}] =
        std::make_shared<const doc::Value>(endpoints(name, R"([{"ip": "10.0.0.1"}])"));
  }
  const std::map<ServiceDirectory::Name, ServiceRecord> services{
      {{"default", "web"}, {.ns = "default", .name = "web", .uid = "u", .address = "127.96.0.7"}},
      {{"default", "headless"}, {.ns = "default", .name = "headless", .uid = "v"}}};
  HostsPlace place{.path = "", .ns = "default", .reaches_services = true};
  EXPECT_EQ(hosts_text(place, services, all),
            "127.96.0.7\tweb web.default web.default.svc web.default.svc.cluster.local\n"
            "10.0.0.1\theadless headless.default headless.default.svc headless.default.svc.cluster.local\n");
  place.reaches_services = false;
  EXPECT_THAT(hosts_text(place, services, all), HasSubstr("10.0.0.1\tweb "));
}

class HostsFilesTest : public testing::Test {
 protected:
  std::unique_ptr<HostsFiles::Use> use() {
    std::unique_ptr<HostsFiles::Use> got;
    files_->use({.path = path_, .ns = "default", .hostname = "p", .subdomain = "", .others = "", .address = ""},
                [&](auto made) { got = std::move(*made); });
    store_.run();
    return got;
  }

  store::TestStore store_;
  const store::TempDir folder_;
  const std::string path_ = folder_.path() + "/hosts";
  std::shared_ptr<ServiceDirectory> directory_ = [this] {
    auto made = std::make_shared<ServiceDirectory>(store_.executor(), store_.store(), true);
    made->start();
    return made;
  }();
  std::shared_ptr<HostsFiles> files_ = std::make_shared<HostsFiles>(store_.executor(), store_.store(), *directory_);
};

TEST_F(HostsFilesTest, AFileFollowsWhatServicesLeadTo) {
  ASSERT_TRUE(store_.create(cluster::kEndpoints, endpoints("web", R"([{"ip": "10.0.0.1"}])")));
  const auto used = use();
  ASSERT_TRUE(used);
  EXPECT_THAT(read_file(path_), HasSubstr("10.0.0.1\tweb "));
  const auto before = std::filesystem::last_write_time(path_);
  // The file stays the same one: it is mounted.
  std::ifstream mounted(path_);
  ASSERT_TRUE(store_.update({&cluster::kEndpoints, "default", "web"}, endpoints("web", R"([{"ip": "10.0.0.2"}])")));
  store_.run();
  std::ostringstream seen;
  seen << mounted.rdbuf();
  EXPECT_THAT(seen.str(), HasSubstr("10.0.0.2\tweb "));
  used->set_address("10.0.0.7");
  EXPECT_THAT(read_file(path_), HasSubstr("10.0.0.7\tp\n"));
  EXPECT_GE(std::filesystem::last_write_time(path_), before);
}

TEST_F(HostsFilesTest, WhatIsNotUsedAnyMoreIsLeftAlone) {
  use().reset();
  std::filesystem::remove(path_);
  ASSERT_TRUE(store_.create(cluster::kEndpoints, endpoints("web", R"([{"ip": "10.0.0.1"}])")));
  store_.run();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(HostsFilesTest, AFileThatCannotBeWrittenIsAnError) {
  Status status;
  files_->use({.path = "/nowhere/hosts", .ns = "", .hostname = "", .subdomain = "", .others = "", .address = ""},
              [&](auto made) { status = made ? Status() : Status(std::unexpected(made.error())); });
  store_.run();
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("/nowhere/hosts"));
}

}  // namespace
}  // namespace tiphys::node
