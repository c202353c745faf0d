// Package chiton makes tools for Chiton in Go: a description and a function for each. README.md beside this file is the
// guide.
//
// Every call runs in a fresh instance: nothing is kept in memory from one call to the next. Nothing here is for several
// threads, of which there is one; goroutines take turns on it.
package chiton

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Effects are what a call of a tool may do, joined with |. What is not declared is not allowed, whatever is granted.
type Effects uint8

const (
	ReadsFiles    Effects = 1 << iota // reads files in the granted directories
	WritesFiles                       // creates, changes or removes files there
	UsesNetwork                       // sends requests to granted addresses
	RunsPrograms                      // runs programs, in the sandbox or natively, as granted
	SendsMessages                     // sends messages to chats
	Schedules                         // creates or removes scheduled jobs
	Spawns                            // starts sub-agents, calls other tools or asks the model
	Destructive                       // may destroy what cannot be brought back; gives no right
)

// Tool is one tool, as it is shown to the model.
type Tool struct {
	Name        string  // [a-zA-Z0-9_-], unique among all tools of the bot
	Description string  // what it does and when to use it
	Parameters  string  // a JSON Schema with "type": "object"; the host checks arguments against it
	Effects     Effects // what a call may do
}

// The tools of this component, in the order in which they were added.
var tools []struct {
	Tool
	run func(arguments []byte) (Result, error)
}

// Add adds a tool to the component; call it in init. The arguments come as encoding/json puts them into an A, which is
// a struct as a rule: what a call does not name keeps its zero value.
func Add[A any](tool Tool, run func(arguments A) (Result, error)) {
	decoded := func(given []byte) (Result, error) {
		var arguments A
		if err := json.Unmarshal(given, &arguments); err != nil {
			return nil, Fail(InvalidArguments, "the arguments are not what the tool takes: %v", err)
		}
		return run(arguments)
	}
	tools = append(tools, struct {
		Tool
		run func(arguments []byte) (Result, error)
	}{tool, decoded})
}

// Result is what a call gives: parts in the order in which the model shall see them. To give several, append the parts
// of one result to another.
type Result []Part

// Part is one part of a result; Text, JSON, Image and File make them.
type Part struct {
	kind   uint8
	text   string // the text, the JSON document, or the media type
	data   []byte
	broken error
}

// Kinds of parts, numbered as in the contract.
const (
	textPart uint8 = iota
	jsonPart
	imagePart
	filePart
)

// Text gives plain text, made as by fmt.Sprintf.
func Text(format string, values ...any) Result {
	return Result{{kind: textPart, text: fmt.Sprintf(format, values...)}}
}

// JSON gives a value as a JSON document.
func JSON(value any) Result {
	text, err := json.Marshal(value)
	return Result{{kind: jsonPart, text: string(text), broken: err}}
}

// Image gives a picture for the model; mime is its media type, such as "image/png".
func Image(mime string, data []byte) Result {
	return Result{{kind: imagePart, text: mime, data: data}}
}

// File gives a file for the model or the user.
func File(mime string, data []byte) Result {
	return Result{{kind: filePart, text: mime, data: data}}
}

// Kind says why a call gives no result.
type Kind uint8

const (
	InvalidArguments Kind = iota // the arguments make no sense to the tool
	Denied                       // a right is missing; the reason is the grant, such as "files=/home/ann/notes:read"
	NotFound                     // what the call names does not exist
	TimedOut                     // something did not come in time
	Failed                       // anything else
)

// Failure is an error in the words of the contract.
type Failure struct {
	Kind   Kind
	Reason string // one sentence for the model
}

func (failure *Failure) Error() string { return failure.Reason }

// Fail makes a Failure, whose sentence is made as by fmt.Sprintf.
func Fail(kind Kind, format string, values ...any) error {
	return &Failure{kind, fmt.Sprintf(format, values...)}
}

// Mount is a directory that this call may use.
type Mount struct {
	Path     string // absolute, the same as on the host
	Writable bool
}

// Mounts gives the directories that this call may use. The first is the working directory; there is none if no file is
// granted.
func Mounts() []Mount { return mounts() }

// FileFailure says in the contract's words what an error of the package os means: not-found, or denied with the missing
// grant. A tool may return the error itself: then the kind of access is guessed, which can go wrong where a file is
// opened for writing outside all granted directories.
func FileFailure(err error, write bool) error {
	path, cause := "", err
	var ofPath *fs.PathError
	var ofLink *os.LinkError
	switch {
	case errors.As(err, &ofPath):
		path, cause = ofPath.Path, ofPath.Err
	case errors.As(err, &ofLink):
		path, cause = ofLink.Old, ofLink.Err
	default:
		return Fail(Failed, "%v", err)
	}
	mounted := mountOf(path) != nil
	// To Go and its WASI, all that is not mounted may not exist, or be no file.
	missing, unusable := errors.Is(cause, fs.ErrNotExist), isUnusable(cause)
	switch {
	case missing && mounted:
		return Fail(NotFound, "'%s' does not exist", path)
	case unusable && mounted:
		return Fail(Failed, "'%s' is a directory, or no file that can be used so", path)
	case missing, unusable, isRefused(cause):
		access := "read"
		if write {
			access = "write"
		}
		return Fail(Denied, "files=%s:%s", filepath.Dir(absolute(path)), access)
	}
	return Fail(Failed, "'%s': %v", path, cause)
}

// The mount that a path lies in by its text alone, if there is one.
func mountOf(path string) *Mount {
	path = absolute(path)
	for _, mount := range mounts() {
		below, err := filepath.Rel(mount.Path, path)
		if err == nil && below != ".." && !strings.HasPrefix(below, "../") {
			return &mount
		}
	}
	return nil
}

// A path as the owner knows it: relative ones start in the first mount.
func absolute(path string) string {
	if all := mounts(); !filepath.IsAbs(path) && len(all) > 0 {
		return filepath.Join(all[0].Path, path)
	}
	return path
}

// Whether an error of os stands for an attempt to change something.
func isWrite(err error) bool {
	var ofPath *fs.PathError
	if !errors.As(err, &ofPath) {
		return true // of two paths: a link or a new name
	}
	switch ofPath.Op {
	case "open", "openat", "stat", "lstat", "fstat", "statat", "read", "readat", "seek", "close", "readdir",
		"readdirent", "readdirnames", "readlink", "chdir":
		// Reading is granted in a mount, so what is refused there was to be changed.
		mount := mountOf(ofPath.Path)
		return mount != nil && !mount.Writable
	}
	return true
}

// What an error means in the contract's words.
func failureOf(err error) *Failure {
	var failure *Failure
	var ofPath *fs.PathError
	var ofLink *os.LinkError
	if !errors.As(err, &failure) {
		if errors.As(err, &ofPath) || errors.As(err, &ofLink) {
			err = FileFailure(err, isWrite(err))
		} else {
			err = Fail(Failed, "%v", err)
		}
		errors.As(err, &failure)
	}
	return failure
}

// Runs a tool by its name.
func run(name string, arguments []byte) (result Result, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			result, err = nil, Fail(Failed, "the tool broke down: %v", reason)
		}
	}()
	if all := mounts(); len(all) > 0 {
		_ = os.Chdir(all[0].Path) // if it is gone, opening a file says so
	}
	for _, tool := range tools {
		if tool.Name != name {
			continue
		}
		result, err := tool.run(arguments)
		for _, part := range result {
			if part.broken != nil && err == nil {
				err = Fail(Failed, "the result cannot be written as JSON: %v", part.broken)
			}
		}
		return result, err
	}
	return nil, Fail(NotFound, "there is no tool of this name")
}

// Secret gives the text that stands for a secret in the header or query field it is granted for; the host puts the
// value in.
func Secret(name string) (string, error) {
	if text, found := placeholder(name); found {
		return text, nil
	}
	return "", Fail(Denied, "secrets=%s", name)
}

// Progress shows the user one line about how far the call is. It waits while the reader is slow.
func Progress(format string, values ...any) {
	progress(readable(fmt.Sprintf(format, values...)))
}

// Level says how much a line of the owner's log matters.
type Level uint8

const (
	Debug Level = iota
	Info
	Warn
	Error
)

// Log adds a line to the owner's log.
func Log(level Level, format string, values ...any) {
	log(level, readable(fmt.Sprintf(format, values...)))
}

// Remaining is how long the call may still run.
func Remaining() time.Duration { return time.Duration(remaining()) * time.Millisecond }

// Text without what is no UTF-8: the host ends a call that hands it such a string.
func readable(text string) string { return strings.ToValidUTF8(text, "?") }
