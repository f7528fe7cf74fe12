package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/valyala/fasttemplate"
)

// evalTemplate substitutes tags as util/template does. "in" is a text, which is put into JSON before and taken out
// afterwards as everywhere in Argo, or a document. "allowUnresolved" leaves unknown tags as they are; "strict" lists
// prefixes under which tags must be known all the same.
func evalTemplate(c *Case) (Result, error) {
	variables := c.variables()
	var document any
	raw, _ := c.row.get("in")
	c.decode("in", raw, &document)
	text, err := json.Marshal(document)
	if err != nil {
		return Result{}, err
	}
	replaced, err := c.substitution().replaceJSON(string(text), variables)
	if err != nil {
		return templateResult(nil, err)
	}
	return templateResult(encode(must(decodeJSON(replaced))), nil)
}

// templateResult marks an error over which a node is not failed but tried again later.
func templateResult(out json.RawMessage, err error) (Result, error) {
	if err == nil {
		return Result{Out: out}, nil
	}
	for _, later := range []string{"failed to resolve {{", " is missing", "variable not in env"} {
		if strings.Contains(err.Error(), later) {
			return Result{More: Row{{"missing", json.RawMessage("true")}}}, err
		}
	}
	return Result{}, err
}

// substitution says which unknown tags are errors.
type substitution struct {
	required       *regexp.Regexp // names that must be known; nil when none must
	artifactsLater bool           // but for outputs.artifacts, which are resolved elsewhere
}

func (c *Case) substitution() substitution {
	if c.has("strict") {
		var prefixes []string
		c.read("strict", &prefixes)
		return substitution{required: segmentPrefixes(prefixes), artifactsLater: true}
	}
	if c.flag("allowUnresolved") {
		return substitution{artifactsLater: true}
	}
	return substitution{required: regexp.MustCompile(".*")}
}

func segmentPrefixes(prefixes []string) *regexp.Regexp {
	if len(prefixes) == 0 {
		return nil
	}
	quoted := make([]string, len(prefixes))
	for i, p := range prefixes {
		quoted[i] = regexp.QuoteMeta(p)
	}
	return regexp.MustCompile(`^(?:` + strings.Join(quoted, "|") + `)(?:\.|$)`)
}

func (s substitution) replaceJSON(text string, variables map[string]any) (string, error) {
	out, err := s.replace(text, variables)
	if err != nil {
		return "", err
	}
	if !json.Valid([]byte(out)) {
		return "", errors.New("cannot finish template replacement because the result was invalid JSON")
	}
	return out, nil
}

func (s substitution) replace(text string, variables map[string]any) (string, error) {
	t, err := fasttemplate.NewTemplate(text, "{{", "}}")
	if err != nil {
		return "", err
	}
	var out strings.Builder
	_, err = t.ExecuteFunc(&out, func(w io.Writer, tag string) (int, error) {
		value, err := s.tag(tag, variables)
		if err != nil {
			return 0, err
		}
		return io.WriteString(w, value)
	})
	return out.String(), err
}

func (s substitution) tag(tag string, variables map[string]any) (string, error) {
	if expression, ok := asExpression(tag); ok {
		return s.expression(expression, environment(variables))
	}
	return s.variable(tag, variables)
}

// asExpression takes back what json.Marshal does to <, > and &.
func asExpression(tag string) (string, bool) {
	expression, ok := strings.CutPrefix(tag, "=")
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(expression), ok
}

func (s substitution) variable(tag string, variables map[string]any) (string, error) {
	name := strings.TrimSpace(tag)
	value, ok := variables[name]
	if ok {
		switch value := value.(type) {
		case nil:
			return "", fmt.Errorf("unable to substitute {{%s}}: output is an absent optional (skipped/omitted node with no default)", tag)
		case string:
			return inQuotes(value), nil
		default:
			return "", fmt.Errorf("failed to resolve {{%s}} to string", tag)
		}
	}
	if outer, inner, ok := cutLast(tag, "{{"); ok && outer != "" {
		value, ok := variables[inner]
		if ok && value == nil {
			return "", fmt.Errorf("unable to substitute nested tag {{%s}}: %q is an absent optional", tag, inner)
		}
		// The tag around it stays open: its end follows as text, and a later pass reads it.
		if value, ok := value.(string); ok {
			return "{{" + outer + inQuotes(value), nil
		}
	}
	artifact := s.artifactsLater && strings.Contains(name, ".outputs.artifacts.")
	if s.required != nil && s.required.MatchString(name) && !artifact {
		return "", fmt.Errorf("failed to resolve {{%s}}", tag)
	}
	return "{{" + tag + "}}", nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func inQuotes(s string) string {
	quoted := strconv.Quote(s)
	return quoted[1 : len(quoted)-1]
}
