// How controllers and clients see a plane. They cannot tell which plane it is.
//
// Everything is asynchronous and runs on the plane's Executor thread: a call returns at once, its answer comes later as
// a call of `done` from the executor, never from inside the call. A write's answer comes when the change is on disk,
// and so do the watch events of it, but for WatchOptions::uncommitted.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "cluster/resource.h"
#include "cluster/selector.h"
#include "doc/value.h"

namespace tiphys::cluster {

/// A Kubernetes object: apiVersion, kind, metadata{name, namespace, uid, resourceVersion, ...}, spec, status.
using Object = doc::Shared;
/// An object as compact JSON.
using ObjectJson = std::shared_ptr<const std::string>;

template <typename T>
using Done = std::move_only_function<void(Result<T>)>;

struct ListOptions {
  std::string ns{};  ///< "" lists all namespaces
  Selector labels{};
  Selector fields{};
  std::size_t limit = 0;  ///< 0: no limit
  std::string continue_token{};
  /// Workflows only: put status.nodes into the objects. Costs reading every node.
  bool with_nodes = false;
  /// Workflows only: of `ns`, selected by "LABEL=VALUE,workflows.argoproj.io/phase=PHASE" where the label names what it
  /// was made from, the one on disk that was created last. Costs nothing of the others. Not across HTTP.
  bool newest_ended = false;
  /// Leave out what is over, as WatchOptions::live_at_first does, where that is cheaper.
  bool live_only = false;
  /// Give List::texts in place of List::items where the plane has them at hand; for who passes them on as they are.
  bool as_json = false;
};

struct List {
  std::vector<Object> items;        ///< in order of namespace, name
  std::vector<ObjectJson> texts{};  ///< in place of the items, with as_json
  std::uint64_t resource_version = 0;
  std::string continue_token;  ///< "" when this is the end
};

struct WatchOptions {
  std::string ns{};
  Selector labels{};
  Selector fields{};
  /// 0: first an kAdded event for each object that exists, then kSynced, then changes. Else: changes after this
  /// version; older than the plane remembers ends the watch with Code::kOutOfRange (HTTP 410).
  std::uint64_t resource_version = 0;
  /// Workflows only: they come with status.nodes, and changes of nodes alone are told too, under resource versions of
  /// their own. Changes of one workflow's status may be told as one where the reader or the size of it asks for that;
  /// a deletion comes without nodes. Costs reading every node at each change.
  bool with_nodes = false;
  /// Workflows only: leave out changes by update_workflow_status of an object that stays within the selection. For the
  /// controller, which makes them; it spares putting a large workflow together at each change.
  bool without_status_updates = false;
  /// Workflows only: such changes come with null in place of the spec and the stored templates, which they leave as
  /// they were. Across HTTP they come whole nevertheless.
  bool bare_status_updates = false;
  /// Leave out of the first kAdded events what is over: pods that have ended, are not being deleted and have no
  /// finalizers (pod_over), completed workflows. For readers whose work grows with what runs, not with what ever ran.
  bool live_at_first = false;
  /// Changes may come before they are on disk, in time for what follows from them to be written along with them. Only
  /// for a reader that does nothing but write to the same plane, and only with a resource_version. When they cannot be
  /// written after all, the watch ends with kOutOfRange.
  bool uncommitted = false;
  /// Events may have a text in place of their object; for who passes it on as it is.
  bool as_json = false;
};

struct WatchEvent {
  enum class Type { kAdded, kModified, kDeleted, kSynced };
  Type type;
  Object object;              ///< null for kSynced
  ObjectJson text{};          ///< in place of the object, with WatchOptions::as_json
  std::uint64_t version = 0;  ///< the object's resource version, with a text
};

/// Ends its watch when destroyed; no event arrives afterwards.
class Watch {
 public:
  virtual ~Watch() = default;
  /// A reader that cannot keep up asks to be spared for a while. Logs heed it, and watches of what exists already and
  /// of workflows with nodes; other changes do not wait.
  virtual void pause(bool) {}
};

struct WatchSink {
  std::move_only_function<void(const WatchEvent&)> on_event;
  /// Called once when the plane ends the watch; the reader lists again and watches anew.
  std::move_only_function<void(Error)> on_end;
};

enum class PatchType { kJson, kMerge, kStrategic };

struct DeleteOptions {
  std::string uid{};               ///< a precondition when not empty
  std::string resource_version{};  ///< another one
  bool dry_run = false;            ///< what would be answered, and nothing done
  /// Pods: seconds between SIGTERM and SIGKILL; negative takes the pod's terminationGracePeriodSeconds (30).
  int grace_seconds = -1;
};

/// What changed of a workflow's status. Nodes are written one by one: the cost follows the change, not the workflow.
struct WorkflowStatusUpdate {
  struct Node {
    std::string id;
    std::string json;  ///< the NodeStatus as compact JSON; "" deletes the node
  };
  std::vector<Node> nodes{};
  /// Top-level fields of `status` without `nodes`; null removes one. Unnamed ones stay.
  doc::Object fields{};
  /// Replaces the spec.
  doc::Shared spec{};
  /// Merged into metadata.labels and metadata.annotations; null removes one.
  doc::Object labels{};
  doc::Object annotations{};
  bool completed = false;  ///< true: the workflow has ended and may leave memory
};

/// One stored transition of a run, for replay.
struct JournalEntry {
  std::uint64_t sequence = 0;
  Time at{};
  std::string json;  ///< {"node": NodeStatus}, {"deleted": node id} or {"status": changed fields}
};

struct LogOptions {
  std::string container = "main";
  bool follow = false;
  bool timestamps = false;
  bool previous = false;
  Time since{};            ///< unset: from the beginning
  std::int64_t tail = -1;  ///< last lines only; negative: all
};

struct LogSink {
  /// One line without its newline; `at` is when it was written, `stream` "stdout" or "stderr".
  std::move_only_function<void(std::string_view line, Time at, std::string_view stream)> on_line;
  std::move_only_function<void(Status)> on_end;
};

class Cluster {
 public:
  virtual ~Cluster() = default;

  /// A workflow comes with status.nodes.
  virtual void get(const Key& key, Done<Object> done) = 0;
  virtual void list(const Resource& resource, ListOptions options, Done<List> done) = 0;
  /// `object` has metadata.name or generateName and, if namespaced, a namespace. The plane sets uid, creationTimestamp,
  /// resourceVersion, generation.
  virtual void create(const Resource& resource, doc::Value object, Done<Object> done) = 0;
  /// Replaces the object. With metadata.resourceVersion it must be the newest (else kAborted). A workflow's
  /// status.nodes are not touched.
  virtual void update(const Key& key, doc::Value object, Done<Object> done) = 0;
  virtual void patch(const Key& key, PatchType type, doc::Value patch, Done<Object> done) = 0;
  /// A pod goes when the node agent has stopped it; other objects at once, with what they own.
  virtual void remove(const Key& key, DeleteOptions options, Done<Object> done) = 0;
  virtual void update_workflow_status(const Key& key, WorkflowStatusUpdate update, Done<void> done) = 0;

  /// Workflows in watch events come without status.nodes, unless asked for; `watch_nodes` gives those.
  virtual std::unique_ptr<Watch> watch(const Resource& resource, WatchOptions options, WatchSink sink) = 0;
  /// The nodes of one workflow as they change: first all that exist, then each change. `on_node` gets NodeStatus JSON.
  struct NodeSink {
    std::move_only_function<void(std::string_view json)> on_node;
    std::move_only_function<void()> on_synced;
    /// kOutOfRange: nodes were removed; watch anew. kNotFound: the workflow is gone.
    std::move_only_function<void(Error)> on_end;
  };
  virtual std::unique_ptr<Watch> watch_nodes(const Key& workflow, NodeSink sink) = 0;

  /// Lines of a pod's container. The returned handle ends the reading when destroyed.
  virtual std::unique_ptr<Watch> read_log(const Key& pod, LogOptions options, LogSink sink) = 0;
};

}  // namespace tiphys::cluster
