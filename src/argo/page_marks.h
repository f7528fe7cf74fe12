// Where pages of the archive have ended. Clients ask for the next by an offset, as Argo's API has it; with the mark of
// the page before, the thousandth costs what the first did, and nothing that ends in between is shown twice.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <unordered_map>

namespace tiphys::argo {

class PageMarks {
 public:
  explicit PageMarks(std::size_t most = 256) : most_(most) {}

  /// `query` tells one list from another, `offset` is where its page ended: ArchivePage::next. The oldest are
  /// forgotten.
  void put(const std::string& query, std::size_t offset, std::string place);
  /// "" when there is none: the offset has to be counted off.
  std::string find(const std::string& query, std::size_t offset) const;

 private:
  static std::string key(const std::string& query, std::size_t offset);

  const std::size_t most_;
  std::list<std::string> order_;  ///< keys, from old to new
  std::unordered_map<std::string, std::string> places_;
};

}  // namespace tiphys::argo
