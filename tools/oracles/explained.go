package main

import "regexp"

// explanation matches what the original answers and what ours does, where they differ on purpose. Each is told in
// docs/expressions.md.
type explanation struct {
	original, ours *regexp.Regexp
}

var anything = regexp.MustCompile("")

var explanations = []explanation{
	// Maps of fromPairs and groupBy are maps as others.
	{regexp.MustCompile(`"error": ".*map\[interface \{\}\]`), anything},
	{regexp.MustCompile(`reflect\.Value\.MapIndex: value of type `), anything},
	{regexp.MustCompile(`sprig\.(must)?to(Pretty|Raw)?Json\(.*(fromPairs|groupBy)\(`), anything},
	// int and int64 are one type.
	{regexp.MustCompile(`sprig\.duration(Round)?\(`), anything},
	{regexp.MustCompile(`sprig\.(without|has|uniq|deepEqual)\(.*(bit[a-z]+|sprig\.(add|sub|mul|div|mod|max|min|int64|ceil|floor|toDecimal))\(`), anything},
	// Lists that are nil are empty lists.
	{regexp.MustCompile(`(sprig\.(regexFindAll|rest|initial|concat|compact)|split|concat|sort)\(.*(\?\?|==|!=|[jJ]son|JSON)|(\?\?|==|!=|[jJ]son|JSON|sWith|contains).*(sprig\.(regexFindAll|rest|initial|concat|compact)|split|concat|sort)\(`), anything},
	// What lies in memory below a list's end is not there.
	{regexp.MustCompile(`sprig\.slice\(`), regexp.MustCompile(`slice index out of bounds`)},
	// sprig's regular expressions match nothing in a text that is not UTF-8.
	{regexp.MustCompile(`sprig\.(must)?regex.*(sprig\.b(64|32)dec|'\[[0-9:-]+\])`), anything},
	// A text that is not UTF-8 within a map or a list.
	{regexp.MustCompile(`"out": .*\\\\x[0-9a-f]{2}`), regexp.MustCompile("\ufffd")},
	// find and findLast, and first and last of filter and map, which become these, leave a value behind on the
	// original's stack.
	{regexp.MustCompile(`find(Last)?(Index)?\(|(first|last)\(.*(filter|map)\(|\| (first|last)\(|filter\(.*\)\[-?[01]\]`), anything},
	// Of a filter of a filter, which become one, #index is the outer list's.
	{regexp.MustCompile(`filter\(+filter\(.*#index|filter\(.*\| *filter\(.*#index`), anything},
	// So does get, which gives nil where the check of types saw a number.
	{regexp.MustCompile(`get\(.*"error": "interface conversion`), anything},
	// So do choices and the smallest of numbers of several kinds.
	{regexp.MustCompile(`"error": "interface conversion: interface \{\} is (float64, not int|int, not float64)`), regexp.MustCompile(`"out": `)},
	// In an argument of sprig a range of constants is a list of int, which join does not take.
	{regexp.MustCompile(`invalid argument for join \(type \[\]int\)`), regexp.MustCompile(`"out": `)},
	// A map has as many places for a predicate as members.
	{anything, regexp.MustCompile(`takes only array \(got map`)},
	// What stands in an argument of sprig is checked as all else.
	{anything, regexp.MustCompile(`cannot redeclare variable|invalid number of arguments`)},
	// sprig is no value: only its functions are there.
	{anything, regexp.MustCompile(`unknown name sprig`)},
	// Lists and maps do not know the type of their elements.
	{regexp.MustCompile(`sprig\.(must)?(typeOf|kindOf|typeIs|kindIs|toString)|sort\(.*sprig\.chunk|(groupBy|fromPairs)\(.*==|deepEqual\(.*(groupBy|fromPairs)\(|groupBy\(.*\)[\[.]|in (groupBy|fromPairs)\(|==.*(groupBy|fromPairs)\(|groupBy\(.*==|sprig\.chunk\(.*==|==.*sprig\.chunk\(`), anything},
	// A test without a value, of a null that the patch itself has written.
	{regexp.MustCompile(`"op":"test",[^{}]*"vlue".*"error": "testing value`), regexp.MustCompile(`"out": `)},
	// What is wrong with a depends text is told at once, not when the tasks before it have finished.
	{regexp.MustCompile(`"becomes": .*"type": "nil"`), regexp.MustCompile(`"error": `)},
}

func isExplained(original, ours Row) bool {
	for _, e := range explanations {
		if e.original.MatchString(original.String()) && e.ours.MatchString(ours.String()) {
			return true
		}
	}
	return false
}
