#include "server/event_writer.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace tiphys::server {
namespace {

/// Beyond it a write costs more by what is in it than by being one.
constexpr std::size_t kMostGathered = 64 * 1024;

}  // namespace

void EventWriter::write(std::string_view type, std::string_view object) {
  fmt::format_to(std::back_inserter(gathered_), "{{\"type\":\"{}\",\"object\":{}}}\n", type, object);
  if (at_once_ > 0) {
    --at_once_;
    flush();
  } else if (gathered_.size() >= kMostGathered) {
    flush();
  }
  if (timer_ == 0) wait();
}

void EventWriter::flush() {
  if (gathered_.empty()) return;
  std::string lines = std::exchange(gathered_, {});
  if (const auto to = to_.lock()) to->write(std::move(lines));
}

void EventWriter::wait() {
  timer_ = executor_.schedule(executor_.now() + kGathering, [this] {
    timer_ = 0;
    if (gathered_.empty()) ++at_once_;
    flush();
    if (at_once_ < kAtOnce) wait();
  });
}

}  // namespace tiphys::server
