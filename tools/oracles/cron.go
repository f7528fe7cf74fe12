package main

import (
	"time"

	"github.com/robfig/cron/v3"
)

// evalCron gives the next "count" times of a schedule after "after", each after the one before; "local" is the zone of
// the clock that they are asked of.
func evalCron(c *Case) (Result, error) {
	count := 1
	c.read("count", &count)
	local, err := time.LoadLocation(c.text("local"))
	if err != nil {
		return Result{}, err
	}
	// The parser knows the local zone by its identity, and UTC is another.
	defer func(before *time.Location) { time.Local = before }(time.Local)
	time.Local = local
	schedule, err := cron.ParseStandard(c.source())
	if err != nil {
		return Result{}, err
	}
	t, err := time.Parse(time.RFC3339, c.text("after"))
	if err != nil {
		return Result{}, err
	}
	times := []string{}
	for t = t.In(local); len(times) < count; {
		if t = schedule.Next(t); t.IsZero() {
			break
		}
		times = append(times, t.UTC().Format(time.RFC3339))
	}
	return Result{Out: marshal(times)}, nil
}
