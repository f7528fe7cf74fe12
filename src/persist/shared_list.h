// A page of what has ended, here and in the database, under way: the keys of both are merged in the order of lists, and
// then the workflows of those that are on the page are read.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "persist/archive_rows.h"
#include "persist/shared_archive.h"

namespace tiphys::persist {

class SharedList : public std::enable_shared_from_this<SharedList> {
 public:
  SharedList(Executor& executor, store::Store& local, ArchiveDatabase& database, store::ArchiveQuery query,
             cluster::Done<store::ArchivePage> done);
  void start();

 private:
  /// What has been read of a source, and what has been taken of that.
  struct Local {
    std::vector<cluster::Object> items{};
    std::vector<std::string> places{};
    std::size_t at = 0;
    bool end = false;
    std::string last{};  ///< the place behind what has been taken
  };
  struct Rows {
    std::vector<RowKey> keys{};
    std::size_t at = 0;
    bool end = false;
    RowKey last{};
  };
  struct Item {
    cluster::Object object;  ///< null: the row's
    std::string uid;         ///< of a row
    std::string place;       ///< behind it
  };

  Status go_to(std::string_view place);
  std::string place() const;
  void merge();
  /// Takes what is next; false: there is nothing left. What the store shows is left out of the rows.
  Result<bool> take(Item& item);
  void read_local();
  void read_keys();
  void read_workflows();
  void count_rest();
  void count_rows(std::size_t local);
  void skip_one();
  void end();
  void fail_with(Error error) { done_(std::unexpected(std::move(error))); }

  Executor& executor_;
  store::Store& local_store_;
  ArchiveDatabase& database_;
  store::ArchiveQuery query_;
  cluster::Done<store::ArchivePage> done_;
  std::size_t most_;  ///< items of the page
  std::size_t to_skip_;

  Local local_;
  Rows rows_;
  std::vector<Item> items_;
  bool more_ = false;
  std::size_t filled_ = 0;  ///< items that have their objects
  std::size_t bytes_ = 0;
  store::ArchivePage page_;
};

}  // namespace tiphys::persist
