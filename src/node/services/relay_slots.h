// How many connections are relayed at a time. A port that finds no room stops accepting, so that clients wait in the
// kernel's queue, and goes on when a connection ends. Of the relay's thread alone.
#pragma once

#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

namespace tiphys::node {

class RelaySlots {
 public:
  explicit RelaySlots(std::size_t most) : most_(most) {}

  /// One connection's place, as long as it is kept.
  class Held {
   public:
    explicit Held(RelaySlots* slots) : slots_(slots) { ++slots_->used_; }
    Held(Held&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}
    Held& operator=(Held&&) = delete;
    ~Held() {
      if (slots_) slots_->free();
    }

   private:
    RelaySlots* slots_;
  };

  bool full() const { return used_ >= most_; }
  std::size_t used() const { return used_; }
  Held take() { return Held(this); }
  /// Once there is room. It is called once.
  void wait(std::move_only_function<void()> resume) { waiting_.push_back(std::move(resume)); }

 private:
  void free() {
    --used_;
    for (auto& resume : std::exchange(waiting_, {})) resume();
  }

  std::size_t most_;
  std::size_t used_ = 0;
  std::vector<std::move_only_function<void()>> waiting_;
};

}  // namespace tiphys::node
