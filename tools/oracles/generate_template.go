package main

import (
	"encoding/json"
	"math/rand/v2"
)

var templateGrammar = Grammar{
	Depth: 4,
	Rules: map[string][]string{
		"text":  {"", "a", "<tag>", "<tag><tag>", "<words><tag><words>", "<words><tag> <tag><words>", "<tag><words><tag>"},
		"words": {"", " ", "a", "{", "}", "a { b } c", "é世", `"`, "'", "\\", "\n", "<X>", "&", "}}", "{ {", "$", "%s", "null"},
		"tag": {"{{num}}", "{{ num }}", "{{<name>}}", "{{<space><name><space>}}", "{{=<expr>}}", "{{=<space><expr><space>}}", "{{inputs.parameters.{{<name>}}}}",
			"{{{<name>}}}", "{{ =<expr>}}", "{{}}", "{{<name>.{{num}}}}"},
		"space": {"", " ", "  ", "\t", "\n"},
		"name": {"num", "flag", "inputs.parameters.num", "inputs.parameters.my-param", "inputs.parameters.empty", "inputs.parameters.json", "inputs.parameters.missing",
			"inputs.parameters", "steps.flip-coin.outputs.result", "steps.a.outputs.result", "steps.b.outputs.result", "steps.b.outputs.artifacts.c", "tasks.t.outputs.parameters.p",
			"tasks.x.outputs.result", "workflow.name", "workflow.status", "workflow.uid", "workflow.parameters.b.c", "item", "item.x", "retries", "lastRetry.message", "pod.name",
			"missing", "Num", "num.x", "x y", "é"},
		"expr": {"1", "'a'", "num", "asInt(num) + 1", "num + 'x'", `"a" + num`, "inputs.parameters.num", "inputs.parameters['my-param']", "inputs.parameters.missing",
			"inputs.parameters.missing ?? 'd'", "missing", "missing ?? 'd'", "missing?.a ?? 'd'", "steps['flip-coin'].outputs.result", "steps.b.outputs.result",
			"steps.b.outputs.result ?? 'd'", "steps.b?.outputs.result ?? 'd'", "tasks.t.outputs.parameters.p", "tasks.t.outputs.parameters.p ?? 'none'", "workflow.status",
			"workflow.failures", "item", "item.x", "item.y * 2", "item.list", "item.missing", "retries", "asInt(retries) + 1", "lastRetry.exitCode", "toJson(item.obj)",
			"sprig.upper(flag)", "sprig.nope()", "1 +", "1 % 0", "nil", "[1, 'a']", "{a: 1}", "num == '1'", "1 < 2 && 2 > 1", "'<&>'", "'}'", `'\\n'`, `'a\nb'`, "inputs.parameters.json",
			"jsonpath(inputs.parameters.json, '$.list[0].name')", "<expr> == <expr>", "true ? <expr> : <expr>", "(<expr>)"},
	},
}

func generateTemplate(r *rand.Rand) Row {
	// Every opening has its end: tables tell what happens else.
	in := textField("in", templateGrammar.generate(r, "text"))
	if r.IntN(6) == 0 {
		in.JSON = marshal(map[string]any{"a": templateGrammar.generate(r, "text"), "b": []any{templateGrammar.generate(r, "text"), 1}})
	}
	row := Row{in, textField("with", "scope")}
	switch r.IntN(5) {
	case 0, 1:
		row = append(row, Field{"allowUnresolved", yes})
	case 2:
		row = append(row, Field{"strict", json.RawMessage(`["steps","tasks"]`)})
	}
	return row
}
