package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"strings"
)

// errDiffer is not for the user, who has seen the rows.
var errDiffer = errors.New("answers differ")

// compareFiles prints the rows of two files of answers to the same cases that differ, the first one's with a minus.
func compareFiles(minus, plus string, out io.Writer) error {
	a, err := readFile(minus)
	if err != nil {
		return err
	}
	b, err := readFile(plus)
	if err != nil {
		return err
	}
	if len(a) != len(b) {
		return fmt.Errorf("%s has %d rows, %s has %d", minus, len(a), plus, len(b))
	}
	differ, explained := 0, 0
	for i := range a {
		same, err := sameAnswer(a[i], b[i])
		if err != nil {
			return fmt.Errorf("row %d: %w", i+1, err)
		}
		if !same && isExplained(a[i], b[i]) {
			explained++
		} else if !same {
			differ++
			fmt.Fprintf(out, "- %s\n+ %s\n", a[i], b[i])
		}
	}
	fmt.Fprintf(out, "%d of %d differ, and %d as docs/expressions.md explains\n", differ, len(a), explained)
	if differ > 0 {
		return errDiffer
	}
	return nil
}

func readFile(path string) ([]Row, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	rows, err := readRows(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return rows, nil
}

// sameAnswer holds when both are errors, whatever they say, or both have the same value. Numbers are told apart by
// type, integer or not, when both rows have one.
func sameAnswer(a, b Row) (bool, error) {
	_, aFails := a.get("error")
	_, bFails := b.get("error")
	if aFails || bFails {
		return aFails && bFails, nil
	}
	if x, y := numberType(a), numberType(b); x != "" && y != "" && x != y {
		return false, nil
	}
	x, err := decodeOut(a)
	if err != nil {
		return false, err
	}
	y, err := decodeOut(b)
	if err != nil {
		return false, err
	}
	return sameValue(x, y), nil
}

func numberType(r Row) string {
	raw, _ := r.get("type")
	switch name := strings.Trim(string(raw), `"`); {
	case strings.HasPrefix(name, "int"), strings.HasPrefix(name, "uint"):
		return "integer"
	case strings.HasPrefix(name, "float"):
		return "float"
	}
	return ""
}

func decodeOut(r Row) (v any, err error) {
	raw, ok := r.get("out")
	if !ok {
		return nil, errors.New("has neither out nor error")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

// sameValue lets an empty list stand for null: a slice that is nil prints so, and is an empty one in all else.
func sameValue(a, b any) bool {
	if list, ok := b.([]any); ok && len(list) == 0 && a == nil {
		return true
	}
	switch a := a.(type) {
	case json.Number:
		b, ok := b.(json.Number)
		return ok && sameNumber(a.String(), b.String())
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !sameValue(a[i], b[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for key := range a {
			if value, ok := b[key]; !ok || !sameValue(a[key], value) {
				return false
			}
		}
		return true
	}
	return a == b
}

// sameNumber compares integers exactly, and floats as floats: more digits than needed may be written.
func sameNumber(a, b string) bool {
	x, xOK := new(big.Rat).SetString(a)
	y, yOK := new(big.Rat).SetString(b)
	if !xOK || !yOK {
		return a == b
	}
	if x.IsInt() && y.IsInt() {
		return x.Cmp(y) == 0
	}
	f, _ := x.Float64()
	g, _ := y.Float64()
	return f == g
}
