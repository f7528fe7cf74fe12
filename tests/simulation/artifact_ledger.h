// What must hold of the artifacts of simulated workflows: each is deleted when its name says, not before, and the
// finalizer keeps its workflow until then, not longer.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "doc/value.h"
#include "simulation/fake_artifacts.h"

namespace tiphys::simulation {

class ArtifactLedger {
 public:
  ArtifactLedger(const FakeArtifacts& artifacts, std::vector<std::string>& complaints)
      : artifacts_(artifacts), complaints_(complaints) {}

  /// The state of a workflow, without its nodes, as it comes to be on disk.
  void committed(const doc::Value& workflow);
  void gone(const std::string& workflow) { on_disk_.erase(workflow); }
  /// Nothing is known of what is there until it is told again.
  void forget() { on_disk_.clear(); }
  /// The newest state of what is there, by name.
  const std::map<std::string, doc::Value>& on_disk() const { return on_disk_; }

  /// Somebody asks for it to be deleted, and the repository does so or not.
  void removing(std::string_view key, bool refused);

  /// It has ended, and what was to go at its end has. `collects`, `forced`: of its manifest.
  void at_rest(const doc::Value& workflow, bool collects, bool forced);
  /// It has been deleted, and is gone by now if it ever goes.
  void at_end(const std::string& workflow);

 private:
  struct Artifact {
    std::string key;
    bool deleted = false;
  };
  struct Rest {
    std::vector<Artifact> artifacts;
    bool forced = false, finalized = false;
  };
  static std::vector<Artifact> artifacts_of(const doc::Value& workflow);
  void check_status(const std::string& name, const doc::Value& workflow, const Rest& rest, bool collects);

  const FakeArtifacts& artifacts_;
  std::vector<std::string>& complaints_;
  std::map<std::string, doc::Value> on_disk_;
  std::set<std::string, std::less<>> refused_;
  std::map<std::string, Rest> rests_;
};

}  // namespace tiphys::simulation
