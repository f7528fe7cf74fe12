// How far work has come, as Argo counts it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tiphys {

struct Progress {
  std::uint64_t done = 0;
  std::uint64_t total = 0;
};

/// "N/M" of two whole numbers below 2^63, N <= M and M > 0; nothing for any other text
/// (argo-workflows/pkg/apis/workflow/v1alpha1/progress.go, which takes what is no number for 0).
std::optional<Progress> parse_progress(std::string_view text);
std::string to_text(const Progress& progress);

}  // namespace tiphys
