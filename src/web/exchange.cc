#include "web/exchange.h"

#include <pthread.h>

#include <csignal>

#include "base/unix_path.h"
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

Result<HttpAnswer> perform(Transfer& transfer, const Libcurl& library) {
  TIPHYS_CHECK_OK(transfer.begin());
  for (;;) {
    if (auto answer = transfer.ended(library.curl_easy_perform(transfer.handle()))) return std::move(*answer);
  }
}

}  // namespace

Result<HttpAnswer> exchange(HttpRequest request, const Environment& environment, std::stop_token stop) {
  const auto& library = libcurl();
  if (!library) return std::unexpected(library.error());
  block_broken_pipes();
  Transfer transfer(*library, environment, std::move(request));
  transfer.stop_with(std::move(stop));
  return perform(transfer, *library);
}

Result<HttpAnswer> exchange_at(const std::string& socket, HttpRequest request, std::stop_token stop) {
  const auto& library = libcurl();
  if (!library) return std::unexpected(library.error());
  block_broken_pipes();
  TIPHYS_TRY(const SocketPath path, SocketPath::of(socket));
  const Environment none;
  Transfer transfer(*library, none, std::move(request));
  transfer.stop_with(std::move(stop));
  transfer.connect_to(path.text);
  return perform(transfer, *library);
}

}  // namespace tiphys::web
