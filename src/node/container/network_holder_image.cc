#include "node/container/network_holder_image.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <numeric>

#include "base/embedded.h"
#include "base/percent.h"
#include "base/unique_fd.h"
#include "node/container/docker_spec.h"
#include "node/network_holder.h"

namespace tiphys::node {

TIPHYS_EMBED(tiphys_network_holder_program, TIPHYS_NETWORK_HOLDER_PROGRAM)

namespace {

constexpr std::size_t kBlock = 512;

/// The head of a file in a tar (POSIX ustar).
std::string tar_head(std::string_view name, std::size_t size) {
  std::string head(kBlock, '\0');
  const auto put = [&](std::size_t at, std::string_view text) {
    std::ranges::copy(text, head.begin() + std::ptrdiff_t(at));
  };
  put(0, name);
  put(100, "0000555");
  put(108, "0000000");
  put(116, "0000000");
  put(124, fmt::format("{:011o}", size));
  put(136, "00000000000");
  put(148, "        ");  // the sum is taken with blanks in its own place
  put(156, "0");
  put(257, std::string_view("ustar\00000", 8));
  const unsigned sum = std::accumulate(head.begin(), head.end(), 0u,
                                       [](unsigned all, char one) { return all + static_cast<unsigned char>(one); });
  put(148, fmt::format("{:06o}", sum));
  head[154] = '\0';
  return head;
}

}  // namespace

std::string network_holder_tar() {
  const std::string_view program = tiphys_network_holder_program();
  std::string tar = tar_head(kNetworkHolderProgram.substr(1), program.size());
  tar += program;
  tar.resize((tar.size() + kBlock - 1) / kBlock * kBlock + 2 * kBlock);
  return tar;
}

Async<Status> make_network_holder_image(const DockerClient& client) {
  const std::string tar = network_holder_tar();
  const UniqueFd file(::memfd_create("network-holder.tar", MFD_CLOEXEC));
  if (!file || ::write(file.get(), tar.data(), tar.size()) != static_cast<ssize_t>(tar.size())) {
    co_return fail_errno("network-holder.tar", errno);
  }
  EngineRequest request{.method = "POST"};
  request.target = fmt::format("/images/create?fromSrc=-&repo={}&tag=latest", percent_encode(kNetworkHolderImage));
  request.body_file = fmt::format("/proc/self/fd/{}", file.get());
  const auto reply = co_await client.call(std::move(request));
  if (!reply) co_return std::unexpected(reply.error());
  if (const auto error = pull_error(reply->body)) co_return fail(Code::kInternal, *error);
  co_return Status{};
}

}  // namespace tiphys::node
