//go:build wasip1

// The contract in the Canonical ABI: how the values of wit/tool.wit lie in memory, written by hand since Go has no
// generator that needs nothing else.
//
// The host puts what it gives us where cabi_realloc says. Four things can go wrong there, and each ends the call:
//  1. It is asked for memory before Go's own allocator runs: so the first blocks come from an array.
//  2. If it did not exist, the WASI adapter would grow the memory itself, and Go's heap would later overwrite what lies
//     there: so it is exported.
//  3. It may not call the host, but the garbage collector reads the clock: so that stands still except while a tool
//     runs and waits for nothing.
//  4. It may not move the stack, on which the import waits that it is called from: so the stack is made large before.

package chiton

import (
	"runtime"
	"runtime/debug"
	"strings"
	"unsafe"
)

// What an address is in memory, and the length of what is there.
type pair struct{ address, length uint32 }

// The first blocks: the state and the stack of the WASI adapter, 64 KiB each.
var (
	early     [3 * 65536 / 8]uint64
	earlyUsed uintptr
	started   bool
)

// Blocks that the host has filled and nothing refers to yet.
var handed []unsafe.Pointer

func init() {
	debug.SetGCPercent(-1)
	started = true
}

//go:wasmexport cabi_realloc
func cabiRealloc(old unsafe.Pointer, oldSize, align, size uint32) unsafe.Pointer {
	if !started {
		return earlyBlock(uintptr(size))
	}
	words := make([]uint64, (size+7)/8+1)
	block := unsafe.Pointer(unsafe.SliceData(words))
	if old != nil {
		copy(unsafe.Slice((*byte)(block), size), unsafe.Slice((*byte)(old), min(oldSize, size)))
	}
	handed = append(handed, block)
	return block
}

//go:nosplit
func earlyBlock(size uintptr) unsafe.Pointer {
	begin := (earlyUsed + 15) &^ 15
	if begin+size > unsafe.Sizeof(early) {
		return nil // the host refuses it
	}
	earlyUsed = begin + size
	return unsafe.Add(unsafe.Pointer(&early), begin)
}

// Asks the host something whose answer lands in our memory.
func ask(import_ func()) {
	percent := debug.SetGCPercent(-1)
	growStack()
	import_()
	debug.SetGCPercent(percent)
}

// Makes room on the stack for cabi_realloc: while the host calls it, the frames below must not move.
//
//go:noinline
func growStack() (sum byte) {
	var room [32 << 10]byte
	for i := range room {
		room[i] = byte(i)
		sum += room[i]
	}
	return sum
}

// Where the host writes answers that are no single number. It must not lie on a stack, which moves.
var answer [8]uint32

func addressOf(text string) pair {
	return pair{uint32(uintptr(unsafe.Pointer(unsafe.StringData(text)))), uint32(len(text))}
}

func addressOfList[T any](list []T) pair {
	return pair{uint32(uintptr(unsafe.Pointer(unsafe.SliceData(list)))), uint32(len(list))}
}

func bytesAt(address, length uint32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(uintptr(address))), length)
}

func textAt(address, length uint32) string {
	return unsafe.String((*byte)(unsafe.Pointer(uintptr(address))), length)
}

// Imports

//go:wasmimport chiton:tool/log@0.1.0 write
func logWrite(level uint32, message string)

//go:wasmimport chiton:tool/progress@0.1.0 report
func progressReport(text string)

//go:wasmimport chiton:tool/call-context@0.1.0 mounts
func contextMounts(answer unsafe.Pointer)

//go:wasmimport chiton:tool/call-context@0.1.0 remaining-ms
func contextRemaining() uint64

//go:wasmimport chiton:tool/secrets@0.1.0 placeholder
func secretsPlaceholder(name string, answer unsafe.Pointer)

//go:wasmimport chiton:tool/http@0.1.0 fetch
func httpFetch(method, url string, headers unsafe.Pointer, headersLength uint32, body unsafe.Pointer, bodyLength uint32,
	redirects uint32, answer unsafe.Pointer)

// The paths of the mounts, the working directory first.
func mounts() []string {
	ask(func() { contextMounts(unsafe.Pointer(&answer)) })
	type mount struct {
		path     pair
		writable uint32
	}
	var paths []string
	for _, mount := range unsafe.Slice((*mount)(unsafe.Pointer(uintptr(answer[0]))), answer[1]) {
		paths = append(paths, textAt(mount.path.address, mount.path.length))
	}
	handed = nil
	return paths
}

func placeholder(name string) (string, bool) {
	ask(func() { secretsPlaceholder(name, unsafe.Pointer(&answer)) })
	defer func() { handed = nil }()
	if answer[0]&0xff == 0 {
		return "", false
	}
	return textAt(answer[1], answer[2]), true
}

func fetch(method, url string, headers []Header, body []byte) (*Response, error) {
	fields := make([][2]pair, len(headers))
	for i, header := range headers {
		fields[i] = [2]pair{addressOf(header.Name), addressOf(header.Value)}
	}
	ask(func() {
		httpFetch(method, url, unsafe.Pointer(unsafe.SliceData(fields)), uint32(len(fields)),
			unsafe.Pointer(unsafe.SliceData(body)), uint32(len(body)), mostRedirects, unsafe.Pointer(&answer))
	})
	runtime.KeepAlive(headers)
	defer func() { handed = nil }()
	if answer[0]&0xff != 0 {
		return nil, &Failure{Kind: Kind(answer[1] & 0xff), Reason: textAt(answer[2], answer[3])}
	}
	response := &Response{Status: int(answer[1] & 0xffff), URL: textAt(answer[2], answer[3]), Body: bytesAt(answer[6], answer[7])}
	for _, field := range unsafe.Slice((*[2]pair)(unsafe.Pointer(uintptr(answer[4]))), answer[5]) {
		name, value := textAt(field[0].address, field[0].length), textAt(field[1].address, field[1].length)
		response.Headers = append(response.Headers, Header{name, value})
	}
	return response, nil
}

// Exports

// What the host reads after an export has returned; the instance is thrown away after it.
var exported []any

func export[T any](value *T) uint32 {
	exported = append(exported, value)
	return uint32(uintptr(unsafe.Pointer(value)))
}

func exportText(text string) pair {
	exported = append(exported, text)
	return addressOf(text)
}

func exportList[T any](list []T) pair {
	exported = append(exported, list)
	return addressOfList(list)
}

type definition struct {
	name, description, parameters pair
	effects                       uint32
}

//go:wasmexport chiton:tool/tools@0.1.0#list-tools
func listTools() uint32 {
	definitions := make([]definition, len(tools))
	for i, tool := range tools {
		definitions[i] = definition{
			exportText(tool.name), exportText(tool.description), exportText(tool.parameters), uint32(tool.effects),
		}
	}
	list := exportList(definitions)
	return export(&list)
}

type part struct {
	kind        uint32
	first, data pair
}

// Either the list of parts or the failure.
type outcome struct {
	failed uint32
	first  pair // the list; or the kind, and the address of the reason
	length uint32
}

//go:wasmexport chiton:tool/tools@0.1.0#call
func call(nameAddress, nameLength, argumentsAddress, argumentsLength uint32) uint32 {
	name, arguments := textAt(nameAddress, nameLength), bytesAt(argumentsAddress, argumentsLength)
	handed = nil
	debug.SetGCPercent(100)
	parts, failure := run(name, arguments)
	debug.SetGCPercent(-1)
	if failure != nil {
		reason := exportText(readable(failure.Reason))
		return export(&outcome{1, pair{uint32(failure.Kind), reason.address}, reason.length})
	}
	list := make([]part, len(parts))
	for i, given := range parts {
		if given.mime == "" {
			list[i] = part{kind: given.kind, first: exportText(readable(given.text))}
		} else {
			list[i] = part{given.kind, exportText(given.mime), exportList(given.data)}
		}
	}
	return export(&outcome{0, exportList(list), 0})
}

// The host ends a call that hands it text that is no UTF-8.
func readable(text string) string {
	return strings.ToValidUTF8(text, "\uFFFD")
}
