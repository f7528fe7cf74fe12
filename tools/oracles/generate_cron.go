package main

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"time"
)

var cronGrammar = Grammar{
	Depth:  3,
	Values: []string{"minute", "hour", "day", "month", "weekday"},
	Rules: map[string][]string{
		"spec":    {"0 * * * *", "<fields>", "<fields>", "<fields>", "<fields>", "TZ=<zone> <fields>", "CRON_TZ=<zone> <fields>", "CRON_TZ=<zone> <word>", "<word>"},
		"fields":  {"30 2 * * *", "<minute> <hour> <day> <month> <weekday>", "<minute> <hour> * * *", "<minute> <hour> * * <weekday>", "<minute> <hour> <day> * *", "<minute> <hour> * <month> ?"},
		"word":    {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly", "@every 1h", "@every 90s", "@every 1.5s", "@every 2h45m", "@every 10ms", "@every -1h"},
		"zone":    {"UTC", "Local", "America/Sao_Paulo", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "America/Santiago", "Asia/Beirut", "Nowhere/Land"},
		"minute":  {"*", "?", "0", "30", "59", "*/15", "5-10", "0,30", "5/20", "1-59/7", "60", "*/0", "<minute>,<minute>"},
		"hour":    {"*", "0", "1", "2", "3", "23", "0-3", "*/2", "*/5", "1,2", "24", "20/1", "<hour>,<hour>"},
		"day":     {"*", "?", "1", "31", "29", "30", "1-7", "*/10", "13", "0", "32", "<day>,<day>"},
		"month":   {"*", "?", "1", "2", "3", "10", "11", "JAN", "mar-nov", "*/3", "feb", "13", "<month>,<month>"},
		"weekday": {"*", "?", "0", "6", "SUN", "mon-fri", "1-5", "*/2", "7", "sat,sun", "<weekday>,<weekday>"},
	},
}

var cronZones = []string{"", "Europe/London", "America/Los_Angeles", "America/Havana", "Asia/Gaza", "Antarctica/Troll", "America/Nuuk"}

// Near the changes of clocks, and anywhere.
var cronDays = []string{"2026-03-08", "2026-03-29", "2026-10-25", "2026-11-01", "2018-11-03", "2017-10-14", "2026-04-04", "2024-02-28", "2026-12-31", "2011-12-29"}

func generateCron(r *rand.Rand) Row {
	day, _ := time.Parse(time.DateOnly, cronDays[r.IntN(len(cronDays))])
	after := day.Add(time.Duration(r.IntN(3*24*3600)-24*3600) * time.Second)
	if r.IntN(2) == 0 {
		after = after.Truncate(time.Hour)
	}
	text := cronGrammar.generate(r, "spec")
	if r.IntN(20) == 0 && !strings.HasPrefix(text, "TZ=") && !strings.HasPrefix(text, "CRON_TZ=") {
		text = mangle(r, text)
	}
	return Row{
		textField("in", text),
		textField("after", after.Format(time.RFC3339)),
		textField("local", cronZones[r.IntN(len(cronZones))]),
		Field{"count", json.RawMessage("4")},
	}
}
