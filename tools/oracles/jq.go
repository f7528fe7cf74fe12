package main

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/itchyny/gojq"
)

// evalJQ gives the text that valueFrom.jqFilter makes of an object: strings as they are, other results as JSON, one a
// line, without white space around all of it.
func evalJQ(c *Case) (Result, error) {
	var document any
	c.decode("with", c.document(), &document)
	query, err := gojq.Parse(c.source())
	if err != nil {
		return Result{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeLimit)
	defer cancel()
	var out strings.Builder
	results := query.RunWithContext(ctx, document)
	for v, ok := results.Next(); ok; v, ok = results.Next() {
		switch v := v.(type) {
		case error:
			return Result{}, v
		case string:
			out.WriteString(v)
		default:
			text, err := json.Marshal(v)
			if err != nil {
				return Result{}, err
			}
			out.Write(text)
		}
		out.WriteString("\n")
	}
	return Result{Out: encode(strings.TrimSpace(out.String()))}, nil
}
