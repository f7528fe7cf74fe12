package main

import "math/rand/v2"

var whenGrammar = Grammar{
	Depth:  4,
	Values: []string{"num", "text", "bool", "list"},
	Rules: map[string][]string{
		"bool": {"true", "false", "a == a", "<text> == <text>", "<text> != <text>", "<num> == <num>", "<num> != <num>", "<num> < <num>", "<num> <= <num>", "<num> > <num>", "<num> >= <num>",
			"<text> < <text>", "<text> > <text>", "<text> =~ <regex>", "<text> !~ <regex>", "<text> in <list>", "<num> in <list>", "<bool> && <bool>", "<bool> || <bool>", "!<bool>", "!(<bool>)",
			"(<bool>)", "<bool> == <bool>", "<bool> ? <bool> : <bool>", "<date> < <date>", "<date> == <date>", "<date> > <num>", "<text>==<text>", "<bool>&&<bool>"},
		"text": {"a", "b", "heads", "Succeeded", "'a'", `"a"`, "''", `""`, "'a b'", `'it\'s'`, "'1'", "'true'", "é", "'世界'", "a_b", "'a-b'", "[a b]", `'a\nb'`, "<odd>",
			"<text> + <text>", "(<text>)", "<text> ?? <text>", "<bool> ? <text> : <text>"},
		"num": {"0", "1", "2", "10", "1.5", ".5", "-1", "0x1F", "010", "9007199254740993", "<odd>", "<num> + <num>", "<num> - <num>", "<num>-<num>", "<num> * <num>", "<num> / <num>",
			"<num> % <num>", "<num> ** <num>", "<num> & <num>", "<num> | <num>", "<num> ^ <num>", "<num> << <num>", "<num> >> <num>", "-<num>", "~<num>", "(<num>)", "<bool> ? <num> : <num>"},
		"odd":   {"1e3", "1_000", "2a", "a.b", "a-b", "{{x}}", "$a", "_a", "1.2.3", "a b"},
		"regex": {"a", "'^a'", "'[a-z]+'", "'b$'", "'('", "''", "'(?i)A'", "<text>", "'a|b'", "'^.$'"},
		"list":  {"(a, b)", "('a', 'b')", "(1, 2)", "(a)", "()", "(<text>, <text>)", "(<num>, <num>, <num>)", "(<text>, <num>)"},
		"date":  {"'2020-01-01'", "'2020-01-01T10:00:00Z'", "'2020-01-01 10:00'", "'2019-12-31T23:00:00-02:00'", "'Jan 2 2006'", "'10:00'", "'2020-13-01'"},
	},
}

func generateWhen(r *rand.Rand) Row {
	row := Row{textField("in", mangle(r, whenGrammar.generate(r, "bool")))}
	if r.IntN(10) == 0 {
		row = append(row, Field{"cron", yes})
	}
	return row
}
