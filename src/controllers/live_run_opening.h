// What a LiveRun keeps until its run has begun. For live_run*.cc alone.
#pragma once

#include "controllers/live_run.h"

namespace tiphys::controllers {

/// A run that is about to begin or to go on.
struct LiveRun::Opening {
  cluster::Object workflow;
  std::unordered_map<std::string, cluster::Object> pods;  ///< by node id
  std::vector<std::string> running;                       ///< nodes of pods that ran when the run was last written
  std::shared_ptr<void> token;                            ///< kept as long as this lasts
  bool opened = false;                                    ///< it is its turn
  bool resolved = false;                                  ///< what it refers to is known
  std::optional<doc::Value> repository;                   ///< of artifacts, once it is known
  bool finalized = false;                                 ///< it stays until its artifacts have gone, if they are to
  bool estimated = false;                                 ///< how long it may take has been looked up
  bool claimed = false;                                   ///< its storage is
  std::vector<api::NodeStatus> nodes;                     ///< with which it goes on
  std::optional<engine::ManualRetry> retry;               ///< what a user's retry has made of its nodes
  bool other_parameters = false;                          ///< the retry gives it some
  std::map<std::string, std::string> leaving;             ///< names of pods that go before it goes on, by uid
};

inline bool wants_suspend(const doc::Value& workflow) {
  const doc::Value* suspend = doc::find(workflow, "spec", "suspend");
  return suspend && suspend->is_bool() && suspend->get_bool();
}

}  // namespace tiphys::controllers
