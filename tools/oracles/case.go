package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// timeLimit bounds one case: what takes longer is reported as such, so that a table stays usable.
const timeLimit = 5 * time.Second

// Library holds the shared variables and documents that rows name.
type Library struct {
	dir   string
	texts map[string]json.RawMessage
}

func (l *Library) load(name string) (json.RawMessage, error) {
	if text, ok := l.texts[name]; ok {
		return text, nil
	}
	text, err := os.ReadFile(filepath.Join(l.dir, name+".json"))
	if err != nil {
		return nil, err
	}
	text = bytes.TrimSpace(text)
	if !json.Valid(text) {
		return nil, fmt.Errorf("%s.json is not JSON", name)
	}
	if l.texts == nil {
		l.texts = map[string]json.RawMessage{}
	}
	l.texts[name] = text
	return text, nil
}

// Case reads the fields of a row. A field of a wrong type is an error of the table, kept in err, and not a result.
type Case struct {
	row  Row
	with json.RawMessage
	err  error
}

func newCase(library *Library, row Row) (*Case, error) {
	c := &Case{row: row}
	with, ok := row.get("with")
	if !ok {
		return c, nil
	}
	if !isString(with) {
		c.with = with
		return c, nil
	}
	var name string
	err := json.Unmarshal(with, &name)
	if err != nil {
		return nil, err
	}
	c.with, err = library.load(name)
	return c, err
}

func isString(text json.RawMessage) bool { return strings.HasPrefix(string(text), `"`) }

func (c *Case) read(name string, into any) {
	if raw, ok := c.row.get(name); ok {
		c.decode(name, raw, into)
	}
}

func (c *Case) decode(name string, raw json.RawMessage, into any) {
	if err := json.Unmarshal(raw, into); err != nil && c.err == nil {
		c.err = fmt.Errorf("%s: %w", name, err)
	}
}

func (c *Case) has(name string) bool { _, ok := c.row.get(name); return ok }

func (c *Case) text(name string) (s string) { c.read(name, &s); return s }

func (c *Case) flag(name string) (b bool) { c.read(name, &b); return b }

// source is the text of "in"; an "in" that is no string stands for its own JSON text.
func (c *Case) source() string {
	raw, _ := c.row.get("in")
	if isString(raw) {
		return c.text("in")
	}
	return string(raw)
}

// variables are those of "with". Numbers are float64, as encoding/json gives them.
func (c *Case) variables() map[string]any {
	m := map[string]any{}
	if c.with != nil {
		c.decode("with", c.with, &m)
	}
	return m
}

// document is the JSON text of "with".
func (c *Case) document() []byte {
	if c.with == nil {
		return []byte("null")
	}
	return c.with
}

// Result is what the original gives. Fields other than these two are appended to the row as they are.
type Result struct {
	Out  json.RawMessage
	Type string
	More Row
}

// answerRow completes a row with the original's result. Its error is one of the row itself.
func answerRow(eval language, library *Library, row Row) (Row, error) {
	row = row.question()
	c, err := newCase(library, row)
	if err != nil {
		return nil, err
	}
	type answer struct {
		result Result
		err    error
	}
	done := make(chan answer, 1)
	go func() {
		var a answer
		defer func() {
			if p := recover(); p != nil {
				a = answer{err: fmt.Errorf("panic: %v", p)}
			}
			done <- a
		}()
		a.result, a.err = eval(c)
	}()
	var a answer
	select {
	case a = <-done:
	case <-time.After(timeLimit):
		return append(row, Field{"error", marshal("timeout")}), nil
	}
	if c.err != nil {
		return nil, c.err
	}
	row = append(row, a.result.More...)
	if a.err != nil {
		line, _, _ := strings.Cut(a.err.Error(), "\n")
		return append(row, Field{"error", marshal(line)}), nil
	}
	if a.result.Out != nil {
		row = append(row, Field{"out", a.result.Out})
	}
	if a.result.Type != "" {
		row = append(row, Field{"type", marshal(a.result.Type)})
	}
	return row, nil
}
