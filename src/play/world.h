// A world of virtual time around one run: it carries the run's effects out by mocks, and nothing else happens.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/found_templates.h"
#include "api/parse.h"
#include "engine/run.h"
#include "play/mock.h"
#include "play/test_file.h"

namespace tiphys::play {

struct Resources {
  double cpus = 0, memory_bytes = 0;
};

/// What is not told otherwise takes so long.
inline constexpr Duration kShort = std::chrono::seconds(1);

/// What a run meets.
struct Script {
  std::vector<const Mock*> mocks;  ///< the first that fits
  std::vector<Action> actions;
  std::vector<CacheEntry> cache;
  std::string pointer;  ///< in the file of mocks, for what lacks one
  /// How long a pod or resource action runs; `mocked` is what its mock says. Empty: that, or a second.
  std::function<Duration(const api::NodeStatus&, const doc::Value& template_document, std::optional<Duration> mocked)>
      duration;
  /// What a pod asks for; empty: nothing is asked.
  std::function<Result<Resources>(const engine::CreatePod&)> requests;
  /// What a templateRef with tags has come to; empty: there are no templates.
  std::function<Result<api::FoundTemplates>(const api::Workflow&, const api::TemplateRef&)> find_template;
  /// What the machine has; 0: no limit. Pods wait in their order, as at the node agent.
  Resources machine;
};

/// What runs outside of the engine, from when it was asked for.
struct Work {
  std::string node_id;
  bool is_pod = false;                  ///< else a resource action, or a suspend node that waits
  Time asked{}, started{}, finished{};  ///< not set: it never came to that
  Resources requests;
};

struct Played {
  engine::RunStatus status;
  Time start{}, end{};                 ///< the last thing that happened
  std::vector<api::NodeStatus> nodes;  ///< in the order of their creation
  std::vector<Work> work;              ///< in the order in which it was asked for
  std::vector<api::Finding> findings;  ///< of the file of mocks: what lacks one, what does not fit its template
  /// Why it stands still or was given up; "": the workflow has ended.
  std::string unfinished;
};

/// Plays a workflow from its creation to its end, or until nothing more happens.
Result<Played> play(api::Workflow workflow, const Script& script, Random& random);

}  // namespace tiphys::play
