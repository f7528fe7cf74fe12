package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// document is a small random JSON text.
func document(r *rand.Rand) string {
	return documentGrammar.generate(r, "object")
}

var documentGrammar = Grammar{
	Depth: 4,
	Rules: map[string][]string{
		"object": {"{}", `{"a": 1, "b": [1, 2]}`, `{"a": <value>, "b": <value>}`, `{"a": <object>, "b": [<value>, <value>]}`, `{"a": <object>, "b": <object>}`, `{"a": <value>, "b": <value>, "c": <value>}`, `{"a/b": <value>, "m~n": 1}`, `{"a": <object>, "": 2}`},
		"value":  {"1", "1.5", "null", "true", `"x"`, `"é<&>"`, "<object>", "<object>", "[]", "[<value>]", "[<value>, <value>, <value>]", "9007199254740993", `""`, "1.0"},
	},
}

var pointerGrammar = Grammar{
	Depth: 3,
	Rules: map[string][]string{
		"pointer": {"", "/a", "/b", "/a/<key>", "/b/<key>", "/a/a/<key>", "/<key>", "/<key>/<key>"},
		"key":     {"a", "a", "a", "b", "b", "c", "0", "0", "1", "-", "-1", "9", "a~1b", "m~0n", "new", "", "01"},
		// Those of data/pointers.json.
		"there": {"/a", "/b", "/b/0", "/b/2", "/b/-", "/b/-1", "/c", "/c/d", "/c/e", "/a~1b", "/m~0n", "/", "/é", "/new", "/c/new", "/b/3", "<pointer>"},
	},
}

// generateJSONPatch patches a document that it knows, so that most pointers lead somewhere, or a random one.
func generateJSONPatch(r *rand.Rand) Row {
	with, pointers := textField("with", "pointers"), "there"
	if r.IntN(3) == 0 {
		with, pointers = Field{"with", compact([]byte(document(r)))}, "pointer"
	}
	operations := make([]string, 1+r.IntN(3))
	for i := range operations {
		operations[i] = patchOperation(r, pointers)
	}
	return Row{jsonField("in", mangle(r, "["+strings.Join(operations, ", ")+"]")), with}
}

func patchOperation(r *rand.Rand, pointers string) string {
	path, from := pointerGrammar.expand(r, pointers, 2), pointerGrammar.expand(r, pointers, 2)
	name := pick(r, []string{"add", "add", "add", "remove", "remove", "replace", "replace", "move", "copy", "test"})
	if r.IntN(rarely) == 0 {
		name = "nope"
	}
	switch name {
	case "remove":
		return fmt.Sprintf(`{"op": "remove", "path": %q}`, path)
	case "move", "copy":
		return fmt.Sprintf(`{"op": %q, "from": %q, "path": %q}`, name, from, path)
	default:
		return fmt.Sprintf(`{"op": %q, "path": %q, "value": %s}`, name, path, documentGrammar.expand(r, "value", 2))
	}
}

func generateMergePatch(r *rand.Rand) Row {
	patch := document(r)
	if r.IntN(rarely) == 0 {
		patch = documentGrammar.expand(r, "value", 2)
	}
	return Row{jsonField("in", mangle(r, patch)), {"with", compact([]byte(document(r)))}}
}

var strategicGrammar = Grammar{
	Depth: 6,
	Rules: map[string][]string{
		"pod": {"{}", `{"spec": <spec>}`, `{"spec": <spec>}`, `{"metadata": <meta>}`, `{"metadata": <meta>, "spec": <spec>}`, `{"kind": null}`, `{"$patch": "replace", "kind": "X"}`, `{"spec": <directed>}`},
		"meta": {"{}", `{"labels": <map>}`, `{"annotations": <map>}`, `{"finalizers": <words>}`, `{"labels": <map>, "finalizers": <words>}`, `{"ownerReferences": [{"uid": "u1", "name": "x"}]}`,
			`{"$deleteFromPrimitiveList/finalizers": <words>}`, "null"},
		"map":   {"{}", "null", `{"a": "9"}`, `{"b": null}`, `{"c": "3", "a": null}`, `{"$patch": "replace", "z": "1"}`, `{"$patch": "delete"}`},
		"words": {"[]", "null", `["f1"]`, `["f3"]`, `["f2", "f4"]`},
		"spec": {"{}", `{"containers": <containers>}`, `{"containers": <containers>}`, `{"containers": <containers>, "volumes": <volumes>}`, `{"volumes": <volumes>}`, `{"nodeSelector": <map>}`,
			`{"restartPolicy": "Always"}`, `{"restartPolicy": null}`, `{"tolerations": [{"key": "k2"}]}`, `{"imagePullSecrets": [{"name": "s2"}]}`, `{"hostAliases": [{"ip": "1.1.1.1", "hostnames": ["g"]}]}`,
			`{"initContainers": <containers>}`, `{"unknown": 1}`, `{"securityContext": {"fsGroup": 2}}`},
		"directed":   {`{"$patch": "delete"}`, `{"$patch": "replace", "restartPolicy": "x"}`, `{"$retainKeys": ["restartPolicy"], "restartPolicy": "x"}`, `{"$setElementOrder/containers": [{"name": "side"}, {"name": "main"}]}`},
		"containers": {"[]", "null", "[<container>]", "[<container>]", "[<container>, <container>]", `[{"$patch": "replace"}, <container>]`, `[{"image": "x"}]`},
		"container": {`{"name": "main"}`, `{"name": <name>, "image": "new"}`, `{"name": <name>, "image": null}`, `{"name": <name>, "$patch": "delete"}`, `{"name": <name>, "env": <env>}`, `{"name": <name>, "ports": <ports>}`,
			`{"name": <name>, "command": ["x"]}`, `{"name": <name>, "args": []}`, `{"name": <name>, "resources": {"limits": {"cpu": "2"}}}`, `{"name": <name>, "volumeMounts": [{"name": "v", "mountPath": "/v"}]}`,
			`{"name": <name>, "$patch": "replace", "image": "only"}`, `{"name": <name>, "env": <env>, "ports": <ports>}`},
		"name":    {`"main"`, `"side"`, `"third"`},
		"env":     {"[]", "null", `[{"name": "A", "value": "9"}]`, `[{"name": "C", "value": "3"}]`, `[{"name": "B", "$patch": "delete"}]`, `[{"name": "B", "value": null}, {"name": "D"}]`, `[{"$patch": "replace"}]`},
		"ports":   {"[]", `[{"containerPort": 80, "protocol": "UDP"}]`, `[{"containerPort": 8080}]`, `[{"containerPort": 443, "$patch": "delete"}]`},
		"volumes": {"[]", "null", `[{"name": "v", "$patch": "delete"}]`, `[{"name": "c", "secret": {"secretName": "s"}, "configMap": null}]`, `[{"name": "n", "emptyDir": {}}]`, `[{"name": "c", "$retainKeys": ["name"]}]`},
		"workflow": {"{}", `{"spec": {"entrypoint": "b"}}`, `{"spec": {"templates": <templates>}}`, `{"spec": {"templates": <templates>}}`, `{"spec": {"arguments": <arguments>}}`,
			`{"spec": {"arguments": <arguments>, "templates": <templates>}}`, `{"metadata": <meta>}`, `{"spec": {"nodeSelector": <map>}}`, `{"spec": {"volumes": <volumes>}}`, `{"spec": {"parallelism": null}}`},
		"templates": {"[]", "null", "[<template>]", "[<template>, <template>]"},
		"template": {`{"name": "a"}`, `{"name": <letter>, "container": {"image": "y"}}`, `{"name": <letter>, "container": {"image": "x", "env": <env>}}`, `{"name": <letter>, "inputs": <arguments>}`,
			`{"name": <letter>, "dag": {"tasks": [{"name": <letter>, "template": "t"}]}}`, `{"name": <letter>, "steps": [[{"name": <letter>}]]}`, `{"name": <letter>, "$patch": "delete"}`,
			`{"name": <letter>, "sidecars": <containers>}`, `{"name": <letter>, "metadata": {"labels": <map>}}`},
		"letter":    {`"a"`, `"b"`, `"c"`},
		"arguments": {"{}", `{"parameters": [{"name": <letter>, "value": "1"}]}`, `{"parameters": [{"name": <letter>, "value": "2"}, {"name": <letter>}]}`, `{"artifacts": [{"name": <letter>, "path": "/p"}]}`},
	},
}

func generateStrategicMergePatch(r *rand.Rand) Row {
	if r.IntN(2) == 0 {
		patch := mangle(r, strategicGrammar.generate(r, "pod"))
		return Row{jsonField("in", patch), textField("kind", "Pod"), textField("with", "pod")}
	}
	patch := mangle(r, strategicGrammar.generate(r, "workflow"))
	document := strategicGrammar.generate(r, "workflow")
	for strings.Contains(document, "$") { // directives belong into patches
		document = strategicGrammar.generate(r, "workflow")
	}
	return Row{jsonField("in", patch), textField("kind", "Workflow"), {"with", compact([]byte(document))}}
}
