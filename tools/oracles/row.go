package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Row is one line of a table: fields in the order in which they were written.
type Row []Field

type Field struct {
	Name string
	JSON json.RawMessage
}

// resultFields are those that an oracle writes; all others are a case's own.
var resultFields = []string{"out", "type", "raw", "becomes", "missing", "error"}

func parseRow(line []byte) (Row, error) {
	d := json.NewDecoder(bytes.NewReader(line))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("a row is a JSON object")
	}
	var row Row
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		f := Field{Name: name.(string)}
		if err := d.Decode(&f.JSON); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		row = append(row, f)
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	return row, nil
}

// A comment is a row with the one field "//": the subject of the rows below it.
func (r Row) isComment() bool { return len(r) == 1 && r[0].Name == "//" }

func (r Row) get(name string) (json.RawMessage, bool) {
	for _, f := range r {
		if f.Name == name {
			return f.JSON, true
		}
	}
	return nil, false
}

// question is the row without results.
func (r Row) question() Row {
	return slices.DeleteFunc(slices.Clone(r), func(f Field) bool { return slices.Contains(resultFields, f.Name) })
}

func (r Row) String() string {
	var b strings.Builder
	b.WriteByte('{')
	for i, f := range r {
		if i > 0 {
			b.WriteString(", ")
		}
		b.Write(marshal(f.Name))
		b.WriteString(": ")
		b.Write(f.JSON)
	}
	b.WriteByte('}')
	return b.String()
}
