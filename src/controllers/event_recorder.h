// Kubernetes Events, as the original records them by client-go (tools/record): those that are alike
// are counted, and many that differ in their messages alone become one.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "cluster/cluster.h"

namespace tiphys::controllers {

/// What an Event is about.
struct EventSubject {
  const cluster::Resource* resource = nullptr;
  std::string ns, name, uid;
};

struct Occurrence {
  bool warning = false;
  std::string reason;   ///< "WorkflowNodeRunning"
  std::string message;  ///< a sentence
  std::vector<std::pair<std::string_view, std::string>> annotations{};
};

/// Occurrences are noted, and written by `write` in one go: an Event that is told of many times costs one write. Losing
/// one is no harm: a failed write is not repeated, and nothing is remembered across restarts.
class EventRecorder {
 public:
  EventRecorder(Executor& executor, cluster::Cluster& cluster);

  void record(const EventSubject& subject, Occurrence occurrence);
  void write();

 private:
  struct Event {
    std::string name;
    EventSubject subject;
    Occurrence last;
    std::int64_t count = 0;
    Time first_at{}, last_at{};
    bool created = false;
    bool unwritten = false;
  };
  /// Events of a subject that are alike but for their messages.
  struct Group {
    std::set<std::string> messages;  ///< the latest ones, fewer than are combined
    Time last_at{};
    std::map<std::string, std::shared_ptr<Event>> single;  ///< by message
    std::shared_ptr<Event> combined;
  };

  Group& group(const EventSubject& subject, const Occurrence& occurrence, Time now);
  void note(std::shared_ptr<Event>& event, const EventSubject& subject, Occurrence occurrence, Time now);
  void put(const std::shared_ptr<Event>& event);
  doc::Value document(const Event& event) const;

  Executor& executor_;
  cluster::Cluster& cluster_;
  std::map<std::string, Group> groups_;
  std::deque<std::string> order_;  ///< their keys, the oldest first
  std::vector<std::shared_ptr<Event>> unwritten_;
  std::int64_t last_name_ = 0;
};

}  // namespace tiphys::controllers
