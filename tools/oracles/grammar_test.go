package main

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestEverySymbolOfAGrammarEnds(t *testing.T) {
	for _, g := range []Grammar{
		conditionGrammar, dependsGrammar, documentGrammar, exprGrammar, gjsonGrammar, jqGrammar, jsonpathGrammar, kubectlGrammar,
		pointerGrammar, sjsonGrammar, strategicGrammar, templateGrammar, whenGrammar,
	} {
		for name, productions := range g.Rules {
			g.productions(name)
			for _, p := range productions {
				for _, s := range symbol.FindAllString(p, -1) {
					if _, ok := g.Rules[s[1:len(s)-1]]; !ok {
						t.Errorf("<%s> asks for %s, which is no symbol", name, s)
					}
				}
			}
		}
	}
}

func TestASeedGivesTheSameCases(t *testing.T) {
	for language := range languages {
		var first, second strings.Builder
		for _, out := range []*strings.Builder{&first, &second} {
			if err := generate(language, 7, 200, out); err != nil {
				t.Fatal(err)
			}
		}
		if first.String() != second.String() {
			t.Errorf("%s: the cases of a seed differ", language)
		}
	}
}

func TestCasesAreRows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 0))
	for language, next := range generators {
		for range 500 {
			if row := next(r).String(); !json.Valid([]byte(row)) {
				t.Fatalf("%s: %s", language, row)
			}
		}
	}
}

func TestSameAnswer(t *testing.T) {
	for _, c := range []struct {
		rule, a, b string
		same       bool
	}{
		{"equal values", `{"out": {"a": [1, "x"]}}`, `{"out": {"a":[1,"x"]}}`, true},
		{"another value", `{"out": [1]}`, `{"out": [2]}`, false},
		{"another length", `{"out": [1]}`, `{"out": [1, 2]}`, false},
		{"another key", `{"out": {"a": null}}`, `{"out": {"b": null}}`, false},
		{"errors, whatever they say", `{"error": "x"}`, `{"error": "y"}`, true},
		{"an error and a value", `{"error": "x"}`, `{"out": null}`, false},
		{"an integer and a float", `{"out": 1, "type": "int"}`, `{"out": 1, "type": "float64"}`, false},
		{"integers of two types", `{"out": 1, "type": "int"}`, `{"out": 1, "type": "int64"}`, true},
		{"one without type", `{"out": 1, "type": "float64"}`, `{"out": 1}`, true},
		{"large integers", `{"out": 9007199254740993}`, `{"out": 9007199254740992}`, false},
		{"ways to write a float", `{"out": 1e21}`, `{"out": 1000000000000000000000}`, true},
		{"digits that a float does not hold", `{"out": 0.1}`, `{"out": 0.1000000000000000055}`, true},
		{"floats", `{"out": 0.1}`, `{"out": 0.2}`, false},
	} {
		a, err := parseRow([]byte(c.a))
		if err != nil {
			t.Fatal(err)
		}
		b, err := parseRow([]byte(c.b))
		if err != nil {
			t.Fatal(err)
		}
		if same, err := sameAnswer(a, b); err != nil || same != c.same {
			t.Errorf("%s: %v, %v", c.rule, same, err)
		}
	}
}
