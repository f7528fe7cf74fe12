// Workflows by chance: what they hold is listed in README.md.
#pragma once

#include <string>
#include <vector>

#include "doc/value.h"
#include "simulation/chance.h"

namespace tiphys::simulation {

struct WorkflowChoices {
  std::string name;
  /// True: nothing whose outcome depends on what ends first, so that every run of it gives the same nodes.
  bool same_every_time = true;
  /// Levels of steps and dags around the leaves.
  int depth = 3;
};

/// What is to become of an artifact: its name, and the last part of its key, begin so.
inline constexpr std::string_view kEnds = "ends-";    ///< it goes when its workflow has ended
inline constexpr std::string_view kGoes = "goes-";    ///< it goes along with its workflow
inline constexpr std::string_view kStays = "stays-";  ///< nobody deletes it

/// Longer than any workflow here takes.
inline constexpr Duration kTimeToLive = std::chrono::hours(25);

/// An artifact at this path is a folder of files; at any other it is a file.
inline constexpr std::string_view kFolderPath = "/out/folder";

struct RandomManifest {
  doc::Value workflow;
  doc::Value library;         ///< the WorkflowTemplate that has some of its templates; null when none
  bool asks_library = false;  ///< also as it runs
  bool collects = false;      ///< some artifact is to be deleted some day
  bool forced = false;        ///< what cannot be deleted keeps nobody
  bool expires = false;       ///< it is deleted by its time to live
};

/// A Workflow. Its leaves are containers that the fake agent plays: args are [kind, percent that fail].
RandomManifest random_workflow(Chance& chance, const WorkflowChoices& choices);

}  // namespace tiphys::simulation
