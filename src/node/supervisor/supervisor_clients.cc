// How a supervisor hears and tells its clients.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "node/supervisor/supervisor_loop.h"

namespace tiphys::node {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
/// A client that does not read is not listened to while more than this waits for it.
constexpr std::size_t kMostUnreadBytes = 1024 * 1024;
/// Starts of one client before other events get their turn.
constexpr int kMostFramesATurn = 16;

}  // namespace

void SupervisorLoop::accept_clients() {
  for (;;) {
    UniqueFd fd(::accept4(start_.listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) return;
    add_client(std::move(fd));
  }
}

void SupervisorLoop::add_client(UniqueFd fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd.get();
  if (::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, fd.get(), &event) == 0) clients_.emplace_back().fd = std::move(fd);
}

void SupervisorLoop::read_client(Client& client) {
  if (client.in.size() > kMostFrameBytes + kReadBytes) return;
  const std::size_t before = client.in.size();
  client.in.resize(before + kReadBytes);
  const ssize_t count = ::read(client.fd.get(), client.in.data() + before, kReadBytes);
  client.in.resize(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) client.gone = true;
}

void SupervisorLoop::serve(Client& client) {
  std::string_view rest = client.in;
  int frames = 0;
  for (; frames < kMostFramesATurn && client.out.size() < kMostUnreadBytes; ++frames) {
    auto frame = take_frame(rest);
    if (!frame) {
      complain(std::unexpected(frame.error()));
      client.gone = true;
    }
    if (!frame || !*frame) break;
    handle(client, **frame);
  }
  client.in.erase(0, client.in.size() - rest.size());
  if (client.in.empty()) client.in.shrink_to_fit();
  if (frames == kMostFramesATurn) more_input_ = true;
}

void SupervisorLoop::handle(Client& client, const Frame& frame) {
  const auto spoiled = [&](const Error& error) {
    complain(std::unexpected(error));
    client.gone = true;
  };
  switch (frame.type) {
    case FrameType::kHello:
      return greet(client, frame.body);
    case FrameType::kStart: {
      auto request = parse_start(frame.body);
      return request ? start(client, std::move(*request)) : spoiled(request.error());
    }
    case FrameType::kStop: {
      const auto request = parse_stop(frame.body);
      return request ? stop(*request) : spoiled(request.error());
    }
    case FrameType::kList:
      client.listing = true;
      return;
    case FrameType::kForget: {
      const auto id = parse_name(frame.body);
      if (!id) return spoiled(id.error());
      const JournalStep* known = journal_->find(*id);
      if (known && known->outcome) journal_->forgotten(*id);
      return;
    }
    case FrameType::kRenew: {
      const auto request = parse_renew(frame.body);
      return request ? renew(*request) : spoiled(request.error());
    }
    case FrameType::kPooled: {
      auto name = parse_name(frame.body);
      return name ? warms_->pooled(std::move(*name)) : spoiled(name.error());
    }
    default:
      return;  // a newer client's; it knows our version
  }
}

void SupervisorLoop::greet(Client& client, std::string_view body) {
  if (!parse_hello(body)) {
    client.gone = true;
    return;
  }
  client.out += welcome_frame({kProtocolVersion, ::getpid()});
  for (const std::string& text : notices_) client.out += notice_frame(text);
}

void SupervisorLoop::tell_known(Client& client, const std::string& id, const JournalStep& known) {
  if (!known.outcome) {
    const auto step = steps_.find(id);
    // Whoever asks while it is being started hears of it as everybody does.
    if (step != steps_.end() && step->second->planned) return;
    client.out += started_frame(id, known.started_at, step == steps_.end() ? 0 : step->second->pid);
    start_told_ = true;
    return;
  }
  client.out += outcome_frame(id, *known.outcome);
}

/// Whoever has the list knows of each step whether it was ever started: those that are about to be are waited for.
void SupervisorLoop::list(Client& client) {
  bool all_known = true;
  for (const auto& [id, step] : steps_) all_known = tell_running_if_so(*step) && all_known;
  if (!all_known) return;
  client.listing = false;
  for (const auto& [id, known] : journal_->steps()) tell_known(client, id, known);
  client.out += listed_frame();
}

void SupervisorLoop::broadcast(std::string_view frame) {
  for (Client& client : clients_) client.out += frame;
}

void SupervisorLoop::notice(std::string text) {
  broadcast(notice_frame(text));
  notices_.push_back(std::move(text));
}

void SupervisorLoop::sync_and_flush() {
  // A start is on disk before it is told: after a power cut nobody runs the step again. An end is the client's to keep,
  // and only without one ours.
  if (std::exchange(start_told_, false) || journal_->is_mostly_forgotten()) complain(journal_->sync());
  for (Client& client : clients_) flush(client);
}

void SupervisorLoop::flush(Client& client) {
  std::size_t sent = 0;
  while (sent < client.out.size() && !client.gone) {
    const ssize_t count =
        ::send(client.fd.get(), client.out.data() + sent, client.out.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) {
      sent += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      client.gone = true;
    }
  }
  client.out.erase(0, sent);
  const bool listens = client.out.size() < kMostUnreadBytes && client.in.size() < kMostFrameBytes;
  const std::uint32_t wanted = (listens ? EPOLLIN : 0u) | (client.out.empty() ? 0u : EPOLLOUT);
  if (wanted == client.polled) return;
  client.polled = wanted;
  epoll_event event{};
  event.events = wanted;
  event.data.fd = client.fd.get();
  ::epoll_ctl(poll_.get(), EPOLL_CTL_MOD, client.fd.get(), &event);
}

void SupervisorLoop::drop_clients() {
  std::erase_if(clients_, [](const Client& client) { return client.gone; });
  if (!clients_.empty()) return;
  complain(journal_->sync());
  end_with_clients();
}

}  // namespace tiphys::node
