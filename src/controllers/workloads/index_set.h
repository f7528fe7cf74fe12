// The completion indexes of an indexed Job as its status writes them: "0,1,3-7".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tiphys::controllers::workloads {

class IndexSet {
 public:
  /// Indexes from `end` on are left out, and what is no index.
  static IndexSet parse(std::string_view text, std::int64_t end);

  bool has(std::int64_t index) const;
  void insert(std::int64_t index);
  std::int64_t size() const;
  std::string text() const;

 private:
  struct Interval {
    std::int64_t first = 0, last = 0;
  };
  std::vector<Interval> intervals_;  ///< in order; between two of them at least one index is missing
};

}  // namespace tiphys::controllers::workloads
