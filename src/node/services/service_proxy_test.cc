#include "node/services/service_proxy.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "store/testing.h"

namespace tiphys::node {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Tests of other processes have other addresses.
std::string own_address() {
  return ipv4_text((127U << 24 | 97U << 16) + static_cast<Ipv4>(::getpid() % 65000 + 1));
}

class ServiceProxyTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_->start();
    proxy_->start();
    store_.run();
  }
  void put_service(const std::string& address, const std::string& ports) {
    ASSERT_TRUE(store_.create(
        cluster::kServices,
        *doc::parse_json(R"({"metadata": {"namespace": "default", "name": "s"}, "spec": {"clusterIP": ")" + address +
                         R"(", "ports": )" + ports + "}}")));
    store_.run();
  }
  void put_slice(const std::string& endpoints, int port = 9) {
    ASSERT_TRUE(store_.create(
        cluster::kEndpointSlices,
        *doc::parse_json(
            R"({"metadata": {"namespace": "default", "name": "s-1", "labels": {"kubernetes.io/service-name": "s"}},
                "endpoints": )" +
            endpoints + R"(, "ports": [{"name": "", "protocol": "TCP", "port": )" + std::to_string(port) + "}]}")));
    store_.run();
  }
  bool listens(const std::string& address, int port) {
    const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(*parse_ipv4(address));
    return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  std::vector<std::string> events() {
    std::vector<std::string> texts;
    const auto listed = store_.list(cluster::kEvents);
    for (const auto& event : listed->items) {
      texts.push_back(std::string(doc::find_string(*event, "reason")) + ": " +
                      std::string(doc::find_string(*event, "message")));
    }
    return texts;
  }

  const std::string address_ = own_address();
  store::TestStore store_;
  std::shared_ptr<ServiceDirectory> directory_ =
      std::make_shared<ServiceDirectory>(store_.executor(), store_.store(), true);
  ServiceRelay relay_;
  std::shared_ptr<ServiceProxy> proxy_ =
      std::make_shared<ServiceProxy>(store_.executor(), store_.store(), *directory_, relay_, "laptop");
};

TEST_F(ServiceProxyTest, ListensWhileThereAreEndpoints) {
  put_service(address_, R"([{"port": 8080, "nodePort": 30999}])");
  EXPECT_FALSE(listens(address_, 8080)) << "clients are refused at once";
  put_slice(R"([{"addresses": ["127.0.0.1"]}])");
  EXPECT_TRUE(listens(address_, 8080));
  EXPECT_TRUE(listens("127.0.0.1", 30999));
  ASSERT_TRUE(store_.remove({&cluster::kEndpointSlices, "default", "s-1"}));
  store_.run();
  EXPECT_FALSE(listens(address_, 8080));
  put_slice(R"([{"addresses": ["127.0.0.1"]}])");
  EXPECT_TRUE(listens(address_, 8080)) << "the address is free again at once";
  ASSERT_TRUE(store_.remove({&cluster::kServices, "default", "s"}));
  store_.run();
  EXPECT_FALSE(listens(address_, 8080));
  EXPECT_THAT(events(), IsEmpty());
}

TEST_F(ServiceProxyTest, WhatCannotBeListenedOnIsToldOnce) {
  const auto taken = listen_at({*parse_ipv4(address_), 8081});
  put_service(address_, R"([{"port": 8081}])");
  put_slice(R"([{"addresses": ["10.0.0.1"]}])");
  EXPECT_THAT(events(),
              ElementsAre(HasSubstr("FailedToListen: nothing answers at " + address_ + ":8081: another program")));
  ASSERT_TRUE(store_.remove({&cluster::kEndpointSlices, "default", "s-1"}));
  put_slice(R"([{"addresses": ["10.0.0.2"]}])");
  const auto all = store_.list(cluster::kEvents)->items;
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0]->at("count"), doc::Value(1));
  EXPECT_EQ(doc::find_string(*all[0], "involvedObject", "name"), "s");
}

TEST_F(ServiceProxyTest, APodThatHasAllAddressesAnswersItself) {
  const auto pod = listen_at({0, 0});
  sockaddr_in at{};
  socklen_t size = sizeof at;
  ::getsockname(pod->get(), reinterpret_cast<sockaddr*>(&at), &size);
  const int port = ntohs(at.sin_port);
  put_service(address_, R"([{"port": )" + std::to_string(port) + "}]");
  put_slice(R"([{"addresses": ["127.0.0.1"]}])", port);
  EXPECT_TRUE(listens(address_, port));
  EXPECT_THAT(events(), IsEmpty());
}

TEST_F(ServiceProxyTest, AnAddressOfAnotherRangeAndOtherProtocolsAreTold) {
  put_service("10.96.3.4", R"([{"port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}])");
  put_slice(R"([{"addresses": ["127.0.0.1"]}])");
  EXPECT_THAT(events(),
              testing::UnorderedElementsAre(HasSubstr("10.96.3.4:80: the address is not of the plane's range"),
                                            HasSubstr("10.96.3.4:53 by UDP: only TCP is relayed")));
}

TEST(WhyNotListening, SaysWhatToDo) {
  const TcpAddress at{*parse_ipv4("127.96.0.1"), 80};
  EXPECT_THAT(why_not_listening(at, {.code = Code::kPermissionDenied, .message = ""}),
              HasSubstr("127.96.0.1:80: ports below 1024 are for root"));
  EXPECT_THAT(why_not_listening(at, {.code = Code::kInternal, .message = "out of memory"}), HasSubstr("out of memory"));
}

}  // namespace
}  // namespace tiphys::node
