// WorkflowService: what changes workflows and ends them.
#include <fmt/format.h>

#include <algorithm>

#include "argo/change.h"
#include "argo/creator.h"
#include "argo/find_workflow.h"
#include "argo/node_request.h"
#include "argo/retry.h"
#include "argo/states.h"
#include "argo/workflow_service.h"
#include "controllers/workflow_status.h"

namespace tiphys::argo {
namespace {

/// Answers with the workflow as it is now.
void reply_workflow(const WorkPtr& work, const cluster::Key& key) {
  work->cluster().get(key, work->reply_object());
}

/// As a merge patch.
doc::Value spec_patch(const WorkPtr& work, doc::Object spec, std::string_view action) {
  doc::Object patch{{"spec", std::move(spec)}};
  if (doc::Object labels = actor_labels(work->caller(), action); !labels.empty()) {
    patch["metadata"] = doc::Object{{"labels", std::move(labels)}};
  }
  return patch;
}

/// `next` gets the selector of the request; an error ends the call.
template <typename Next>
void with_selector(const WorkPtr& work, Next next) {
  auto selector = NodeSelector::parse(work->text("nodeFieldSelector"));
  if (!selector) return work->refuse(std::move(selector.error()));
  next(std::move(*selector));
}

/// `action` is "Stop", or "" for what has no name.
void ask_nodes(const WorkPtr& work, const cluster::Key& key, NodeRequest request, std::string_view action) {
  request.labels = actor_labels(work->caller(), action);
  request_nodes(work->cluster(), key, request, work->then<std::string>([work, key, request](const std::string& id) {
    await_request(work->plane().executor, work->cluster(), key, id, [work, key, request](bool taken) {
      // A cluster's controller may be the original, which knows no requests.
      if (taken || work->plane().api) return reply_workflow(work, key);
      set_nodes_instead(work->plane().executor, work->cluster(), key, request,
                        work->then<void>([work, key] { reply_workflow(work, key); }));
    });
  }));
}

/// As the original, which changes nothing when one of the nodes does not take it.
void check_and_ask_nodes(const WorkPtr& work, const cluster::Key& key, NodeRequest request, std::string_view action) {
  work->cluster().get(key, work->then<cluster::Object>(
                               [work, key, request = std::move(request), action](const cluster::Object& workflow) {
                                 const Status possible = check_request(*workflow, request);
                                 if (!possible) return work->refuse(possible.error());
                                 ask_nodes(work, key, request, action);
                               }));
}

void shut_down(const WorkPtr& work, const cluster::Key& key, std::string_view strategy) {
  work->cluster().get(key, work->then<cluster::Object>([work, key, strategy](const cluster::Object& workflow) {
    if (has_ended(*workflow)) {
      return work->refuse(
          {Code::kFailedPrecondition,
           fmt::format("cannot shutdown a completed workflow: workflow: \"{}\", namespace: \"{}\"", key.name, key.ns)});
    }
    work->cluster().patch(
        key, cluster::PatchType::kMerge, spec_patch(work, {{"shutdown", strategy}}, strategy),
        work->then<cluster::Object>([work, key](const cluster::Object&) { reply_workflow(work, key); }));
  }));
}

std::string resumed_by(const objects::Caller* caller) {
  return caller ? fmt::format("Resumed by: map[User:{}]", caller->name) : std::string();
}

/// Nodes that wait for a user are done; `first` is done before anything changes, if all of them have what they wait
/// for.
template <typename First>
void resume_nodes(const WorkPtr& work, const cluster::Key& key, const NodeSelector& selector, First first) {
  const auto go_on = [work, key, selector, first](const cluster::Object& workflow) {
    const NodeRequest request{.selector = selector, .phase = "Succeeded", .message = resumed_by(work->caller())};
    const auto nodes = controllers::read_nodes(*workflow);
    if (!nodes) return work->refuse(nodes.error());
    const bool waits = std::ranges::any_of(
        *nodes, [&](const api::NodeStatus& node) { return is_active_suspend(node) && selector.matches(node); });
    if (waits || !selector.empty()) {
      const Status possible = check_request(*workflow, request);
      if (!possible) return work->refuse(possible.error());
    }
    first([work, key, waits, request] {
      if (!waits) return reply_workflow(work, key);
      ask_nodes(work, key, request, "Resume");
    });
  };
  work->cluster().get(key, work->then<cluster::Object>(go_on));
}

/// {"name": value} as text.
Result<doc::Object> output_parameters(const std::string& text) {
  if (text.empty()) return doc::Object();
  auto parsed = doc::parse_json(text);
  if (!parsed || !parsed->is_object()) {
    return fail(Code::kInvalidArgument,
                "unable to parse output parameter set request: outputParameters is the text of a JSON object");
  }
  for (const auto& [name, value] : parsed->get_object()) {
    if (value.is_string()) continue;
    return fail(Code::kInvalidArgument,
                fmt::format("unable to parse output parameter set request: the value of \"{}\" is no string",
                            std::string_view(name)));
  }
  return std::move(parsed->get_object());
}

}  // namespace

void delete_workflow(const WorkPtr& work) {
  with_workflow(work, [work](const cluster::Key& key) {
    const bool force = work->flag("force");
    auto remove = [work, key, force](const auto&...) {
      work->cluster().remove(key, {}, [work, force](const Result<cluster::Object>& removed) {
        // One that only waited for its finalizers has gone with them.
        const bool gone = force && !removed && removed.error().code == Code::kNotFound;
        if (!removed && !gone) return work->refuse(removed.error());
        work->reply(doc::Object{});
      });
    };
    if (!force) return remove();
    work->cluster().patch(key, cluster::PatchType::kMerge,
                          doc::Object{{"metadata", doc::Object{{"finalizers", nullptr}}}},
                          work->then<cluster::Object>(remove));
  });
}

void retry_workflow(const WorkPtr& work) {
  with_selector(work, [&](NodeSelector selector) {
    with_workflow(work, [work, selector = std::move(selector)](const cluster::Key& key) {
      const RetryOptions options{.restart_successful = work->flag("restartSuccessful"),
                                 .selector = selector,
                                 .parameters = work->texts("parameters"),
                                 .labels = actor_labels(work->caller(), "Retry")};
      argo::retry_workflow(work->plane().executor, work->cluster(), key, options,
                           work->then<doc::Value>([work](const doc::Value& workflow) { work->reply(workflow); }));
    });
  });
}

void resume_workflow(const WorkPtr& work) {
  with_selector(work, [&](NodeSelector selector) {
    with_workflow(work, [work, selector = std::move(selector)](const cluster::Key& key) {
      if (!selector.empty()) return resume_nodes(work, key, selector, [](const auto& next) { next(); });
      resume_nodes(work, key, selector, [work, key](const auto& next) {
        merge(work->cluster(), key, spec_patch(work, {{"suspend", nullptr}}, "Resume"),
              work->then<cluster::Object>([next](const cluster::Object&) { next(); }));
      });
    });
  });
}

void suspend_workflow(const WorkPtr& work) {
  with_workflow(work, [work](const cluster::Key& key) {
    work->cluster().get(key, work->then<cluster::Object>([work, key](const cluster::Object& workflow) {
      if (has_ended(*workflow)) {
        return work->refuse({Code::kFailedPrecondition, "cannot suspend completed workflows"});
      }
      merge(work->cluster(), key, spec_patch(work, {{"suspend", true}}, "Suspend"),
            work->then<cluster::Object>([work, key](const cluster::Object&) { reply_workflow(work, key); }));
    }));
  });
}

void terminate_workflow(const WorkPtr& work) {
  with_workflow(work, [work](const cluster::Key& key) { shut_down(work, key, "Terminate"); });
}

void stop_workflow(const WorkPtr& work) {
  with_selector(work, [&](NodeSelector selector) {
    with_workflow(work, [work, selector = std::move(selector)](const cluster::Key& key) {
      if (selector.empty()) return shut_down(work, key, "Stop");
      check_and_ask_nodes(work, key, {.selector = selector, .phase = "Failed", .message = work->text("message")},
                          "Stop");
    });
  });
}

void set_workflow(const WorkPtr& work) {
  const std::string phase = work->text("phase");
  if (!phase.empty() && phase != "Succeeded" && phase != "Failed" && phase != "Error") {
    return work->refuse({Code::kInvalidArgument, fmt::format("{} is an invalid phase to set to", phase)});
  }
  auto outputs = output_parameters(work->text("outputParameters"));
  if (!outputs) return work->refuse(outputs.error());
  with_selector(work, [&](NodeSelector selector) {
    if (selector.empty()) {
      return work->refuse({Code::kFailedPrecondition,
                           "'set' currently only targets suspend nodes, use a node field selector to target them"});
    }
    NodeRequest request{.selector = std::move(selector),
                        .phase = phase,
                        .message = work->text("message"),
                        .output_parameters = std::move(*outputs)};
    with_workflow(work, [work, request = std::move(request)](const cluster::Key& key) {
      check_and_ask_nodes(work, key, request, "");
    });
  });
}

}  // namespace tiphys::argo
