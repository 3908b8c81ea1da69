package journal

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
)

// What a caller decides by. Every error of the package that is one of these
// also says which file, what was found and what to do.
var (
	// ErrLocked: another process has the journal. Nothing was touched.
	ErrLocked = errors.New("in use by another process")
	// ErrFull: the quota or the disk is full. Nothing was written and the
	// journal goes on: the group may be committed again when there is room.
	ErrFull = errors.New("no room for the record")
	// ErrDamaged: the file is not what was written. See SetAside.
	ErrDamaged = errors.New("damaged")
	// ErrForeign: the file is not a journal, or is that of another gateway or of
	// a newer program. It must not be touched.
	ErrForeign = errors.New("not this gateway's journal")
	// ErrKey: gateway.key is missing, unreadable or another one.
	ErrKey = errors.New("gateway.key does not fit")
	// ErrUncertain: a commit failed in a way that leaves open whether it
	// happened. Reopen reads what is there; committing again could double it.
	ErrUncertain = errors.New("outcome of the last commit is not known")
	// ErrGroup: the group does not continue the record. Nothing was written.
	ErrGroup = errors.New("group does not continue the record")
	// ErrClosed: the journal has been closed.
	ErrClosed = errors.New("journal is closed")
)

// guard runs do and turns the panics by which bbolt reports a damaged file, and
// the faults of reading past the end of a shortened one, into ErrDamaged. A nil
// pointer is our own mistake and stays a panic.
func guard(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		if fault, ok := r.(interface{ Addr() uintptr }); ok {
			err = fmt.Errorf("%w: read fault at address %#x of the file's map", ErrDamaged, fault.Addr())
			return
		}
		if e, ok := r.(runtime.Error); ok && e.Error() == "runtime error: invalid memory address or nil pointer dereference" {
			panic(r)
		}
		err = fmt.Errorf("%w: %v", ErrDamaged, r)
	}()
	return do()
}
