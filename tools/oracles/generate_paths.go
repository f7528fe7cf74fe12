package main

import "math/rand/v2"

var jsonpathGrammar = Grammar{
	Depth: 4,
	Rules: map[string][]string{
		"path":  {"$", "$<steps>", "$.store.book<step>", "$.list<step>", "$.store.book<step>.title", "$<steps>", "$.matrix<step><step>"},
		"steps": {"", "<step>", "<step><steps>"},
		"step": {".store", ".<key>", "['<key>']", `["<key>"]`, "..<key>", ".*", "[*]", "[<int>]", "[<int>:<int>]", "[<int>:]", "[:<int>]", "[<int>:<int>:<int>]", "[<int>,<int>]", "['<key>','<key>']",
			"[?(<test>)]", "[?(<test>)]", ".length", "[(@.length-1)]", "..[<int>]", "..*"},
		"key": {"store", "book", "bicycle", "price", "title", "category", "isbn", "color", "list", "matrix", "mixed", "text", "empty", "num", "deep", "x", "y", "missing", "odd keys", "0", "世界"},
		"int": {"0", "1", "2", "3", "-1", "-2", "10", "-10"},
		"test": {"@.isbn", "@.<key>", "@.price < <num>", "@.price > <num>", "@.<key> == <value>", "@.<key> != <value>", "@ > <num>", "@ == <value>", "<test> && <test>", "<test> || <test>", "@.price <= $.expensive",
			"@['<key>'] == <value>", "@.title =~ '<key>'", "@.price >= 8.95", "@.category in ['fiction']", "true", "!@.isbn", "(<test>)", "@.price * 2 < <num>"},
		"num":   {"0", "1", "2", "8.95", "10", "20"},
		"value": {"'fiction'", `"red"`, "1", "'1'", "null", "true", "8.95", "''", "@.price", "$.expensive"},
	},
}

func generateJSONPath(r *rand.Rand) Row {
	return Row{textField("in", mangle(r, jsonpathGrammar.generate(r, "path"))), textField("with", "store")}
}

// The order of a map shows in wildcards and descents over maps, so those go over lists.
var kubectlGrammar = Grammar{
	Depth: 4,
	Rules: map[string][]string{
		"text": {"{.kind}", "<part>", "<part><part>", "<words><part><words>", "{range .status.conditions[*]}<inner>{end}", "{range .spec.template.spec.containers[*]}<inner><words>{end}", "{range .status.list<at>}{@}{end}"},
		"part": {"{.kind}", "{<path>}", "{<path>}", "{<path>}", "{$<path>}", "{<literal>}", "{ <path> }", "<path>", "{@<path>}", "{<path>[?(<test>)]<tail>}", "{.status.conditions[?(<test>)]<tail>}"},
		"path": {".status.phase", ".<key>", ".status.<field>", ".status.list<at>", ".status.conditions<at><tail>", ".spec.template.spec.containers<at><tail>", ".metadata.labels.<field>",
			".metadata['labels']['<field>']", "..<deep>", ".status['phase','ready']"},
		"key":     {"kind", "apiVersion", "status", "missing", "spec", "metadata", "世"},
		"deep":    {"containerPort", "image", "reason", "missing", "phase"},
		"field":   {"phase", "succeeded", "ratio", "big", "failed", "ready", "list", "missing", "app", "startTime", "nested", "negative"},
		"at":      {"[*]", "[0]", "[1]", "[-1]", "[2]", "[9]", "[0:1]", "[0:2]", "[1:]", "[:2]", "[:]", "[-2:]", "[0:3:2]", "[::2]", "[0,1]", "[0,2]", ""},
		"tail":    {"", ".type", ".name", ".status", ".image", ".missing", ".ports[0].containerPort", "['type','status']", ".count"},
		"test":    {"@.type==\"Complete\"", "@.<attr>==<value>", "@.<attr>!=<value>", "@.count><num>", "@.count<=<num>", "@.<attr>", "@==<num>", "@.<attr> == <value>"},
		"attr":    {"type", "status", "count", "reason", "name", "image", "missing"},
		"value":   {`"Complete"`, `'True'`, "1", "20", `"main"`, "true", `"20"`, "1.0"},
		"num":     {"0", "1", "5", "20", "2.5"},
		"literal": {`"\n"`, `"\t"`, `"a"`, `'b'`, "1", "1.5", "true", `"é"`},
		"inner":   {"{.type}", "{.type}={.status}", "{.name}", "{@.type}", "{.missing}", "x", "{.type}{\"\\n\"}", "{.image}{\"\\t\"}"},
		"words":   {"", " ", "a", "=", "\n", "é", "}"},
	},
}

func generateKubectlJSONPath(r *rand.Rand) Row {
	row := Row{textField("in", mangle(r, kubectlGrammar.generate(r, "text"))), textField("with", "job")}
	if r.IntN(2) == 0 {
		row = append(row, Field{"allowMissingKeys", yes})
	}
	return row
}

var gjsonGrammar = Grammar{
	Depth: 4,
	Rules: map[string][]string{
		"path": {"kind", "<key>", "<key>.<rest>", "items.<rest>", "items.#(<test>).<rest>", "items.#(<test>)#.<rest>", "items.#.<rest>", "<path>|<rest>", "<path>.<modifier>", "<path>|<modifier>", "{<key>,<key>}",
			"[<path>,<path>]", "items.#.{name,<key>}", `{"a":<path>}`},
		"rest":     {"0", "1", "#", "name", "age", "tags", "tags.#", "tags.0", "addr.city", "active", "<key>", "<rest>.<rest>", "#.name", "#(<test>)", "#(<test>)#"},
		"key":      {"kind", "count", "items", "text", "num", "nil", "empty", `by\.id`, "json", "missing", "k*", "t?xt", "*", "num.int", "num.big", "empty.list", "date"},
		"test":     {`name=="bob"`, "age>26", "age<=30", "active==true", `name%"*n*"`, `name!%"a*"`, "age!=25", "tags.#>0", "addr", "active==~false", `name>"b"`, `tags.#(=="b")`, "", "missing==~null"},
		"modifier": {"@this", "@reverse", "@keys", "@values", "@ugly", "@pretty", "@valid", "@flatten", "@tostr", "@fromstr", "@join", "@nope"},
	},
}

func generateGJSON(r *rand.Rand) Row {
	return Row{textField("in", mangle(r, gjsonGrammar.generate(r, "path"))), textField("with", "users")}
}

var sjsonGrammar = Grammar{
	Depth: 3,
	Rules: map[string][]string{
		"path":  {"name", "<key>", "<key>.<key>", "<key>.<index>", "o.b.<index>", "l.<index>.<key>", "<key>.<key>.<index>.<key>"},
		"key":   {"name", "n", "o", "l", "nil", "new", "a", "b", `a\.b`, "世", "#", "a*", ":1", "x y"},
		"index": {"0", "1", "2", "5", "-1", "x", "01"},
		"value": {`"v"`, "1", "1.5", "true", "null", "[1, 2]", `{"z": 1, "a": [null]}`, `"a\"b"`, `"<é>"`, `""`},
	},
}

func generateSJSON(r *rand.Rand) Row {
	row := Row{textField("in", mangle(r, sjsonGrammar.generate(r, "path"))), textField("with", "small")}
	value := sjsonGrammar.generate(r, "value")
	switch r.IntN(4) {
	case 0:
		return append(row, Field{"delete", yes})
	case 1:
		return append(row, textField("setRaw", value))
	}
	return append(row, Field{"set", []byte(value)})
}

var jqGrammar = Grammar{
	Depth:  4,
	Values: []string{"num", "text", "list", "bool"},
	Rules: map[string][]string{
		"any": {".", ".kind", ".items[0].name", "<num>", "<text>", "<list>", "<bool>", "<object>", "<any> // <any>", "<any> | tojson", "<any> | type", "<any>, <any>", "(<any>)?", "<any> | <any>", "empty",
			"if <bool> then <any> else <any> end", "try (<any>) catch .", ".missing", ".nil", "<any> as $x | [$x, $x]", "<list> | .[]"},
		"num": {"1", "0", "-2", "2.5", ".count", ".num.int", ".num.big", "<num> + <num>", "<num> - <num>", "<num> * <num>", "<num> / <num>", "<num> % <num>", "(<num>)", "(<list> | length)", "(<text> | length)",
			"(<list> | add)", "(<num> | floor)", "(<text> | tonumber)", "(<list> | min)", "(<list> | max)", "(reduce .items[] as $i (0; . + $i.age))", "([.items[].age] | add)"},
		"text": {`"a"`, `"a,b"`, ".kind", ".text", ".items[1].name", "<text> + <text>", "(<text> | ascii_upcase)", "(<any> | tostring)", "(<texts> | join(\",\"))", `"x\(<num>)y"`, "(<text> | @base64)",
			"(<text> | sub(\"a\"; \"b\"))", "(<text> | gsub(\"[aeiou]\"; \"_\"))", "(<text> | ltrimstr(\"a\"))", "(<text> | .[1:3])", "(<text> | @json)", "(<text> | @uri)", "(<text> | @sh)", "(<text> | trim)"},
		"texts": {"[.items[].name]", `["a", "b"]`, "(<text> | split(\",\"))", "(<object> | keys)", "[<text>, <text>]", ".items[0].tags"},
		"list": {"[1, 2, 3]", "[]", "[.items[].age]", "(<list> | map(. + 1))", "(<list> | map(select(. > 1)))", "(<list> | sort)", "(<list> | unique)", "(<list> | reverse)", "[<num>, <num>]", "[range(<small>)]",
			"(<list> + <list>)", "(<list> - <list>)", "([<list>, <list>] | flatten)", "(<list> | .[1:])", "(<list> | .[:<small>])", "([<list>[] | . * 2])", "(<list> | del(.[0]))", "[limit(<small>; <list>[])]",
			"(.items | map(select(.active)) | map(.age))", "(.items | sort_by(.age) | map(.age))", "(.items | group_by(.active) | map(length))"},
		"bool":   {"true", "false", "<num> > <num>", "<num> == <num>", "<text> == <text>", "<bool> and <bool>", "<bool> or <bool>", "(<bool> | not)", "(<text> | test(\"a\"))", "(<text> | startswith(\"a\"))", "(<list> | any(. > 1))", ".items[0].active", "(<object> | has(\"a\"))", "(<text> | contains(\"a\"))"},
		"object": {`{"a": 1}`, "{a: <any>, b: <num>}", "{kind, count}", "(<object> + <object>)", "(<object> * <object>)", "(<object> | del(.a))", "(<object> | with_entries(select(.key == \"a\")))", ".items[0]", "(<object> | .a = <num>)", "(<object> | to_entries | from_entries)", ".num", ".empty"},
		"small":  {"0", "1", "2", "5"},
	},
}

func generateJQ(r *rand.Rand) Row {
	return Row{textField("in", mangle(r, jqGrammar.generate(r, "any"))), textField("with", "users")}
}
