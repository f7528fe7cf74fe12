package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
)

var dependsGrammar = Grammar{
	Depth: 4,
	Rules: map[string][]string{
		"logic":  {"A", "B", "my-task", "<task>", "<task>.<result>", "<task>.<result>", "<logic> && <logic>", "<logic> || <logic>", "!<logic>", "(<logic>)", "<logic>&&<logic>", "!(<logic>)"},
		"task":   {"A", "B", "my-task", "loop", "Z", "a1", "2b"},
		"result": {"Succeeded", "Failed", "Errored", "Skipped", "Omitted", "Daemoned", "AnySucceeded", "AllFailed", "Nope", "succeeded"},
		"phase":  {"Succeeded", "Succeeded", "Failed", "Error", "Skipped", "Omitted", "Running", "Pending"},
	},
}

func generateDepends(r *rand.Rand) Row {
	phase := func() string { return dependsGrammar.generate(r, "phase") }
	tasks := map[string]any{
		"A":       phase(),
		"B":       map[string]any{"phase": phase(), "continueOn": map[string]bool{"error": r.IntN(2) == 0, "failed": r.IntN(2) == 0}},
		"my-task": map[string]any{"phase": phase(), "daemoned": r.IntN(2) == 0},
		"a1":      phase(),
		"2b":      phase(),
	}
	children := []string{}
	for range r.IntN(3) {
		children = append(children, phase())
	}
	tasks["loop"] = map[string]any{"phase": phase(), "children": children}
	with := Field{"with", marshal(tasks)}
	if r.IntN(10) == 0 {
		names := fmt.Sprintf("[%q, %q]", dependsGrammar.generate(r, "task"), dependsGrammar.generate(r, "task"))
		return Row{{"dependencies", json.RawMessage(names)}, with}
	}
	return Row{textField("in", mangle(r, dependsGrammar.generate(r, "logic"))), with}
}

var conditionGrammar = Grammar{
	Depth: 3,
	Rules: map[string][]string{
		"all": {"status.phase == Complete", "<one>", "<one>", "<one>, <one>", "<one>,<one>", "<one>, <one>, <one>"},
		"one": {"status.phase", "<path> == <word>", "<path>=<word>", "<path> = <word>", "<path> != <word>", "<path> > <number>", "<path> < <number>", "<path> in (<word>, <word>)",
			"<path> in (<word>)", "<path> notin (<word>,<word>)", "<path>", "!<path>", "<path> >= <number>", "<path> <op> <word>", "<path> in ()"},
		"op": {"==", "=", "!=", ">", "<", "===", "in", "<>", "&&", ""},
		"path": {"status.phase", "status.succeeded", "status.active", "status.failed", "status.ready", "status.ratio", "status.missing", "status.conditions.0.type", "status.conditions.1.status",
			"status.list.1", "status.list", "metadata.labels.app", "metadata.labels.empty", "kind", "spec.template.spec.containers.0.name", "status.negative", "status.big", "status.spaced",
			"status.startTime", "<odd>"},
		"odd":    {"a/b", "in", "-x", "two words", "'Complete'", `"Complete"`, "-5", "a:b", "é", ""},
		"word":   {"Complete", "True", "true", "3", "0", "null", "pi", "Job", "main", "0.75", "", "a.b", "x_y", "<odd>"},
		"number": {"0", "1", "3", "-1", "2.5", "x", "9007199254740992", ""},
	},
}

func generateCondition(r *rand.Rand) Row {
	row := Row{textField("in", mangle(r, conditionGrammar.generate(r, "all"))), textField("with", "job")}
	if r.IntN(2) == 0 {
		row = append(row, textField("as", "failure"))
	}
	return row
}
