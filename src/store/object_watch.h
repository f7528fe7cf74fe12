// One watch of objects: what of the hub's events it tells, and when.
#pragma once

#include <deque>
#include <memory>
#include <optional>

#include "store/watch_hub.h"

namespace tiphys::store {

class ObjectWatch : public std::enable_shared_from_this<ObjectWatch> {
 public:
  ObjectWatch(WatchHub& hub, const cluster::Resource& resource, cluster::WatchOptions options, cluster::WatchSink sink);

  void start(const Status& loaded);
  void offer(const ObjectEvent& event);
  void pause(bool paused);
  void close();
  void end(Error error);
  bool closed() const { return closed_; }
  bool uncommitted() const { return options_.uncommitted; }
  bool with_nodes() const { return options_.with_nodes; }

 private:
  void list_slice();
  void finish_list();
  void replay();
  void replay_nodes();
  /// Keeps the event until the list has ended, the reader wants more, or what was told last is paid for.
  void wait(const ObjectEvent& event);
  void merge_waiting();
  void tell_waiting();
  void tell(const ObjectEvent& event);
  /// Tells the object as this watch shows it, under the version of an event or its own. Where it cannot be read the
  /// watch ends.
  void show(cluster::WatchEvent::Type type, const Revision& revision, std::optional<std::uint64_t> version);
  void emit(cluster::WatchEvent event);

  WatchHub& hub_;
  Selection selection_;
  cluster::WatchOptions options_;
  std::uint64_t told_ = 0;  ///< with uncommitted: the newest version; what was told early is not told again
  cluster::WatchSink sink_;
  std::optional<Scan> scan_;  ///< while the first list goes on
  std::deque<ObjectEvent> waiting_;
  Time free_at_{};  ///< with nodes: when more may be told
  bool timer_set_ = false;
  bool paused_ = false;
  bool closed_ = false;
  bool calling_ = false;
};

}  // namespace tiphys::store
