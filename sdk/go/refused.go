//go:build wasip1

package chiton

import (
	"errors"
	"syscall"
)

// Whether the host refused a right, rather than that something is wrong with the file.
func refused(err error) bool {
	return errors.Is(err, syscall.ENOTCAPABLE) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EBADF)
}
