// Two tools: one reads a file, the other asks a service.
package main

import (
	"chiton"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
)

func init() {
	chiton.Add("my_skill_words", "Counts the words of a text file.", chiton.ReadsFiles, countWords)
	chiton.Add("my_skill_weather", "Tells the weather of a city.", chiton.UsesNetwork, weather)
}

type words struct {
	Path string `json:"path" description:"Path of the file."`
}

func countWords(arguments words) (any, error) {
	text, err := os.ReadFile(arguments.Path)
	if err != nil {
		return nil, err
	}
	return fmt.Sprintf("%s has %d words", arguments.Path, len(strings.Fields(string(text)))), nil
}

type forecast struct {
	City string `json:"city" description:"Name of the city."`
	Days int    `json:"days" description:"For how many days." minimum:"1" maximum:"7" default:"1"`
}

func weather(arguments forecast) (any, error) {
	key, err := chiton.Secret("MY_SKILL_KEY") // stands for the value, which only the host knows
	if err != nil {
		return nil, err
	}
	chiton.Progress("asking for the weather of %s", arguments.City)
	response, err := chiton.Request{
		URL:   "https://api.example.com/v1/weather",
		Query: url.Values{"city": {arguments.City}, "days": {strconv.Itoa(arguments.Days)}, "key": {key}},
	}.Send()
	if err != nil {
		return nil, err
	}
	if response.Status == 404 {
		return nil, chiton.Fail(chiton.NotFound, "the service knows no city '%s'; try a larger one nearby", arguments.City)
	}
	var answer struct {
		Sky     string  `json:"sky"`
		Degrees float64 `json:"degrees"`
	}
	if err := response.JSON(&answer); err != nil {
		return nil, err
	}
	return fmt.Sprintf("%s: %s, %.0f degrees", arguments.City, answer.Sky, answer.Degrees), nil
}

func main() {} // never runs: the host calls the tools
