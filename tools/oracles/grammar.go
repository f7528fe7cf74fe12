package main

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
)

// Grammar gives random texts. A production is a text in which <symbol> stands for any production of that symbol;
// every symbol has some without symbols, which end a text that grows too deep.
type Grammar struct {
	Rules map[string][]string
	// Values are symbols that may take each other's place now and then: texts that are well formed and ill typed.
	Values []string
	// Depth bounds how deep symbols nest.
	Depth int
}

var symbol = regexp.MustCompile(`<[a-z][a-z0-9_]*>`)

// rarely is how often, one in so many, something is done wrong on purpose.
const rarely = 40

func (g Grammar) generate(r *rand.Rand, start string) string {
	return g.expand(r, start, g.Depth)
}

func (g Grammar) expand(r *rand.Rand, name string, depth int) string {
	if r.IntN(rarely) == 0 && slices.Contains(g.Values, name) {
		name = pick(r, g.Values)
	}
	ends, goesOn := g.productions(name)
	productions := append(ends, goesOn...)
	switch {
	case depth <= 0:
		productions = ends
	case depth == g.Depth && len(goesOn) > 0:
		productions = goesOn
	}
	return symbol.ReplaceAllStringFunc(pick(r, productions), func(s string) string {
		return g.expand(r, s[1:len(s)-1], depth-1)
	})
}

// productions of a symbol, those without symbols first.
func (g Grammar) productions(name string) (ends, goesOn []string) {
	for _, p := range g.Rules[name] {
		if symbol.MatchString(p) {
			goesOn = append(goesOn, p)
		} else {
			ends = append(ends, p)
		}
	}
	if len(ends) == 0 {
		panic(fmt.Sprintf("grammar: no way to end <%s>", name))
	}
	return ends, goesOn
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// mangle now and then spoils a text by a character.
func mangle(r *rand.Rand, text string) string {
	runes := []rune(text)
	if len(runes) == 0 || r.IntN(rarely/2) > 0 {
		return text
	}
	i := r.IntN(len(runes))
	before, at, after := string(runes[:i]), string(runes[i]), string(runes[i+1:])
	switch r.IntN(3) {
	case 0:
		return before + after
	case 1:
		return before + at + at + after
	}
	return before + pick(r, strings.Split(`( ) [ ] { } ' " . , : ? | & = < > ! - + * / \ # @ $ a 0 é`, " ")) + at + after
}
