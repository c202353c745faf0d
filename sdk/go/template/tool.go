// Two tools: one reads a file, the other asks a service.
package main

import (
	"bytes"
	"chiton"
	"net/url"
	"os"
	"strconv"
)

func init() {
	chiton.Add(chiton.Tool{
		Name:        "my_skill_words",
		Description: "Counts the words of a text file.",
		Parameters: `{"type": "object", "properties": {
			"path": {"type": "string", "description": "Path of the file."}
		}, "required": ["path"], "additionalProperties": false}`,
		Effects: chiton.ReadsFiles,
	}, countWords)
	chiton.Add(chiton.Tool{
		Name:        "my_skill_weather",
		Description: "Tells the weather of a city.",
		Parameters: `{"type": "object", "properties": {
			"city": {"type": "string", "description": "Name of the city."},
			"days": {"type": "integer", "minimum": 1, "maximum": 7, "default": 1, "description": "For how many days."}
		}, "required": ["city"], "additionalProperties": false}`,
		Effects: chiton.UsesNetwork,
	}, weather)
}

// Counts the words of a text file.
func countWords(arguments struct{ Path string }) (chiton.Result, error) {
	text, err := os.ReadFile(arguments.Path)
	if err != nil {
		return nil, err
	}
	words := 0
	for range bytes.FieldsSeq(text) {
		words++
	}
	return chiton.Text("%s has %d words", arguments.Path, words), nil
}

// Tells the weather of a city, which a service knows that wants a key.
func weather(arguments struct {
	City string
	Days int
}) (chiton.Result, error) {
	city, days := arguments.City, max(arguments.Days, 1)
	key, err := chiton.Secret("MY_SKILL_KEY") // stands for the value, which only the host knows
	if err != nil {
		return nil, err
	}
	chiton.Progress("asking for the weather of %s", city)
	response, err := chiton.Send(chiton.Request{
		URL:   "https://api.example.com/v1/weather",
		Query: url.Values{"city": {city}, "days": {strconv.Itoa(days)}, "key": {key}},
	})
	if err != nil {
		return nil, err
	}
	if response.Status == 404 {
		return nil, chiton.Fail(chiton.NotFound, "the service knows no city '%s'; try a larger one nearby", city)
	}
	answer := struct {
		Sky     string
		Degrees float64
	}{Sky: "unknown"}
	if err := response.JSON(&answer); err != nil {
		return nil, err
	}
	return chiton.Text("%s: %s, %.0f degrees", city, answer.Sky, answer.Degrees), nil
}

func main() {} // never runs: the host calls the tools
