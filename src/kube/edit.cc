#include "kube/edit.h"

#include <fmt/format.h>

#include "cluster/api_request.h"
#include "kube/difference.h"
#include "kube/workflow_nodes.h"

namespace tiphys::kube {
namespace {

constexpr int kMostTries = 10;

std::string_view version_of(const doc::Value& object) {
  return doc::find_string(object, "metadata", "resourceVersion");
}

cluster::Key key_of(const doc::Value& workflow) {
  return {&cluster::kWorkflows, std::string(doc::find_string(workflow, "metadata", "namespace")),
          std::string(doc::find_string(workflow, "metadata", "name"))};
}

/// Only if nobody has changed the object meanwhile.
http::Request patch_request(const cluster::Key& key, doc::Value patch, std::string_view version) {
  doc::ensure_object(patch.as_object(), "metadata")["resourceVersion"] = version;
  return {.method = "PATCH",
          .target = cluster::api_path(key),
          .content_type = "application/merge-patch+json",
          .body = doc::to_json(patch)};
}

struct Editing : std::enable_shared_from_this<Editing> {
  std::shared_ptr<Api> api;
  cluster::Key key;
  Change change;
  std::string version;
  cluster::Done<cluster::Object> done;
  int tries = 0;

  void read() {
    ++tries;
    api->call({.target = cluster::api_path(key)}, [self = shared_from_this()](Result<std::string> body) {
      Result<doc::Value> object = body ? doc::parse_json(*body) : std::unexpected(std::move(body).error());
      object ? self->write(std::move(*object)) : self->done(std::unexpected(std::move(object).error()));
    });
  }

  void write(doc::Value before) {
    const std::string newest(version_of(before));
    if (!version.empty() && version != newest) {
      return done(fail(Code::kAborted, fmt::format("{} \"{}\" has been changed by somebody else meanwhile",
                                                   key.resource->plural, key.name)));
    }
    if (is_workflow(*key.resource)) strip_nodes(before);
    doc::Value after = before;
    if (const Status changed = change(after); !changed) return done(std::unexpected(changed.error()));
    if (is_workflow(*key.resource)) strip_nodes(after);
    doc::Value patch = difference(before, after);
    if (!patch.is_object()) return done(fail(Code::kInvalidArgument, "an object is a mapping"));
    api->call(patch_request(key, std::move(patch), newest), [self = shared_from_this()](Result<std::string> body) {
      const bool conflict = !body && body.error().code == Code::kAborted;
      if (conflict && self->version.empty() && self->tries < kMostTries) return self->read();
      Result<doc::Value> object = body ? doc::parse_json(*body) : std::unexpected(std::move(body).error());
      if (!object) return self->done(std::unexpected(std::move(object).error()));
      self->done(std::make_shared<const doc::Value>(std::move(*object)));
    });
  }
};

/// Members of `changes` into those of `target`; null takes one away.
void set_members(doc::Object& target, const doc::Object& changes) {
  for (const auto& [name, value] : changes) {
    if (value.is_null()) {
      target.erase(name);
    } else {
      target[name] = value;
    }
  }
}

Status apply_nodes(const cluster::WorkflowStatusUpdate& update, doc::Object& status) {
  if (update.nodes.empty()) return {};
  doc::Object& nodes = doc::ensure_object(status, "nodes");
  for (const auto& [id, json] : update.nodes) {
    if (json.empty()) {
      nodes.erase(id);
      continue;
    }
    TIPHYS_TRY(nodes[id], doc::parse_json(json));
  }
  return {};
}

/// The parts of a workflow that an update touches, before or after it.
class Touched {
 public:
  Touched(const cluster::WorkflowStatusUpdate& update, const doc::Value& workflow) : workflow_(workflow) {
    for (const std::string_view kind : {"labels", "annotations"}) {
      const doc::Object& changes = kind == "labels" ? update.labels : update.annotations;
      for (const auto& [name, value] : changes) take(parts_, {"metadata", kind, name});
    }
    if (update.spec) take(parts_, {"spec"});
    for (const auto& [name, value] : update.fields) take(parts_, {"status", name});
    for (const auto& node : update.nodes) take(parts_, {"status", "nodes", node.id});
  }
  doc::Value take_parts() { return std::move(parts_); }

 private:
  /// What holds a part is there on both sides: only the part itself comes or goes.
  void take(doc::Value& into, std::initializer_list<std::string_view> path) {
    doc::Object* target = &into.as_object();
    const doc::Value* from = &workflow_;
    for (const std::string_view& key : path) {
      from = from ? doc::find(*from, key) : nullptr;
      const bool last = &key == path.end() - 1;
      if (last && from) (*target)[key] = *from;
      if (!last) target = &doc::ensure_object(*target, key);
    }
  }

  const doc::Value& workflow_;
  doc::Value parts_ = doc::Object{};
};

Status apply(const cluster::WorkflowStatusUpdate& update, doc::Value& workflow) {
  doc::Object& root = workflow.as_object();
  doc::Object& metadata = doc::ensure_object(root, "metadata");
  if (!update.labels.empty()) set_members(doc::ensure_object(metadata, "labels"), update.labels);
  if (!update.annotations.empty()) set_members(doc::ensure_object(metadata, "annotations"), update.annotations);
  if (update.spec) root["spec"] = *update.spec;
  doc::Object& status = doc::ensure_object(root, "status");
  set_members(status, update.fields);
  return apply_nodes(update, status);
}

}  // namespace

void edit(const std::shared_ptr<Api>& api, const cluster::Key& key, Change change, std::string version,
          cluster::Done<cluster::Object> done) {
  auto editing = std::make_shared<Editing>();
  editing->api = api;
  editing->key = key;
  editing->change = std::move(change);
  editing->version = std::move(version);
  editing->done = std::move(done);
  editing->read();
}

class StatusWriter::State : public std::enable_shared_from_this<State> {
 public:
  explicit State(std::shared_ptr<Api> api) : api_(std::move(api)) {}

  struct Write {
    cluster::Key key;
    cluster::WorkflowStatusUpdate update;
    cluster::Done<void> done;
    int tries = 0;
  };

  void begin(std::shared_ptr<Write> write) {
    const auto known = known_.find(write->key);
    if (known != known_.end()) return send(std::move(write), *known->second);
    const std::string target = cluster::api_path(write->key);
    api_->call({.target = target}, [self = shared_from_this(), write = std::move(write)](Result<std::string> body) {
      Result<doc::Value> workflow = body ? doc::parse_json(*body) : std::unexpected(std::move(body).error());
      if (!workflow) return write->done(std::unexpected(std::move(workflow).error()));
      auto fresh = std::make_shared<Known>();
      fresh->packed = !doc::find_string(*workflow, "status", "compressedNodes").empty();
      if (const Status unpacked = unpack_nodes(*workflow); !unpacked) return write->done(unpacked);
      fresh->workflow = std::move(*workflow);
      self->known_[write->key] = fresh;
      self->send(write, *fresh);
    });
  }

  bool wrote(const doc::Value& workflow) const {
    const auto known = known_.find(key_of(workflow));
    return known != known_.end() && known->second->written == version_of(workflow);
  }

  void forget(const doc::Value& workflow) { known_.erase(key_of(workflow)); }

 private:
  /// A workflow as the server has it, its nodes unpacked.
  struct Known {
    doc::Value workflow;
    std::string written;  ///< the version that the last own write has made; "": none has
    bool packed = false;
    std::size_t bytes = 0;  ///< of its JSON, at most; 0: not counted yet
  };

  /// Applies the update to what is known and sends the difference.
  void send(std::shared_ptr<Write> write, Known& known) {
    ++write->tries;
    const std::string version(version_of(known.workflow));
    const doc::Value before = Touched(write->update, known.workflow).take_parts();
    if (const Status applied = apply(write->update, known.workflow); !applied) {
      known_.erase(write->key);
      return write->done(applied);
    }
    doc::Value patch = difference(before, Touched(write->update, known.workflow).take_parts());
    if (const Status fits = fit(known, patch); !fits) {
      known_.erase(write->key);
      return write->done(fits);
    }
    http::Request request = patch_request(write->key, std::move(patch), version);
    // The answer need not bring the whole back.
    request.headers.emplace_back("Accept",
                                 "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json");
    api_->call(std::move(request), [self = shared_from_this(), write = std::move(write)](Result<std::string> body) {
      self->answered(write, std::move(body));
    });
  }

  /// Packs the nodes of a workflow that has become too large.
  static Status fit(Known& known, doc::Value& patch) {
    known.bytes = known.bytes == 0 ? doc::to_json(known.workflow).size() : known.bytes + doc::to_json(patch).size();
    if (known.bytes > kMostWorkflowBytes) known.bytes = doc::to_json(known.workflow).size();
    const bool pack = known.bytes > kMostWorkflowBytes;
    if (!pack && !known.packed) return {};
    const doc::Value* nodes = doc::find(known.workflow, "status", "nodes");
    const doc::Value all = nodes ? *nodes : doc::Value(doc::Object{});
    doc::Object& status = doc::ensure_object(patch.as_object(), "status");
    known.packed = pack;
    if (!pack) {
      status["compressedNodes"] = nullptr;
      status["nodes"] = all;
      return {};
    }
    std::string packed = pack_nodes(all);
    const std::size_t rest = known.bytes - std::min(known.bytes, doc::to_json(all).size());
    if (rest + packed.size() > kMostWorkflowBytes) {
      return fail(
          Code::kResourceExhausted,
          fmt::format("workflow is longer than maximum allowed size for compression. Size={}", rest + packed.size()));
    }
    status["nodes"] = nullptr;
    status["compressedNodes"] = std::move(packed);
    return {};
  }

  void answered(const std::shared_ptr<Write>& write, Result<std::string> body) {
    const auto known = known_.find(write->key);
    if (!body) {
      // It may have been written or not: the next write reads it.
      if (known != known_.end()) known_.erase(known);
      if (body.error().code == Code::kAborted && write->tries < kMostTries) return begin(write);
      return write->done(std::unexpected(std::move(body).error()));
    }
    const Result<doc::Value> answer = doc::parse_json(*body);
    const std::string_view version = answer ? version_of(*answer) : std::string_view();
    if (known == known_.end()) return write->done({});
    if (write->update.completed || version.empty()) {
      known_.erase(known);
    } else {
      // A write that changes nothing leaves the version that somebody else has made.
      if (version != version_of(known->second->workflow)) known->second->written = version;
      doc::ensure_object(known->second->workflow.as_object(), "metadata")["resourceVersion"] = version;
    }
    write->done({});
  }

  std::shared_ptr<Api> api_;
  std::map<cluster::Key, std::shared_ptr<Known>> known_;
};

StatusWriter::StatusWriter(std::shared_ptr<Api> api) : state_(std::make_shared<State>(std::move(api))) {}

void StatusWriter::write(const cluster::Key& key, cluster::WorkflowStatusUpdate update, cluster::Done<void> done) {
  auto write = std::make_shared<State::Write>();
  write->key = key;
  write->update = std::move(update);
  write->done = std::move(done);
  state_->begin(std::move(write));
}

bool StatusWriter::wrote(const doc::Value& workflow) const {
  return state_->wrote(workflow);
}

void StatusWriter::forget(const doc::Value& workflow) {
  state_->forget(workflow);
}

}  // namespace tiphys::kube
