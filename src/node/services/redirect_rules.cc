#include "node/services/redirect_rules.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace tiphys::node {
namespace {

constexpr const char* kChain = "output";
constexpr std::int32_t kBeforeOthers = -110;  ///< of destination NAT, which is at -100
constexpr std::uint32_t kDestinationOffset = 16;
/// The first two bytes of all addresses of Services.
constexpr std::string_view kServicePrefix("\x7F\x60", 2);
constexpr timeval kPatience{.tv_sec = 5, .tv_usec = 0};

template <typename T>
std::string bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}
std::string number(std::uint32_t value) {
  return bytes_of(htonl(value));
}
std::string text(const char* value) {
  return {value, std::strlen(value) + 1};
}

std::string attribute(std::uint16_t type, std::string_view content) {
  const nlattr head{.nla_len = static_cast<std::uint16_t>(NLA_HDRLEN + content.size()), .nla_type = type};
  std::string made = bytes_of(head);
  made += content;
  made.resize(NLA_ALIGN(made.size()));
  return made;
}
std::string nested(std::uint16_t type, std::string_view content) {
  return attribute(type | NLA_F_NESTED, content);
}

std::string message(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence, std::uint8_t family,
                    std::string_view content, std::uint16_t resource = 0) {
  const nfgenmsg about{.nfgen_family = family, .version = NFNETLINK_V0, .res_id = htons(resource)};
  const nlmsghdr head{.nlmsg_len = static_cast<std::uint32_t>(NLMSG_LENGTH(sizeof about) + content.size()),
                      .nlmsg_type = type,
                      .nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags),
                      .nlmsg_seq = sequence,
                      .nlmsg_pid = 0};
  return bytes_of(head) + bytes_of(about) + std::string(content);
}

std::string table_message(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence, std::string_view content) {
  return message(static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type), flags, sequence, NFPROTO_IPV4, content);
}

std::string expression(const char* name, const std::string& data) {
  return nested(NFTA_LIST_ELEM, attribute(NFTA_EXPR_NAME, text(name)) + nested(NFTA_EXPR_DATA, data));
}

std::string equals(std::string_view value) {
  return expression("cmp", attribute(NFTA_CMP_SREG, number(NFT_REG_1)) + attribute(NFTA_CMP_OP, number(NFT_CMP_EQ)) +
                               nested(NFTA_CMP_DATA, attribute(NFTA_DATA_VALUE, value)));
}

/// `ip daddr 127.96.0.0/16 meta l4proto tcp redirect to :PORT`
std::string expressions(std::uint16_t port) {
  const std::string to_register = number(NFT_REG_1);
  const char tcp = IPPROTO_TCP;
  return expression("payload", attribute(NFTA_PAYLOAD_DREG, to_register) +
                                   attribute(NFTA_PAYLOAD_BASE, number(NFT_PAYLOAD_NETWORK_HEADER)) +
                                   attribute(NFTA_PAYLOAD_OFFSET, number(kDestinationOffset)) +
                                   attribute(NFTA_PAYLOAD_LEN, number(kServicePrefix.size()))) +
         equals(kServicePrefix) +
         expression("meta",
                    attribute(NFTA_META_DREG, to_register) + attribute(NFTA_META_KEY, number(NFT_META_L4PROTO))) +
         equals({&tcp, 1}) +
         expression("immediate", attribute(NFTA_IMMEDIATE_DREG, to_register) +
                                     nested(NFTA_IMMEDIATE_DATA, attribute(NFTA_DATA_VALUE, bytes_of(htons(port))))) +
         expression("redir", attribute(NFTA_REDIR_REG_PROTO_MIN, to_register));
}

}  // namespace

std::string redirect_rules(std::uint16_t port) {
  const std::string name = attribute(NFTA_TABLE_NAME, text(kRedirectTable));
  const std::string hook = attribute(NFTA_HOOK_HOOKNUM, number(NF_INET_LOCAL_OUT)) +
                           attribute(NFTA_HOOK_PRIORITY, number(static_cast<std::uint32_t>(kBeforeOthers)));
  const std::string chain = attribute(NFTA_CHAIN_TABLE, text(kRedirectTable)) +
                            attribute(NFTA_CHAIN_NAME, text(kChain)) + nested(NFTA_CHAIN_HOOK, hook) +
                            attribute(NFTA_CHAIN_TYPE, text("nat"));
  const std::string rule = attribute(NFTA_RULE_TABLE, text(kRedirectTable)) + attribute(NFTA_RULE_CHAIN, text(kChain)) +
                           nested(NFTA_RULE_EXPRESSIONS, expressions(port));
  std::uint32_t sequence = 0;
  std::string all = message(NFNL_MSG_BATCH_BEGIN, 0, sequence++, AF_UNSPEC, "", NFNL_SUBSYS_NFTABLES);
  // Made, so that it can be removed.
  all += table_message(NFT_MSG_NEWTABLE, NLM_F_CREATE, sequence++, name);
  all += table_message(NFT_MSG_DELTABLE, 0, sequence++, name);
  all += table_message(NFT_MSG_NEWTABLE, NLM_F_CREATE, sequence++, name);
  all += table_message(NFT_MSG_NEWCHAIN, NLM_F_CREATE, sequence++, chain);
  all += table_message(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK, sequence++, rule);
  all += message(NFNL_MSG_BATCH_END, 0, sequence++, AF_UNSPEC, "", NFNL_SUBSYS_NFTABLES);
  return all;
}

Status apply_rules(int netlink, const std::string& messages) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (::setsockopt(netlink, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience) != 0 ||
      ::sendto(netlink, messages.data(), messages.size(), 0, reinterpret_cast<const sockaddr*>(&kernel),
               sizeof kernel) < 0) {
    return fail_errno("send rules of nftables", errno);
  }
  alignas(nlmsghdr) std::array<char, 8192> answer{};
  for (;;) {
    const ssize_t size = ::recv(netlink, answer.data(), answer.size(), 0);
    if (size < 0) return fail_errno("wait for rules of nftables", errno);
    auto left = static_cast<unsigned>(size);
    for (auto* head = reinterpret_cast<nlmsghdr*>(answer.data()); NLMSG_OK(head, left); head = NLMSG_NEXT(head, left)) {
      if (head->nlmsg_type != NLMSG_ERROR) continue;
      // The first refusal says why; the rule's own answer comes last.
      const int error = static_cast<const nlmsgerr*>(NLMSG_DATA(head))->error;
      if (error != 0) return fail_errno("set rules of nftables", -error);
      return {};
    }
  }
}

}  // namespace tiphys::node
