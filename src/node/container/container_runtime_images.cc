#include "node/container/container_runtime_images.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/percent.h"
#include "node/container/network_holder_image.h"
#include "node/network_holder.h"

namespace tiphys::node {
namespace {

constexpr auto kFresh = std::chrono::minutes{1};
/// A pull's progress is not kept; its last lines hold the error.
constexpr std::size_t kMostTail = 256u << 10;

}  // namespace

Async<Status> EngineImages::pull(std::shared_ptr<Engine> engine, std::string image) {
  const auto now = std::chrono::steady_clock::now();
  std::erase_if(pulls_, [now](const auto& known) {
    const Pull& pull = *known.second;
    return pull.done.is_set() && (!pull.outcome || now - pull.ended > kFresh);
  });
  if (const auto known = pulls_.find(image); known != pulls_.end()) {
    const auto pull = known->second;
    co_await pull->done.wait();
    co_return pull->outcome;
  }
  const auto pull = std::make_shared<Pull>(context_);
  pulls_.emplace(image, pull);
  log::info("pulling {}", image);
  pull->outcome = co_await pull_now(std::move(engine), image);
  pull->ended = std::chrono::steady_clock::now();
  pull->done.set();
  co_return pull->outcome;
}

Async<Status> EngineImages::pull_now(std::shared_ptr<Engine> engine, std::string image) {
  if (image == kNetworkHolderImage) {
    const Status made = co_await make_network_holder_image(engine->client);
    if (!made && made.error().code != Code::kUnavailable) co_return std::unexpected(made.error().in("ErrImagePull"));
    co_return made;
  }
  const ImageReference reference = parse_image(image);
  EngineRequest request{.method = "POST", .target = "/images/create?fromImage=" + percent_encode(reference.name)};
  if (!reference.tag.empty()) request.target += "&tag=" + percent_encode(reference.tag);
  request.patience = Duration{0};
  std::string tail;
  DockerClient::Sink keep_tail = [&tail](std::string_view piece) -> Status {
    tail.append(piece);
    if (tail.size() > 2 * kMostTail) tail.erase(0, tail.size() - kMostTail);
    return {};
  };
  const auto reply = co_await engine->client.stream(std::move(request), std::move(keep_tail));
  if (!reply && reply.error().code == Code::kUnavailable) co_return std::unexpected(reply.error());
  std::optional<std::string> error;
  if (!reply) {
    error = reply.error().message;
  } else {
    error = pull_error(tail);
  }
  if (error) co_return fail(Code::kUnavailable, fmt::format("ErrImagePull: {}: {}", image, *error));
  co_return Status{};
}

}  // namespace tiphys::node
