// What a view shows of one run: its object and its nodes, as far as they are known.
#pragma once

#include "argo/states.h"
#include "cli/view/node_tree.h"
#include "cluster/cluster.h"

namespace tiphys::cli {

using argo::has_ended;

struct RunState {
  cluster::Key key;
  cluster::Object workflow;  ///< without status.nodes, perhaps without spec; null before the first event
  cluster::Object whole;     ///< this one or an earlier one, with the spec as it is
  NodeMap nodes;
  bool finished = false;
  bool deleted = false;  ///< it went while it was followed
  bool listed = false;   ///< the present watch has told of it
  Time created{};        ///< when this command created it; the object itself knows whole seconds only
  Time ended{};          ///< when this command heard of its end; set if `created` is

  std::string_view phase() const;
  /// A copy with the spec, once there is one.
  doc::Value with_spec() const;
  bool succeeded() const { return finished && phase() == "Succeeded"; }
};

}  // namespace tiphys::cli
