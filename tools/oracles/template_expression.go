package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
)

// lateVariables get their values only in a later pass: an expression that reads one waits for it.
var lateVariables = []string{
	"item", "retries", "lastRetry.exitCode", "lastRetry.status", "lastRetry.duration", "lastRetry.message",
	"workflow.status", "workflow.failures",
}

// expression gives what {{=source}} is replaced with; source is still escaped as in JSON.
func (s substitution) expression(source string, env map[string]any) (string, error) {
	var text string
	unescaped := json.Unmarshal([]byte(`"`+source+`"`), &text)
	var unknown []string
	lenient := false
	if unescaped == nil {
		names, err := variablesOf(text)
		if err == nil {
			for _, name := range names {
				if !known(name, env) {
					unknown = append(unknown, name)
				}
			}
			if s.required != nil {
				if i := slices.IndexFunc(unknown, s.required.MatchString); i >= 0 {
					return "", fmt.Errorf("failed to evaluate expression: %s is missing", unknown[i])
				}
			}
			lenient = len(unknown) > 0 || s.required == nil
		}
	}
	unresolved := "{{=" + source + "}}"
	if unescaped != nil {
		return "", fmt.Errorf("failed to unmarshall JSON expression: %w", unescaped)
	}
	if lenient && slices.ContainsFunc(unknown, func(name string) bool { return slices.Contains(lateVariables, name) }) {
		return unresolved, nil
	}
	tolerant := lenient || hasPlaceholder(env)

	program, err := expr.Compile(text, expr.Env(env))
	if err != nil && !tolerant {
		return "", fmt.Errorf("failed to evaluate expression: %w", err)
	}
	v, err := expr.Run(program, env)
	switch {
	case (err != nil || v == nil) && tolerant:
		return unresolved, nil
	case err != nil:
		return "", fmt.Errorf("failed to evaluate expression: %w", err)
	case v == nil:
		return "", fmt.Errorf("failed to evaluate expression %q", source)
	}
	out, err := json.Marshal(v)
	if err != nil && lenient {
		return unresolved, nil
	}
	if err != nil {
		return "", fmt.Errorf("failed to marshal evaluated expression: %w", err)
	}
	if string(out) == `"` || !strings.HasPrefix(string(out), `"`) {
		return inQuotes(string(out)), nil
	}
	return string(out[1 : len(out)-1]), nil
}

// hasPlaceholder tells whether some value stands for one that only a run will know.
func hasPlaceholder(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.HasPrefix(v, "__argo__internal__placeholder-")
	case map[string]any:
		for _, value := range v {
			if hasPlaceholder(value) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, hasPlaceholder)
	}
	return false
}

// known tells whether a dotted name leads to a value, be it nil.
func known(name string, env map[string]any) bool {
	if _, ok := env[name]; ok {
		return true
	}
	var current any = env
	for part := range strings.SplitSeq(name, ".") {
		m, ok := current.(map[string]any)
		if !ok {
			return false
		}
		if current, ok = m[part]; !ok {
			return false
		}
	}
	return true
}

// variablesOf lists the names and dotted names that an expression reads, but for members that ?? or ?. guard.
func variablesOf(text string) ([]string, error) {
	tree, err := parser.Parse(text)
	if err != nil {
		return nil, err
	}
	guarded := map[ast.Node]bool{}
	walk(&tree.Node, func(n ast.Node) {
		switch n := n.(type) {
		case *ast.BinaryNode:
			if n.Operator == "??" {
				walk(&n.Left, func(left ast.Node) {
					if _, ok := left.(*ast.MemberNode); ok {
						guarded[left] = true
					}
				})
			}
		case *ast.MemberNode:
			if _, ok := n.Node.(*ast.MemberNode); ok && n.Optional {
				guarded[n.Node] = true
			}
		}
	})
	var names []string
	walk(&tree.Node, func(n ast.Node) {
		name, ok := dottedName(n)
		if ok && !guarded[n] && !slices.Contains(names, name) {
			names = append(names, name)
		}
	})
	return names, nil
}

func dottedName(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return n.Value, true
	case *ast.MemberNode:
		property, ok := n.Property.(*ast.StringNode)
		if !ok || n.Optional {
			return "", false
		}
		switch n.Node.(type) {
		case *ast.IdentifierNode, *ast.MemberNode:
			name, ok := dottedName(n.Node)
			return name + "." + property.Value, ok
		}
	}
	return "", false
}

type visitor func(ast.Node)

func (v visitor) Visit(n *ast.Node) { v(*n) }

func walk(n *ast.Node, f func(ast.Node)) { ast.Walk(n, visitor(f)) }
