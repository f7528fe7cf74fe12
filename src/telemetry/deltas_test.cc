#include "telemetry/deltas.h"

#include <gtest/gtest.h>

namespace tiphys::telemetry {
namespace {

std::vector<Metric> counter(double value, std::string label = "a") {
  return {{"c", "", "", Metric::Type::kCounter, true, {}, {{{{"l", std::move(label)}}, value, {}}}}};
}
std::vector<Metric> histogram(double sum, std::vector<std::uint64_t> counts) {
  return {{"h", "", "", Metric::Type::kHistogram, false, {1}, {{{}, sum, std::move(counts)}}}};
}

TEST(Deltas, AreWhatHasComeSinceTheLastTime) {
  Deltas deltas;
  const auto after = [&](std::vector<Metric> metrics) {
    deltas.apply(metrics);
    return metrics.front().points.front();
  };
  EXPECT_EQ(after(counter(5)).value, 5) << "the first is all";
  EXPECT_EQ(after(counter(7)).value, 2);
  EXPECT_EQ(after(counter(7)).value, 0);
  EXPECT_EQ(after(counter(9, "other")).value, 9) << "another series";
  EXPECT_EQ(after(counter(4)).value, 4) << "forgotten meanwhile";
  EXPECT_EQ(after(counter(3)).value, 3) << "it has begun anew";

  EXPECT_EQ(after(histogram(10, {1, 2})).counts, (std::vector<std::uint64_t>{1, 2}));
  const Metric::Point next = after(histogram(14, {2, 2}));
  EXPECT_EQ(next.counts, (std::vector<std::uint64_t>{1, 0}));
  EXPECT_EQ(next.value, 4);
  EXPECT_EQ(after(histogram(1, {1, 0})).counts, (std::vector<std::uint64_t>{1, 0})) << "anew";
}

TEST(Deltas, LeaveGaugesAlone) {
  Deltas deltas;
  std::vector<Metric> metrics{{"g", "", "", Metric::Type::kGauge, true, {}, {{{}, 5, {}}}}};
  for (int i = 0; i < 2; ++i) {
    deltas.apply(metrics);
    EXPECT_EQ(metrics.front().points.front().value, 5);
  }
}

}  // namespace
}  // namespace tiphys::telemetry
