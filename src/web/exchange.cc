#include "web/exchange.h"

#include <pthread.h>

#include <csignal>

#include "web/transfer.h"

namespace tiphys::web {
namespace {

/// A connection that is closed at the other end is no signal for this thread.
void block_broken_pipes() {
  sigset_t pipes;
  ::sigemptyset(&pipes);
  ::sigaddset(&pipes, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipes, nullptr);
}

}  // namespace

Result<HttpAnswer> exchange(HttpRequest request, const Environment& environment, std::stop_token stop) {
  const auto& library = libcurl();
  if (!library) return std::unexpected(library.error());
  block_broken_pipes();
  Transfer transfer(*library, environment, std::move(request));
  transfer.stop_with(std::move(stop));
  TIPHYS_CHECK_OK(transfer.begin());
  for (;;) {
    if (auto answer = transfer.ended(library->curl_easy_perform(transfer.handle()))) return std::move(*answer);
  }
}

}  // namespace tiphys::web
