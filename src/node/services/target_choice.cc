#include "node/services/target_choice.h"

#include <algorithm>

namespace tiphys::node {

void TargetChoice::set(std::vector<TcpAddress> targets, std::chrono::seconds affinity) {
  targets_ = std::move(targets);
  affinity_ = affinity;
  if (affinity_ > std::chrono::seconds(0)) return;
  clients_.clear();
  by_address_.clear();
}

std::vector<TcpAddress> TargetChoice::order(Ipv4 client, Instant now) {
  std::vector<TcpAddress> ordered = targets_;
  if (ordered.empty()) return ordered;
  const auto known = by_address_.find(client);
  if (known != by_address_.end() && now - known->second->seen < affinity_) {
    const auto kept = std::ranges::find(ordered, known->second->target);
    if (kept != ordered.end()) {
      std::rotate(ordered.begin(), kept, ordered.end());
      return ordered;
    }
  }
  next_ = (next_ + 1) % ordered.size();
  std::rotate(ordered.begin(), ordered.begin() + static_cast<std::ptrdiff_t>(next_), ordered.end());
  return ordered;
}

void TargetChoice::keep(Ipv4 client, const TcpAddress& target, Instant now) {
  if (affinity_ == std::chrono::seconds(0)) return;
  if (const auto known = by_address_.find(client); known != by_address_.end()) {
    clients_.splice(clients_.end(), clients_, known->second);
  } else {
    if (clients_.size() == kMostClients) {
      by_address_.erase(clients_.front().address);
      clients_.pop_front();
    }
    clients_.push_back({client, {}, {}});
    by_address_[client] = std::prev(clients_.end());
  }
  clients_.back().target = target;
  clients_.back().seen = now;
}

}  // namespace tiphys::node
