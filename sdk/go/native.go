//go:build !wasip1

// What stands for the host outside of it, so that editors understand the package and `go test` can run what does not
// need a host.
package chiton

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

func log(level Level, message string) { fmt.Fprintln(os.Stderr, message) }

func progress(text string) { fmt.Fprintln(os.Stderr, text) }

func remaining() uint64 { return 60_000 }

func mounts() []Mount { return []Mount{{Path: "/", Writable: true}} }

func placeholder(string) (string, bool) { return "", false }

func fetch(Request) (*Response, error) {
	return nil, Fail(Failed, "there is no host here to send requests")
}

func isRefused(err error) bool { return errors.Is(err, fs.ErrPermission) }

func isUnusable(error) bool { return false }
