// What one evaluation may cost, and where the texts that it makes live.
#pragma once

#include <deque>
#include <string>
#include <string_view>

namespace tiphys::doc::gjson {

class Workspace {
 public:
  /// Counts bytes that are read, or steps of about that size. False when the limit is passed, from then on.
  bool charge(std::size_t bytes) {
    spent_ += bytes;
    return spent_ <= kMaxWork;
  }
  bool is_exhausted() const { return spent_ > kMaxWork; }
  void exhaust() { spent_ = kMaxWork + 1; }

  /// A text that stays as long as the workspace.
  std::string_view keep(std::string text) {
    if (!charge(kMemoryWeight * text.size())) return {};
    return texts_.emplace_back(std::move(text));
  }

 private:
  friend class Level;
  static constexpr std::size_t kMaxWork = std::size_t{256} << 20;
  static constexpr std::size_t kMemoryWeight = 8;  ///< 32 MiB of texts at most
  std::size_t spent_ = 0;
  int depth_ = 0;
  std::deque<std::string> texts_;
};

/// One level of recursion; exhausts the workspace when there are too many.
class Level {
 public:
  explicit Level(Workspace& work) : work_(work) {
    if (++work_.depth_ > kMaxDepth) work_.exhaust();
  }
  ~Level() { --work_.depth_; }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;

 private:
  static constexpr int kMaxDepth = 500;
  Workspace& work_;
};

}  // namespace tiphys::doc::gjson
