//go:build wasip1

// The contract in the Canonical ABI: how the values of wit/tool.wit lie in memory, written by hand since Go has no
// generator that needs nothing else.
//
// The host, and the adapter that makes today's WASI of the one that Go speaks, put what they give us where cabi_realloc
// says. What can go wrong there:
//
//  1. The adapter asks for memory before Go's own allocator runs, so the first blocks come from an array.
//  2. If nobody gave it memory, the adapter would grow the memory itself, and Go's heap would later walk over what lies
//     there. So cabi_realloc is exported under this very name.
//  3. It may not call the host, but Go's collector and at times its allocator read the clock. So the collector stands
//     still except while a tool runs and does not wait for the host, and the clock stands still meanwhile.
//  4. It may not move the stack on which the call of the import waits. So the stack is made large before.
package chiton

import (
	"errors"
	"runtime/debug"
	"sync"
	"syscall"
	"unsafe"
)

// Memory

// The first blocks: the state and the stack of the adapter, 64 KiB each.
var (
	early     [3 * 65536 / 8]uint64
	earlyUsed uintptr
	started   bool
)

func init() {
	debug.SetGCPercent(-1)
	started = true
}

//go:wasmexport cabi_realloc
//go:nosplit
func cabiRealloc(old unsafe.Pointer, oldSize, align, size uint32) unsafe.Pointer {
	if !started {
		begin := (earlyUsed + 15) &^ 15
		if begin+uintptr(size) > unsafe.Sizeof(early) {
			return nil // ends the call: there is no address 0 to the adapter
		}
		earlyUsed = begin + uintptr(size)
		return unsafe.Add(unsafe.Pointer(&early), begin)
	}
	heldClock = true
	block := reallocated(old, oldSize, size)
	heldClock = false
	return block
}

// Of the runtime, as build.sh replaces it: whether its clock gives the last time again.
//
//go:linkname heldClock runtime.heldClock
var heldClock bool

// Nothing here is asked for an alignment above 8.
func reallocated(old unsafe.Pointer, oldSize, size uint32) unsafe.Pointer {
	block := unsafe.Pointer(unsafe.SliceData(make([]uint64, (uint64(size)+7)/8+1)))
	if old != nil {
		copy(unsafe.Slice((*byte)(block), size), unsafe.Slice((*byte)(old), min(oldSize, size)))
	}
	return block
}

// One goroutine asks at a time: others may run while the collector comes to an end, and would switch it on again.
var asking sync.Mutex

// Asks the host something whose answer lies in our memory, and reads it. The collector stands still meanwhile, since it
// cannot see what is known by the number of its address only.
func ask(question func()) {
	asking.Lock()
	defer asking.Unlock()
	percent := debug.SetGCPercent(-1)
	growStack()
	question()
	debug.SetGCPercent(percent)
}

// Makes more room on the stack than cabi_realloc needs.
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

// What the host is told the address of. It lies on the heap because it is named here: a stack moves.
var told []unsafe.Pointer

// The address of something in memory, and its length.
type place struct{ address, length uint32 }

func placeOf[T any](list []T) place {
	pointer := unsafe.Pointer(unsafe.SliceData(list))
	told = append(told, pointer)
	return place{uint32(uintptr(pointer)), uint32(len(list))}
}

func placeOfText(text string) place {
	return placeOf(unsafe.Slice(unsafe.StringData(text), len(text)))
}

func listAt[T any](at place) []T {
	return unsafe.Slice((*T)(unsafe.Add(unsafe.Pointer(nil), at.address)), at.length)
}

func textAt(at place) string { return string(listAt[byte](at)) }

// Imports

//go:wasmimport chiton:tool/log@0.1.0 write
func importLog(level uint32, message string)

//go:wasmimport chiton:tool/progress@0.1.0 report
func importProgress(text string)

//go:wasmimport chiton:tool/call-context@0.1.0 mounts
func importMounts(answer unsafe.Pointer)

//go:wasmimport chiton:tool/call-context@0.1.0 remaining-ms
func importRemaining() uint64

//go:wasmimport chiton:tool/secrets@0.1.0 placeholder
func importPlaceholder(name string, answer unsafe.Pointer)

//go:wasmimport chiton:tool/http@0.1.0 fetch
func importFetch(method, url string, headers unsafe.Pointer, headersLength uint32, body unsafe.Pointer,
	bodyLength uint32, redirects uint32, answer unsafe.Pointer)

// Where the host writes answers that are no single number: words, of which small numbers fill a part.
var answer [8]uint32

func log(level Level, message string) { importLog(uint32(level), message) }

func progress(text string) { importProgress(text) }

func remaining() uint64 { return importRemaining() }

// The mounts stay as they are during a call.
var mounts = sync.OnceValue(func() (all []Mount) {
	type mount struct {
		path     place
		writable bool
	}
	ask(func() {
		importMounts(unsafe.Pointer(&answer))
		for _, mount := range listAt[mount](place{answer[0], answer[1]}) {
			all = append(all, Mount{textAt(mount.path), mount.writable})
		}
	})
	return all
})

func placeholder(name string) (text string, found bool) {
	ask(func() {
		importPlaceholder(name, unsafe.Pointer(&answer))
		if found = uint8(answer[0]) != 0; found {
			text = textAt(place{answer[1], answer[2]})
		}
	})
	return text, found
}

type field struct{ name, value place }

func fetch(request Request) (response *Response, err error) {
	ask(func() {
		fields := make([]field, len(request.Headers))
		for i, header := range request.Headers {
			fields[i] = field{placeOfText(header.Name), placeOfText(header.Value)}
		}
		importFetch(request.Method, request.URL,
			unsafe.Pointer(unsafe.SliceData(fields)), uint32(len(fields)),
			unsafe.Pointer(unsafe.SliceData(request.Body)), uint32(len(request.Body)),
			mostRedirects, unsafe.Pointer(&answer))
		told = nil
		if uint8(answer[0]) != 0 {
			err = &Failure{Kind(answer[1]), textAt(place{answer[2], answer[3]})}
			return
		}
		response = &Response{
			Status: int(uint16(answer[1])),
			URL:    textAt(place{answer[2], answer[3]}),
			Body:   listAt[byte](place{answer[6], answer[7]}),
		}
		for _, header := range listAt[field](place{answer[4], answer[5]}) {
			response.Headers = append(response.Headers, Field{textAt(header.name), textAt(header.value)})
		}
	})
	return response, err
}

// Whether the host refused a right, rather than that something is wrong with the file.
func isRefused(err error) bool {
	return errors.Is(err, syscall.ENOTCAPABLE) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EACCES) ||
		errors.Is(err, syscall.EPERM)
}

// Whether there is no descriptor that could do it: none of a directory around it, or it is one itself.
func isUnusable(err error) bool { return errors.Is(err, syscall.EBADF) }

// Exports. The host reads what they give, and the instance is thrown away: nothing is freed.

type definition struct {
	name, description, parameters place
	effects                       Effects
}

//go:wasmexport chiton:tool/tools@0.1.0#list-tools
func exportListTools() unsafe.Pointer {
	definitions := make([]definition, len(tools))
	for i, tool := range tools {
		definitions[i] = definition{
			placeOfText(tool.Name), placeOfText(tool.Description), placeOfText(tool.Parameters), tool.Effects,
		}
	}
	list := placeOf(definitions)
	return unsafe.Pointer(&list)
}

type part struct {
	kind        uint8
	first, data place
}

//go:wasmexport chiton:tool/tools@0.1.0#call
func exportCall(nameAddress, nameLength, argumentsAddress, argumentsLength uint32) unsafe.Pointer {
	name := textAt(place{nameAddress, nameLength})
	arguments := listAt[byte](place{argumentsAddress, argumentsLength})
	debug.SetGCPercent(100)
	result, err := run(name, arguments)
	debug.SetGCPercent(-1)
	if err != nil {
		failure := failureOf(err)
		reason := placeOfText(readable(failure.Reason))
		return unsafe.Pointer(&[4]uint32{1, uint32(failure.Kind), reason.address, reason.length})
	}
	parts := make([]part, len(result))
	for i, given := range result {
		parts[i] = part{given.kind, placeOfText(readable(given.text)), placeOf(given.data)}
	}
	list := placeOf(parts)
	return unsafe.Pointer(&[4]uint32{0, list.address, list.length})
}
