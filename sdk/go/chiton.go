// Package chiton makes tools for Chiton in Go: a struct for the arguments and a function for each. README.md beside
// this file is the guide. Every call runs in a fresh instance: nothing is kept in memory from one call to the next.
package chiton

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Effects are what a call of a tool may do. What is not declared is not allowed, whatever is granted.
type Effects uint8

const (
	ReadsFiles Effects = 1 << iota
	WritesFiles
	UsesNetwork
	RunsPrograms
	SendsMessages
	Schedules
	Spawns
	Destructive
)

// Kind says why a call gives no result.
type Kind uint8

const (
	InvalidArguments Kind = iota // the arguments make no sense to the tool
	Denied                       // a right is missing; the reason is the grant, such as "files=/home/ann/notes:read"
	NotFound                     // what the call names does not exist
	TimedOut                     // something did not come in time
	Failed                       // anything else
)

// Failure is an error in the words of the contract, with one sentence for the model.
type Failure struct {
	Kind   Kind
	Reason string
}

func (failure *Failure) Error() string { return failure.Reason }

// Fail makes a Failure.
func Fail(kind Kind, format string, values ...any) error {
	return &Failure{kind, fmt.Sprintf(format, values...)}
}

// Blob is a file, or a picture for the model if its media type begins with "image/".
type Blob struct {
	MIME string
	Data []byte
}

// Parts is a result of several parts, in the order in which the model shall see them.
type Parts []any

type tool struct {
	name, description, parameters string
	effects                       Effects
	run                           func(arguments []byte) (any, error)
}

var tools []tool

// Add adds a tool to the component; call it in init. The fields of the struct A are its arguments: README.md says how.
// The result may be a string, a Blob, Parts, or any other value, which becomes JSON.
func Add[A any](name, description string, effects Effects, run func(A) (any, error)) {
	parameters, defaults := describe[A]()
	tools = append(tools, tool{name, description, parameters, effects, func(given []byte) (any, error) {
		var arguments A
		for _, json := range [][]byte{defaults, given} {
			if err := read(json, &arguments); err != nil {
				return nil, Fail(InvalidArguments, "the arguments are not what the tool takes: %v", err)
			}
		}
		return run(arguments)
	}})
}

func read(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

// A part of a result, as the contract has it.
type result struct {
	kind       uint32
	text, mime string
	data       []byte
}

const (
	textPart = iota
	jsonPart
	imagePart
	filePart
)

func run(name string, arguments []byte) (parts []result, failure *Failure) {
	defer func() {
		if reason := recover(); reason != nil {
			parts, failure = nil, &Failure{Failed, fmt.Sprintf("the tool broke down: %v", reason)}
		}
	}()
	for _, tool := range tools {
		if tool.name == name {
			enterWorkingDirectory()
			value, err := tool.run(arguments)
			if err == nil {
				parts, err = partsOf(value)
			}
			return parts, failureOf(err)
		}
	}
	return nil, &Failure{NotFound, "this component has no tool '" + name + "'"}
}

func partsOf(value any) (parts []result, err error) {
	switch value := value.(type) {
	case string:
		return []result{{kind: textPart, text: value}}, nil
	case Blob:
		kind := uint32(filePart)
		if len(value.MIME) > 6 && value.MIME[:6] == "image/" {
			kind = imagePart
		}
		return []result{{kind: kind, mime: value.MIME, data: value.Data}}, nil
	case Parts:
		for _, one := range value {
			more, err := partsOf(one)
			if err != nil {
				return nil, err
			}
			parts = append(parts, more...)
		}
		return parts, nil
	}
	text, err := json.Marshal(value)
	return []result{{kind: jsonPart, text: string(text)}}, err
}

// What an error means in the contract's words.
func failureOf(err error) *Failure {
	var failure *Failure
	var path *fs.PathError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &failure):
		return failure
	case errors.As(err, &path):
		return fileFailure(path)
	}
	return &Failure{Failed, err.Error()}
}

func fileFailure(err *fs.PathError) *Failure {
	switch {
	// Without any mount there is no directory that could be searched, so it looks like a missing file.
	case errors.Is(err, fs.ErrNotExist) && workingDirectory != "":
		return &Failure{NotFound, fmt.Sprintf("'%s' does not exist", err.Path)}
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), refused(err.Err):
		folder := err.Path
		if !filepath.IsAbs(folder) {
			folder = filepath.Join(workingDirectory, folder)
		}
		// A grant is of a directory, and only the host knows better: what is opened for writing asks for both.
		return &Failure{Denied, fmt.Sprintf("files=%s:%s", filepath.Dir(folder), accessOf(err.Op))}
	}
	return &Failure{Failed, fmt.Sprintf("'%s': %v", err.Path, err.Err)}
}

func accessOf(operation string) string {
	switch operation {
	case "open", "read", "stat", "lstat", "readdir", "readdirent", "readlink":
		return "read"
	}
	return "write"
}

// Empty when no file is granted.
var workingDirectory string

// Relative paths start in the first granted directory.
func enterWorkingDirectory() {
	if granted := mounts(); len(granted) > 0 {
		workingDirectory = granted[0]
		_ = os.Chdir(workingDirectory) // it was granted; if it is gone, opening files says so
	}
}
