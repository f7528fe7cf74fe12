package main

import "regexp"

// explanations match the rows, as the original answers them, over which ours differs on purpose. Each is told in
// docs/expressions.md.
var explanations = []*regexp.Regexp{
	// Maps of fromPairs and groupBy are maps as others.
	regexp.MustCompile(`"error": ".*map\[interface \{\}\]`),
	// int and int64 are one type.
	regexp.MustCompile(`sprig\.duration(Round)?\(`),
	// find and findLast, and first and last of filter and map, which become these, leave a value behind on the
	// original's stack.
	regexp.MustCompile(`find(Last)?\(|(first|last)\((filter|map)|\| (first|last)\(`),
	// Lists and maps do not know the type of their elements.
	regexp.MustCompile(`sprig\.(must)?(typeOf|kindOf|typeIs|kindIs|toString)|sort\(sprig\.chunk`),
}

func isExplained(answer Row) bool {
	text := answer.String()
	for _, explanation := range explanations {
		if explanation.MatchString(text) {
			return true
		}
	}
	return false
}
