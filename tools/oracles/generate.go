package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
)

// generators give a random case of a language: its fields without results.
var generators = map[string]func(*rand.Rand) Row{
	"condition":             generateCondition,
	"cron":                  generateCron,
	"depends":               generateDepends,
	"expr":                  generateExpr,
	"gjson":                 generateGJSON,
	"jq":                    generateJQ,
	"json_patch":            generateJSONPatch,
	"jsonpath":              generateJSONPath,
	"kubectl_jsonpath":      generateKubectlJSONPath,
	"managed_fields":        generateManagedFields,
	"merge_patch":           generateMergePatch,
	"sjson":                 generateSJSON,
	"strategic_merge_patch": generateStrategicMergePatch,
	"template":              generateTemplate,
	"when":                  generateWhen,
}

// generate prints count cases. The same seed gives the same cases.
func generate(language string, seed uint64, count int, out io.Writer) error {
	next, ok := generators[language]
	if !ok {
		return fmt.Errorf("no generator for %q", language)
	}
	r := rand.New(rand.NewPCG(seed, 0))
	for range count {
		if _, err := fmt.Fprintln(out, next(r)); err != nil {
			return err
		}
	}
	return nil
}

func textField(name, text string) Field { return Field{name, marshal(text)} }

// jsonField holds JSON text as it is, and as a string when it is not JSON.
func jsonField(name, text string) Field {
	if json.Valid([]byte(text)) && text[0] != '"' {
		return Field{name, compact([]byte(text))}
	}
	return textField(name, text)
}

var yes = json.RawMessage("true")
