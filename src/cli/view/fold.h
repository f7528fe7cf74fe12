// Trees that fit: long rows of siblings shortened to those that matter.
#pragma once

#include "cli/view/node_tree.h"

namespace tiphys::cli {

/// Leaves at most `most` children of each node: those that failed, then those that run or wait, then those that ended
/// last, each in the place it had. What is left out is told in one line, "… 93 more: 90 succeeded, 3 pending".
void fold_siblings(NodeTree& tree, TreeNode& root, std::size_t most, bool utf8);

/// The lines of a tree, folded more and more until they are at most `rows`.
std::vector<TreeLine> fit_tree(NodeTree& tree, TreeNode& root, std::size_t rows, bool utf8);

}  // namespace tiphys::cli
