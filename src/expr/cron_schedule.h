// Schedules of cron workflows, as github.com/robfig/cron v3 reads and follows them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "expr/go_time.h"

namespace tiphys::expr {

class CronSchedule {
 public:
  /// Minute, hour, day of month, month and day of week ("30 2 * * MON-FRI"), a descriptor ("@daily") or "@every 1h30m";
  /// "TZ=ZONE " or "CRON_TZ=ZONE " in front names a time zone. Errors are the original's.
  static Result<CronSchedule> parse(std::string_view text);

  /// The first time after `after` at which it is due, in whole seconds; none when there is none within five years. A
  /// schedule without a zone goes by `local`. A local time that a change of the clock skips is never due; one that it
  /// repeats is due twice, unless the hour is left open.
  std::optional<Time> next(Time after, const GoZone& local) const;

  /// Of "@every": what lies between two times, whatever the clock says.
  std::optional<Duration> interval() const { return interval_; }

 private:
  /// The allowed values as bits, and kStar.
  struct Fields {
    std::uint64_t minute = 0, hour = 0, day = 0, month = 0, weekday = 0;
  };
  static constexpr std::uint64_t kStar = std::uint64_t{1} << 63;

  Status read_descriptor(std::string_view text);
  Status read_fields(std::string_view text);
  bool day_matches(const CivilTime& time) const;
  std::optional<Time> search(GoTime time) const;

  Fields fields_;
  std::optional<Duration> interval_;
  std::optional<GoZone> zone_;
};

}  // namespace tiphys::expr
