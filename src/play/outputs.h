// What mocks give as outputs of nodes.
#pragma once

#include <string>
#include <vector>

#include "api/node_status.h"
#include "api/parse.h"
#include "engine/run.h"
#include "play/mock.h"

namespace tiphys::play {

/// A node that ends well, and what is known of it.
struct Ending {
  const api::NodeStatus& node;
  const doc::Value& template_document;  ///< with its declared outputs
  bool wants_result = false;            ///< others use outputs.result
  const Outcome* outcome = nullptr;     ///< null: there is no mock
  std::string pointer;                  ///< where a mock would be
};

/// Outputs of a mock, completed by the defaults that the template declares. What has neither is a finding, and so is
/// what the template does not declare.
api::Outputs mocked_outputs(const Ending& ending, std::vector<api::Finding>& findings);

/// A finding that says which mock is missing: "outputs.parameters.x".
api::Finding missing_mock(const api::NodeStatus& node, const std::string& pointer, const std::string& what,
                          bool has_mock);

/// Outputs as a cache keeps them.
api::Outputs to_outputs(const Values& values);
/// The text of an artifact where it is known, else its key.
std::string text_of(const api::Artifact& artifact);

}  // namespace tiphys::play
