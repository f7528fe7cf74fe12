package main

import (
	"encoding/json"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"
)

// evalGJSON gives what is found at a path as a string, with its type and its raw JSON; nothing found has no raw JSON.
func evalGJSON(c *Case) (Result, error) {
	found := gjson.GetBytes(c.document(), c.source())
	return Result{Out: encode(found.String()), Type: found.Type.String(), More: Row{{"raw", encode(found.Raw)}}}, nil
}

// evalSJSON changes a document at a path: "set" puts a value there, "setRaw" JSON text as it is, "delete" removes it.
// The result is the text of the document, which need not be JSON.
func evalSJSON(c *Case) (Result, error) {
	var out []byte
	var err error
	switch path := c.source(); {
	case c.has("set"):
		var v any
		c.read("set", &v)
		out, err = sjson.SetBytes(c.document(), path, v)
	case c.has("setRaw"):
		out, err = sjson.SetRawBytes(c.document(), path, []byte(c.text("setRaw")))
	default:
		out, err = sjson.DeleteBytes(c.document(), path)
	}
	if err != nil {
		return Result{}, err
	}
	return textOfJSON(out), nil
}

// textOfJSON keeps the text of a document, with the order of its keys, and says when it is not JSON.
func textOfJSON(text []byte) Result {
	if json.Valid(text) {
		return Result{Out: encode(string(text))}
	}
	return Result{Out: encode(string(text)), Type: "not JSON"}
}
