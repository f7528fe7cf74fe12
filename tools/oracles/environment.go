package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/Masterminds/sprig/v3"
	"github.com/doublerebel/bellows"
	"github.com/evilmonkeyinc/jsonpath"
	"github.com/expr-lang/expr/builtin"
)

var sprigFunctions = func() map[string]any {
	functions := sprig.GenericFuncMap()
	delete(functions, "env")
	delete(functions, "expandenv")
	return functions
}()

// environment is what an expression sees: variables with dotted names as nested maps, and the functions that Argo
// adds. As in util/expr/env.
func environment(variables map[string]any) map[string]any {
	for name := range variables {
		if strings.HasPrefix(name, ".") {
			panic("stack overflow: the original recurses without end over a name that begins with a dot")
		}
	}
	env := bellows.Expand(withoutParents(variables))
	env["asInt"] = builtin.Int
	env["asFloat"] = builtin.Float
	env["jsonpath"] = func(text, path string) any {
		found, err := jsonpath.Query(path, must(decodeJSON(text)))
		return must(found, err)
	}
	env["toJson"] = func(v any) string { return string(must(json.Marshal(v))) }
	env["sprig"] = sprigFunctions
	return env
}

// withoutParents drops "a" where there is "a.b". Only the next name in order is looked at, as the original does, so
// "a" survives when "a-b" stands between them.
func withoutParents(variables map[string]any) map[string]any {
	kept := maps.Clone(variables)
	names := slices.Sorted(maps.Keys(variables))
	for i, name := range names[:max(len(names)-1, 0)] {
		if strings.HasPrefix(names[i+1], name+".") {
			delete(kept, name)
		}
	}
	return kept
}

func decodeJSON(text string) (v any, err error) {
	err = json.Unmarshal([]byte(text), &v)
	return v, err
}

// must panics as the original's functions do; the caller of the expression turns that into an error.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
