#include "argo/page_marks.h"

#include <fmt/format.h>

namespace tiphys::argo {

std::string PageMarks::key(const std::string& query, std::size_t offset) {
  return fmt::format("{} {}", offset, query);
}

void PageMarks::put(const std::string& query, std::size_t offset, std::string place) {
  const auto [at, fresh] = places_.insert_or_assign(key(query, offset), std::move(place));
  if (!fresh) return;
  order_.push_back(at->first);
  if (order_.size() <= most_) return;
  places_.erase(order_.front());
  order_.pop_front();
}

std::string PageMarks::find(const std::string& query, std::size_t offset) const {
  const auto found = places_.find(key(query, offset));
  return found == places_.end() ? std::string() : found->second;
}

}  // namespace tiphys::argo
