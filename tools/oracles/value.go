package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"unicode/utf8"
)

// marshal writes JSON without escapes for HTML. It is for values that JSON can hold.
func marshal(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// describe gives a Go value with its type.
func describe(v any) Result {
	return Result{Out: encode(v), Type: typeName(v)}
}

func typeName(v any) string {
	if v == nil {
		return "nil"
	}
	if s, ok := v.(string); ok && !utf8.ValidString(s) {
		return "string quoted"
	}
	return reflect.TypeOf(v).String()
}

// encode is a value's JSON. What JSON cannot hold becomes text: NaN and infinities, strings that are not UTF-8 in
// Go's quotes, functions by their type.
func encode(v any) json.RawMessage {
	if raw, err := json.Marshal(held(reflect.ValueOf(v), 0)); err == nil {
		var out any
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if d.Decode(&out) == nil {
			return marshal(out)
		}
	}
	return marshal(fmt.Sprintf("%v", v))
}

// deepest bounds the nesting of a value: what goes beyond holds itself.
const deepest = 1000

func held(v reflect.Value, depth int) any {
	if depth > deepest {
		panic("a value that holds itself")
	}
	switch v.Kind() {
	case reflect.Invalid:
		return nil
	case reflect.Interface:
		return held(v.Elem(), depth)
	case reflect.Float32, reflect.Float64:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			return strconv.FormatFloat(f, 'g', -1, 64)
		}
	case reflect.String:
		if s := v.String(); !utf8.ValidString(s) {
			return strconv.Quote(s)
		}
	case reflect.Slice:
		if v.IsNil() || v.Type().Elem().Kind() == reflect.Uint8 {
			break
		}
		list := make([]any, v.Len())
		for i := range list {
			list[i] = held(v.Index(i), depth+1)
		}
		return list
	case reflect.Map:
		if v.IsNil() {
			break
		}
		m := make(map[string]any, v.Len())
		for _, k := range v.MapKeys() {
			m[fmt.Sprint(k.Interface())] = held(v.MapIndex(k), depth+1)
		}
		return m
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return v.Type().String()
	}
	return v.Interface()
}

// compact takes the white space out of JSON.
func compact(text []byte) json.RawMessage {
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		panic(err)
	}
	return b.Bytes()
}
